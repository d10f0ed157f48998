//! The keys of persons.

use crate::core::ids::DistributorId;
use crate::payees::PayeeError;
use crate::vault::Vault;

/// What a person's key is sealed for.
fn context(distributor: &DistributorId, key_no: i32) -> String {
    format!("payee key {key_no} {distributor}")
}

pub fn open(
    vault: &Vault,
    distributor: &DistributorId,
    key_no: i32,
    sealed_key: &[u8],
) -> Result<Vault, PayeeError> {
    vault
        .open_key_below(&context(distributor, key_no), sealed_key)
        .map_err(|source| PayeeError::Sealed { distributor: distributor.clone(), source })
}
