//! Why something was not done to a period or a run; a person reads it.

use uuid::Uuid;

use crate::core::fixed::TooLarge;
use crate::core::period::PeriodRefusal;
use crate::db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum PeriodProblem {
    #[error("there is no period {0:?}; `upline period list` shows them")]
    UnknownPeriod(String),
    #[error("there is no run {0}; `upline period runs` shows them")]
    UnknownRun(Uuid),
    /// Not as things stand; says why, and what to do.
    #[error("{0}")]
    Refused(String),
    #[error("the change could not be saved")]
    Db(#[from] DbError),
}

pub(super) fn refused<T>(why: impl Into<String>) -> Result<T, PeriodProblem> {
    Err(PeriodProblem::Refused(why.into()))
}

/// Why a calculation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CalculationProblem {
    /// Nobody wants it any more, or the program ends; nothing was written.
    #[error("the calculation was stopped")]
    Stopped,
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Engine(#[from] PeriodRefusal),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<TooLarge> for CalculationProblem {
    fn from(error: TooLarge) -> Self {
        Self::Engine(error.into())
    }
}

impl From<CalculationProblem> for DbError {
    fn from(problem: CalculationProblem) -> Self {
        match problem {
            CalculationProblem::Db(error) => error,
            other => Self::Invariant(other.to_string()),
        }
    }
}
