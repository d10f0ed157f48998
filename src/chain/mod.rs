//! One chain through the journal and the audit log: what is in it cannot be edited, moved or taken out unseen.
//!
//! Posting knows nothing of it. Each row carries the number of the database transaction that wrote it, and a single
//! sequencer under a lease puts what has committed behind the last link. The heads are given out, to a file and on
//! what is printed: a chain that was cut or written anew no longer leads through them.

mod heads;
mod link;
pub mod recovery;
mod repo;
mod sequencer;
mod worker;

pub use heads::{GivenHead, HeadProblem, give_head, heads_file, read_file, write_file};
pub use link::{AuditRow, Kind, Link, Reference, Walk};
pub use repo::sequence::State;
pub use repo::walk::{Beside, audit_rows, hashes, left_out, links, seqs};
pub use repo::{Head, Verification};
pub use sequencer::{LEASE_SECONDS, Sequencer, Step};
pub use worker::{Worker, catch_up, settle};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::db::{Conn, DbError, Tx};

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `None` while nothing is chained.
    pub head: Option<Head>,
    /// Rows that wait for the sequencer; counted up to [`MANY`].
    pub unchained: i64,
    /// The newest verification, however it ended.
    pub last: Option<Verification>,
}

/// Nobody needs to know exactly how many more wait.
pub const MANY: i64 = 10_000;

impl Standing {
    /// Whether the last verification found something: then no money leaves.
    pub fn has_failed(&self) -> bool {
        self.last.as_ref().is_some_and(|last| !last.ok)
    }
}

pub fn standing(conn: &mut Conn) -> Result<Standing, DbError> {
    Ok(Standing {
        head: repo::head(conn)?,
        unchained: repo::unchained(conn, MANY)?,
        last: repo::last_verification(conn)?,
    })
}

/// The newest verification alone: cheap enough for every page.
pub fn last_verification(conn: &mut Conn) -> Result<Option<Verification>, DbError> {
    repo::last_verification(conn)
}

/// How far the sequencer has come, for those who check that nothing is left out.
pub fn state(conn: &mut Conn) -> Result<State, DbError> {
    repo::sequence::state(conn)
}

/// All heads that were given out.
pub fn given_heads(conn: &mut Conn) -> Result<Vec<GivenHead>, DbError> {
    repo::heads::after(conn, 0)
}

/// The head that was given out for a run (`run ID`), a payout (`payout NUMBER`) or a day (`day 2026-11-22`).
pub fn head_of(conn: &mut Conn, cause: &str) -> Result<Option<GivenHead>, DbError> {
    repo::heads::of(conn, cause)
}

/// Keeps what a verification came to. `told`: the first problems.
pub fn record_verification(
    tx: &mut Tx<'_>,
    first_bad: Option<i64>,
    problems: usize,
    told: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let problems = i32::try_from(problems).unwrap_or(i32::MAX);
    repo::heads::record_verification(tx.conn, first_bad, problems, told, now)
}
