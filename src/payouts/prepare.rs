//! A batch is prepared: what is due is chosen, and leaves the balances in the same database transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::batch::{Batch, BatchStatus, Deed, Item, PayeeNews};
use super::problem::{PayoutProblem, refused};
use super::{gate, movement, repo};
use crate::clock::new_id;
use crate::core::ids::DistributorId;
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::core::payout::choice::{Candidate, Choice, Chosen, Destination, LeftOut, Terms, Why, choose};
use crate::core::payout::steps::ItemMoney;
use crate::core::payout::{ItemStatus, Rail};
use crate::db::{Conn, DbError, Tx};
use crate::ledger::{self, Standing};
use crate::payees;
use crate::settlements::{self, SettlementProblem};

/// What a batch is to be.
#[derive(Clone, Debug)]
pub struct Order {
    pub rail: Rail,
    pub terms: Terms,
    /// Rate between 0 and 1.
    pub withholding: Decimal,
    /// What the payee reads.
    pub purpose: String,
}

/// What a batch would do now.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    pub rail: Rail,
    #[serde(flatten)]
    pub choice: Choice,
    pub total: Decimal,
    /// Why it may not be prepared at all.
    pub stopped: Option<String>,
}

/// Nothing is written.
pub fn propose(conn: &mut Conn, order: &Order, now: DateTime<Utc>) -> Result<Proposal, PayoutProblem> {
    let candidates = candidates(conn, order, None)?;
    let choice = choose(order.rail, &order.terms, order.withholding, &candidates, now)?;
    let total = choice.items.iter().map(|item| item.net).sum();
    Ok(Proposal { rail: order.rail, choice, total, stopped: gate::stopped(conn)? })
}

/// One at a time, and under the lock of every distributor who has a balance: what is seen is what is paid.
pub fn prepare(tx: &mut Tx<'_>, order: &Order, by: &str, now: DateTime<Utc>) -> Result<Batch, PayoutProblem> {
    repo::lock(tx.conn)?;
    gate::pass(tx.conn)?;
    sensible(order)?;
    let without_rate = convert(tx, order, now)?;
    let someone = candidates(tx.conn, order, None)?;
    let ids: Vec<&str> = someone.iter().map(|candidate| candidate.distributor.as_str()).collect();
    ledger::hold(tx, &ids)?;
    let candidates = candidates(tx.conn, order, Some(&ids))?;
    let choice = choose(order.rail, &order.terms, order.withholding, &candidates, now)?;
    if choice.items.is_empty() {
        return refused(format!("there is nobody to pay on {}{}", order.rail.name(), told(&choice.left_out)));
    }
    let batch = Batch {
        batch_id: new_id(),
        batch_no: repo::batches::next_no(tx.conn)?,
        rail: order.rail,
        currency: order.terms.currency,
        status: BatchStatus::Prepared,
        purpose: order.purpose.trim().to_owned(),
        terms: order.terms.clone(),
        withholding: order.withholding,
        left_out: choice.left_out,
        created: Deed { by: by.to_owned(), at: now },
        approved: None,
        approved_digest: None,
        value_date: None,
        exported: None,
        file: None,
        sent: None,
    };
    repo::batches::insert(tx.conn, &batch)?;
    movement::post_settled(tx, &batch, (&choice.carried, &choice.recovered), now)?;
    let items = items(tx, &batch, choice.items, now)?;
    repo::items::insert(tx.conn, &items)?;
    movement::post_prepared(tx, &batch, &items, now)?;
    let detail = json!({"without_rate": without_rate, "items": items.len(), "total": super::batch::total(&items), "currency": batch.currency,
                        "rail": batch.rail, "carried": choice.carried.len(), "recovered": choice.recovered.len(),
                        "left_out": batch.left_out.len()});
    super::changed(tx, &batch, "prepared", detail, by, now)?;
    Ok(batch)
}

/// Whoever is paid on this rail in its currency, and has earned in another one, has earned in this one. Returns the
/// currencies for which there is no rate: nothing of them is paid.
fn convert(tx: &mut Tx<'_>, order: &Order, now: DateTime<Utc>) -> Result<BTreeSet<Currency>, PayoutProblem> {
    let foreign: Vec<Standing> = ledger::standings(tx.conn, &[Account::CommissionPayable], None)?
        .into_iter()
        .filter(|standing| standing.currency != order.terms.currency && standing.amount < Decimal::ZERO)
        .collect();
    let mut ids: Vec<&str> = foreign.iter().map(|standing| standing.distributor.as_str()).collect();
    ids.dedup();
    let heads = payees::heads(tx.conn, &ids)?;
    ids.retain(|id| {
        let head = heads.get(&DistributorId::new(*id));
        head.is_some_and(|head| {
            let held = head.held_until.is_some_and(|until| until > now);
            head.rail == order.rail && head.currency == order.terms.currency && !held
        })
    });
    let conversions = settlements::convert(tx, &ids, order.terms.currency, now);
    let conversions = conversions.map_err(|problem| match problem {
        SettlementProblem::Db(error) => PayoutProblem::Db(error),
        other => PayoutProblem::Refused(other.to_string()),
    })?;
    Ok(conversions.without_rate)
}

