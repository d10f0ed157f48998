//! Exchange rates, and what is owed in one currency becoming owed in another.

use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::post::{Settlement, posting};
use super::{Purse, SettlementProblem, refused, repo};
use crate::access::audit;
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

/// Everything payable to a distributor in one currency becomes payable in another, at today's rate. `None` when
/// nothing is payable.
pub fn convert(
    tx: &mut Tx<'_>,
    (distributor, from): &Purse,
    to: Currency,
    now: DateTime<Utc>,
) -> Result<Option<Converted>, SettlementProblem> {
    let id = [distributor.as_str()];
    ledger::hold(tx, &id)?;
    let payable = ledger::standings(tx.conn, &[Account::CommissionPayable], Some(&id))?;
    let payable = payable.into_iter().find(|standing| standing.currency == *from);
    let amount = payable.map_or(Decimal::ZERO, |standing| -standing.amount);
    if amount <= Decimal::ZERO || *from == to {
        return Ok(None);
    }
    let rate = rate_at(tx.conn, *from, to, now.date_naive())?;
    let into = rate.convert(amount, Rounding::HalfEven)?.amount();
    if into.is_zero() {
        return Ok(None);
    }
    let document = json!({"rate": rate.rate, "rate_no": rate.rate_no, "on": rate.on_date, "source": rate.source,
        "from": {"currency": from, "amount": amount}, "to": {"currency": to, "amount": into}, "rounding": "half_even"});
    let mut settlement = Settlement::new(now);
    let out = [
        posting(Account::CommissionPayable, Some(distributor), amount),
        posting(Account::Conversion, None, -amount),
    ];
    settlement.add(EntryKind::Conversion, *from, out.into(), document.clone())?;
    let back = [
        posting(Account::Conversion, None, into),
        posting(Account::CommissionPayable, Some(distributor), -into),
    ];
    settlement.add(EntryKind::Conversion, to, back.into(), document)?;
    settlement.post(tx)?;
    Ok(Some(Converted { from_amount: amount, to_amount: into, rate }))
}
