//! Items on their arrows: status, money and history in one database transaction.
//!
//! Whoever calls holds the batch. The money of an arrow is an entry of the batch that rests on a document of ids and
//! amounts; names and reasons of people stay out of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{Batch, Item};
use super::problem::{PayoutProblem, refused};
use super::repo;
use super::repo::items::Moved;
use crate::core::journal::{EntryKind, JournalEntry, Posting};
use crate::core::money::Currency;
use crate::core::payout::choice::Settled;
use crate::core::payout::{ItemStatus, steps};
use crate::db::{DbError, Tx};
use crate::ledger::{self, NewEntry};

/// Four postings each, of at most 32,767 in an entry.
const ITEMS_OF_AN_ENTRY: usize = 5_000;

/// One item on its way.
pub struct Arrow<'a> {
    pub item: &'a Item,
    pub from: ItemStatus,
    pub to: ItemStatus,
    pub code: Option<&'a str>,
    pub reason: Option<&'a str>,
}

impl<'a> Arrow<'a> {
    pub fn to(item: &'a Item, to: ItemStatus) -> Self {
        Self { item, from: item.status, to, code: None, reason: None }
    }
}

/// What an entry moves: the postings of one distributor and how the document names them.
struct Part {
    postings: Vec<Posting>,
    document: Value,
}

/// Moves the items, each at most once, and posts what that means. All of them, or nothing.
pub fn go(
    tx: &mut Tx<'_>,
    batch: &Batch,
    arrows: &[Arrow<'_>],
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    if let Some(wrong) = arrows.iter().find(|arrow| !arrow.from.may_become(arrow.to)) {
        return refused(format!(
            "payout {} is {} and cannot become {}",
            wrong.item.item_no,
            wrong.from.name(),
            wrong.to.name()
        ));
    }
    let moved: Vec<Moved<'_>> = arrows
        .iter()
        .map(|arrow| Moved {
            item_id: arrow.item.item_id,
            from: arrow.from,
            to: arrow.to,
            code: arrow.code,
            reason: arrow.reason,
        })
        .collect();
    if repo::items::set_status(tx.conn, &moved, now)? != arrows.len() {
        return Err(
            DbError::Invariant(format!("items of batch {} moved without its lock", batch.batch_no)).into()
        );
    }
    let mut by_kind: HashMap<&str, (EntryKind, Vec<Part>)> = HashMap::new();
    for arrow in arrows {
        if let Some((kind, postings)) = steps::step(arrow.from, arrow.to, &arrow.item.money) {
            let part = Part { postings, document: document(arrow) };
            by_kind.entry(kind.name()).or_insert((kind, vec![])).1.push(part);
        }
    }
    let mut kinds: Vec<(EntryKind, Vec<Part>)> = by_kind.into_values().collect();
    kinds.sort_by_key(|(kind, _)| kind.name());
    for (kind, parts) in kinds {
        post(tx, batch, kind, parts, now)?;
    }
    Ok(())
}

fn document(arrow: &Arrow<'_>) -> Value {
    json!({"item": arrow.item.item_id, "no": arrow.item.item_no, "money": arrow.item.money,
           "from": arrow.from, "to": arrow.to, "code": arrow.code})
}

/// The money of a batch leaves what is due.
pub fn post_prepared(
    tx: &mut Tx<'_>,
    batch: &Batch,
    items: &[Item],
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    let part = |item: &Item| Part {
        postings: steps::prepared(&item.money),
        document: json!({"item": item.item_id, "no": item.item_no, "money": item.money,
                         "to": ItemStatus::Prepared, "payee_version": item.payee_version}),
    };
    post(tx, batch, EntryKind::Payout, items.iter().map(part).collect(), now)
}

/// Debts that grow, and debts that are paid back.
pub fn post_settled(
    tx: &mut Tx<'_>,
    batch: &Batch,
    (carried, recovered): (&[Settled], &[Settled]),
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    let parts = |settled: &[Settled], postings: fn(&Settled) -> Vec<Posting>| -> Vec<Part> {
        let part = |one: &Settled| Part { postings: postings(one), document: json!(one) };
        settled.iter().map(part).collect()
    };
    let carried = parts(carried, |one| steps::carried(&one.distributor, one.amount));
    post(tx, batch, EntryKind::Carry, carried, now)?;
    let recovered = parts(recovered, |one| steps::recovered(&one.distributor, one.amount));
    post(tx, batch, EntryKind::Recovery, recovered, now)
}

fn post(
    tx: &mut Tx<'_>,
    batch: &Batch,
    kind: EntryKind,
    parts: Vec<Part>,
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    let chunks: Vec<&[Part]> = parts.chunks(ITEMS_OF_AN_ENTRY).collect();
    let Ok(count) = i32::try_from(chunks.len()) else {
        return refused(format!("batch {} has more items than its entries have numbers", batch.batch_no));
    };
    if count == 0 {
        return Ok(());
    }
    let first = repo::batches::take_entries(tx.conn, batch.batch_id, count)?;
    let mut entries = vec![];
    for (number, chunk) in (first..).zip(chunks) {
        entries.push(entry((batch.batch_id, number), kind, batch.currency, chunk, batch.batch_no, now)?);
    }
    Ok(ledger::post(tx, &entries)?)
}

fn entry(
    (source, number): (Uuid, i32),
    kind: EntryKind,
    currency: Currency,
    parts: &[Part],
    batch_no: i32,
    now: DateTime<Utc>,
) -> Result<NewEntry, PayoutProblem> {
    let postings = parts.iter().flat_map(|part| part.postings.iter().cloned());
    let entry = JournalEntry::new(source, number, kind, currency, now, postings)?;
    let parts: Vec<&Value> = parts.iter().map(|part| &part.document).collect();
    Ok(NewEntry::documented(entry, json!({"payout_batch": batch_no, "step": kind.name(), "parts": parts})))
}
