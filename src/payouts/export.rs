//! The file of a batch. The bytes that leave first are remembered by their hash, and nothing else ever leaves for the
//! same batch.
//!
//! The bytes are handed out only after it is durable that they were: whoever is killed in between asks again and
//! gets the same.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::approve::of_status;
use super::batch::{Batch, BatchStatus, Deed, Item, digest, total};
use super::problem::{PayoutProblem, refused};
use super::{gate, held, movement, repo};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::money::Money;
use crate::core::payee::Payee;
use crate::core::payout::{ItemStatus, Originator, Payment, PaymentFile};
use crate::db::{Conn, Tx};
use crate::payees;
use crate::rails::{self, Rendered};
use crate::vault::Vault;

/// What a file is made of, and what it became.
#[derive(Debug)]
pub struct Exported {
    pub batch: Batch,
    pub file: Rendered,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// It had left before.
    pub again: bool,
}

/// Writes the file of a batch that is approved, or the very same one again.
pub fn export(
    tx: &mut Tx<'_>,
    vault: &Vault,
    batch_no: i32,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Exported, PayoutProblem> {
    let batch = super::locked(tx, batch_no)?;
    let items = repo::items::of_batch(tx.conn, batch.batch_id)?;
    let again = match batch.status {
        BatchStatus::Approved => false,
        BatchStatus::Exported | BatchStatus::Sent => true,
        BatchStatus::Prepared => {
            return refused(format!(
                "batch {batch_no} is not approved; somebody else than {} does that: `upline payout approve {batch_no}`",
                batch.created.by
            ));
        }
        BatchStatus::Cancelled => return refused(format!("batch {batch_no} is cancelled")),
    };
    if batch.approved_digest.as_deref() != Some(&hex::encode(digest(&batch, &items))) {
        return refused(format!(
            "the items of batch {batch_no} are not what was approved; nothing leaves. Look into it"
        ));
    }
    if !again {
        gate::pass(tx.conn)?;
        held::nobody_changed(tx.conn, &items, now)?;
    }
    let file = rails::write(&payment_file(tx.conn, vault, &batch, &items)?).map_err(PayoutProblem::Rail)?;
    let sha256: [u8; 32] = Sha256::digest(&file.bytes).into();
    let hash = hex::encode(sha256);
    if again {
        return leave_again(tx, batch, file, hash, by, now);
    }
    let deed = Deed { by: by.to_owned(), at: now };
    movement::go(tx, &batch, &of_status(&items, ItemStatus::Approved, ItemStatus::Exported), now)?;
    repo::batches::set_exported(tx.conn, batch.batch_id, &deed, &file.name, &sha256)?;
    let detail =
        json!({"file": file.name, "sha256": hash, "bytes": file.bytes.len(), "total": total(&items)});
    super::changed(tx, &batch, "exported", detail, by, now)?;
    Ok(Exported { batch: super::again(tx, batch_no)?, file, sha256: hash, again: false })
}

fn leave_again(
    tx: &mut Tx<'_>,
    batch: Batch,
    file: Rendered,
    sha256: String,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Exported, PayoutProblem> {
    let first = batch.file.as_ref().map(|first| first.sha256.as_str()).unwrap_or_default();
    if first != sha256 {
        return refused(format!(
            "the file of batch {} would not be the one that left before ({first}); it would be {sha256}. Nothing leaves: \
             take the file that was written then",
            batch.batch_no
        ));
    }
    let detail = json!({"file": file.name, "sha256": sha256});
    audit::record(tx, by, "payout.exported_again", &super::name(&batch), detail, now)?;
    Ok(Exported { batch, file, sha256, again: true })
}

fn payment_file(
    conn: &mut Conn,
    vault: &Vault,
    batch: &Batch,
    items: &[Item],
) -> Result<PaymentFile, PayoutProblem> {
    let leaving: Vec<&Item> = items.iter().filter(|item| item.status != ItemStatus::Cancelled).collect();
    let wanted: Vec<(&DistributorId, i32)> =
        leaving.iter().map(|item| (item.distributor(), item.payee_version)).collect();
    let payees = payees::open(conn, vault, &wanted)?;
    let (Some(approved), Some(value_date)) = (&batch.approved, batch.value_date) else {
        return refused(format!("batch {} is not approved", batch.batch_no));
    };
    Ok(PaymentFile {
        batch: batch.batch_id,
        batch_no: batch.batch_no,
        rail: batch.rail,
        originator: originator(batch)?,
        currency: batch.currency,
        created_at: approved.at,
        value_date,
        purpose: batch.purpose.clone(),
        payments: payments(&leaving, &payees)?,
    })
}

fn originator(batch: &Batch) -> Result<Originator, PayoutProblem> {
    match &batch.terms.originator {
        Some(originator) => Ok(originator.clone()),
        None => refused(format!(
            "batch {} was prepared before it was set whose account is debited; set payouts.{}.originator, cancel the \
             batch and prepare it again",
            batch.batch_no,
            batch.rail.name()
        )),
    }
}

fn payments(items: &[&Item], payees: &HashMap<DistributorId, Payee>) -> Result<Vec<Payment>, PayoutProblem> {
    let mut payments = vec![];
    for item in items {
        let Some(payee) = payees.get(item.distributor()) else {
            return refused(format!("the bank details of {} cannot be opened", item.distributor()));
        };
        payments.push(Payment {
            item: item.item_id,
            number: item.item_no,
            distributor: item.distributor().clone(),
            payee: payee.clone(),
            amount: Money::exact(item.money.net, item.currency)?,
        });
    }
    payments.sort_by_key(|payment| payment.item);
    Ok(payments)
}
