//! A second person says that a batch may leave, or somebody takes it back before it does.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use rust_decimal::Decimal;
use serde_json::json;

use super::batch::{Batch, BatchStatus, Deed, Item, digest, total};
use super::movement::{self, Arrow};
use super::problem::{PayoutProblem, refused};
use super::{gate, held, repo};
use crate::core::payout::ItemStatus;
use crate::core::payout::choice::Terms;
use crate::db::Tx;

/// What an approval says that it knows.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// Beginning of the digest of what was shown, twelve signs or more.
    pub shown: String,
    /// Also above the limits of an item or of the batch.
    pub over_limits: bool,
}

const SHOWN: usize = 12;

/// Never by who prepared it, and only what was shown.
pub fn approve(
    tx: &mut Tx<'_>,
    batch_no: i32,
    approval: &Approval,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Batch, PayoutProblem> {
    let batch = super::locked(tx, batch_no)?;
    match (batch.status, &batch.approved) {
        (BatchStatus::Prepared, _) => {}
        (BatchStatus::Cancelled, _) => return refused(format!("batch {batch_no} is cancelled")),
        (_, Some(deed)) => return refused(format!("batch {batch_no} is approved already, by {}", deed.by)),
        (status, None) => return refused(format!("batch {batch_no} is {}", status.name())),
    }
    if super::same_person(by, &batch.created.by) {
        return refused(format!(
            "{} has prepared batch {batch_no}, so somebody else has to approve it",
            batch.created.by
        ));
    }
    gate::pass(tx.conn)?;
    let items = repo::items::of_batch(tx.conn, batch.batch_id)?;
    let found = digest(&batch, &items);
    is_what_was_shown(&approval.shown, &hex::encode(found))?;
    let over = over_limits(&batch.terms, &items);
    if !over.is_empty() && !approval.over_limits {
        return refused(format!(
            "{}; look into it, and if it is right an admin approves it with --over-limits",
            over.join("; ")
        ));
    }
    held::nobody_changed(tx.conn, &items, now)?;
    let prepared: Vec<Arrow<'_>> = of_status(&items, ItemStatus::Prepared, ItemStatus::Approved);
    movement::go(tx, &batch, &prepared, now)?;
    let value_date = value_date(now.date_naive(), batch.terms.value_days);
    repo::batches::set_approved(
        tx.conn,
        batch.batch_id,
        &Deed { by: by.to_owned(), at: now },
        &found,
        value_date,
    )?;
    let detail = json!({"items": prepared.len(), "total": total(&items), "digest": hex::encode(found),
                        "value_date": value_date, "over_limits": over});
    super::changed(tx, &batch, "approved", detail, by, now)?;
    super::again(tx, batch_no)
}

fn is_what_was_shown(shown: &str, found: &str) -> Result<(), PayoutProblem> {
    let shown = shown.trim().to_lowercase();
    if shown.len() < SHOWN {
        return refused(format!(
            "name what you approve: the first {SHOWN} or more signs of the digest that `upline payout show` prints"
        ));
    }
    if found.starts_with(&shown) {
        return Ok(());
    }
    refused("the batch is not the one that was shown any more; look at it again, and approve what it is now")
}

/// In words; empty when all of it is within the limits.
pub fn over_limits(terms: &Terms, items: &[Item]) -> Vec<String> {
    let above = |item: &&Item| item.status != ItemStatus::Cancelled && item.money.net > terms.item_limit;
    let mut over: Vec<String> = items
        .iter()
        .filter(above)
        .map(|item| {
            format!(
                "payout {} of {} is above the limit of {} for one",
                item.item_no, item.money.net, terms.item_limit
            )
        })
        .collect();
    let sum: Decimal = total(items);
    if sum > terms.batch_limit {
        over.push(format!("the batch of {sum} is above its limit of {}", terms.batch_limit));
    }
    over
}

/// Saturdays and Sundays do not count; a bank's other holidays are the bank's to know.
pub fn value_date(from: NaiveDate, working_days: u32) -> NaiveDate {
    let mut date = from;
    let mut left = working_days;
    while left > 0 || matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
        let Some(next) = date.checked_add_days(Days::new(1)) else { return date };
        date = next;
        if !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
            left = left.saturating_sub(1);
        }
    }
    date
}

