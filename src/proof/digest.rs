//! One hash for what the ledger says, whatever the path there was.
//!
//! Per order its newest snapshot and net, per account and earner what stands posted in sum. Ids that we give
//! and times at which we worked are not in it, so two databases that were told the same have the same digest.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::core::journal::Seal;

#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Store slug, external id, hash of the newest snapshot, net.
    pub orders: BTreeSet<(String, String, String, Decimal)>,
    /// By account, earner and currency; debit positive.
    pub sums: BTreeMap<(String, String, String), Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    pub orders: usize,
    pub accounts: usize,
}

impl Contents {
    pub fn add(&mut self, account: &str, distributor: &str, currency: &str, amount: Decimal) {
        let key = (account.to_owned(), distributor.to_owned(), currency.to_owned());
        *self.sums.entry(key).or_default() += amount;
    }

    pub fn digest(&self) -> Digest {
        let mut seal = Seal::default();
        for (store, external_id, snapshot, net) in &self.orders {
            for text in ["order", store, external_id, snapshot] {
                seal.text(text);
            }
            seal.decimal(*net);
        }
        let sums = || self.sums.iter().filter(|(_, amount)| !amount.is_zero());
        for ((account, distributor, currency), amount) in sums() {
            for text in ["sum", account, distributor, currency] {
                seal.text(text);
            }
            seal.decimal(*amount);
        }
        Digest { sha256: hex::encode(seal.finish()), orders: self.orders.len(), accounts: sums().count() }
    }
}
