//! What stands on an account: sums of postings.

use rust_decimal::Decimal;

use super::repo;
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
