//! Nothing is paid from a ledger that cannot be proven, nor from one that was set back to an earlier time.

use super::problem::{PayoutProblem, refused};
use crate::chain::{self, recovery};
use crate::db::{Conn, DbError};

/// Why no payout may go on, if there is a reason.
pub fn stopped(conn: &mut Conn) -> Result<Option<String>, DbError> {
    if let Some(recovery) = recovery::going_on(conn)? {
        return Ok(Some(format!(
            "the database was set back to {}, and what has left since is not known here; see `upline backup recovery`",
            recovery.back_to.to_rfc3339()
        )));
    }
    let last = chain::last_verification(conn)?;
    let failed = last.filter(|last| !last.ok);
    Ok(failed.map(|last| {
        format!(
            "the ledger was verified at {} and is not what was posted; no money leaves until `upline verify` says that \
             it is",
            last.at.to_rfc3339()
        )
    }))
}

pub(super) fn pass(conn: &mut Conn) -> Result<(), PayoutProblem> {
    match stopped(conn)? {
        Some(why) => refused(why),
        None => Ok(()),
    }
}
