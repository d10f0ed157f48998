//! Whether the ledger is what was posted: every entry balances, has its digest, its events and its place.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;

use super::{chain, repo};
use crate::chain::GivenHead;
use crate::commissions::{self, StoredCalculation, StoredEvent, evidence};
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind, JournalEntry, Posting, document_evidence};
use crate::core::money::Currency;
use crate::db::{Conn, DbError};
use crate::ingest;
use crate::ledger::{self, StoredEntry};
use crate::periods;

/// One row that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub table: &'static str,
    /// The row's key, as in the table's primary key.
    pub row: String,
    pub message: String,
    /// Its place in the chain, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    pub entries: u64,
    pub postings: u64,
    pub commission_events: u64,
    pub facts: u64,
    pub deliveries: u64,
    /// Of them, those whose personal data was taken out.
    pub redacted: u64,
    /// Links of the chain.
    pub chained: u64,
    /// Of them, those of the audit log.
    pub audit_rows: u64,
    /// Heads that were given out.
    pub heads: u64,
    pub problems: Vec<Problem>,
}

impl Verified {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// The smallest place in the chain that a problem belongs to.
    pub fn first_bad(&self) -> Option<i64> {
        self.problems.iter().filter_map(|problem| problem.seq).min()
    }

    pub(super) fn found(&mut self, table: &'static str, row: impl Into<String>, message: impl Into<String>) {
        self.found_at(table, row, message, None);
    }

    pub(super) fn found_at(
        &mut self,
        table: &'static str,
        row: impl Into<String>,
        message: impl Into<String>,
        seq: Option<i64>,
    ) {
        self.problems.push(Problem { table, row: row.into(), message: message.into(), seq });
    }
}

const PAGE: i64 = 500;
/// Entries of a run have thousands of postings each, those of orders a handful.
const AT_ONCE: usize = 10;
const FACTS: i64 = 10_000;

