//! What happens to a commission between earning and payout: held back and released, converted, owed and given up,
//! adjusted by hand.
//!
//! Each of it is a journal entry with the document that it rests on. Holding back follows the dense orders of volume
//! facts and posted runs, so nothing is held back twice and nothing is forgotten; what should be held back of a source
//! is computed anew when the source changes, and the difference is posted.

mod adjustments;
mod debts;
mod hold;
mod policies;
mod post;
mod rates;
mod release;
mod repo;
mod worker;

pub use adjustments::{
    Adjustment, Attachment, NewAdjustment, adjustment, adjustments, attachment, decide, request,
};
pub use debts::{Debt, debts, write_off};
pub use policies::{NewPolicy, add_policy, policies};
pub use rates::{Conversions, Converted, NewRate, add_rates, convert, rate_at, rates};
pub use repo::held::{Holdback, holdbacks};
pub use worker::{Settled, Worker, settle};

use crate::core::ids::DistributorId;
use crate::core::money::{Currency, MoneyError};
use crate::db::DbError;

/// Why something was not done; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum SettlementProblem {
    #[error("there is no distributor {0}")]
    UnknownDistributor(String),
    #[error("there is no adjustment {0}; `upline adjust list` shows them")]
    UnknownAdjustment(String),
    #[error(
        "there is no rate from {from} to {to} that is {days} days old or younger: upline rate add {from} {to} RATE --source NAME"
    )]
    NoRate { from: Currency, to: Currency, days: i64 },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the change could not be saved")]
    Db(#[from] DbError),
}

fn refused<T>(why: impl Into<String>) -> Result<T, SettlementProblem> {
    Err(SettlementProblem::Refused(why.into()))
}

/// A distributor in one currency.
pub type Purse = (DistributorId, Currency);
