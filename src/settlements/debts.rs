//! Debts: what distributors owe because orders were refunded after they had been paid, and when that is given up.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::post::{Settlement, posting};
use super::{Purse, policies, repo};
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind};
use crate::core::money::Currency;
use crate::core::settlement::{owed_since, policy_at};
use crate::db::{Conn, DbError, Tx};
use crate::ledger;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Debt {
    pub distributor: DistributorId,
    pub country: Option<String>,
    pub currency: Currency,
    pub amount: Decimal,
    pub since: NaiveDate,
}

/// Everybody who owes, or those of these distributors.
pub fn debts(conn: &mut Conn, distributors: Option<&[&str]>) -> Result<Vec<Debt>, DbError> {
    let standings = ledger::standings(conn, &[Account::ClawbackReceivable], distributors)?;
    let ids: Vec<&str> = standings.iter().map(|standing| standing.distributor.as_str()).collect();
    let countries = repo::debts::countries(conn, &ids)?;
    let mut movements: HashMap<(String, String), Vec<(NaiveDate, Decimal)>> = HashMap::new();
    for row in repo::debts::movements(conn, &ids)? {
        movements.entry((row.distributor_id, row.currency)).or_default().push((row.on_date, row.amount));
    }
    let owed = standings.into_iter().filter(|standing| standing.amount > Decimal::ZERO);
    Ok(owed
        .filter_map(|standing| {
            let key = (standing.distributor.to_string(), standing.currency.to_string());
            Some(Debt {
                country: countries.get(standing.distributor.as_str()).cloned(),
                since: owed_since(movements.get(&key)?)?,
                distributor: standing.distributor,
                currency: standing.currency,
                amount: standing.amount,
            })
        })
        .collect())
}

/// What these distributors have coming.
fn covers(conn: &mut Conn, ids: &[&str]) -> Result<HashMap<Purse, Decimal>, DbError> {
    let mut covers: HashMap<Purse, Decimal> = HashMap::new();
    for standing in ledger::standings(conn, &[Account::CommissionPayable, Account::Holdback], Some(ids))? {
        *covers.entry((standing.distributor, standing.currency)).or_default() -= standing.amount;
    }
    covers.retain(|_, amount| *amount > Decimal::ZERO);
    Ok(covers)
}

/// Gives up what the markets' policies say: debts that are too old, and what is beyond a floor. Returns how many.
pub fn write_off(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, DbError> {
    let policies = policies(tx.conn)?;
    if !policies.iter().any(|policy| policy.carry_floor.is_some() || policy.write_off_days.is_some()) {
        return Ok(0);
    }
    let candidates = debts(tx.conn, None)?;
    let ids: Vec<&str> = candidates.iter().map(|debt| debt.distributor.as_str()).collect();
    ledger::hold(tx, &ids)?;
    let covers = covers(tx.conn, &ids)?;
    let mut settlement = Settlement::new(now);
    // Read again behind the lock: a payout may have recovered some of it.
    for mut debt in debts(tx.conn, Some(&ids))? {
        // What is due or held back pays for the debt first; only what is beyond it can be lost.
        let purse = (debt.distributor.clone(), debt.currency);
        debt.amount -= covers.get(&purse).copied().unwrap_or_default();
        if debt.amount <= Decimal::ZERO {
            continue;
        }
        let policy = policy_at(&policies, debt.country.as_deref(), now);
        let given_up = policy.and_then(|policy| {
            let (amount, why) = policy.write_off(debt.amount, debt.since, now.date_naive())?;
            Some((policy.policy_no, amount, why))
        });
        let Some((policy_no, amount, why)) = given_up else { continue };
        let postings = vec![
            posting(Account::WriteOff, None, amount),
            posting(Account::ClawbackReceivable, Some(&debt.distributor), -amount),
        ];
        let document =
            json!({"policy": policy_no, "debt": debt.amount, "owed_since": debt.since, "because": why});
        settlement.add(EntryKind::WriteOff, debt.currency, postings, document)?;
    }
    settlement.post(tx)
}
