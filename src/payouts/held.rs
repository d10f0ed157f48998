//! Bank details that changed after a batch was prepared: nothing goes to an account that is not the payee's any more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::batch::Item;
use super::problem::{PayoutProblem, refused};
use crate::core::ids::DistributorId;
use crate::core::payout::ItemStatus;
use crate::db::{Conn, DbError};
use crate::payees::{self, PayeeHead};

/// An item that cannot leave as it is, and why.
pub type Blocked<'i> = (&'i Item, &'static str);

pub fn blocked<'i>(
    conn: &mut Conn,
    items: &'i [Item],
    now: DateTime<Utc>,
) -> Result<Vec<Blocked<'i>>, DbError> {
    let ids: Vec<&str> = items.iter().map(|item| item.distributor().as_str()).collect();
    let heads = payees::heads(conn, &ids)?;
    let live = items.iter().filter(|item| item.status != ItemStatus::Cancelled);
    Ok(live.filter_map(|item| Some((item, why(&heads, item, now)?))).collect())
}

fn why(heads: &HashMap<DistributorId, PayeeHead>, item: &Item, now: DateTime<Utc>) -> Option<&'static str> {
    match heads.get(item.distributor()) {
        None => Some("has no bank details any more"),
        Some(head) if head.version_no != item.payee_version => Some("has changed the bank details since"),
        Some(head) if head.is_held(now) => Some("is held, because the bank details have changed"),
        Some(_) => None,
    }
}

pub fn nobody_changed(conn: &mut Conn, items: &[Item], now: DateTime<Utc>) -> Result<(), PayoutProblem> {
    const SHOWN: usize = 10;
    let blocked = blocked(conn, items, now)?;
    if blocked.is_empty() {
        return Ok(());
    }
    let told = blocked
        .iter()
        .take(SHOWN)
        .map(|(item, why)| format!("distributor {} {why} (payout {})", item.distributor(), item.item_no));
    let told: Vec<String> = told.collect();
    refused(format!(
        "{} payout(s) cannot leave: {}. Take them out: `upline payout cancel BATCH --item NUMBER --reason ...`",
        blocked.len(),
        told.join("; ")
    ))
}
