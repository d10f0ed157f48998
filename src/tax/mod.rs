//! What tax offices and the public are told: Form 1099-NEC, self-billing numbers, the income of all participants, and
//! whose purchases commissions come from.
//!
//! A figure that is given out is recorded with the query that it came from and the seal of its rows. Asked again, the
//! same rows give the same seal; other rows make a figure of their own that says what changed.

mod disclosure;
mod form_1099;
mod invoices;
mod published;
mod repo;
mod share;
mod sheet;

use chrono::{DateTime, TimeZone, Utc};

pub use disclosure::{IncomeAsked, IncomeTold, disclosure};
pub use form_1099::{Form1099, NecRow, OtherCurrency, TinRow, Who, form_1099, with_numbers};
pub use invoices::{Issued, issue};
pub use published::{Figure, News, Published, publish};
pub use repo::in_one_snapshot;
pub use repo::invoices::{Invoice, Series, invoices, series};
pub use repo::published::{Stored, figure, figures};
pub use share::{CompanyShare, EarnerShare, ShareTold, customer_share};
pub use sheet::Sheet;

use crate::core::tax::UnknownTaxYear;
use crate::db::{Conn, DbError};
use crate::payees::PayeeError;

/// Why something was not told; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum TaxProblem {
    #[error(transparent)]
    Year(#[from] UnknownTaxYear),
    #[error("there is no period {0}; `upline period list` shows them")]
    UnknownPeriod(String),
    #[error("there is no figure {0}; `upline tax published` shows them")]
    UnknownFigure(i64),
    #[error("{0}")]
    Refused(String),
    #[error("the tax numbers cannot be read")]
    Payee(#[from] PayeeError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl TaxProblem {
    /// The database's problems apart from those that a person can mend.
    pub fn split(self) -> Result<Self, DbError> {
        match self {
            Self::Db(error) | Self::Payee(PayeeError::Db(error)) => Err(error),
            other => Ok(other),
        }
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, TaxProblem> {
    Err(TaxProblem::Refused(why.into()))
}

/// A year's first instant and that of the next, in UTC.
fn year_of(year: i32) -> Result<(DateTime<Utc>, DateTime<Utc>), TaxProblem> {
    let begin = |year: i32| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
    let span = (2000..3000).contains(&year).then(|| begin(year).zip(begin(year + 1))).flatten();
    span.map_or_else(|| refused(format!("{year} is no year; write 2026")), Ok)
}

/// All currencies that anything was earned in during a year.
pub fn currencies(conn: &mut Conn, year: i32) -> Result<Vec<String>, TaxProblem> {
    Ok(repo::income::currencies(conn, year_of(year)?)?)
}
