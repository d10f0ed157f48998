//! Nothing is paid from a ledger that cannot be proven.

use super::problem::{PayoutProblem, refused};
use crate::db::{Conn, DbError};

/// Why no payout may go on, if there is a reason.
pub fn stopped(_conn: &mut Conn) -> Result<Option<String>, DbError> {
    Ok(None)
}

pub(super) fn pass(conn: &mut Conn) -> Result<(), PayoutProblem> {
    match stopped(conn)? {
        Some(why) => refused(why),
        None => Ok(()),
    }
}
