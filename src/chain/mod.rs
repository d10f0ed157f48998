//! One chain through the journal and the audit log: what is in it cannot be edited, moved or taken out unseen.
//!
//! Posting knows nothing of it. Each row carries the number of the database transaction that wrote it, and a single
//! sequencer under a lease puts what has committed behind the last link. The heads are given out, to a file and on
//! what is printed: a chain that was cut or written anew no longer leads through them.

mod repo;

pub use repo::{Head, Verification};

use crate::db::{Conn, DbError};

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
