//! What somebody looks at before a batch leaves: the difference to the last one, people who were never paid or have
//! other accounts, who gets much more or less, and what speaks against it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::batch::{Batch, BatchStatus, Item, PayeeNews, digest, total};
use super::problem::PayoutProblem;
use super::{approve, gate, held, repo};
use crate::chain::{self, GivenHead};
use crate::core::ids::DistributorId;
use crate::core::payout::ItemStatus;
use crate::core::payout::choice::Why;
use crate::db::{Conn, DbError};

const MOVERS: usize = 10;

#[derive(Clone, Debug, Serialize)]
pub struct Review {
    pub batch: Batch,
    pub items: Vec<Item>,
    /// Of what would leave; an approval names it.
    pub digest: String,
    pub total: Decimal,
    pub fees: Decimal,
    pub withheld: Decimal,
    /// How many leave.
    pub payments: usize,
    /// The batch of the same rail before.
    pub last: Option<Earlier>,
    pub movers: Vec<Mover>,
    /// By why, how many and how much.
    pub left_out: Vec<LeftOutSum>,
    /// In words.
    pub over_limits: Vec<String>,
    /// Items that cannot leave as they are.
    pub blocked: Vec<String>,
    /// Why nothing may leave at all.
    pub stopped: Option<String>,
    /// Of the chain, given out after the file was exported.
    pub chain_head: Option<GivenHead>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Earlier {
    pub batch_no: i32,
    pub total: Decimal,
    pub payments: usize,
}

/// Compared with what the distributor was paid before.
#[derive(Clone, Debug, Serialize)]
pub struct Mover {
    pub item_no: i64,
    pub distributor: DistributorId,
    pub was: Decimal,
    pub now: Decimal,
}

#[derive(Clone, Debug, Serialize)]
pub struct LeftOutSum {
    pub why: Why,
    pub distributors: usize,
    pub amount: Decimal,
}

impl Review {
    /// Never paid before, or with another account than last time.
    pub fn with_news(&self, news: PayeeNews) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.payee_news == news && item.status != ItemStatus::Cancelled)
    }
}

pub fn review(conn: &mut Conn, batch_no: i32, now: DateTime<Utc>) -> Result<Review, PayoutProblem> {
    let batch = super::known(conn, batch_no)?;
    let items = repo::items::of_batch(conn, batch.batch_id)?;
    let last = repo::batches::last_before(conn, &batch)?;
    let last = last.map(|last| earlier(conn, &last)).transpose()?;
    let waits = matches!(batch.status, BatchStatus::Prepared | BatchStatus::Approved);
    let blocked = if waits { held::blocked(conn, &items, now)? } else { vec![] };
    let blocked = blocked
        .into_iter()
        .map(|(item, why)| format!("distributor {} {why} (payout {})", item.distributor(), item.item_no));
    let blocked = blocked.collect();
    let leaving: Vec<&Item> = items.iter().filter(|item| item.status != ItemStatus::Cancelled).collect();
    Ok(Review {
        digest: hex::encode(digest(&batch, &items)),
        total: total(&items),
        fees: leaving.iter().map(|item| item.money.fee).sum(),
        withheld: leaving.iter().map(|item| item.money.withheld).sum(),
        payments: leaving.len(),
        last,
        movers: movers(conn, &batch, &leaving)?,
        left_out: left_out(&batch),
        over_limits: approve::over_limits(&batch.terms, &items),
        blocked,
        stopped: if waits { gate::stopped(conn)? } else { None },
        chain_head: chain::head_of(conn, &format!("payout {batch_no}"))?,
        items,
        batch,
    })
}

fn earlier(conn: &mut Conn, batch: &Batch) -> Result<Earlier, DbError> {
    let items = repo::items::of_batch(conn, batch.batch_id)?;
    let payments = items.iter().filter(|item| item.status != ItemStatus::Cancelled).count();
    Ok(Earlier { batch_no: batch.batch_no, total: total(&items), payments })
}

fn movers(conn: &mut Conn, batch: &Batch, items: &[&Item]) -> Result<Vec<Mover>, DbError> {
    let ids: Vec<&str> = items.iter().map(|item| item.distributor().as_str()).collect();
    let Some(first) = items.iter().map(|item| item.item_no).min() else { return Ok(vec![]) };
    let last = repo::items::last_before(conn, &ids, batch.currency, first)?;
    let last: HashMap<String, Decimal> =
        last.into_iter().map(|last| (last.distributor_id, last.net)).collect();
    let mut movers: Vec<Mover> = items
        .iter()
        .map(|item| Mover {
            item_no: item.item_no,
            distributor: item.distributor().clone(),
            was: last.get(item.distributor().as_str()).copied().unwrap_or_default(),
            now: item.money.net,
        })
        .filter(|mover| mover.was != mover.now)
        .collect();
    movers.sort_by_key(|mover| (std::cmp::Reverse((mover.now - mover.was).abs()), mover.item_no));
    movers.truncate(MOVERS);
    Ok(movers)
}

fn left_out(batch: &Batch) -> Vec<LeftOutSum> {
    let sum = |why: Why| {
        let of: Vec<_> = batch.left_out.iter().filter(|out| out.why == why).collect();
        LeftOutSum { why, distributors: of.len(), amount: of.iter().map(|out| out.amount).sum() }
    };
    Why::ALL.into_iter().map(sum).filter(|sum| sum.distributors > 0).collect()
}
