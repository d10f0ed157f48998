//! What banks say: taken once, item by item, along the arrows. What names nothing of ours, or another amount, waits for
//! a person; a payment that nobody can say anything of stays unknown and is never sent again.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{Batch, BatchStatus, Deed, Item};
use super::movement::{self, Arrow};
use super::problem::{PayoutProblem, refused};
use super::repo;
use super::repo::answers::New;
use crate::access::audit;
use crate::core::payout::answers::{Asked, NOT_OURS, Taken, take};
use crate::core::payout::{Answer, ItemStatus, Reference, Says};
use crate::db::Tx;
use crate::rails::{BankFile, Note, Whole};

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Import {
    pub format: String,
    pub message_id: String,
    /// These very bytes were taken before; nothing was done.
    pub again: bool,
    pub answers: usize,
    /// Items that went on, by where to.
    pub moved: BTreeMap<String, usize>,
    /// Nothing was news.
    pub known: usize,
    /// What somebody has to look at.
    pub person: Vec<String>,
    /// For reading; no money moves by them.
    pub notes: Vec<String>,
}

/// An item while a file is read: where it is by now, and how it came there.
struct Reading<'i> {
    item: &'i Item,
    status: ItemStatus,
    /// Code and reason of each arrow.
    way: Vec<(ItemStatus, Option<String>, Option<String>)>,
}

/// Takes what a bank's file says. `sha256` is of its bytes: a file that is read twice says nothing twice.
pub fn take_answers(
    tx: &mut Tx<'_>,
    file: &BankFile,
    sha256: &[u8; 32],
    by: &str,
    now: DateTime<Utc>,
) -> Result<Import, PayoutProblem> {
    let mut import = Import {
        format: file.format.name().to_owned(),
        message_id: file.message_id.clone(),
        answers: file.answers.len() + file.wholes.len(),
        notes: file.notes.iter().map(|note| note.text.clone()).collect(),
        ..Import::default()
    };
    let named = (import.format.as_str(), import.message_id.as_str());
    if !repo::answers::insert_file(tx.conn, sha256, named, by, now)? {
        return Ok(Import { again: true, ..import });
    }
    let (batches, items) = about(tx, file)?;
    let mut reading = Readings::of(&items);
    let mut kept = vec![];
    for answer in &file.answers {
        kept.push(reading.take(answer, &mut import));
    }
    for whole in &file.wholes {
        kept.push(reading.take_whole(whole, &batches, &mut import));
    }
    for note in &file.notes {
        kept.push(reading.note(note));
    }
    write(tx, reading, &batches, &file.message_id, by, now)?;
    repo::answers::insert(tx.conn, sha256, &kept)?;
    let detail = json!({"format": import.format, "message": import.message_id, "sha256": hex::encode(sha256),
                        "moved": import.moved, "known": import.known, "person": import.person.len()});
    audit::record(tx, by, "payout.import", &import.message_id, detail, now)?;
    Ok(import)
}

/// The batches that a file speaks of, held in the order of their numbers, and their items.
fn about(tx: &mut Tx<'_>, file: &BankFile) -> Result<(Vec<Batch>, Vec<Item>), PayoutProblem> {
    let (mut ids, mut numbers) = (vec![], vec![]);
    let noted = file.notes.iter().filter_map(|note| note.about.as_ref());
    for about in file.answers.iter().map(|answer| &answer.about).chain(noted) {
        match about {
            Reference::Item(id) => ids.push(*id),
            Reference::Number(number) => numbers.push(*number),
            Reference::Foreign(_) => {}
        }
    }
    let mut wanted = repo::items::batches_of(tx.conn, &ids, &numbers)?;
    for id in file.wholes.iter().filter_map(|whole| whole.batch) {
        wanted.extend(repo::batches::by_id(tx.conn, id)?.map(|batch| batch.batch_no));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let (mut batches, mut items) = (vec![], vec![]);
    for batch_no in wanted {
        let batch = super::locked(tx, batch_no)?;
        items.extend(repo::items::of_batch(tx.conn, batch.batch_id)?);
        batches.push(batch);
    }
    Ok((batches, items))
}

struct Readings<'i> {
    all: Vec<Reading<'i>>,
    by_id: HashMap<Uuid, usize>,
    by_number: HashMap<i64, usize>,
    /// Items that the file speaks of by themselves.
    told: HashSet<Uuid>,
}