/// Before anything has left: the money of these items, or of all, is due again.
pub fn cancel(
    tx: &mut Tx<'_>,
    batch_no: i32,
    only: Option<&[i64]>,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Batch, PayoutProblem> {
    let batch = super::locked(tx, batch_no)?;
    match batch.status {
        BatchStatus::Prepared | BatchStatus::Approved => {}
        BatchStatus::Cancelled => return refused(format!("batch {batch_no} is cancelled already")),
        BatchStatus::Exported | BatchStatus::Sent => {
            return refused(format!(
                "batch {batch_no} has left in a file, and nobody can take that back here. What the bank refuses comes \
                 back with its answer: `upline payout import FILE`"
            ));
        }
    }
    if reason.trim().is_empty() {
        return refused("say why: a cancellation needs a reason");
    }
    let items = repo::items::of_batch(tx.conn, batch.batch_id)?;
    if let Some(unknown) =
        only.unwrap_or_default().iter().find(|no| !items.iter().any(|item| item.item_no == **no))
    {
        return refused(format!("payout {unknown} is not one of batch {batch_no}"));
    }
    let live = |item: &&Item| matches!(item.status, ItemStatus::Prepared | ItemStatus::Approved);
    let named = |item: &&Item| only.is_none_or(|only| only.contains(&item.item_no));
    let arrows: Vec<Arrow<'_>> = items
        .iter()
        .filter(live)
        .filter(named)
        .map(|item| Arrow { reason: Some(reason), ..Arrow::to(item, ItemStatus::Cancelled) })
        .collect();
    if arrows.is_empty() {
        return refused("what is named is cancelled already");
    }
    movement::go(tx, &batch, &arrows, now)?;
    let numbers: Vec<i64> = arrows.iter().map(|arrow| arrow.item.item_no).collect();
    super::items_changed(tx, &batch, &arrows, by, now)?;
    let left = repo::items::of_batch(tx.conn, batch.batch_id)?;
    if left.iter().all(|item| item.status == ItemStatus::Cancelled) {
        repo::batches::set_cancelled(tx.conn, batch.batch_id)?;
    } else if let (Some(deed), Some(value_date)) = (&batch.approved, batch.value_date) {
        // What was approved, without what is taken out of it.
        repo::batches::set_approved(tx.conn, batch.batch_id, deed, &digest(&batch, &left), value_date)?;
    }
    let detail = json!({"reason": reason, "items": numbers, "whole": only.is_none()});
    super::changed(tx, &batch, "cancelled", detail, by, now)?;
    super::again(tx, batch_no)
}

pub(super) fn of_status(items: &[Item], from: ItemStatus, to: ItemStatus) -> Vec<Arrow<'_>> {
    items.iter().filter(|item| item.status == from).map(|item| Arrow::to(item, to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_arrives_on_working_days() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (from, days, arrives) in [
            ("2026-11-20", 0, "2026-11-20"),
            ("2026-11-20", 1, "2026-11-23"),
            ("2026-11-21", 0, "2026-11-23"),
            ("2026-11-22", 1, "2026-11-23"),
            ("2026-11-18", 5, "2026-11-25"),
        ] {
            assert_eq!(value_date(date(from), days), date(arrives), "{from} + {days}");
        }
    }

    #[test]
    fn a_digest_is_named_by_enough_of_it() {
        let found = "ab".repeat(32);
        assert!(is_what_was_shown("ABABABABABAB", &found).is_ok());
        assert!(is_what_was_shown("abab", &found).is_err());
        assert!(is_what_was_shown("ababababababc", &found).is_err());
    }
}
