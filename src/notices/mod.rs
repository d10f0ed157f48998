//! What a person should know although nobody asked: a silent store, a day that is not clean.
//!
//! One notice is open for each key; raising it again only counts, what no longer holds is resolved. Warnings and
//! alarms are sent to the [`Channel`]s that the settings name, once raised and once resolved.

mod channel;
mod repo;
mod sender;

use chrono::{DateTime, Utc};

pub use channel::{Channel, ChannelProblem};
pub use repo::{Due, Known, list};
pub use sender::Sender;

use crate::core::ids::StoreId;
use crate::db::{DbError, Tx};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
    Alarm,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// What it is about: `store-silent:main`. One is open at a time.
    pub key: &'a str,
    pub severity: Severity,
    /// One line.
    pub subject: &'a str,
    /// What happened, since when, and what to do.
    pub body: &'a str,
    pub store: Option<StoreId>,
}

/// Raises a notice, or counts it once more when it is open already. Returns whether it is news.
pub fn raise(tx: &mut Tx<'_>, notice: &Notice<'_>, now: DateTime<Utc>) -> Result<bool, DbError> {
    repo::raise(tx.conn, notice, now)
}

/// What the key is about is over. Returns whether a notice was open.
pub fn resolve(tx: &mut Tx<'_>, key: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    repo::resolve(tx.conn, key, now)
}
