//! Which time a statement is of: a period by its name, or days.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use diesel::sql_types::{Text, Timestamptz};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};

use crate::db::{Conn, DbError};

/// From an instant up to another one, which is not in it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// The period that it is.
    pub period: Option<String>,
}

impl Span {
    /// `2026-10`, or `2026-10-01 to 2026-10-15`: days in UTC, both in it.
    pub fn name(&self) -> String {
        self.period.clone().unwrap_or_else(|| format!("{} to {}", self.first_day(), self.last_day()))
    }

    pub fn first_day(&self) -> NaiveDate {
        self.from.date_naive()
    }

    pub fn last_day(&self) -> NaiveDate {
        let last = self.until - chrono::TimeDelta::microseconds(1);
        last.date_naive()
    }
}

/// As people and programs ask. Empty texts say nothing; nothing at all is the period of now.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub period: Option<String>,
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SpanProblem {
    #[error(
        "there is no period {0:?}; `upline period list` shows those that there are, or give the days with from and to"
    )]
    UnknownPeriod(String),
    #[error("{0:?} is no day; write it as 2026-10-31")]
    BadDay(String),
    #[error("give a period, or a first and a last day, not both")]
    Both,
    #[error("a first day needs a last day, and the other way round")]
    OneDay,
    #[error("the last day, {to}, is before the first, {from}")]
    Backwards { from: NaiveDate, to: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

pub fn span(conn: &mut Conn, asked: &Asked, now: DateTime<Utc>) -> Result<Span, SpanProblem> {
    let said = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    match (said(&asked.period), said(&asked.from), said(&asked.to)) {
        (Some(period), None, None) => named(conn, &period)?.ok_or(SpanProblem::UnknownPeriod(period)),
        (Some(_), ..) => Err(SpanProblem::Both),
        (None, Some(from), Some(to)) => days(&from, &to),
        (None, None, None) => Ok(current(conn, now)?.unwrap_or_else(|| month(now))),
        (None, ..) => Err(SpanProblem::OneDay),
    }
}

fn days(from: &str, to: &str) -> Result<Span, SpanProblem> {
    let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| SpanProblem::BadDay(text.to_owned()));
    let (from, to) = (day(from)?, day(to)?);
    if to < from {
        return Err(SpanProblem::Backwards { from, to });
    }
    let after = to.checked_add_days(Days::new(1)).ok_or_else(|| SpanProblem::BadDay(to.to_string()))?;
    Ok(Span { from: midnight(from), until: midnight(after), period: None })
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Where no plan says what a period is.
fn month(now: DateTime<Utc>) -> Span {
    let day = now.date_naive();
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(chrono::Months::new(1)).unwrap_or(day);
    Span { from: midnight(first), until: midnight(next), period: None }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ends_at: DateTime<Utc>,
}

impl From<Row> for Span {
    fn from(row: Row) -> Self {
        Self { from: row.starts_at, until: row.ends_at, period: Some(row.name) }
    }
}

fn named(conn: &mut Conn, name: &str) -> Result<Option<Span>, DbError> {
    let row: Option<Row> = sql_query("select name, starts_at, ends_at from periods where name = $1")
        .bind::<Text, _>(name)
        .get_result(conn)
        .optional()?;
    Ok(row.map(Span::from))
}

fn current(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<Span>, DbError> {
    let row: Option<Row> = sql_query(
        "select name, starts_at, ends_at from periods where starts_at <= $1 order by starts_at desc limit 1",
    )
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .optional()?;
    Ok(row.map(Span::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_days_are_in_it() {
        let span = days("2026-10-01", "2026-10-15").unwrap();
        assert_eq!(span.name(), "2026-10-01 to 2026-10-15");
        assert_eq!(span.until, "2026-10-16T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert!(days("2026-10-02", "2026-10-01").unwrap_err().to_string().contains("before the first"));
        assert!(days("2026-13-02", "2026-10-01").unwrap_err().to_string().contains("2026-10-31"));
    }

    #[test]
    fn a_month_is_whole() {
        let span = month("2026-12-31T23:59:59Z".parse().unwrap());
        assert_eq!(span.name(), "2026-12-01 to 2026-12-31");
    }
}
