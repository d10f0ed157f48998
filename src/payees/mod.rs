//! Where distributors are paid and what the tax office asks for: sealed with a key for each person.
//!
//! The key of a person is itself sealed by the key of the data directory. Forgetting a person is deleting that key:
//! ledger and payouts keep their ids and amounts, and nobody can tell any more where the money went. What is in the
//! clear is only what a list needs: rail, currency and the last four signs.
//!
//! Details only change by another version. One that takes the place of another holds payouts for some days, or until
//! somebody else than who recorded it has released it.

mod change;
mod erase;
mod given;
pub mod import;
mod keys;
mod repo;
mod reveal;
mod tax;
mod tin;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

pub use change::{Recorded, release, set};
pub use erase::{Erased, erase};
pub use given::{Details, Given};
pub use keys::{rotate_page, under_another_key};
pub use repo::{Version, versions};
pub use reveal::{Revealed, reveal};
pub use tax::{
    Address, TaxChange, TaxData, TaxHead, open_tax, record_numbers, seal_clear_numbers, set_tax, tax_heads,
};
pub use tin::{TaxStatus, TinKind};

use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::core::payee::{Payee, PayeeProblem};
use crate::core::payout::Rail;
use crate::db::{Conn, DbError};
use crate::vault::{Vault, VaultError};

/// Why something of a payee was not done; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum PayeeError {
    #[error("there is no distributor {0}")]
    Unknown(DistributorId),
    #[error("{distributor} has no version {version_no} of its details, or was forgotten")]
    Gone { distributor: DistributorId, version_no: i32 },
    #[error("nothing is recorded of {0}, or it was forgotten")]
    Nothing(DistributorId),
    #[error("the details of {distributor} have changed since; look at version {version_no} first")]
    Stale { distributor: DistributorId, version_no: i32 },
    #[error("payouts to {0} are not held; there is nothing to release")]
    NotHeld(DistributorId),
    #[error("who changed the details cannot release them; ask somebody else")]
    OwnChange,
    #[error("a payout to {0} is on its way, and its file could not be written again; forget afterwards")]
    OnItsWay(DistributorId),
    #[error("{0}")]
    Reason(&'static str),
    #[error("{distributor}: {problem}")]
    Given { distributor: DistributorId, problem: PayeeProblem },
    #[error(
        "the sealed details of {distributor} cannot be opened; were rows moved, or is this another secret.key?"
    )]
    Sealed { distributor: DistributorId, source: VaultError },
    #[error("nothing could be sealed")]
    Vault(#[from] VaultError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// What is known of a payee without a key: the newest version of somebody who was not forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayeeHead {
    pub version_no: i32,
    pub rail: Rail,
    pub currency: Currency,
    /// For a page: the last four signs.
    pub masked: String,
    pub changed_at: DateTime<Utc>,
    pub changed_by: String,
    /// Nothing is paid before that. `None`: there was nothing to wait for, or somebody has released it.
    pub held_until: Option<DateTime<Utc>>,
    /// Nobody has recorded anything of this person before.
    pub is_first: bool,
}

impl PayeeHead {
    pub fn is_held(&self, now: DateTime<Utc>) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }
}

/// Of each distributor that can be paid.
pub fn heads(conn: &mut Conn, ids: &[&str]) -> Result<HashMap<DistributorId, PayeeHead>, DbError> {
    if ids.is_empty() { Ok(HashMap::new()) } else { repo::heads(conn, ids)?.into_iter().map(head).collect() }
}

fn head(row: repo::HeadRow) -> Result<(DistributorId, PayeeHead), DbError> {
    let head = PayeeHead {
        version_no: row.version_no,
        rail: rail(&row.rail, &row.distributor_id)?,
        currency: currency(&row.currency, &row.distributor_id)?,
        masked: row.masked,
        changed_at: row.recorded_at,
        changed_by: row.recorded_by,
        held_until: row.held_until,
        is_first: row.version_no == 1,
    };
    Ok((DistributorId::new(row.distributor_id), head))
}

fn rail(name: &str, of: &str) -> Result<Rail, DbError> {
    Rail::parse(name).ok_or_else(|| DbError::Damaged(format!("rail of payee {of}")))
}

fn currency(code: &str, of: &str) -> Result<Currency, DbError> {
    Currency::parse(code).ok_or_else(|| DbError::Damaged(format!("currency of payee {of}")))
}

/// Opens what a payment file is made of: all or nothing. Who asks for it has to record that.
pub fn open(
    conn: &mut Conn,
    vault: &Vault,
    wanted: &[(&DistributorId, i32)],
) -> Result<HashMap<DistributorId, Payee>, PayeeError> {
    let mut sealed: HashMap<(String, i32), repo::SealedRow> = repo::sealed(conn, wanted)?
        .into_iter()
        .map(|row| ((row.distributor_id.clone(), row.version_no), row))
        .collect();
    let opened = wanted.iter().map(|(distributor, version_no)| {
        let gone = || PayeeError::Gone { distributor: (*distributor).clone(), version_no: *version_no };
        let row = sealed.remove(&(distributor.0.clone(), *version_no)).ok_or_else(gone)?;
        Ok(((*distributor).clone(), opened(vault, &row)?))
    });
    opened.collect()
}

fn opened(vault: &Vault, row: &repo::SealedRow) -> Result<Payee, PayeeError> {
    let distributor = DistributorId::new(row.distributor_id.as_str());
    let key = keys::open(vault, &distributor, row.key_no, &row.sealed_key)?;
    let context = context(&distributor, row.version_no, &row.rail, &row.currency);
    unsealed(&key, &distributor, &context, &row.sealed)
}

/// What details are sealed for: they open for no other person, version, rail or currency.
fn context(distributor: &DistributorId, version_no: i32, rail: &str, currency: &str) -> String {
    format!("payee {version_no} {rail} {currency} {distributor}")
}

fn plain<T: serde::Serialize>(details: &T) -> Result<Vec<u8>, DbError> {
    serde_json::to_vec(details)
        .map_err(|error| DbError::Invariant(format!("details cannot be written: {error}")))
}

fn unsealed<T: serde::de::DeserializeOwned>(
    key: &Vault,
    distributor: &DistributorId,
    context: &str,
    sealed: &[u8],
) -> Result<T, PayeeError> {
    let closed = |source| PayeeError::Sealed { distributor: distributor.clone(), source };
    let plain = key.open_for(context, sealed).map_err(closed)?;
    let damaged = |_| DbError::Damaged(format!("sealed details of {distributor}"));
    Ok(serde_json::from_slice(&plain).map_err(damaged)?)
}
