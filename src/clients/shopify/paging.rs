//! Pages of a search that is sorted by time, and the places at which one is read on.
//!
//! Shopify's own cursors are keysets (time and id of the last row), so rows that move to the end are met again
//! and none is skipped. A search is cut off after 25,000 rows, so a long one is begun anew at the time of its
//! last row, which is then given twice.

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clients::ApiError;

const LONGEST_SEARCH: u64 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

/// A list as it is answered, its items unread.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    pub nodes: Vec<Box<RawValue>>,
    pub page_info: PageInfo,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Rows from this time on are searched.
    pub from: Option<DateTime<Utc>>,
    pub after: Option<String>,
    /// Rows that this search gave so far.
    pub given: u64,
}

impl Place {
    pub fn start(from: Option<DateTime<Utc>>, cursor: Option<&str>) -> Result<Self, ApiError> {
        match cursor {
            None => Ok(Self { from: from.map(whole_second), after: None, given: 0 }),
            Some(cursor) => serde_json::from_str(cursor).map_err(|_| {
                ApiError::Unsupported(format!("{cursor:?} is no place in a list of this store"))
            }),
        }
    }

    /// Where to read on after a page, if there is more. `last` is the time of its last row.
    pub fn next(
        &self,
        rows: usize,
        page: &PageInfo,
        last: Option<DateTime<Utc>>,
    ) -> Result<Option<String>, ApiError> {
        if !page.has_next_page {
            return Ok(None);
        }
        let (Some(after), Some(last)) = (page.end_cursor.clone(), last) else {
            return Err(ApiError::Incomplete("a page without rows that says there are more".to_owned()));
        };
        let given = self.given.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
        let last = whole_second(last);
        let next = if given >= LONGEST_SEARCH && self.from.is_none_or(|from| from < last) {
            Self { from: Some(last), after: None, given: 0 }
        } else {
            Self { from: self.from, after: Some(after), given }
        };
        serde_json::to_string(&next).map(Some).map_err(|error| ApiError::Unsupported(error.to_string()))
    }
}

/// The API tells whole seconds and keeps finer ones: a time is met again by the second that it lies in.
pub fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at)
}

pub fn next_second(at: DateTime<Utc>) -> DateTime<Utc> {
    let whole = whole_second(at);
    if whole == at { at } else { whole + TimeDelta::seconds(1) }
}

pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `gid://shopify/Order/123?x=y` is known as `123`.
pub fn short_id(gid: &str) -> String {
    let last = gid.rsplit('/').next().unwrap_or(gid);
    last.split('?').next().unwrap_or(last).to_owned()
}
