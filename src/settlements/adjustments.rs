//! Money moved by hand: signed, with a reason, an attachment if there is one, and a second person. Nothing else moves
//! money by hand.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::post::posting;
use super::{SettlementProblem, refused, repo};
use crate::access::audit;
use crate::clock::new_id;
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind, JournalEntry};
use crate::core::money::{Currency, Money};
use crate::db::{Conn, DbError, Tx};
use crate::ledger::{self, NewEntry};

pub use repo::adjustments::Adjustment;

/// Larger files belong into an archive; what is kept here is what an auditor asks for first.
const LARGEST_ATTACHMENT: usize = 5 << 20;

#[derive(Clone, Debug)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Attachment {
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

#[derive(Clone, Debug)]
pub struct NewAdjustment {
    pub distributor: DistributorId,
    pub currency: Currency,
    /// Positive: the distributor gets more.
    pub amount: Decimal,
    pub reason: String,
    pub attachment: Option<Attachment>,
}

/// The newest first; those of one status or all.
pub fn adjustments(conn: &mut Conn, status: Option<&str>, limit: i64) -> Result<Vec<Adjustment>, DbError> {
    repo::adjustments::list(conn, status, limit)
}

pub fn adjustment(conn: &mut Conn, number: i32) -> Result<Option<Adjustment>, DbError> {
    repo::adjustments::one(conn, number)
}

pub fn attachment(conn: &mut Conn, number: i32) -> Result<Option<Attachment>, DbError> {
    repo::adjustments::attachment(conn, number)
}

/// Asks for an adjustment. Nothing moves before somebody else approves it.
pub fn request(
    tx: &mut Tx<'_>,
    new: &NewAdjustment,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Adjustment, SettlementProblem> {
    let money = Money::exact(new.amount, new.currency)?;
    if money.is_zero() {
        return refused("an adjustment of zero moves nothing");
    }
    if new.reason.trim().is_empty() {
        return refused("say why: an adjustment without a reason cannot be checked");
    }
    let too_large = new.attachment.as_ref().is_some_and(|file| file.bytes.len() > LARGEST_ATTACHMENT);
    if too_large {
        return refused(format!("an attachment has at most {} MiB", LARGEST_ATTACHMENT >> 20));
    }
    if !repo::adjustments::is_distributor(tx.conn, new.distributor.as_str())? {
        return Err(SettlementProblem::UnknownDistributor(new.distributor.to_string()));
    }
    let number = repo::adjustments::insert(tx.conn, new_id(), new, money.amount(), by, now)?;
    let adjustment = known(tx.conn, number)?;
    let detail = json!({"distributor": new.distributor, "amount": money.amount(), "currency": new.currency,
        "attachment_sha256": new.attachment.as_ref().map(|file| hex::encode(file.sha256()))});
    audit::record(tx, by, "adjustment.request", &number.to_string(), detail, now)?;
    Ok(adjustment)
}

/// Approves an adjustment, which posts it, or refuses it. Never by whoever asked for it, and once.
pub fn decide(
    tx: &mut Tx<'_>,
    number: i32,
    approved: bool,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Adjustment, SettlementProblem> {
    let Some(asked) = repo::adjustments::locked(tx.conn, number)? else {
        return Err(SettlementProblem::UnknownAdjustment(number.to_string()));
    };
    if asked.status != "requested" {
        let by = asked.decided_by.as_deref().unwrap_or_default();
        return refused(format!("adjustment {number} was {} by {by}; it is decided once", asked.status));
    }
    if asked.requested_by.eq_ignore_ascii_case(by) {
        return refused(format!("{by} has asked for adjustment {number}, so somebody else has to decide it"));
    }
    repo::adjustments::decide(tx.conn, asked.adjustment_id, approved, note.trim(), by, now)?;
    if approved {
        post(tx, &asked, by, now)?;
    }
    let action = if approved { "adjustment.approve" } else { "adjustment.refuse" };
    let detail =
        json!({"distributor": asked.distributor_id, "amount": asked.amount, "currency": asked.currency});
    audit::record(tx, by, action, &number.to_string(), detail, now)?;
    Ok(known(tx.conn, number)?)
}

fn post(tx: &mut Tx<'_>, asked: &Adjustment, by: &str, now: DateTime<Utc>) -> Result<(), SettlementProblem> {
    let damaged = || DbError::Damaged(format!("the currency of adjustment {}", asked.adjustment_no));
    let currency = Currency::parse(&asked.currency).ok_or_else(damaged)?;
    let distributor = DistributorId::new(&asked.distributor_id);
    let document = json!({"adjustment": asked.adjustment_no, "requested_by": asked.requested_by, "approved_by": by,
        "reason_sha256": hex::encode(Sha256::digest(asked.reason.as_bytes())),
        "attachment_sha256": asked.attachment_sha256});
    let postings = [
        posting(Account::AdjustmentExpense, None, asked.amount),
        posting(Account::CommissionPayable, Some(&distributor), -asked.amount),
    ];
    let entry = JournalEntry::new(asked.adjustment_id, 1, EntryKind::Manual, currency, now, postings)
        .map_err(|unbalanced| DbError::Invariant(unbalanced.to_string()))?;
    Ok(ledger::post(tx, &[NewEntry::documented(entry, document)])?)
}

fn known(conn: &mut Conn, number: i32) -> Result<Adjustment, DbError> {
    let found = repo::adjustments::one(conn, number)?;
    found.ok_or_else(|| DbError::Invariant(format!("adjustment {number} is not there")))
}
