//! Exchange rates, and what is owed in one currency becoming owed in another.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::post::{Settlement, moved, posting};
use super::{Purse, SettlementProblem, refused, repo};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind};
use crate::core::money::{Currency, Rounding};
use crate::core::settlement::Rate;
use crate::db::{Conn, DbError, Tx};
use crate::ledger;

/// A rate that is older is no rate for today.
const OLDEST_DAYS: u64 = 10;

#[derive(Clone, Debug)]
pub struct NewRate {
    pub from: Currency,
    pub to: Currency,
    pub rate: Decimal,
    pub on_date: NaiveDate,
    pub source: String,
}

/// The newest of all pairs and days, the newest days first.
pub fn rates(conn: &mut Conn, limit: i64) -> Result<Vec<Rate>, DbError> {
    repo::rates::newest(conn, limit)
}

pub fn add_rates(
    tx: &mut Tx<'_>,
    new: &[NewRate],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), SettlementProblem> {
    for rate in new {
        let (from, to) = (rate.from, rate.to);
        if from == to || from.exponent().is_none() || to.exponent().is_none() {
            return refused(format!("{from} and {to} are no two currencies of ISO 4217"));
        }
        if rate.rate <= Decimal::ZERO {
            return refused(format!("the rate from {from} to {to} has to be greater than zero"));
        }
        if rate.source.trim().is_empty() {
            return refused(format!(
                "who published the rate from {from} to {to}? Give its source, such as ECB"
            ));
        }
        if rate.on_date > now.date_naive() {
            return refused(format!("{} lies in the future", rate.on_date));
        }
    }
    repo::rates::insert(tx.conn, new, by, now)?;
    let pairs: Vec<String> = new
        .iter()
        .map(|rate| format!("{}/{} {} of {} ({})", rate.from, rate.to, rate.rate, rate.on_date, rate.source))
        .collect();
    audit::record(tx, by, "rate.add", "exchange_rates", json!({"rates": pairs}), now)?;
    Ok(())
}

/// The rate of a day: the newest that was published on it or before, not older than some days.
pub fn rate_at(
    conn: &mut Conn,
    from: Currency,
    to: Currency,
    day: NaiveDate,
) -> Result<Rate, SettlementProblem> {
    let oldest = day.checked_sub_days(Days::new(OLDEST_DAYS)).unwrap_or(day);
    let found = repo::rates::between(conn, (from, to), (oldest, day))?;
    found.ok_or(SettlementProblem::NoRate { from, to, days: OLDEST_DAYS.cast_signed() })
}

/// An amount that changed its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Converted {
    pub from_amount: Decimal,
    pub to_amount: Decimal,
    pub rate: Rate,
}

/// What came of converting several.
#[derive(Debug, Default)]
pub struct Conversions {
    pub done: Vec<(DistributorId, Converted)>,
    /// Currencies for which there is no rate of these days; nothing of them was converted.
    pub without_rate: BTreeSet<Currency>,
}

/// Everything payable to these distributors in other currencies becomes payable in one, at today's rates.
pub fn convert(
    tx: &mut Tx<'_>,
    distributors: &[&str],
    to: Currency,
    now: DateTime<Utc>,
) -> Result<Conversions, SettlementProblem> {
    let mut conversions = Conversions::default();
    if distributors.is_empty() {
        return Ok(conversions);
    }
    ledger::hold(tx, distributors)?;
    let mut rates: HashMap<Currency, Option<Rate>> = HashMap::new();
    let mut settlement = Settlement::new(now);
    let accounts = [Account::CommissionPayable, Account::ClawbackReceivable];
    let standings = ledger::standings(tx.conn, &accounts, Some(distributors))?;
    let debts: HashMap<Purse, Decimal> = standings
        .iter()
        .filter(|standing| standing.account == Account::ClawbackReceivable && standing.amount > Decimal::ZERO)
        .map(|debt| ((debt.distributor.clone(), debt.currency), debt.amount))
        .collect();
    for purse in standings.into_iter().filter(|standing| standing.account == Account::CommissionPayable) {
        let (from, mut amount) = (purse.currency, -purse.amount);
        if from == to || amount <= Decimal::ZERO {
            continue;
        }
        // A debt in the currency that was earned is paid before anything leaves it.
        let debt = debts.get(&(purse.distributor.clone(), from)).copied().unwrap_or_default();
        let recovered = debt.min(amount);
        if recovered > Decimal::ZERO {
            let of = &purse.distributor;
            let back = moved(of, recovered, Account::CommissionPayable, Account::ClawbackReceivable);
            settlement.add(
                EntryKind::Recovery,
                from,
                back.into(),
                json!({"debt": debt, "before": "conversion"}),
            )?;
            amount -= recovered;
        }
        if amount.is_zero() {
            continue;
        }
        let rate = match rates.entry(from) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(match rate_at(tx.conn, from, to, now.date_naive()) {
                Ok(rate) => Some(rate),
                Err(SettlementProblem::NoRate { .. }) => None,
                Err(problem) => return Err(problem),
            }),
        };
        let Some(rate) = rate.clone() else {
            conversions.without_rate.insert(from);
            continue;
        };
        let into = rate.convert(amount, Rounding::HalfEven)?.amount();
        if !into.is_zero() {
            let converted = Converted { from_amount: amount, to_amount: into, rate };
            both_sides(&mut settlement, &purse.distributor, from, &converted)?;
            conversions.done.push((purse.distributor, converted));
        }
    }
    settlement.post(tx)?;
    Ok(conversions)
}

/// An entry in each currency, both with the same document.
fn both_sides(
    settlement: &mut Settlement,
    distributor: &DistributorId,
    from: Currency,
    converted: &Converted,
) -> Result<(), DbError> {
    let Converted { from_amount, to_amount, rate } = converted;
    let document = json!({"rate": rate.rate, "rate_no": rate.rate_no, "on": rate.on_date, "source": rate.source,
        "from": {"currency": from, "amount": from_amount}, "to": {"currency": rate.to, "amount": to_amount},
        "rounding": "half_even"});
    let out = [
        posting(Account::CommissionPayable, Some(distributor), *from_amount),
        posting(Account::Conversion, None, -from_amount),
    ];
    settlement.add(EntryKind::Conversion, from, out.into(), document.clone())?;
    let back = [
        posting(Account::Conversion, None, *to_amount),
        posting(Account::CommissionPayable, Some(distributor), -to_amount),
    ];
    settlement.add(EntryKind::Conversion, rate.to, back.into(), document)
}
