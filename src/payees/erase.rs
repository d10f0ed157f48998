//! Forgetting a person: the key is destroyed, so nothing that was sealed with it can be opened by anybody.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::PayeeError;
use super::change::hold_all;
use super::repo::{keys as repo, tax};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::db::Tx;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Of bank details.
    pub versions: usize,
    pub tax_versions: usize,
}

/// There is no way back. Ids, amounts, rails and times stay: the ledger and every payout are as they were.
pub fn erase(
    tx: &mut Tx<'_>,
    distributor: &DistributorId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Erased, PayeeError> {
    hold_all(tx, &[distributor])?;
    if repo::is_being_paid(tx.conn, distributor)? {
        return Err(PayeeError::OnItsWay(distributor.clone()));
    }
    if !repo::destroy(tx.conn, distributor)? {
        return Err(PayeeError::Nothing(distributor.clone()));
    }
    let (versions, tax_versions) = repo::empty(tx.conn, distributor)?;
    tax::forget_clear(tx.conn, &[distributor.as_str()])?;
    let erased = Erased { versions, tax_versions };
    audit::record(tx, by, "payee.erase", distributor.as_str(), json!(erased), now)?;
    Ok(erased)
}
