//! Payouts: from what is due to what the bank has paid, so that nobody is paid twice.
//!
//! ```text
//! prepare -> approve -> export -> sent -> confirmed
//!    |          |          |        |  -> returned: due again
//!    +- cancel -+          +--------+- -> unknown: waits for a person
//! ```
//!
//! Money leaves a balance when a batch is prepared and comes back only when it is cancelled before anything has left, or
//! when the bank says so. A second person approves exactly what was shown. The file that left first is the only one that
//! ever leaves for its batch, and an item's id is its reference in it: an answer finds its item, twice is once, and what
//! fits nothing waits for a person. Every step holds its batch, and moves status, money and history in one database
//! transaction, so a process that is killed anywhere leaves either all of a step or nothing.

mod answers;
mod approve;
mod batch;
mod export;
mod gate;
mod held;
mod mark;
mod movement;
mod prepare;
mod problem;
mod repo;
mod review;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::movement::Arrow;
use self::repo::changes::New;
use crate::access::audit;
use crate::db::{Conn, DbError, Tx};

pub use answers::{Import, settle, take_answers};
pub use approve::{Approval, approve, cancel, value_date};
pub use batch::{Batch, BatchStatus, Deed, Item, PayeeNews, StoredFile};
pub use export::{Exported, export};
pub use gate::stopped;
pub use mark::{Which, mark, sent};
pub use prepare::{Order, Proposal, prepare, propose};
pub use problem::PayoutProblem;
pub use repo::answers::OpenAnswer;
pub use repo::changes::Change;
pub use repo::items::Count;
pub use review::{Earlier, LeftOutSum, Mover, Review, review};

/// The newest first, before a number.
pub fn batches(conn: &mut Conn, before: Option<i32>, limit: i64) -> Result<Vec<Batch>, DbError> {
    repo::batches::page(conn, before, limit)
}

/// How many items of these batches stand where, and what they are worth.
pub fn counts(conn: &mut Conn, batches: &[i32]) -> Result<Vec<Count>, DbError> {
    repo::items::counts(conn, batches)
}

/// What was done to a batch as a whole, the oldest first.
pub fn changes(conn: &mut Conn, batch_id: Uuid) -> Result<Vec<Change>, DbError> {
    repo::changes::of_batch(conn, batch_id)
}

/// What became of one item, the oldest first.
pub fn item_changes(conn: &mut Conn, item_id: Uuid) -> Result<Vec<Change>, DbError> {
    repo::changes::of_item(conn, item_id)
}

/// What a distributor was paid, the newest first.
pub fn of_distributor(conn: &mut Conn, distributor: &str, limit: i64) -> Result<Vec<Item>, DbError> {
    repo::items::of_distributor(conn, distributor, limit)
}

/// Answers of banks that wait for a person.
pub fn open_answers(conn: &mut Conn, limit: i64) -> Result<Vec<OpenAnswer>, DbError> {
    repo::answers::open(conn, limit)
}

/// Payouts of which nobody can say what became of them.
pub fn unknown(conn: &mut Conn, limit: i64) -> Result<Vec<Item>, DbError> {
    repo::items::unknown(conn, limit)
}

/// The name of a bank's file that does not change: of its bytes.
pub fn file_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// For the log: `payout 7`.
fn name(batch: &Batch) -> String {
    format!("payout {}", batch.batch_no)
}

fn known(conn: &mut Conn, batch_no: i32) -> Result<Batch, PayoutProblem> {
    repo::batches::by_no(conn, batch_no, false)?.ok_or(PayoutProblem::UnknownBatch(batch_no))
}

/// Nobody else does anything to it until the database transaction ends.
fn locked(tx: &mut Tx<'_>, batch_no: i32) -> Result<Batch, PayoutProblem> {
    repo::batches::by_no(tx.conn, batch_no, true)?.ok_or(PayoutProblem::UnknownBatch(batch_no))
}

fn again(tx: &mut Tx<'_>, batch_no: i32) -> Result<Batch, PayoutProblem> {
    known(tx.conn, batch_no)
}

fn same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Says in the batch's history and in the log of who changed what that something was done.
fn changed(
    tx: &mut Tx<'_>,
    batch: &Batch,
    change: &'static str,
    detail: Value,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let new = New { item_id: None, change, detail: detail.clone() };
    repo::changes::insert(tx.conn, batch.batch_id, &[new], by, now)?;
    audit::record(tx, by, &format!("payout.{change}"), &name(batch), detail, now)
}

/// The history of single items.
fn items_changed(
    tx: &mut Tx<'_>,
    batch: &Batch,
    arrows: &[Arrow<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let new = |arrow: &Arrow<'_>| New {
        item_id: Some(arrow.item.item_id),
        change: arrow.to.name(),
        detail: json!({"from": arrow.from, "code": arrow.code, "reason": arrow.reason}),
    };
    let changes: Vec<New> = arrows.iter().map(new).collect();
    repo::changes::insert(tx.conn, batch.batch_id, &changes, by, now)
}
