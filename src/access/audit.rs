//! The log of who changed what. Written in the database transaction of the change, never changed itself.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::repo;
use crate::db::{DbError, Tx};

/// `actor` is a user's e-mail address, `token:<name>`, or `console` for the command line. `detail` holds no
/// secrets and no personal data.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &str,
    action: &str,
    object: &str,
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    repo::insert_audit(tx.conn, actor, action, object, detail, now)
}
