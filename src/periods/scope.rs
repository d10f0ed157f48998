//! Which orders belong to a period.
//!
//! An order belongs to the first period that ends after it and was not softly closed before the order was first
//! told. What is told of it later stays with that period.

use chrono::{DateTime, Utc};

use super::repo::periods::Period;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// An order that was first told after this number counts in the next period.
    pub late: i64,
    /// The same of the period before: what was told after it, of whatever time, counts here.
    pub late_before: i64,
    /// Facts up to this number.
    pub cutoff: i64,
}

impl Scope {
    /// `before` is the period before; orders older than the first period are in the first.
    pub fn of(period: &Period, before: Option<&Period>, cutoff: i64) -> Self {
        Self {
            starts_at: period.starts_at,
            ends_at: period.ends_at,
            late: period.late_after_seq.unwrap_or(i64::MAX),
            late_before: before.map_or(0, |before| before.late_after_seq.unwrap_or(i64::MAX)),
            cutoff,
        }
    }
}