impl<'i> Readings<'i> {
    fn of(items: &'i [Item]) -> Self {
        let reading = |item: &'i Item| Reading { item, status: item.status, way: vec![] };
        Self {
            by_id: items.iter().enumerate().map(|(at, item)| (item.item_id, at)).collect(),
            by_number: items.iter().enumerate().map(|(at, item)| (item.item_no, at)).collect(),
            all: items.iter().map(reading).collect(),
            told: HashSet::new(),
        }
    }

    fn find(&self, about: &Reference) -> Option<usize> {
        match about {
            Reference::Item(id) => self.by_id.get(id).copied(),
            Reference::Number(number) => self.by_number.get(number).copied(),
            Reference::Foreign(_) => None,
        }
    }

    fn take(&mut self, answer: &Answer, import: &mut Import) -> New {
        let stored = serde_json::to_value(answer).unwrap_or(Value::Null);
        let found = self.find(&answer.about).and_then(|at| self.all.get_mut(at));
        let Some(reading) = found else {
            import.person.push(format!("{}: {NOT_OURS}", named(&answer.about)));
            return New { answer: stored, item_id: None, verdict: "person", why: NOT_OURS.to_owned() };
        };
        self.told.insert(reading.item.item_id);
        let (verdict, why) = reading.hear(answer, import);
        New { answer: stored, item_id: Some(reading.item.item_id), verdict, why }
    }

    /// Moves nothing, and waits until somebody has read it.
    fn note(&self, note: &Note) -> New {
        let item = note.about.as_ref().and_then(|about| self.find(about)).and_then(|at| self.all.get(at));
        New {
            answer: json!({"note": note.text, "about": note.about, "code": note.code}),
            item_id: item.map(|reading| reading.item.item_id),
            verdict: "person",
            why: note.text.clone(),
        }
    }

    /// Of all payments of a batch that the file does not speak of one by one, if its sums are the batch's.
    fn take_whole(&mut self, whole: &Whole, batches: &[Batch], import: &mut Import) -> New {
        let stored = json!({"batch": whole.batch, "message": whole.message, "says": whole.says, "code": whole.code,
                            "reason": whole.reason, "payments": whole.payments, "amount": whole.amount});
        let batch = batches.iter().find(|batch| Some(batch.batch_id) == whole.batch);
        let wrong = match batch {
            None => Some("it speaks of a whole file that is none of ours"),
            Some(batch) if !self.is_all_of(batch, whole) => Some("its sums are not those of the batch"),
            Some(_) => None,
        };
        if let Some(why) = wrong {
            import.person.push(format!("file {}: {why}", whole.message));
            return New { answer: stored, item_id: None, verdict: "person", why: why.to_owned() };
        }
        let batch_id = batch.map(|batch| batch.batch_id);
        let before: usize = import.moved.values().sum();
        for reading in &mut self.all {
            // What was paid does not come back by a word about the file.
            let closed = match whole.says {
                Says::Returned => matches!(
                    reading.status,
                    ItemStatus::Returned | ItemStatus::Cancelled | ItemStatus::Confirmed
                ),
                _ => matches!(reading.status, ItemStatus::Returned | ItemStatus::Cancelled),
            };
            let open = !closed;
            if Some(reading.item.batch_id) == batch_id && open && !self.told.contains(&reading.item.item_id) {
                reading.hear(&alone(whole, reading.item), import);
            }
        }
        let moved = import.moved.values().sum::<usize>() > before;
        let verdict = if moved { "taken" } else { "known" };
        New { answer: stored, item_id: None, verdict, why: String::new() }
    }