fn sensible(order: &Order) -> Result<(), PayoutProblem> {
    let terms = &order.terms;
    let rate = Decimal::ZERO..=Decimal::ONE;
    if terms.minimum < Decimal::ZERO || terms.fee < Decimal::ZERO || !rate.contains(&order.withholding) {
        return refused(format!(
            "the settings of payouts.{} are wrong: minimum and fee cannot be negative, withholding is between 0 and 1",
            order.rail.name()
        ));
    }
    let purpose = order.purpose.trim();
    if purpose.is_empty() || purpose.chars().count() > 80 {
        return refused(
            "say in 1 to 80 signs what the payment is for; payees read it, such as `Commission 2026-10`",
        );
    }
    let wants = match order.rail {
        Rail::Nacha => Some("USD"),
        Rail::Sepa => Some("EUR"),
        Rail::Paypal | Rail::Wise | Rail::Csv => None,
    };
    match wants.filter(|wanted| *wanted != terms.currency.code()) {
        Some(wanted) => refused(format!(
            "{} pays in {wanted} only; set payouts.{}.currency to it",
            order.rail.name(),
            order.rail.name()
        )),
        None => Ok(()),
    }
}

/// `: 3 below the minimum; waits for the next batch, 1 ...`
fn told(left_out: &[LeftOut]) -> String {
    let count = |why: Why| left_out.iter().filter(|out| out.why == why).count();
    let counted = Why::ALL.into_iter().map(|why| (count(why), why)).filter(|(count, _)| *count > 0);
    let words: Vec<String> = counted.map(|(count, why)| format!("{count} × {}", why.told())).collect();
    if words.is_empty() {
        ": nobody has a balance in its currency".to_owned()
    } else {
        format!(": {}", words.join(", "))
    }
}

/// Everybody with a balance in the currency, or those of them.
fn candidates(conn: &mut Conn, order: &Order, of: Option<&[&str]>) -> Result<Vec<Candidate>, DbError> {
    let accounts = [Account::CommissionPayable, Account::ClawbackReceivable];
    let standings = ledger::standings(conn, &accounts, of)?;
    let mut candidates: Vec<Candidate> = vec![];
    for standing in standings.into_iter().filter(|standing| standing.currency == order.terms.currency) {
        if candidates.last().is_none_or(|last| last.distributor != standing.distributor) {
            candidates.push(Candidate {
                distributor: standing.distributor.clone(),
                due: Decimal::ZERO,
                debt: Decimal::ZERO,
                destination: None,
                withhold: false,
                in_flight: false,
            });
        }
        let Some(candidate) = candidates.last_mut() else { continue };
        match standing.account {
            Account::CommissionPayable => candidate.due = -standing.amount,
            _ => candidate.debt = standing.amount,
        }
    }
    know(conn, order, &mut candidates)?;
    Ok(candidates)
}

/// Where they are paid, what is withheld and what is on its way.
fn know(conn: &mut Conn, order: &Order, candidates: &mut [Candidate]) -> Result<(), DbError> {
    let ids: Vec<DistributorId> = candidates.iter().map(|candidate| candidate.distributor.clone()).collect();
    let ids: Vec<&str> = ids.iter().map(DistributorId::as_str).collect();
    let mut heads = payees::heads(conn, &ids)?;
    let tax = payees::tax_heads(conn, &ids)?;
    let in_flight = repo::items::in_flight(conn, order.terms.currency)?;
    for candidate in candidates {
        candidate.withhold = tax.get(&candidate.distributor).is_some_and(|head| head.withhold);
        candidate.in_flight = in_flight.contains(&candidate.distributor);
        candidate.destination = heads.remove(&candidate.distributor).map(|head| Destination {
            version: head.version_no,
            rail: head.rail,
            currency: head.currency,
            masked: head.masked,
            held_until: head.held_until,
        });
    }
    Ok(())
}

fn items(
    tx: &mut Tx<'_>,
    batch: &Batch,
    chosen: Vec<Chosen>,
    now: DateTime<Utc>,
) -> Result<Vec<Item>, DbError> {
    let first_no = repo::items::next_no(tx.conn)?;
    let ids: Vec<&str> = chosen.iter().map(|chosen| chosen.distributor.as_str()).collect();
    let last = repo::items::last_before(tx.conn, &ids, batch.currency, first_no)?;
    let last: std::collections::HashMap<String, i32> =
        last.into_iter().map(|last| (last.distributor_id, last.payee_version)).collect();
    let item = |(item_no, chosen): (i64, Chosen)| Item {
        item_id: new_id(),
        item_no,
        batch_id: batch.batch_id,
        batch_no: batch.batch_no,
        currency: batch.currency,
        payee_news: match last.get(chosen.distributor.as_str()) {
            None => PayeeNews::First,
            Some(version) if *version == chosen.payee_version => PayeeNews::Same,
            Some(_) => PayeeNews::Changed,
        },
        payee_version: chosen.payee_version,
        masked: chosen.masked,
        money: ItemMoney {
            distributor: chosen.distributor,
            gross: chosen.gross,
            fee: chosen.fee,
            withheld: chosen.withheld,
            net: chosen.net,
        },
        status: ItemStatus::Prepared,
        code: None,
        reason: None,
        changed_at: now,
    };
    Ok((first_no..).zip(chosen).map(item).collect())
}
