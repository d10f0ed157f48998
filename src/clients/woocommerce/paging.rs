//! Paging that leaves no row out although rows change while they are paged.
//!
//! Rows are read in the order of their time, always from the first page of those at or after the last time seen
//! ([`Place::From`]): whatever changed in between moved to the end and is met there. Where times cannot tell rows
//! apart (one second fills a page, or a filter cannot begin there) a span is read in the order of ids
//! ([`Place::Within`]): each page begins one row early, and a row that is not met again tells that others moved away
//! before it. Shops of an old version, which do not sort by change, are read that way altogether.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::bounds;
use crate::clients::ApiError;

/// The most that a shop gives at once.
pub const PAGE: u64 = 100;
/// How often a span is read from its beginning because rows came into it before the place that was reached.
const ROUNDS: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: DateTime<Utc>,
    /// Everything since, where it is not told.
    pub to: Option<DateTime<Utc>>,
}

impl Span {
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// Where reading goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    From {
        second: DateTime<Utc>,
        /// The rows of that second that were given already.
        given: BTreeSet<u64>,
    },
    Within(Within),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// All rows, whatever their time, where it is not told.
    pub span: Option<Span>,
    /// The last id that was given.
    pub after: u64,
    /// About how many rows have ids up to it.
    pub offset: u64,
    /// Rows with lower ids came in meanwhile.
    pub late: bool,
    pub round: u8,
    /// Looking for the place that was reached, after others moved away before it.
    #[serde(skip)]
    pub searching: bool,
}

impl Place {
    pub fn beginning(span: Option<Span>) -> Self {
        match span {
            Some(span) => Self::From { second: span.from, given: BTreeSet::new() },
            None => Self::all(None),
        }
    }

    fn all(span: Option<Span>) -> Self {
        Self::Within(Within { span, ..Within::default() })
    }
}

/// What the shop is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub after: Option<String>,
    pub before: Option<String>,
    pub by_id: bool,
    pub offset: u64,
}

#[derive(Clone, Debug)]
pub struct Row<T> {
    pub id: u64,
    pub at: DateTime<Utc>,
    pub what: T,
}

pub enum Got<T> {
    Rows {
        rows: Vec<Row<T>>,
        /// How many of the shop's rows the page stands for: more than came where some may be hidden.
        came: u64,
        total: u64,
    },
    /// This version does not sort by change.
    Unsorted,
}

pub struct Step<T> {
    pub rows: Vec<Row<T>>,
    pub next: Option<Place>,
    /// How many there are from here on, with these, where one number tells it.
    pub remaining: Option<u64>,
}

/// One page from `place` on. `fetch` asks the shop; it gives all rows of the page or an error.
pub fn step<T>(
    span: Option<Span>,
    mut place: Place,
    fetch: impl Fn(&Ask) -> Result<Got<T>, ApiError>,
) -> Result<Step<T>, ApiError> {
    loop {
        let done = match place {
            Place::From { second, given } => from(span, second, &given, &fetch)?,
            Place::Within(within) => inside(span, within, &fetch)?,
        };
        match done {
            Done::Page(step) => return Ok(step),
            Done::Elsewhere(other) => place = other,
        }
    }
}

enum Done<T> {
    Page(Step<T>),
    /// Nothing was given; read on there.
    Elsewhere(Place),
}