    /// What a bank counts is either everything that left, or what has not come back.
    fn is_all_of(&self, batch: &Batch, whole: &Whole) -> bool {
        let of = |returned: bool| {
            let here = self.all.iter().filter(|reading| reading.item.batch_id == batch.batch_id);
            let left = here.filter(|reading| reading.item.status != ItemStatus::Cancelled);
            left.filter(move |reading| returned || reading.status != ItemStatus::Returned)
        };
        let currency =
            whole.currency.as_deref().is_none_or(|code| code.eq_ignore_ascii_case(batch.currency.code()));
        let counts = whole.amount.is_some() || whole.payments.is_some();
        currency
            && (counts || whole.says != Says::Returned)
            && [true, false].into_iter().any(|returned| {
                let sum: Decimal = of(returned).map(|reading| reading.item.money.net).sum();
                let count = u32::try_from(of(returned).count()).ok();
                whole.amount.is_none_or(|amount| amount.abs() == sum)
                    && whole.payments.is_none_or(|payments| Some(payments) == count)
            })
    }
}

/// The same word about one payment.
fn alone(whole: &Whole, item: &Item) -> Answer {
    Answer {
        about: Reference::Item(item.item_id),
        says: whole.says,
        amount: None,
        currency: None,
        code: whole.code.clone(),
        reason: whole.reason.clone(),
        on: None,
    }
}

impl Reading<'_> {
    fn hear(&mut self, answer: &Answer, import: &mut Import) -> (&'static str, String) {
        let asked = Asked { status: self.status, net: self.item.money.net, currency: self.item.currency };
        match take(answer, asked) {
            Taken::Becomes(next) => {
                self.status = next;
                self.way.push((next, answer.code.clone(), answer.reason.clone()));
                *import.moved.entry(next.name().to_owned()).or_default() += 1;
                ("taken", String::new())
            }
            Taken::Known => {
                import.known += 1;
                ("known", String::new())
            }
            Taken::Person(why) => {
                import.person.push(format!("payout {}: {why}", self.item.item_no));
                ("person", why.to_owned())
            }
        }
    }
}

fn named(about: &Reference) -> String {
    match about {
        Reference::Item(id) => id.to_string(),
        Reference::Number(number) => format!("payout {number}"),
        Reference::Foreign(text) => format!("{text:?}"),
    }
}

/// Arrow by arrow: an item that a file lets go two arrows goes both.
fn write(
    tx: &mut Tx<'_>,
    reading: Readings<'_>,
    batches: &[Batch],
    message: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    for batch in batches {
        let mine: Vec<&Reading<'_>> =
            reading.all.iter().filter(|reading| reading.item.batch_id == batch.batch_id).collect();
        let longest = mine.iter().map(|reading| reading.way.len()).max().unwrap_or(0);
        for round in 0..longest {
            let arrows: Vec<Arrow<'_>> = mine.iter().filter_map(|reading| arrow(reading, round)).collect();
            movement::go(tx, batch, &arrows, now)?;
            super::items_changed(tx, batch, &arrows, by, now)?;
        }
        let heard = mine.iter().any(|reading| !reading.way.is_empty());
        let waits = mine.iter().any(|reading| reading.status == ItemStatus::Exported);
        if batch.status == BatchStatus::Exported && heard && !waits {
            repo::batches::set_sent(tx.conn, batch.batch_id, &Deed { by: by.to_owned(), at: now })?;
            super::changed(tx, batch, "sent", json!({"message": message}), by, now)?;
        }
    }
    Ok(())
}

fn arrow<'r>(reading: &'r Reading<'_>, round: usize) -> Option<Arrow<'r>> {
    let (to, code, reason) = reading.way.get(round)?;
    let before = round.checked_sub(1).and_then(|before| reading.way.get(before));
    Some(Arrow {
        item: reading.item,
        from: before.map_or(reading.item.status, |(status, ..)| *status),
        to: *to,
        code: code.as_deref(),
        reason: reason.as_deref(),
    })
}

/// Somebody has looked at an answer, and says what came of it.
pub fn settle(
    tx: &mut Tx<'_>,
    answer_id: Uuid,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PayoutProblem> {
    if note.trim().is_empty() {
        return refused("say what came of it");
    }
    if !repo::answers::settle(tx.conn, answer_id, note, by, now)? {
        return refused(format!("there is no answer {answer_id} that waits for a person"));
    }
    Ok(audit::record(tx, by, "payout.answer_settled", &answer_id.to_string(), json!({"note": note}), now)?)
}
