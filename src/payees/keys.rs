//! The keys of persons: made when there is something to seal, sealed by the key of the data directory, and sealed again
//! when that one changes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::PayeeError;
use super::repo::keys as repo;
use crate::core::ids::DistributorId;
use crate::db::{Conn, DbError, Tx};
use crate::vault::Vault;

/// A person's key and its number.
pub struct Key {
    pub no: i32,
    pub vault: Vault,
}

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

/// The keys of distributors that are held (see [`repo::hold`]); whoever has none gets one.
pub fn ensure(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ids: &[&DistributorId],
    now: DateTime<Utc>,
) -> Result<HashMap<DistributorId, Key>, PayeeError> {
    let mut keys = HashMap::new();
    for row in repo::load(tx.conn, ids)? {
        let distributor = DistributorId::new(row.distributor_id);
        let opened = open(vault, &distributor, row.key_no, &row.sealed_key)?;
        keys.insert(distributor, Key { no: row.key_no, vault: opened });
    }
    let missing: Vec<&DistributorId> = ids.iter().filter(|id| !keys.contains_key(**id)).copied().collect();
    let used = repo::last_numbers(tx.conn, &missing)?;
    let mut made = vec![];
    for id in missing {
        let no = used.get(id.as_str()).copied().unwrap_or(0) + 1;
        let (below, sealed_key) = vault.key_below(&context(id, no))?;
        made.push(repo::KeyRow { distributor_id: id.0.clone(), key_no: no, sealed_key });
        keys.insert(id.clone(), Key { no, vault: below });
    }
    repo::insert(tx.conn, &made, &vault.fingerprint(), now)?;
    Ok(keys)
}

/// How many keys [`rotate_page`] has still to seal.
pub fn under_another_key(conn: &mut Conn, vault: &Vault) -> Result<i64, DbError> {
    repo::count_under_another(conn, &vault.fingerprint())
}

/// As many keys as are sealed again in one database transaction.
const PAGE: i64 = 1000;

/// Seals the next page of keys with `new` that are sealed with another one, which has to be `old`. Returns how many;
/// zero when nothing is left. Can be stopped and gone on with.
pub fn rotate_page(tx: &mut Tx<'_>, old: &Vault, new: &Vault) -> Result<usize, PayeeError> {
    let rows = repo::sealed_under_another(tx.conn, &new.fingerprint(), PAGE)?;
    let mut again = vec![];
    for row in rows {
        let distributor = DistributorId::new(row.distributor_id.as_str());
        let context = context(&distributor, row.key_no);
        let key = old
            .open_for(&context, &row.sealed_key)
            .map_err(|source| PayeeError::Sealed { distributor: distributor.clone(), source })?;
        again.push(repo::KeyRow { sealed_key: new.seal_for(&context, &key)?, ..row });
    }
    if !again.is_empty() {
        repo::seal_again(tx.conn, &again, &new.fingerprint())?;
    }
    Ok(again.len())
}
