//! Journal entries of one settlement: a source of its own, its entries numbered, a document for each.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::new_id;
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind, JournalEntry, Posting};
use crate::core::money::Currency;
use crate::db::{DbError, Tx};
use crate::ledger::{self, NewEntry};

/// Entries that are posted together.
pub struct Settlement {
    pub id: Uuid,
    at: DateTime<Utc>,
    entries: Vec<NewEntry>,
}

impl Settlement {
    pub fn new(at: DateTime<Utc>) -> Self {
        Self { id: new_id(), at, entries: vec![] }
    }

    pub fn add(
        &mut self,
        kind: EntryKind,
        currency: Currency,
        postings: Vec<Posting>,
        document: Value,
    ) -> Result<(), DbError> {
        let number = i32::try_from(self.entries.len()).unwrap_or(i32::MAX).saturating_add(1);
        let entry = JournalEntry::new(self.id, number, kind, currency, self.at, postings)
            .map_err(|unbalanced| DbError::Invariant(unbalanced.to_string()))?;
        if !entry.postings().is_empty() {
            self.entries.push(NewEntry::documented(entry, document));
        }
        Ok(())
    }

    pub fn post(self, tx: &mut Tx<'_>) -> Result<usize, DbError> {
        ledger::post(tx, &self.entries)?;
        Ok(self.entries.len())
    }
}

/// A distributor's amount from one account to another: the first is debited.
pub fn moved(of: &DistributorId, amount: Decimal, from: Account, to: Account) -> [Posting; 2] {
    [posting(from, Some(of), amount), posting(to, Some(of), -amount)]
}

pub fn posting(account: Account, distributor: Option<&DistributorId>, amount: Decimal) -> Posting {
    Posting { account, distributor: distributor.cloned(), amount, event: None }
}
