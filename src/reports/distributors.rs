//! Distributors: the list, one person's history, what was earned. The tree is asked of the genealogy itself.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::journal::Source;
use super::{Conn, Page, limit};
use crate::db::DbError;
use crate::distributors::Profile;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The beginning of an id or a name, a code, or `sponsor:` and an id.
    pub q: String,
    pub status: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.status.is_empty()
    }
}

/// By id, after `after`.
pub fn list(conn: &mut Conn, filter: &Filter, after: &str) -> Result<Page<Profile, String>, DbError> {
    let q = filter.q.trim();
    let (condition, value) = match q.strip_prefix("sponsor:") {
        _ if q.is_empty() => ("true", String::new()),
        Some(sponsor) => ("d.sponsor_id = $3", sponsor.trim().to_owned()),
        None => (
            "(starts_with(d.distributor_id, $3) or starts_with(lower(d.name), lower($3))
              or d.distributor_id in (select c.distributor_id from distributor_codes c where c.code = lower($3)))",
            q.to_owned(),
        ),
    };
    let rows: Vec<Profile> = sql_query(format!(
        "select distributor_id, sponsor_id, status, rank, country, name, email, created_at
         from distributors d
         where d.distributor_id > $1 and ($2 = '' or d.status = $2) and {condition}
         order by d.distributor_id limit $4"
    ))
    .bind::<Text, _>(after)
    .bind::<Text, _>(&filter.status)
    .bind::<Text, _>(value)
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.distributor_id.clone()))
}

/// What was true from an instant on, as it was recorded.
#[derive(Clone, Debug, QueryableByName)]
pub struct Version {
    #[diesel(sql_type = Nullable<Text>)]
    pub sponsor_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub rank: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub effective_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
}

/// Newest first.
pub fn versions(conn: &mut Conn, id: &str) -> Result<Vec<Version>, DbError> {
    Ok(sql_query(
        "select sponsor_id, status, rank, nullif(effective_from, '-infinity') as effective_from, recorded_at, recorded_by
         from distributor_versions v where distributor_id = $1 order by v.effective_from desc, version_no desc",
    )
    .bind::<Text, _>(id)
    .load(conn)?)
}

pub fn codes(conn: &mut Conn, id: &str) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        code: String,
    }
    let rows: Vec<Row> =
        sql_query("select code from distributor_codes where distributor_id = $1 order by code")
            .bind::<Text, _>(id)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| row.code).collect())
}

/// One commission event with what it is of.
#[derive(Clone, Debug, QueryableByName)]
pub struct Earned {
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    /// Of an order; a period's event has the name of its period.
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    period: Option<String>,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = SmallInt)]
    pub level: i16,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl Earned {
    pub fn source(&self) -> Source {
        Source::of(self.number.clone(), self.period.clone())
    }
}

/// Newest first, older than `before`.
pub fn statement(conn: &mut Conn, id: &str, before: Option<Uuid>) -> Result<Page<Earned, Uuid>, DbError> {
    let rows: Vec<Earned> = sql_query(
        "select e.event_id, e.order_id, coalesce(o.number, o.external_id) as number, p.name as period, e.kind,
                e.bonus, e.level, e.amount, e.currency::text as currency, e.created_at
         from commission_events e left join orders o using (order_id)
         left join runs r on r.run_id = e.order_id left join periods p using (period_id)
         where e.distributor_id = $1 and e.event_id < $2 order by e.event_id desc limit $3",
    )
    .bind::<Text, _>(id)
    .bind::<SqlUuid, _>(before.unwrap_or(Uuid::max()))
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.event_id))
}
