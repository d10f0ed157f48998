//! Everything that knows a bank: a batch of payments in, the bytes of a file out; the bytes of an answer in, what it
//! says of each payment out.
//!
//! [`write`] is pure: the same [`PaymentFile`] always gives the same bytes. It reads its own bytes again by the
//! format's rules before it hands them out. [`read`] recognises the format itself. Nothing in here does I/O or reads a
//! clock, and nothing in here knows a ledger: what an answer means for money is decided above.
//!
//! Problems name the distributor and the field and never a number of an account.

use std::fmt;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::core::ids::DistributorId;
use crate::core::payout::{Answer, EndToEnd, Payment, PaymentFile, Rail, Reference, Says};

mod codes;
mod common;
pub mod nacha;
pub mod sepa;
pub mod sheets;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod xml;

/// A file for a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// A proposal for the file's name: `payout-42-nacha.ach`.
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Why a batch has no file. Without a distributor it is about the batch or whoever pays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RailProblem {
    pub item: Option<Uuid>,
    pub distributor: Option<DistributorId>,
    pub what: String,
}

impl RailProblem {
    pub(crate) fn file(what: impl Into<String>) -> Self {
        Self { item: None, distributor: None, what: what.into() }
    }

    pub(crate) fn payment(payment: &Payment, what: impl Into<String>) -> Self {
        Self { item: Some(payment.item), distributor: Some(payment.distributor.clone()), what: what.into() }
    }
}

impl fmt::Display for RailProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.distributor {
            Some(distributor) => write!(f, "distributor {distributor}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Which file an answer came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BankFormat {
    /// Returns and notifications of change.
    NachaReturn,
    Pain002,
    Camt053,
    Camt054,
    Csv,
}

impl BankFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::NachaReturn => "nacha_return",
            Self::Pain002 => "pain.002",
            Self::Camt053 => "camt.053",
            Self::Camt054 => "camt.054",
            Self::Csv => "csv",
        }
    }
}

/// What a bank's file says. An answer about one payment goes before one about the whole file that it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankFile {
    pub format: BankFormat,
    /// The bank's own name of this message; the same file read again has the same one.
    pub message_id: String,
    pub answers: Vec<Answer>,
    pub wholes: Vec<Whole>,
    pub notes: Vec<Note>,
    /// Entries of a statement that have nothing to do with payouts.
    pub skipped: u32,
}

/// Said of all payments of a file at once: refused before any was looked at, or booked as one sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The batch, if the bank names a file of ours.
    pub batch: Option<Uuid>,
    /// As the bank names it.
    pub message: String,
    pub says: Says,
    pub code: Option<String>,
    pub reason: Option<String>,
    /// How many payments and how much, where the bank says so; to be compared with the batch.
    pub payments: Option<u32>,
    pub amount: Option<Decimal>,
    pub currency: Option<String>,
}

/// To be read by a person; no money moves by it. A notification of change of NACHA is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub about: Option<Reference>,
    pub code: Option<String>,
    pub text: String,
}

/// Why nothing was taken from a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadProblem {
    #[error(
        "the file is none of the answers that are known here: NACHA returns, pain.002, camt.053, camt.054, or CSV with \
         the columns reference and status"
    )]
    Unknown,
    /// A file that goes to a bank, or an answer of another kind.
    #[error("{0}")]
    Other(String),
    #[error("{format}: {what}")]
    Broken { format: &'static str, what: String },
}

impl BankFile {
    pub(crate) fn of(format: BankFormat, message_id: String) -> Self {
        Self { format, message_id, answers: vec![], wholes: vec![], notes: vec![], skipped: 0 }
    }
}

/// The bytes of a batch, or everything that speaks against it.
pub fn write(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let mut problems = common::problems(file);
    let written = match file.rail {
        Rail::Nacha => nacha::write(file),
        Rail::Sepa => sepa::write(file),
        Rail::Paypal => sheets::paypal(file),
        Rail::Wise => sheets::wise(file),
        Rail::Csv => sheets::plain(file),
    };
    match written {
        Err(more) => problems.extend(more),
        Ok(rendered) if problems.is_empty() => {
            let wrong = check(file.rail, &rendered.bytes);
            if wrong.is_empty() {
                return Ok(rendered);
            }
            let broken = |what| RailProblem::file(format!("the file breaks the rules of its format: {what}"));
            problems.extend(wrong.into_iter().map(broken));
        }
        Ok(_) => {}
    }
    Err(problems)
}

/// A file that goes to a bank, read again from its bytes: what breaks the rules of its format.
pub fn check(rail: Rail, bytes: &[u8]) -> Vec<String> {
    match rail {
        Rail::Nacha => nacha::check(bytes),
        Rail::Sepa => sepa::check(bytes),
        Rail::Paypal | Rail::Wise | Rail::Csv => sheets::check(rail, bytes),
    }
}

/// What a bank's file says; its format is recognised by its content.
pub fn read(bytes: &[u8]) -> Result<BankFile, ReadProblem> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    if nacha::is_nacha(bytes) {
        nacha::read(bytes)
    } else if bytes.starts_with(b"<") {
        sepa::read(bytes)
    } else {
        sheets::read(bytes)
    }
}

/// How a file is called towards the bank, where the format has room for it; leads back by [`EndToEnd::item`].
pub fn message_id(batch: Uuid) -> String {
    EndToEnd::of(batch).as_str().to_owned()
}
