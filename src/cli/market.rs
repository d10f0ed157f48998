//! `upline market`: how countries hold back and give up.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use super::person::By;
use super::{Global, Outcome, output, parse_instant, transact};
use crate::app::Opening;
use crate::db::Lane;
use crate::settlements::{self, NewPolicy};

/// Per country: what is held back until when, how much may be owed, and when a debt is given up
#[derive(Args)]
#[command(after_help = "Examples:
  upline market set DE --holdback 20 --days 14
  upline market set '*' --holdback 0 --carry-floor 500 --write-off-days 365
  upline market list")]
pub struct MarketCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// From a time on; what is held back already stays as it is
    #[command(after_help = "Examples:
  upline market set DE --holdback 20 --days 14
  upline market set US --holdback 10 --days 30 --carry-floor 250 --write-off-days 180 --from 2027-01-01")]
    Set {
        /// Two letters of ISO 3166, or * for every country without a policy of its own
        country: String,
        /// Percent of what an order or a run pays that is held back
        #[arg(long, value_name = "PERCENT", default_value = "0")]
        holdback: Decimal,
        /// Days after the order, or after the run was posted, until it is released
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        days: u32,
        /// The most that a distributor may owe; what is beyond it is written off
        #[arg(long, value_name = "AMOUNT")]
        carry_floor: Option<Decimal>,
        /// A debt of this age is written off
        #[arg(long, value_name = "DAYS")]
        write_off_days: Option<u32>,
        /// Orders from then on [default: now]
        #[arg(long, value_name = "DATE", value_parser = parse_instant)]
        from: Option<DateTime<Utc>>,
        #[command(flatten)]
        by: By,
    },
    /// Every policy, by country and time
    #[command(after_help = "Example:\n  upline market list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl MarketCommand {
    pub fn run(self, global: &Global) -> Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| match self.action {
            Action::Set { country, holdback, days, carry_floor, write_off_days, from, by } => {
                let (who, now) = (by.name(), clock.now());
                let new = NewPolicy {
                    country,
                    holdback_percent: holdback,
                    holdback_days: days,
                    carry_floor,
                    write_off_days,
                    effective_from: from.unwrap_or(now),
                };
                let no = transact(&backend.db, |tx| settlements::add_policy(tx, new.clone(), &who, now))?;
                match by.json {
                    true => output::json(&serde_json::json!({"policy": no}))?,
                    false => output::line(format_args!("Policy {no} holds from {}.", new.effective_from))?,
                }
                Ok(Outcome::Done)
            }
            Action::List { json } => {
                let found = backend.db.read(Lane::Admin, settlements::policies)?;
                if json {
                    output::json(&found)?;
                } else if found.is_empty() {
                    output::line("No policies: nothing is held back and no debt is given up. See upline market set --help")?;
                } else {
                    let or = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
                    let rows: Vec<Vec<String>> = found
                        .iter()
                        .map(|policy| {
                            vec![
                                policy.country.clone(),
                                policy.effective_from.format("%Y-%m-%d %H:%M").to_string(),
                                policy.holdback_percent.to_string(),
                                policy.holdback_days.to_string(),
                                or(policy.carry_floor.map(|floor| floor.to_string())),
                                or(policy.write_off_days.map(|days| days.to_string())),
                            ]
                        })
                        .collect();
                    let header = ["country", "from", "holdback %", "days", "carry floor", "write-off days"];
                    output::table(&header, &rows)?;
                }
                Ok(Outcome::Done)
            }
        })
    }
}
