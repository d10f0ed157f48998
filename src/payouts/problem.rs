//! Why something was not done to a payout; a person reads it.

use crate::core::journal::Unbalanced;
use crate::core::money::MoneyError;
use crate::db::DbError;
use crate::payees::PayeeError;
use crate::rails::RailProblem;

#[derive(Debug, thiserror::Error)]
pub enum PayoutProblem {
    #[error("there is no payout batch {0}; `upline payout list` shows them")]
    UnknownBatch(i32),
    #[error("there is no payout item {0}; `upline payout show BATCH` shows those of a batch")]
    UnknownItem(i64),
    /// Not as things stand; says why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// A balance or a setting that cannot be paid as it is.
    #[error("an amount cannot be paid")]
    Money(#[from] MoneyError),
    #[error("the bank details cannot be read")]
    Payee(#[from] PayeeError),
    /// Everything that speaks against the file.
    #[error("the file cannot be written: {}", in_lines(.0))]
    Rail(Vec<RailProblem>),
    #[error("the change could not be saved")]
    Db(#[from] DbError),
}

impl PayoutProblem {
    /// The database's problems apart from those that a person can mend.
    pub fn split(self) -> Result<Self, DbError> {
        match self {
            Self::Db(error) | Self::Payee(PayeeError::Db(error)) => Err(error),
            other => Ok(other),
        }
    }
}

fn in_lines(problems: &[RailProblem]) -> String {
    const SHOWN: usize = 20;
    let mut lines: Vec<String> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more @ 1..) = problems.len().checked_sub(SHOWN) {
        lines.push(format!("and {more} more"));
    }
    lines.join("; ")
}

pub(super) fn refused<T>(why: impl Into<String>) -> Result<T, PayoutProblem> {
    Err(PayoutProblem::Refused(why.into()))
}

impl From<Unbalanced> for PayoutProblem {
    fn from(error: Unbalanced) -> Self {
        Self::Db(DbError::Invariant(error.to_string()))
    }
}
