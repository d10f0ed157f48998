//! What a person says became of payouts where no file of a bank does.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::approve::of_status;
use super::batch::{Batch, BatchStatus, Deed, Item};
use super::movement::{self, Arrow};
use super::problem::{PayoutProblem, refused};
use super::repo;
use crate::core::payout::ItemStatus;
use crate::db::Tx;

/// The bank has the file.
pub fn sent(tx: &mut Tx<'_>, batch_no: i32, by: &str, now: DateTime<Utc>) -> Result<Batch, PayoutProblem> {
    let batch = super::locked(tx, batch_no)?;
    match batch.status {
        BatchStatus::Exported => {}
        BatchStatus::Sent => return refused(format!("batch {batch_no} is sent already")),
        status => {
            return refused(format!(
                "batch {batch_no} is {}, and has no file that could be sent",
                status.name()
            ));
        }
    }
    let items = repo::items::of_batch(tx.conn, batch.batch_id)?;
    let arrows = of_status(&items, ItemStatus::Exported, ItemStatus::Sent);
    movement::go(tx, &batch, &arrows, now)?;
    repo::batches::set_sent(tx.conn, batch.batch_id, &Deed { by: by.to_owned(), at: now })?;
    super::changed(tx, &batch, "sent", json!({"items": arrows.len()}), by, now)?;
    super::again(tx, batch_no)
}

/// Which payouts of a batch a person speaks of.
#[derive(Clone, Debug)]
pub enum Which {
    /// All that can go there.
    All,
    Items(Vec<i64>),
}

/// By somebody else than who prepared the batch: who says that money came back has it paid again.
pub fn mark(
    tx: &mut Tx<'_>,
    (batch_no, which): (i32, &Which),
    to: ItemStatus,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Batch, PayoutProblem> {
    let batch = super::locked(tx, batch_no)?;
    if !matches!(to, ItemStatus::Confirmed | ItemStatus::Returned | ItemStatus::Unknown | ItemStatus::Sent) {
        return refused(format!(
            "a payout is marked sent, confirmed, returned or unknown, not {}",
            to.name()
        ));
    }
    if reason.trim().is_empty() {
        return refused("say how you know: it stays with the payout");
    }
    if super::same_person(by, &batch.created.by) {
        return refused(format!(
            "{} has prepared batch {batch_no}, so somebody else has to say this",
            batch.created.by
        ));
    }
    if !matches!(batch.status, BatchStatus::Exported | BatchStatus::Sent) {
        return refused(format!("batch {batch_no} is {}; nothing of it has left", batch.status.name()));
    }
    let items = repo::items::of_batch(tx.conn, batch.batch_id)?;
    let marked = chosen(&items, which, to, batch_no)?;
    let arrows: Vec<Arrow<'_>> =
        marked.into_iter().map(|item| Arrow { reason: Some(reason), ..Arrow::to(item, to) }).collect();
    if arrows.is_empty() {
        return refused(format!("no payout of batch {batch_no} can become {}", to.name()));
    }
    movement::go(tx, &batch, &arrows, now)?;
    super::items_changed(tx, &batch, &arrows, by, now)?;
    let numbers: Vec<i64> = arrows.iter().map(|arrow| arrow.item.item_no).collect();
    let detail = json!({"to": to, "reason": reason, "items": numbers});
    super::changed(tx, &batch, "marked", detail, by, now)?;
    super::again(tx, batch_no)
}

/// `All` does not bring back what was confirmed: a payout that comes back afterwards is named.
fn chosen<'i>(
    items: &'i [Item],
    which: &Which,
    to: ItemStatus,
    batch_no: i32,
) -> Result<Vec<&'i Item>, PayoutProblem> {
    let Which::Items(numbers) = which else {
        let goes = |item: &&Item| item.status != ItemStatus::Confirmed && item.status.may_become(to);
        return Ok(items.iter().filter(goes).collect());
    };
    let mut numbers = numbers.clone();
    numbers.sort_unstable();
    numbers.dedup();
    let find = |no: &i64| items.iter().find(|item| item.item_no == *no).ok_or(*no);
    match numbers.iter().map(find).collect() {
        Ok(found) => Ok(found),
        Err(no) => refused(format!("payout {no} is not one of batch {batch_no}")),
    }
}