fn from<T>(
    span: Option<Span>,
    second: DateTime<Utc>,
    given: &BTreeSet<u64>,
    fetch: &impl Fn(&Ask) -> Result<Got<T>, ApiError>,
) -> Result<Done<T>, ApiError> {
    let to = span.and_then(|span| span.to);
    if let Some(over) = bounds::hole(second) {
        return Ok(Done::Elsewhere(Place::all(Some(Span { from: second, to: earliest(to, over) }))));
    }
    let ask =
        Ask { after: Some(bounds::after(second)), before: to.map(bounds::before), by_id: false, offset: 0 };
    let Got::Rows { rows, came, total } = fetch(&ask)? else {
        return Ok(Done::Elsewhere(Place::all(span)));
    };
    let in_order = rows.windows(2).all(|two| matches!(two, [a, b] if a.at <= b.at));
    let filtered = rows.first().is_none_or(|first| first.at + Duration::seconds(1) >= second);
    if !in_order || !filtered {
        // A plugin sorts or filters otherwise. By id everything is met, whatever is left out of the window.
        return Ok(Done::Elsewhere(Place::all(span)));
    }
    let last = rows.last().map(|row| row.at);
    let at_the_end = came >= total || to.zip(last).is_some_and(|(to, last)| last >= to);
    let next = match last.filter(|_| !at_the_end) {
        None => None,
        Some(last) if last > second => {
            Some(Place::From { second: last, given: ids(rows.iter().filter(|row| row.at == last)) })
        }
        Some(_) => {
            let one = Span { from: second, to: earliest(to, second + Duration::seconds(1)) };
            return Ok(Done::Elsewhere(Place::all(Some(one))));
        }
    };
    let inside = |row: &Row<T>| row.at >= second && to.is_none_or(|to| row.at < to);
    let fresh = |row: &Row<T>| inside(row) && !(row.at == second && given.contains(&row.id));
    let rows: Vec<Row<T>> = rows.into_iter().filter(fresh).collect();
    let known = came.saturating_sub(count(rows.iter()));
    Ok(Done::Page(Step { rows, next, remaining: Some(total.saturating_sub(known)) }))
}

fn inside<T>(
    whole: Option<Span>,
    within: Within,
    fetch: &impl Fn(&Ask) -> Result<Got<T>, ApiError>,
) -> Result<Done<T>, ApiError> {
    let offset = within.offset.saturating_sub(1);
    let ask = Ask {
        after: within.span.map(|span| bounds::after(span.from)),
        before: within.span.and_then(|span| span.to).map(bounds::before),
        by_id: true,
        offset,
    };
    let Got::Rows { rows, came, total } = fetch(&ask)? else {
        return Err(ApiError::Refused("it sorts neither by time nor by id".into()));
    };
    if !rows.windows(2).all(|two| matches!(two, [a, b] if a.id < b.id)) {
        return Err(ApiError::Unreadable("a list that is not in the order of ids that was asked for".into()));
    }
    let met_again = rows.first().is_some_and(|first| first.id <= within.after);
    if offset > 0 && !met_again {
        let offset = within.offset.saturating_sub(PAGE / 2);
        return Ok(Done::Elsewhere(Place::Within(Within { offset, searching: true, ..within })));
    }
    let reached = offset + came;
    let known = count(rows.iter().filter(|row| row.id <= within.after));
    let late = within.late || (!within.searching && offset > 0 && known > 1);
    let after = rows.last().map_or(within.after, |last| last.id.max(within.after));
    let next = match reached < total {
        true => Some(Place::Within(Within { after, offset: reached, late, searching: false, ..within })),
        false if late => Some(again(&within)?),
        false => beyond(whole, within.span),
    };
    let fresh = |row: &Row<T>| {
        row.id > within.after
            && within.span.is_none_or(|span| span.contains(row.at))
            && whole.is_none_or(|whole| whole.contains(row.at))
    };
    let is_whole = within.span == whole;
    let rows = rows.into_iter().filter(fresh).collect();
    let remaining = is_whole.then(|| total.saturating_sub(offset + known));
    Ok(Done::Page(Step { rows, next, remaining }))
}

/// From the beginning, as rows came in before the place that was reached.
fn again(within: &Within) -> Result<Place, ApiError> {
    if within.round + 1 >= ROUNDS {
        return Err(ApiError::Incomplete(
            "rows keep coming in while they are read; read the window later".into(),
        ));
    }
    Ok(Place::Within(Within { span: within.span, round: within.round + 1, ..Within::default() }))
}

/// After a span that is not all: the rows after it.
fn beyond(whole: Option<Span>, span: Option<Span>) -> Option<Place> {
    let (whole, end) = (whole?, span?.to?);
    let more = span != Some(whole) && whole.to.is_none_or(|to| end < to);
    more.then(|| Place::From { second: end, given: BTreeSet::new() })
}

fn earliest(to: Option<DateTime<Utc>>, other: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(to.map_or(other, |to| to.min(other)))
}

fn ids<'a, T: 'a>(rows: impl Iterator<Item = &'a Row<T>>) -> BTreeSet<u64> {
    rows.map(|row| row.id).collect()
}

/// Of rows, which never are more than fit.
pub fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    u64::try_from(rows.count()).unwrap_or(u64::MAX)
}
