//! Lists of Magento's REST API: the search criteria of a call, and the rows of its answer as they were written.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::{Door, Query};
use crate::clients::ApiError;

/// The platform's own limit is 300 where it is on.
pub const PAGE: usize = 100;

const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// As filters take it and rows tell it: UTC, without saying so.
pub fn written(at: DateTime<Utc>) -> String {
    at.format(TIME).to_string()
}

/// Filters of one group are alternatives, groups must all hold. No index reaches ten: the platform sorts the
/// parameters of a signature as a person would (9 before 10), OAuth by their bytes.
#[derive(Clone, Default)]
pub struct Criteria {
    query: Query,
    groups: usize,
    sorts: usize,
}

impl Criteria {
    pub fn of(self, field: &str, condition: &str, value: &str) -> Self {
        self.any_of(&[(field, condition, value)])
    }

    pub fn any_of(mut self, filters: &[(&str, &str, &str)]) -> Self {
        for (i, (field, condition, value)) in filters.iter().enumerate() {
            let name =
                |part: &str| format!("searchCriteria[filter_groups][{}][filters][{i}][{part}]", self.groups);
            let parts = [("field", *field), ("condition_type", *condition), ("value", *value)];
            self.query.extend(parts.map(|(part, value)| (name(part), value.to_owned())));
        }
        self.groups += 1;
        self
    }

    pub fn by(mut self, field: &str) -> Self {
        for (part, value) in [("field", field), ("direction", "ASC")] {
            let name = format!("searchCriteria[sortOrders][{}][{part}]", self.sorts);
            self.query.push((name, value.to_owned()));
        }
        self.sorts += 1;
        self
    }

    /// Only these fields of a row, besides the count.
    pub fn only(mut self, fields: &str) -> Self {
        self.query.push(("fields".to_owned(), format!("items[{fields}],total_count")));
        self
    }

    fn page(mut self, number: usize, size: usize) -> Query {
        for (part, value) in [("pageSize", size), ("currentPage", number)] {
            self.query.push((format!("searchCriteria[{part}]"), value.to_string()));
        }
        self.query
    }
}

/// A row, unread but for what pages are made of.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: u64,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Of invoices and credit memos.
    pub order_id: Option<u64>,
    pub raw: Box<RawValue>,
}

impl Row {
    pub fn read(raw: &RawValue) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            entity_id: Option<&'a RawValue>,
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow)]
            order_id: Option<&'a RawValue>,
            created_at: Option<String>,
            updated_at: Option<String>,
        }
        let head: Head<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
        let id = head.entity_id.or(head.id).and_then(whole);
        let id = id.ok_or_else(|| ApiError::Unreadable("a row without an id".into()))?;
        Ok(Self {
            id,
            created_at: head.created_at.as_deref().and_then(instant),
            updated_at: head.updated_at.as_deref().and_then(instant),
            order_id: head.order_id.and_then(whole),
            raw: raw.to_owned(),
        })
    }
}

/// A number, or a number's text.
pub fn plain(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}

fn whole(raw: &RawValue) -> Option<u64> {
    plain(raw).parse().ok()
}

pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text.trim(), TIME).ok().map(|naive| naive.and_utc())
}

pub fn unreadable(error: serde_json::Error) -> ApiError {
    ApiError::Unreadable(format!("{error}; it may have been cut on the way"))
}

/// Rows and how many there are by the store's own count, this page's with them.
pub struct List<T> {
    pub rows: Vec<T>,
    pub total: usize,
}

/// One page. Rows beyond the count are none: asked for a page past the end, older versions repeat the last one.
/// Fewer rows than the count promises are a broken page, which is read again.
pub fn list<T>(
    door: &Door,
    path: &str,
    criteria: &Criteria,
    page: usize,
    read: impl Fn(&RawValue) -> Result<T, ApiError>,
) -> Result<List<T>, ApiError> {
    let query = criteria.clone().page(page, PAGE);
    door.get(path, &query, |body| {
        #[derive(Deserialize)]
        struct Told<'a> {
            #[serde(borrow)]
            items: Option<Vec<&'a RawValue>>,
            total_count: usize,
        }
        let told: Told<'_> = serde_json::from_slice(body).map_err(unreadable)?;
        let promised = told.total_count.saturating_sub((page - 1) * PAGE).min(PAGE);
        let items = told.items.unwrap_or_default();
        if items.len() < promised {
            return Err(ApiError::Incomplete(format!(
                "{} of {promised} rows of {path} came, of {} in all",
                items.len(),
                told.total_count
            )));
        }
        let rows = items.into_iter().take(promised).map(&read).collect::<Result<_, _>>()?;
        Ok(List { rows, total: told.total_count })
    })
}

/// All rows, by ascending id: a row that comes or goes meanwhile moves no other.
pub fn all(door: &Door, path: &str, criteria: &Criteria) -> Result<Vec<Row>, ApiError> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let from = match rows.last() {
            Some(last) => criteria.clone().of("entity_id", "gt", &last.id.to_string()),
            None => criteria.clone(),
        };
        let page = list(door, path, &from.by("entity_id"), 1, Row::read)?;
        let done = page.total <= page.rows.len();
        let after = rows.last().map_or(0, |last| last.id);
        if page.rows.iter().any(|row| row.id <= after && after > 0) {
            return Err(ApiError::Unreadable(format!("{path} do not come in the order asked for")));
        }
        rows.extend(page.rows);
        if done {
            return Ok(rows);
        }
    }
}
