//! The same request again gives the same answer again: the keys that callers choose, by token.

use chrono::{DateTime, Utc};

use super::repo;
use crate::db::{DbError, Tx};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Never seen; it is ours until the database transaction ends.
    Fresh,
    /// Answered before, for the same request.
    Answered { status: u16, response: String },
    /// Seen with another request.
    OtherRequest,
}

/// Whoever comes second with a key waits here until the first one's database transaction has ended.
pub fn begin(
    tx: &mut Tx<'_>,
    token: i32,
    key: &str,
    request_sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Begun, DbError> {
    if repo::insert_key(tx.conn, token, key, request_sha256, now)? == 1 {
        return Ok(Begun::Fresh);
    }
    let known = repo::key(tx.conn, token, key)?;
    if known.request_sha256 != request_sha256 {
        return Ok(Begun::OtherRequest);
    }
    let status =
        u16::try_from(known.status).map_err(|_| DbError::Damaged("status of an idempotency key".into()))?;
    Ok(Begun::Answered { status, response: known.response })
}

/// Keeps the answer with the key, in the database transaction of what the request did.
pub fn finish(tx: &mut Tx<'_>, token: i32, key: &str, status: u16, response: &str) -> Result<(), DbError> {
    repo::answer_key(tx.conn, token, key, i16::try_from(status).unwrap_or(i16::MAX), response)
}
