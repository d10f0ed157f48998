//! Whether the chain leads from its first link to its head, through every head that was given out, and seals what
//! stands in the tables; and whether the kept balances are the sums that they should be.

use std::collections::HashMap;

use rust_decimal::Decimal;
use uuid::Uuid;

use super::verify::Verified;
use crate::chain::{self, Beside, GivenHead, Kind, Reference, State, Walk};
use crate::db::{Conn, DbError};
use crate::ledger::{self, StoredEntry, Sums};

const PAGE: i64 = 5_000;

/// What is known of the chain before the entries are read: nothing that is added meanwhile counts.
pub struct Expected {
    state: State,
    balances_seq: i64,
    /// The balances less the postings that were read so far.
    left: Sums,
}

impl Expected {
    pub fn load(conn: &mut Conn) -> Result<Self, DbError> {
        let (balances_seq, left) = ledger::checkpoint(conn)?;
        Ok(Self { state: chain::state(conn)?, balances_seq, left })
    }

    /// Takes an entry out of the sums that it is part of.
    pub fn take(&mut self, stored: &StoredEntry, seq: Option<i64>) {
        if seq.is_none_or(|seq| seq > self.balances_seq) {
            return;
        }
        for posting in &stored.postings {
            let distributor = posting.distributor.as_ref().map_or("", |id| id.as_str());
            let key = (posting.account.number(), distributor.to_owned(), stored.currency.clone());
            *self.left.entry(key).or_default() -= posting.amount;
        }
    }

    pub fn check_balances(&self, verified: &mut Verified) {
        let mut wrong: Vec<_> = self.left.iter().filter(|(_, left)| !left.is_zero()).collect();
        wrong.sort();
        for ((account, distributor, currency), left) in wrong {
            let left: &Decimal = left;
            let row = format!("{account}/{distributor}/{currency}");
            let message = format!("is {} more than its postings", left.normalize());
            verified.found("balances", row, message);
        }
    }
}

/// Where entries are in the chain.
pub fn seqs(conn: &mut Conn, keys: &[(Uuid, i32)]) -> Result<HashMap<(Uuid, i32), i64>, DbError> {
    let references: Vec<Reference> = keys
        .iter()
        .map(|(source, number)| Reference { kind: Kind::Entry, source: *source, number: *number })
        .collect();
    let found = chain::seqs(conn, Kind::Entry, &references)?;
    Ok(found.into_iter().map(|(reference, seq)| ((reference.source, reference.number), seq)).collect())
}

/// `heads`: of a file, in addition to those of the table.
pub fn check(
    conn: &mut Conn,
    expected: &Expected,
    heads: &[GivenHead],
    verified: &mut Verified,
    progress: &mut impl FnMut(u64),
) -> Result<(), DbError> {
    let started = &expected.state;
    let mut walk = Walk::default();
    let mut at_head = None;
    loop {
        let page = chain::links(conn, walk.seq, PAGE)?;
        if page.is_empty() {
            break;
        }
        let audits: Vec<Uuid> = page
            .iter()
            .filter(|beside| beside.link.reference.kind == Kind::Audit)
            .map(|beside| beside.link.reference.source)
            .collect();
        let audits = chain::audit_rows(conn, &audits)?;
        verified.audit_rows += u64::try_from(audits.len()).unwrap_or(0);
        for Beside { link, stored } in page {
            if let Some(message) = walk.step(&link) {
                verified.found_at("chain", link.seq.to_string(), message, Some(link.seq));
            }
            let row = audits.get(&link.reference.source).map(|row| row.digest().to_vec());
            let (table, now) = match link.reference.kind {
                Kind::Entry => ("journal_entries", stored),
                Kind::Audit => ("audit_log", row),
            };
            if let Some(message) = differs(&link.digest, now.as_deref()) {
                verified.found_at(table, link.reference.to_string(), message, Some(link.seq));
            }
            if link.seq == started.head_seq {
                at_head = Some(link.hash);
            }
            verified.chained += 1;
        }
        progress(verified.entries + verified.chained);
    }
    check_end(conn, started, &walk, at_head, verified)?;
    for reference in chain::left_out(conn, started)? {
        let table = if reference.kind == Kind::Entry { "journal_entries" } else { "audit_log" };
        verified.found(table, reference.to_string(), "is not in the chain, and should be");
    }
    check_heads(conn, heads, walk.seq, verified)
}

fn differs(chained: &[u8], now: Option<&[u8]>) -> Option<&'static str> {
    match now {
        None => Some("is in the chain, and not there any more"),
        Some(now) if now != chained => Some("was changed after it was chained: the digest differs"),
        Some(_) => None,
    }
}

fn check_end(
    conn: &mut Conn,
    started: &State,
    walk: &Walk,
    at_head: Option<Vec<u8>>,
    verified: &mut Verified,
) -> Result<(), DbError> {
    let now = chain::state(conn)?;
    let row = walk.seq.to_string();
    if walk.seq < started.head_seq {
        let message =
            format!("is the last link, and the chain was at {}: its end was cut off", started.head_seq);
        verified.found_at("chain", row, message, Some(walk.seq.saturating_add(1)));
    } else if started.head_seq > 0 && at_head.as_deref() != Some(started.head_hash.as_slice()) {
        let message = "has another hash than the sequencer gave it";
        verified.found_at("chain", started.head_seq.to_string(), message, Some(started.head_seq));
    } else if walk.seq > now.head_seq {
        let message = format!("is behind the last link that the sequencer knows, {}", now.head_seq);
        verified.found_at("chain", row, message, Some(now.head_seq.saturating_add(1)));
    }
    Ok(())
}

/// Every head that was given out is a link, and the file says what the table says.
fn check_heads(
    conn: &mut Conn,
    of_file: &[GivenHead],
    end: i64,
    verified: &mut Verified,
) -> Result<(), DbError> {
    let of_table = chain::given_heads(conn)?;
    let seqs: Vec<i64> = of_table.iter().chain(of_file).map(|head| head.seq).collect();
    let hashes = chain::hashes(conn, &seqs)?;
    verified.heads = u64::try_from(of_table.len()).unwrap_or(0);
    for (place, heads) in [("chain_heads", of_table.as_slice()), ("heads file", of_file)] {
        for head in heads {
            let message = match hashes.get(&head.seq).map(hex::encode) {
                Some(hash) if hash == head.hash => continue,
                Some(_) => "the chain does not lead through this head: it was written anew",
                None => "the chain does not reach this head: its end was cut off",
            };
            let first = head.seq.min(end.saturating_add(1));
            verified.found_at(place, told(head), message, Some(first));
        }
    }
    let by_no: HashMap<i64, &GivenHead> = of_table.iter().map(|head| (head.no, head)).collect();
    for head in of_file.iter().filter(|head| by_no.get(&head.no) != Some(head)) {
        verified.found("heads file", told(head), "the table of heads does not say the same");
    }
    let last = of_file.iter().map(|head| head.no).max().unwrap_or(0);
    for head in of_table.iter().filter(|head| head.no <= last && !of_file.contains(head)) {
        verified.found("chain_heads", told(head), "the file of heads does not say the same");
    }
    Ok(())
}

fn told(head: &GivenHead) -> String {
    format!("{} at {} ({})", head.no, head.seq, head.cause)
}
