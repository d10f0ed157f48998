//! Releasing: what was held back until today becomes payable.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;

use super::post::{Settlement, moved};
use super::repo;
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind};
use crate::core::money::Currency;
use crate::db::{DbError, Tx};

/// Holdbacks in one database transaction.
const PAGE: i64 = 4_000;

/// Releases the next that are due. Returns how many; 0 when there is nothing more.
pub fn release(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, DbError> {
    let today = now.date_naive();
    let due = repo::held::due(tx.conn, today, PAGE)?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut sums: BTreeMap<Currency, BTreeMap<DistributorId, Decimal>> = BTreeMap::new();
    for held in &due {
        let currency = Currency::parse(&held.currency)
            .ok_or_else(|| DbError::Damaged(format!("the currency of a holdback of {}", held.source_id)))?;
        let purse = sums.entry(currency).or_default().entry(DistributorId::new(&held.distributor_id));
        *purse.or_default() += held.amount;
    }
    let mut settlement = Settlement::new(now);
    for (currency, moves) in sums {
        let postings = moves
            .iter()
            .flat_map(|(of, amount)| moved(of, *amount, Account::Holdback, Account::CommissionPayable));
        let document = json!({"released_on": today, "holdbacks": due.len()});
        settlement.add(EntryKind::Release, currency, postings.collect(), document)?;
    }
    repo::held::released(tx.conn, &due, settlement.id, now)?;
    settlement.post(tx)?;
    Ok(due.len())
}
