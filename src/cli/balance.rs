//! `upline balance`: what a distributor has, held back and owes.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Global, Outcome, output};
use crate::app::Opening;
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::db::Lane;
use crate::ledger;
use crate::settlements::{self, Debt, Holdback};

/// What a distributor has: payable, held back until when, on its way, owed
#[derive(Args)]
#[command(after_help = "Examples:
  upline balance 11043
  upline balance 11043 --json
  upline balance --debts")]
pub struct Balance {
    /// Id of the distributor
    #[arg(required_unless_present = "debts")]
    distributor: Option<String>,
    /// Everybody who owes, instead
    #[arg(long, conflicts_with = "distributor")]
    debts: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// In one currency; what is owed by the distributor counts against it.
#[derive(Default, Serialize)]
struct Purse {
    payable: Decimal,
    held_back: Decimal,
    on_its_way: Decimal,
    owes: Decimal,
}

#[derive(Serialize)]
struct Told {
    distributor: String,
    balances: BTreeMap<Currency, Purse>,
    holdbacks: Vec<Holdback>,
    debts: Vec<Debt>,
}

impl Balance {
    pub fn run(self, global: &Global) -> Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            settlements::settle(&backend.db, clock)?;
            match &self.distributor {
                Some(id) => self.one(&backend.db.read(Lane::Admin, |conn| told(conn, id))?),
                None => self.all_debts(&backend.db.read(Lane::Admin, |conn| settlements::debts(conn, None))?),
            }
        })
    }

    fn one(&self, told: &Told) -> Result<Outcome> {
        if self.json {
            output::json(told)?;
            return Ok(Outcome::Done);
        }
        if told.balances.is_empty() {
            output::line(format_args!("{} has nothing on its accounts.", told.distributor))?;
        }
        for (currency, purse) in &told.balances {
            let amounts = [
                ("payable", purse.payable),
                ("held back", purse.held_back),
                ("on its way", purse.on_its_way),
                ("owes", purse.owes),
            ];
            for (name, amount) in amounts {
                output::line(format_args!("{name:<12} {amount:>14} {currency}"))?;
            }
        }
        for held in &told.holdbacks {
            let (amount, currency) = (held.amount.normalize(), &held.currency);
            output::line(format_args!(
                "  {amount} {currency} until {} of {}",
                held.release_on, held.source_id
            ))?;
        }
        Ok(Outcome::Done)
    }

    fn all_debts(&self, debts: &[Debt]) -> Result<Outcome> {
        if self.json {
            output::json(&debts)?;
        } else if debts.is_empty() {
            output::line("Nobody owes anything.")?;
        } else {
            let rows: Vec<Vec<String>> = debts
                .iter()
                .map(|debt| {
                    let (amount, currency) = (debt.amount.to_string(), debt.currency.to_string());
                    vec![debt.distributor.to_string(), amount, currency, debt.since.to_string()]
                })
                .collect();
            output::table(&["distributor", "owes", "currency", "since"], &rows)?;
        }
        Ok(Outcome::Done)
    }
}

fn told(conn: &mut crate::db::Conn, id: &str) -> Result<Told, crate::db::DbError> {
    let accounts =
        [Account::CommissionPayable, Account::Holdback, Account::PayoutClearing, Account::ClawbackReceivable];
    let mut balances: BTreeMap<Currency, Purse> = BTreeMap::new();
    for standing in ledger::standings(conn, &accounts, Some(&[id]))? {
        let purse = balances.entry(standing.currency).or_default();
        match standing.account {
            Account::CommissionPayable => purse.payable = -standing.amount,
            Account::Holdback => purse.held_back = -standing.amount,
            Account::PayoutClearing => purse.on_its_way = -standing.amount,
            _ => purse.owes = standing.amount,
        }
    }
    Ok(Told {
        distributor: id.to_owned(),
        balances,
        holdbacks: settlements::holdbacks(conn, id, 100)?,
        debts: settlements::debts(conn, Some(&[id]))?,
    })
}
