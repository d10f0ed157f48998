//! Pages that skip nothing while rows move: each begins at the time of the last row seen.
//!
//! A page over "changed, ascending" by its number loses a row whenever an earlier one moves to the end. So every
//! page is the first one of what changed at or after the second of the last row; rows of that second that were
//! given are left out. Where one second holds more than a page, its rows are read on by their ids.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::call::Door;
use super::search::{Criteria, List, PAGE, Row, list, written};
use crate::clients::{ApiError, WindowBy};

/// What is paged.
pub struct Table<'a> {
    pub path: &'a str,
    pub by: WindowBy,
    /// The ids' own field.
    pub id: &'a str,
    /// The fields wanted of a row; all of them where empty.
    pub only: &'a str,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    at: DateTime<Utc>,
    /// The rows of that second that were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    given: Vec<u64>,
    /// That second is read on after this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

pub struct Rows {
    pub rows: Vec<Row>,
    pub next: Option<String>,
    pub remaining: u64,
}

impl Table<'_> {
    fn field(&self) -> &'static str {
        match self.by {
            WindowBy::Changed => "updated_at",
            WindowBy::Ordered => "created_at",
        }
    }

    fn time(&self, row: &Row) -> Result<DateTime<Utc>, ApiError> {
        let time = match self.by {
            WindowBy::Changed => row.updated_at,
            WindowBy::Ordered => row.created_at,
        };
        time.ok_or_else(|| {
            ApiError::Unreadable(format!("{} {} of {} is no time", self.field(), row.id, self.path))
        })
    }

    /// One page of `[from, to)`, in whole seconds: the second of `from` is read from its beginning.
    pub fn page(
        &self,
        door: &Door,
        from: DateTime<Utc>,
        to: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Rows, ApiError> {
        let cursor = match cursor {
            Some(text) => serde_json::from_str(text)
                .map_err(|_| ApiError::Unsupported(format!("{text:?} is not a place to read on from")))?,
            None => Cursor { at: whole_second(from), given: vec![], after: None },
        };
        let List { rows, total } = list(door, self.path, &self.criteria(&cursor, to), 1, Row::read)?;
        let times = rows.iter().map(|row| self.time(row)).collect::<Result<Vec<_>, _>>()?;
        let next = self.next(&cursor, &rows, &times, total)?;
        let next = next.map(|next| serde_json::to_string(&next)).transpose();
        let next = next.map_err(|error| ApiError::Unsupported(error.to_string()))?;
        let given = |row: &Row, at: DateTime<Utc>| at == cursor.at && cursor.given.contains(&row.id);
        let count = rows.len();
        let rows: Vec<Row> = rows
            .into_iter()
            .zip(times)
            .filter(|(row, at)| !given(row, *at) && to.is_none_or(|to| *at < to))
            .map(|(row, _)| row)
            .collect();
        let again = count - rows.len();
        Ok(Rows { rows, next, remaining: u64::try_from(total.saturating_sub(again)).unwrap_or(u64::MAX) })
    }

    fn criteria(&self, cursor: &Cursor, to: Option<DateTime<Utc>>) -> Criteria {
        let (field, at) = (self.field(), written(cursor.at));
        let mut criteria = Criteria::default().of(field, "gteq", &at);
        if let Some(after) = cursor.after {
            criteria = criteria.any_of(&[(field, "gt", &at), (self.id, "gt", &after.to_string())]);
        }
        if let Some(to) = to {
            // A window that ends within a second holds the rows of that second.
            let end = whole_second(to);
            let end = if end < to { end + TimeDelta::seconds(1) } else { end };
            criteria = criteria.of(field, "lt", &written(end));
        }
        if !self.only.is_empty() {
            criteria = criteria.only(self.only);
        }
        criteria.by(field).by(self.id)
    }

    fn next(
        &self,
        cursor: &Cursor,
        rows: &[Row],
        times: &[DateTime<Utc>],
        total: usize,
    ) -> Result<Option<Cursor>, ApiError> {
        if !times.is_sorted() || times.first().is_some_and(|first| *first < cursor.at) {
            return Err(ApiError::Unreadable(format!("{} do not come in the order asked for", self.path)));
        }
        let (Some(last), Some(row)) = (times.last().copied(), rows.last()) else { return Ok(None) };
        if total <= rows.len() {
            return Ok(None);
        }
        if times.first() == Some(&last) && rows.len() >= PAGE {
            if !rows.iter().map(|row| row.id).is_sorted() {
                return Err(ApiError::Unreadable(format!(
                    "{} of one second do not come by their ids",
                    self.path
                )));
            }
            return Ok(Some(Cursor { at: last, given: vec![], after: Some(row.id) }));
        }
        let of_last = rows.iter().zip(times).filter(|(_, at)| **at == last).map(|(row, _)| row.id);
        Ok(Some(Cursor { at: last, given: of_last.collect(), after: None }))
    }
}

fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at)
}
