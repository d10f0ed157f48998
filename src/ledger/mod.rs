//! The journal: balanced entries, posted once, never changed.
//!
//! [`post`] is called in the database transaction of the thing that is recorded. It knows accounts and amounts
//! and nothing of orders, plans or payouts.

mod balances;
mod repo;

use serde_json::Value;
use uuid::Uuid;

pub use balances::{Standing, bring_forward, checkpoint, hold, standings};
pub use repo::Sums;
pub use repo::{StoredEntry, documents, load_entries, load_keys, page};

use crate::core::journal::{JournalEntry, document_evidence};
use crate::db::{Conn, DbError, Tx};

/// An entry on its way into the journal with the seal of what it rests on.
#[derive(Debug)]
pub struct NewEntry {
    pub entry: JournalEntry,
    pub evidence: [u8; 32],
    document: Option<Value>,
}

impl NewEntry {
    /// Of a calculation, which is stored beside it.
    pub fn calculated(entry: JournalEntry, evidence: [u8; 32]) -> Self {
        Self { entry, evidence, document: None }
    }

    /// Rests on a document that is stored with it: who, why, from what. No personal data.
    pub fn documented(entry: JournalEntry, document: Value) -> Self {
        Self { evidence: document_evidence(&document), entry, document: Some(document) }
    }
}

/// Posts entries. One that is in the journal already (same source and number) is a broken invariant: whoever
/// computes the next number holds the lock on the source.
pub fn post(tx: &mut Tx<'_>, entries: &[NewEntry]) -> Result<(), DbError> {
    repo::insert(tx.conn, entries)
}

/// The sums of all accounts by currency, house accounts in one line each and distributors together.
pub fn balances(conn: &mut Conn) -> Result<Vec<repo::Balance>, DbError> {
    repo::balances(conn)
}

/// What one distributor has to get, by currency.
pub fn payable(conn: &mut Conn, distributor: &str) -> Result<Vec<repo::Balance>, DbError> {
    repo::payable(conn, distributor)
}

/// How a journal entry is named to people.
pub fn reference(source: Uuid, number: i32) -> String {
    format!("{source}/{number}")
}
