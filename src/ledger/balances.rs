//! What stands on an account: sums of postings, kept up to a place in the chain and added up behind it.

use rust_decimal::Decimal;

use super::repo::{self, Sums};
use crate::core::ids::DistributorId;
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::db::{Conn, DbError, Tx};

/// What one distributor has on one account, debit positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: Account,
    pub distributor: DistributorId,
    pub currency: Currency,
    pub amount: Decimal,
}

/// Everything that is not zero on these accounts, of these distributors or of all, by distributor.
pub fn standings(
    conn: &mut Conn,
    accounts: &[Account],
    distributors: Option<&[&str]>,
) -> Result<Vec<Standing>, DbError> {
    repo::standings(conn, accounts, distributors)
}

/// Holds the accounts of these distributors for the rest of the database transaction: whoever reads a balance to move
/// it does so one after the other.
pub fn hold(tx: &mut Tx<'_>, distributors: &[&str]) -> Result<(), DbError> {
    repo::hold(tx.conn, distributors)
}

/// Adds the next chained entries behind a place to the kept sums, and answers the place that they hold then. For the
/// sequencer alone, under its lease.
pub fn bring_forward(tx: &mut Tx<'_>, from: i64) -> Result<i64, DbError> {
    repo::bring_forward(tx.conn, from)
}

/// The kept sums with their place in the chain.
pub fn checkpoint(conn: &mut Conn) -> Result<(i64, Sums), DbError> {
    repo::checkpoint(conn)
}