/// Walks the chain, the whole journal and all stored deliveries. `heads`: those that were kept outside of the database.
/// `progress` is told how many rows were seen so far.
pub fn verify(
    conn: &mut Conn,
    heads: &[GivenHead],
    mut progress: impl FnMut(u64),
) -> Result<Verified, DbError> {
    let mut verified = Verified::default();
    let mut expected = chain::Expected::load(conn)?;
    let mut after = None;
    loop {
        let page = ledger::page(conn, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        let sources: Vec<Uuid> = page.iter().map(|(source, _)| *source).collect();
        let runs = repo::runs_among(conn, &sources)?;
        let (of_runs, of_orders): (Vec<_>, Vec<_>) = page.iter().partition(|key| runs.contains(&key.0));
        for keys in std::iter::once(of_orders.as_slice()).chain(of_runs.chunks(AT_ONCE)) {
            check_entries(conn, keys, &mut expected, &mut verified)?;
            progress(verified.entries);
        }
    }
    expected.check_balances(&mut verified);
    chain::check(conn, &expected, heads, &mut verified, &mut progress)?;
    for missing in repo::missing_entries(conn)? {
        verified.found(
            "journal_entries",
            missing,
            "the entry and what it is of (an order, a run, an adjustment, a payout, a document) do not both say it",
        );
    }
    for orphan in repo::orphan_postings(conn)? {
        verified.found("postings", orphan, "belongs to no journal entry");
    }
    for purse in repo::held_otherwise(conn)? {
        verified.found("holdbacks", purse, "the ledger holds back another amount");
    }
    for run in periods::posted_runs(conn)? {
        for difference in periods::posted_differences(conn, run.run_id)? {
            verified.found("run_awards", run.run_id.to_string(), difference);
        }
    }
    check_facts(conn, &mut verified, &mut progress)?;
    check_deliveries(conn, &mut verified, &mut progress)?;
    check_redactions(conn, &mut verified)?;
    Ok(verified)
}

/// What the entries of a page rest on.
pub(super) struct Grounds {
    calculations: HashMap<(Uuid, i32), (StoredCalculation, serde_json::Value)>,
    events: HashMap<(Uuid, i32), Vec<StoredEvent>>,
    documents: HashMap<(Uuid, i32), serde_json::Value>,
}

impl Grounds {
    pub fn load(conn: &mut Conn, keys: &[(Uuid, i32)]) -> Result<Self, DbError> {
        let calculations = commissions::calculations_at(conn, keys)?
            .into_iter()
            .map(|(calculation, snapshot)| {
                ((calculation.order_id, calculation.calculation_no), (calculation, snapshot))
            })
            .collect();
        let mut events: HashMap<(Uuid, i32), Vec<StoredEvent>> = HashMap::new();
        for event in commissions::events_at(conn, keys)? {
            events.entry((event.order_id, event.calculation_no)).or_default().push(event);
        }
        Ok(Self { calculations, events, documents: ledger::documents(conn, keys)? })
    }
}

impl Grounds {
    /// The seal of what an entry rests on, as it stands now; `None` when it is not there.
    pub fn evidence(&self, key: (Uuid, i32)) -> Option<[u8; 32]> {
        if let Some(document) = self.documents.get(&key) {
            return Some(document_evidence(document));
        }
        let (calculation, snapshot) = self.calculations.get(&key)?;
        Some(evidence(calculation, snapshot, self.events.get(&key).map_or(&[], Vec::as_slice)))
    }
}

fn check_entries(
    conn: &mut Conn,
    keys: &[(Uuid, i32)],
    expected: &mut chain::Expected,
    verified: &mut Verified,
) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let loaded = Grounds::load(conn, keys).and_then(|grounds| Ok((grounds, ledger::load_keys(conn, keys)?)));
    let (grounds, entries) = match (loaded, keys) {
        (Ok(loaded), _) => loaded,
        (Err(DbError::Damaged(message)), [(source, number)]) => {
            let seq = chain::seqs(conn, keys)?.get(&(*source, *number)).copied();
            verified.found_at("journal_entries", ledger::reference(*source, *number), message, seq);
            return Ok(());
        }
        // One of them cannot be read: which one?
        (Err(DbError::Damaged(_)), _) => {
            return keys.chunks(1).try_for_each(|key| check_entries(conn, key, expected, verified));
        }
        (Err(error), _) => return Err(error),
    };
    let seqs = chain::seqs(conn, keys)?;
    for stored in entries {
        let seq = seqs.get(&(stored.source, stored.number)).copied();
        verified.entries += 1;
        verified.postings += u64::try_from(stored.postings.len()).unwrap_or(0);
        expected.take(&stored, seq);
        let before = verified.problems.len();
        check_entry(&stored, &grounds, verified);
        verified.problems.iter_mut().skip(before).for_each(|problem| problem.seq = seq);
    }
    Ok(())
}

fn check_entry(stored: &StoredEntry, grounds: &Grounds, verified: &mut Verified) {
    let row = ledger::reference(stored.source, stored.number);
    let entry = match rebuild(stored) {
        Ok(entry) => entry,
        Err(message) => return verified.found("journal_entries", row, message),
    };
    if !stored.is_numbered {
        verified.found("postings", row.clone(), "the entry's postings are not numbered as they were posted");
    }
    let key = (stored.source, stored.number);
    if !entry.kind().is_calculated() {
        return check_document(stored, &entry, grounds, verified);
    }
    if grounds.documents.contains_key(&key) {
        verified.found("entry_documents", row.clone(), "the entry rests on a calculation, not on a document");
    }
    let Some((calculation, snapshot)) = grounds.calculations.get(&key) else {
        return verified.found("calculations", row, "the entry's calculation is not there");
    };
    let none = vec![];
    let events = grounds.events.get(&key).unwrap_or(&none);
    verified.commission_events += u64::try_from(events.len()).unwrap_or(0);
    let posted: HashMap<Uuid, &Posting> =
        entry.postings().iter().filter_map(|posting| Some((posting.event?.0, posting))).collect();
    if let Some(event) = events.iter().find(|event| !is_posted(event, &posted)) {
        let message =
            format!("commission event {} has no posting of its amount in this entry", event.event_id);
        verified.found("commission_events", row.clone(), message);
    }
    if let Some(event) = events.iter().find(|event| event.currency != stored.currency) {
        let message = format!("commission event {} is in another currency than this entry", event.event_id);
        verified.found("commission_events", row.clone(), message);
    }
    if entry.digest(&evidence(calculation, snapshot, events)).as_slice() != stored.digest {
        let message = "the entry, its postings, its commission events or its calculation were changed after posting: \
                       the digest differs";
        verified.found("journal_entries", row, message);
    }
}

