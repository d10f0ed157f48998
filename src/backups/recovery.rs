//! After a restore to an earlier time: payouts wait until the stores were read again and a person has said that what
//! left since is entered again.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{BackupProblem, repo};
use crate::access::audit;
use crate::db::{Conn, DbError, Tx};

pub use repo::Recovery;

/// The one that is going on: as long as there is one, nothing may be paid.
pub fn going_on(conn: &mut Conn) -> Result<Option<Recovery>, DbError> {
    repo::going_on(conn)
}

/// The database was set back to an earlier time. Nothing happens when that is known.
pub fn begin(
    tx: &mut Tx<'_>,
    back_to: DateTime<Utc>,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if repo::begin(tx.conn, back_to, reason, by, now)? > 0 {
        audit::record(
            tx,
            by,
            "recovery.begin",
            "database",
            json!({"back_to": back_to, "reason": reason}),
            now,
        )?;
    }
    Ok(())
}

/// What is still to be done before it can end.
pub fn left_to_do(conn: &mut Conn, recovery: &Recovery) -> Result<Vec<String>, DbError> {
    let since = recovery.back_to.format("%Y-%m-%d");
    let unread = repo::not_read_since(conn, recovery)?;
    Ok(unread.into_iter().map(|slug| format!("upline pull {slug} --changed-since {since}")).collect())
}

/// Ends it, when every connected store was read again from before the time that the database was set back to. `note`
/// says what was done about payouts that had left by then.
pub fn end(tx: &mut Tx<'_>, note: &str, by: &str, now: DateTime<Utc>) -> Result<(), BackupProblem> {
    let Some(recovery) = repo::going_on(tx.conn)? else {
        return Err(BackupProblem::Refused("no recovery is going on".into()));
    };
    let left = left_to_do(tx.conn, &recovery)?;
    if !left.is_empty() {
        return Err(BackupProblem::Refused(format!(
            "stores have to be read again from before {} first: {}",
            recovery.back_to.format("%Y-%m-%d %H:%M UTC"),
            left.join("; ")
        )));
    }
    if note.trim().is_empty() {
        return Err(BackupProblem::Refused(
            "say what was done about payouts that left after that time: whether there were any, and how they were \
             entered again"
                .into(),
        ));
    }
    repo::end(tx.conn, note.trim(), by, now)?;
    audit::record(tx, by, "recovery.end", "database", json!({"note": note.trim()}), now)?;
    Ok(())
}
