//! `upline rate`: exchange rates, with who published them.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::person::By;
use super::{Global, Outcome, output, read_bytes, transact};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::money::Currency;
use crate::db::Lane;
use crate::settlements::{self, NewRate};

/// Exchange rates for payees who are paid in another currency than they earn
///
/// Every conversion is a journal entry that names the rate, its day and its source. A rate serves for ten days.
#[derive(Args)]
#[command(after_help = "Examples:
  upline rate add USD EUR 0.9213 --source ECB
  upline rate import rates.csv
  upline rate list")]
pub struct RateCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// One unit of the first currency is so much of the second
    #[command(after_help = "Example:\n  upline rate add USD EUR 0.9213 --on 2026-11-20 --source ECB")]
    Add {
        from: String,
        to: String,
        rate: Decimal,
        /// The day of the rate [default: today]
        #[arg(long, value_name = "DATE")]
        on: Option<NaiveDate>,
        /// Who published it
        #[arg(long)]
        source: String,
        #[command(flatten)]
        by: By,
    },
    /// A CSV file with the columns from, to, rate, on_date, source
    #[command(after_help = "Example:\n  upline rate import rates.csv --dry-run")]
    Import {
        file: PathBuf,
        /// Check it and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// The newest rates
    #[command(after_help = "Example:\n  upline rate list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl RateCommand {
    pub fn run(self, global: &Global) -> Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| match self.action {
            Action::Add { from, to, rate, on, source, by } => {
                let on_date = on.unwrap_or_else(|| clock.now().date_naive());
                let new = NewRate { from: currency(&from)?, to: currency(&to)?, rate, on_date, source };
                add(backend, clock, &[new], &by)
            }
            Action::Import { file, dry_run, by } => {
                let new = read(&read_bytes(&file)?).with_context(|| file.display().to_string())?;
                if dry_run {
                    output::line(format_args!("{} rate(s) can be read.", new.len()))?;
                    return Ok(Outcome::Done);
                }
                add(backend, clock, &new, &by)
            }
            Action::List { json } => list(backend, json),
        })
    }
}

fn currency(code: &str) -> Result<Currency> {
    Currency::parse(code).ok_or_else(|| anyhow!("{code:?} is no currency; three letters such as USD"))
}

fn add(backend: &Backend, clock: &Clock, new: &[NewRate], by: &By) -> Result<Outcome> {
    let (who, now) = (by.name(), clock.now());
    transact(&backend.db, |tx| settlements::add_rates(tx, new, &who, now))?;
    match by.json {
        true => output::json(&serde_json::json!({"added": new.len()}))?,
        false => output::line(format_args!("{} rate(s) added.", new.len()))?,
    }
    Ok(Outcome::Done)
}

#[derive(Deserialize)]
struct Row {
    from: String,
    to: String,
    rate: Decimal,
    on_date: NaiveDate,
    source: String,
}

fn read(bytes: &[u8]) -> Result<Vec<NewRate>> {
    let mut new = vec![];
    for (at, row) in csv::Reader::from_reader(bytes).deserialize::<Row>().enumerate() {
        let line = at.saturating_add(2);
        let row = row.with_context(|| format!("line {line}"))?;
        let (from, to) = (currency(&row.from), currency(&row.to));
        let (from, to) =
            (from.with_context(|| format!("line {line}"))?, to.with_context(|| format!("line {line}"))?);
        new.push(NewRate { from, to, rate: row.rate, on_date: row.on_date, source: row.source });
    }
    if new.is_empty() {
        bail!("no rates; the first line has to be from,to,rate,on_date,source");
    }
    Ok(new)
}

fn list(backend: &Backend, json: bool) -> Result<Outcome> {
    let found = backend.db.read(Lane::Admin, |conn| settlements::rates(conn, 200))?;
    if json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::line("No rates. Add one: upline rate add USD EUR 0.9213 --source ECB")?;
    } else {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|rate| {
                let (from, to) = (rate.from.to_string(), rate.to.to_string());
                vec![rate.on_date.to_string(), from, to, rate.rate.to_string(), rate.source.clone()]
            })
            .collect();
        output::table(&["on", "from", "to", "rate", "source"], &rows)?;
    }
    Ok(Outcome::Done)
}