fn check_document(stored: &StoredEntry, entry: &JournalEntry, grounds: &Grounds, verified: &mut Verified) {
    let row = ledger::reference(stored.source, stored.number);
    let Some(document) = grounds.documents.get(&(stored.source, stored.number)) else {
        return verified.found("entry_documents", row, "the document that the entry rests on is not there");
    };
    if entry.digest(&document_evidence(document)).as_slice() != stored.digest {
        let message =
            "the entry, its postings or its document were changed after posting: the digest differs";
        verified.found("journal_entries", row, message);
    }
}

fn rebuild(stored: &StoredEntry) -> Result<JournalEntry, String> {
    let kind =
        EntryKind::parse(&stored.kind).ok_or_else(|| format!("{:?} is no kind of entry", stored.kind))?;
    let currency =
        Currency::parse(&stored.currency).ok_or_else(|| format!("{:?} is no currency", stored.currency))?;
    let postings = stored.postings.iter().cloned();
    JournalEntry::new(stored.source, stored.number, kind, currency, stored.posted_at, postings)
        .map_err(|unbalanced| unbalanced.to_string())
}

fn is_posted(event: &StoredEvent, posted: &HashMap<Uuid, &Posting>) -> bool {
    posted.get(&event.event_id).is_some_and(|posting| {
        posting.account == Account::CommissionPayable
            && posting.distributor.as_ref().map(DistributorId::as_str) == Some(event.distributor_id.as_str())
            && posting.amount == -event.amount
    })
}

/// A fact says what its calculation says, and their numbers have no gap.
fn check_facts(
    conn: &mut Conn,
    verified: &mut Verified,
    progress: &mut impl FnMut(u64),
) -> Result<(), DbError> {
    let mut after = 0;
    loop {
        let page = repo::facts(conn, after, FACTS)?;
        let Some(last) = page.last() else { return Ok(()) };
        for (fact, expected) in page.iter().zip(after + 1..) {
            if fact.seq != expected {
                let message = format!("follows on a gap: {expected} is not there");
                verified.found("volume_facts", fact.seq.to_string(), message);
            }
            if !fact.is_true {
                let message = "is not what its calculation says of volume";
                verified.found("volume_facts", fact.seq.to_string(), message);
            }
        }
        after = last.seq;
        verified.facts += u64::try_from(page.len()).unwrap_or(0);
        progress(verified.entries + verified.facts);
    }
}

/// Reading a delivery compares its bytes with their hash.
fn check_deliveries(
    conn: &mut Conn,
    verified: &mut Verified,
    progress: &mut impl FnMut(u64),
) -> Result<(), DbError> {
    let mut after = None;
    loop {
        let ids = repo::delivery_ids(conn, after, PAGE)?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = Some(*last);
        verified.deliveries += u64::try_from(ids.len()).unwrap_or(0);
        progress(verified.entries + verified.facts + verified.deliveries);
        if ingest::load(conn, &ids).is_ok() {
            continue;
        }
        for id in ids {
            if let Err(DbError::Damaged(message)) = ingest::load(conn, &[id]) {
                verified.found(
                    "deliveries",
                    id.to_string(),
                    format!("changed after it was stored: {message}"),
                );
            }
        }
    }
}

/// A body that is not the one of the wire was exchanged by a redaction that is on record, and by its newest.
fn check_redactions(conn: &mut Conn, verified: &mut Verified) -> Result<(), DbError> {
    let (redacted, without_record) = repo::redactions(conn)?;
    verified.redacted = redacted;
    for delivery in without_record {
        verified.found("deliveries", delivery, "its body was exchanged, and no redaction on record did that");
    }
    Ok(())
}
