//! Holding back: what of every order and run is not paid before its date.
//!
//! Follows two dense orders, volume facts and posted runs. An order that changes is looked at again: what should be
//! held back of it now is compared with what is, and the difference moves between payable and holdback. What was
//! released stays released.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::post::{Settlement, moved};
use super::{Purse, policies, repo};
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind};
use crate::core::money::Currency;
use crate::core::settlement::{MarketPolicy, policy_at};
use crate::db::{DbError, Tx};
use repo::held::{Change, Earned};

/// Facts of orders in one database transaction.
const FACTS: i64 = 500;
/// Distributors of a run that are read together.
const PAGE: i64 = 4_000;
/// Distributors in one entry.
const MOVES: usize = 4_000;

/// Looks at the next orders. Returns how many; 0 when there is nothing more.
pub fn orders(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, DbError> {
    let position = repo::held::locked_cursor(tx.conn, "orders")?;
    let facts = repo::held::facts(tx.conn, position, FACTS)?;
    let Some(last) = facts.last() else { return Ok(0) };
    let policies = policies(tx.conn)?;
    if !policies.is_empty() {
        let mut sources: Vec<Uuid> = facts.iter().map(|fact| fact.order_id).collect();
        sources.sort();
        sources.dedup();
        let earned = repo::held::earned_of_orders(tx.conn, &sources)?;
        let about = json!({"facts": [position + 1, last.seq]});
        hold(tx, &policies, &earned, about, now)?;
    }
    repo::held::move_cursor(tx.conn, "orders", last.seq)?;
    Ok(facts.len())
}

/// Looks at the next posted run. Returns how many, 0 or 1.
pub fn run(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, DbError> {
    let position = repo::held::locked_cursor(tx.conn, "runs")?;
    let Some(run) = repo::held::next_run(tx.conn, position)? else { return Ok(0) };
    let policies = policies(tx.conn)?;
    let mut after = String::new();
    while !policies.is_empty() {
        let earned = repo::held::earned_of_run(tx.conn, run.run_id, &after, PAGE)?;
        let Some(last) = earned.last() else { break };
        after.clone_from(&last.distributor_id);
        hold(tx, &policies, &earned, json!({"run": run.run_id}), now)?;
    }
    repo::held::move_cursor(tx.conn, "runs", i64::from(run.post_no))?;
    Ok(1)
}

fn hold(
    tx: &mut Tx<'_>,
    policies: &[MarketPolicy],
    earned: &[Earned],
    about: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let sources: Vec<Uuid> = earned.iter().map(|earned| earned.source_id).collect();
    let known: HashMap<(Uuid, String, String), repo::held::Holdback> =
        repo::held::of_sources(tx.conn, &sources)?
            .into_iter()
            .map(|held| ((held.source_id, held.distributor_id.clone(), held.currency.clone()), held))
            .collect();
    let mut changes = vec![];
    let mut moves: BTreeMap<Purse, Decimal> = BTreeMap::new();
    for earned in earned {
        let key = (earned.source_id, earned.distributor_id.clone(), earned.currency.clone());
        let Some((change, delta)) = wanted(policies, earned, known.get(&key), now.date_naive())? else {
            continue;
        };
        let purse = (DistributorId::new(&earned.distributor_id), currency(earned)?);
        *moves.entry(purse).or_default() += delta;
        changes.push(change);
    }
    repo::held::upsert(tx.conn, &changes)?;
    post(tx, moves, &about, now)
}

/// What should stand held back of it, and how much more that is than now; `None` when nothing changes.
fn wanted(
    policies: &[MarketPolicy],
    earned: &Earned,
    known: Option<&repo::held::Holdback>,
    today: NaiveDate,
) -> Result<Option<(Change, Decimal)>, DbError> {
    if known.is_some_and(|known| known.released_at.is_some()) {
        return Ok(None);
    }
    // The policy of the first look holds: a later one does not reach back.
    let policy = match known {
        Some(known) => policies.iter().find(|policy| policy.policy_no == known.policy_no),
        None => policy_at(policies, earned.country.as_deref(), earned.at),
    };
    let Some(policy) = policy else { return Ok(None) };
    let release_on = known.map_or_else(|| policy.release_on(earned.at), |known| known.release_on);
    let over = known.is_none() && release_on <= today;
    let target = match over {
        true => Decimal::ZERO,
        false => policy
            .holdback(earned.amount, currency(earned)?)
            .map_err(|problem| DbError::Invariant(problem.to_string()))?,
    };
    let delta = target - known.map_or(Decimal::ZERO, |known| known.amount);
    let change = Change {
        source_id: earned.source_id,
        distributor_id: earned.distributor_id.clone(),
        currency: earned.currency.clone(),
        policy_no: policy.policy_no,
        amount: target,
        release_on,
    };
    Ok((!delta.is_zero()).then_some((change, delta)))
}

fn currency(earned: &Earned) -> Result<Currency, DbError> {
    let known = Currency::parse(&earned.currency);
    known.ok_or_else(|| DbError::Damaged(format!("the currency of {}", earned.source_id)))
}

/// One entry for each currency; in it one line each way for a distributor.
fn post(
    tx: &mut Tx<'_>,
    moves: BTreeMap<Purse, Decimal>,
    about: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut by_currency: BTreeMap<Currency, Vec<(DistributorId, Decimal)>> = BTreeMap::new();
    for ((distributor, currency), amount) in moves {
        by_currency.entry(currency).or_default().push((distributor, amount));
    }
    let mut settlement = Settlement::new(now);
    for (currency, moves) in by_currency {
        for moves in moves.chunks(MOVES) {
            let postings = moves
                .iter()
                .flat_map(|(of, amount)| moved(of, *amount, Account::CommissionPayable, Account::Holdback));
            settlement.add(EntryKind::Holdback, currency, postings.collect(), about.clone())?;
        }
    }
    settlement.post(tx)?;
    Ok(())
}
