//! What people and programs read: queries over what the other rooms recorded. Writes nothing.
//!
//! Lists go from key to key and never count a large table; where a filter may match nothing for long, a page
//! looks at a stretch of the table and says where it stopped.

pub mod api;
pub mod attention;
pub mod catalogue;
pub mod customers;
pub mod dashboard;
pub mod deliveries;
pub mod distributors;
pub mod held;
pub mod journal;
pub mod order;
pub mod orders;
pub mod periods;
pub mod plans;
pub mod reconciliation;
pub mod search;
pub mod set_up;
pub mod skus;
pub mod statement;

pub use crate::db::Conn;

/// Rows of one page of a list.
pub const PAGE: usize = 50;

/// One page of a list, and the key from which the next one goes on.
#[derive(Debug)]
pub struct Page<T, K> {
    pub rows: Vec<T>,
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// From one row more than a page holds.
    fn cut(mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = if more { rows.last().map(key) } else { None };
        Self { rows, next }
    }
}

/// [`PAGE`] and one, so that the end of a list can be told from a full page.
fn limit() -> i64 {
    i64::try_from(PAGE + 1).unwrap_or(51)
}
