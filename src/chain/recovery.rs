//! After the database was set back to an earlier time: payouts wait until the stores were read again and a person has
//! said that what left since is entered again.
//!
//! A restore of ours says so itself. Whatever else sets a database back is noticed by the file of heads: it knows more
//! of the chain than the database does.

use std::path::Path;
use std::{fs, io};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::repo::recovery as repo;
use super::{HeadProblem, heads};
use crate::access::audit;
use crate::db::{Conn, Db, DbError, Lane, Tx};

pub use repo::Recovery;

#[derive(Debug, thiserror::Error)]
pub enum RecoveryProblem {
    #[error("{0}")]
    Refused(String),
    #[error("the change could not be saved")]
    Db(#[from] DbError),
}

/// In the data directory while a restore is at work.
const MARK: &str = "restoring";

/// A restore begins: should it be killed, the next start knows of it.
pub fn mark(data_dir: &Path, back_to: DateTime<Utc>) -> io::Result<()> {
    fs::write(data_dir.join(MARK), back_to.to_rfc3339())
}

pub fn unmark(data_dir: &Path) -> io::Result<()> {
    fs::remove_file(data_dir.join(MARK))
}

fn marked(data_dir: &Path) -> io::Result<Option<DateTime<Utc>>> {
    match fs::read_to_string(data_dir.join(MARK)) {
        Ok(text) => Ok(Some(text.trim().parse().unwrap_or(DateTime::UNIX_EPOCH))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Compares the chain with the file of heads in the data directory: a head behind the end of the chain, or another one
/// at its place, was given out by a database that this one is no continuation of.
pub fn notice(db: &Db, data_dir: &Path, now: DateTime<Utc>) -> Result<(), HeadProblem> {
    let unreadable = |error| HeadProblem::File(data_dir.join(MARK), error);
    if let Some(back_to) = marked(data_dir).map_err(unreadable)? {
        let reason = "a restore was begun and did not come to its end";
        db.transact(Lane::Pipeline, |tx| begin(tx, back_to, reason, "upline", now))?;
        unmark(data_dir).map_err(unreadable)?;
    }
    let file = heads::heads_file(data_dir);
    if !file.exists() {
        return Ok(());
    }
    let given = heads::read_file(&file)?;
    let Some(newest) = given.iter().max_by_key(|head| head.seq) else { return Ok(()) };
    let end = db.read(Lane::Pipeline, super::repo::head)?;
    let end_seq = end.map_or(0, |head| head.seq);
    if newest.seq <= end_seq {
        return Ok(());
    }
    let known = given.iter().filter(|head| head.seq <= end_seq).max_by_key(|head| head.seq);
    let back_to = known.map_or(DateTime::UNIX_EPOCH, |head| head.at);
    let reason =
        format!("{} knows the chain up to {} and the database up to {end_seq}", file.display(), newest.seq);
    tracing::error!(
        reason,
        "the database was set back to an earlier time; nothing is paid until somebody has looked"
    );
    Ok(db.transact(Lane::Pipeline, |tx| begin(tx, back_to, &reason, "upline", now))?)
}

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
pub fn end(tx: &mut Tx<'_>, note: &str, by: &str, now: DateTime<Utc>) -> Result<(), RecoveryProblem> {
    let Some(recovery) = repo::going_on(tx.conn)? else {
        return Err(RecoveryProblem::Refused("no recovery is going on".into()));
    };
    let left = left_to_do(tx.conn, &recovery)?;
    if !left.is_empty() {
        return Err(RecoveryProblem::Refused(format!(
            "stores have to be read again from before {} first: {}",
            recovery.back_to.format("%Y-%m-%d %H:%M UTC"),
            left.join("; ")
        )));
    }
    if note.trim().is_empty() {
        return Err(RecoveryProblem::Refused(
            "say what was done about payouts that left after that time: whether there were any, and how they were \
             entered again"
                .into(),
        ));
    }
    repo::end(tx.conn, note.trim(), by, now)?;
    audit::record(tx, by, "recovery.end", "database", json!({"note": note.trim()}), now)?;
    Ok(())
}
