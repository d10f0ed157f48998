//! `upline tax`: forms, numbers and figures for tax offices and the public.

mod file;
mod tell;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::person::{By, Person};
use super::{Global, Outcome, output, transact};
use crate::access::Role;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::money::Currency;
use crate::db::{Conn, Lane};
use crate::tax::{self, Figure, Form1099, IncomeAsked, Published, TaxProblem};

/// Tell tax offices and the public: 1099 forms, self-billing numbers, income disclosure, customer share
///
/// A figure that is given out is recorded with `--publish`: its query, the seal of its rows, where the chain of the
/// ledger stood, who and when. Given out again with the same rows, it is the same figure.
#[derive(Args)]
#[command(after_help = "After the end of a year:
  upline tax 1099 2026
  upline tax 1099 2026 --csv forms.csv --publish --by ann
  upline tax disclosure 2026 --currency USD --csv income.csv --publish --by ann
Each month:
  upline tax customer-share 2026-10 --publish --by ann
  upline tax invoices issue --by ann")]
pub struct TaxCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Form 1099-NEC of a year: who was paid what, who gets a form, and what is missing for it (then exit code 3)
    #[command(
        name = "1099",
        after_help = "Examples:
  upline tax 1099 2026
  upline tax 1099 2026 --csv forms.csv --publish --by ann
  upline tax 1099 2026 --with-tins --reason 'the forms of 2026' --csv filled.csv --by ann@example.com"
    )]
    Nec {
        year: i32,
        /// Write names, addresses and tax numbers of the forms that are due into the CSV file, in the clear; whoever asks
        /// signs in with --by EMAIL, and the audit log keeps who and why
        #[arg(long, requires_all = ["csv", "reason"], conflicts_with = "publish")]
        with_tins: bool,
        /// Why the numbers have to be seen
        #[arg(long, requires = "with_tins")]
        reason: Option<String>,
        /// Read the password from the first line of this file
        #[arg(long, value_name = "FILE", requires = "with_tins")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        giving: Giving,
    },
    /// What all participants of a year earned, also those who earned nothing
    #[command(after_help = "Examples:
  upline tax disclosure 2026 --currency USD
  upline tax disclosure 2026 --currency EUR --country DE --csv income.csv --rows people.csv --publish --by ann")]
    Disclosure {
        year: i32,
        /// Needed where there are several
        #[arg(long, value_parser = parse_currency)]
        currency: Option<Currency>,
        /// Two letters of ISO 3166; everybody without it
        #[arg(long, value_parser = parse_country)]
        country: Option<String>,
        /// Also write one row for each participant
        #[arg(long, value_name = "FILE")]
        rows: Option<PathBuf>,
        #[command(flatten)]
        giving: Giving,
    },
    /// Whose purchases the commissions of a period come from, for each earner
    #[command(after_help = "Examples:
  upline tax customer-share 2026-10
  upline tax customer-share 2026-10 --csv share.csv --publish --by ann")]
    CustomerShare {
        /// Name of the period
        period: String,
        #[command(flatten)]
        giving: Giving,
    },
    #[command(subcommand)]
    Invoices(Invoices),
    /// Figures that were given out, the newest first; or one of them, with its query
    #[command(after_help = "Examples:
  upline tax published
  upline tax published 12 --json")]
    Published {
        number: Option<i64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Self-billing: numbers without a gap for each country and year
#[derive(Subcommand)]
#[command(after_help = "Examples:
  upline tax invoices issue --by ann --dry-run
  upline tax invoices list 2026 --country DE")]
enum Invoices {
    /// Number every payout to a VAT number that has no document yet, and every one that came back after its invoice
    #[command(after_help = "Examples:
  upline tax invoices issue --by ann
  upline tax invoices issue --dry-run --json")]
    Issue {
        /// Only say what would be numbered
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: By,
    },
    /// Documents of a year in the order of their numbers
    #[command(after_help = "Example:\n  upline tax invoices list 2026 --country DE --json")]
    List {
        year: i32,
        /// Two letters of ISO 3166; all countries without it
        #[arg(long, value_parser = parse_country)]
        country: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where a figure goes.
#[derive(Args)]
struct Giving {
    /// Write it as CSV, never over another file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Record that it was given out: query, seal of the rows, head of the chain
    #[arg(long)]
    publish: bool,
    #[command(flatten)]
    by: By,
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| format!("{text:?} is no currency; write three letters, as USD"))
}

fn parse_country(text: &str) -> Result<String, String> {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { Ok(code) } else { Err(format!("{text:?} is no country; write two letters, as DE")) }
}

impl TaxCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let room = Room { backend, clock };
            match self.action {
                Action::Nec { year, with_tins: true, reason, password_file, giving } => {
                    room.with_tins(year, &reason.unwrap_or_default(), password_file, &giving)
                }
                Action::Nec { year, giving, .. } => room.forms(year, &giving),
                Action::Disclosure { year, currency, country, rows, giving } => {
                    room.disclosure(year, (currency, country), rows, &giving)
                }
                Action::CustomerShare { period, giving } => room.share(&period, &giving),
                Action::Invoices(Invoices::Issue { dry_run, by }) => room.issue(dry_run, &by),
                Action::Invoices(Invoices::List { year, country, json }) => {
                    let country = country.unwrap_or_default();
                    let found = room.read(|conn| Ok(tax::invoices(conn, &country, year, 0, tell::MOST)?))?;
                    tell::invoices(&found, json)
                }
                Action::Published { number, json } => room.published(number, json),
            }
        })
    }
}

struct Room<'a> {
    backend: &'a Backend,
    clock: &'a Clock,
}

impl Room<'_> {
    fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, TaxProblem>) -> anyhow::Result<T> {
        let working = output::working("reading the ledger");
        let read = self.backend.db.read(Lane::Admin, |conn| Ok(tax::in_one_snapshot(conn, work)));
        working.finish_and_clear();
        Ok(read??)
    }

    /// Records it where that was asked for. The rows were read before: what is recorded is what is printed.
    fn given(&self, giving: &Giving, figure: &Figure) -> anyhow::Result<Option<Published>> {
        if !giving.publish {
            return Ok(None);
        }
        let (by, now) = (giving.by.name(), self.clock.now());
        Ok(Some(transact(&self.backend.db, |tx| tax::publish(tx, figure, &by, now))?))
    }

    fn forms(&self, year: i32, giving: &Giving) -> anyhow::Result<Outcome> {
        let told = self.read(|conn| tax::form_1099(conn, year))?;
        let figure = told.figure();
        if let Some(path) = &giving.csv {
            file::write(path, &figure.sheet.csv()?, false)?;
        }
        let published = self.given(giving, &figure)?;
        tell::forms(&told, published.as_ref(), giving.by.json)?;
        Ok(if told.is_complete() { Outcome::Done } else { Outcome::Difference })
    }

    fn with_tins(
        &self,
        year: i32,
        reason: &str,
        password_file: Option<PathBuf>,
        giving: &Giving,
    ) -> anyhow::Result<Outcome> {
        let (Some(path), Some(email)) = (&giving.csv, &giving.by.by) else {
            bail!("tax numbers are for a person who signs in, and go into a file: --by EMAIL --csv FILE");
        };
        let db = &self.backend.db;
        let who = "finance-approve or admin";
        let person = Person::named(email, password_file, giving.by.json);
        let (by, _) = person.sign_in_as(db, who, Role::may_approve_payouts)?;
        let told: Form1099 = self.read(|conn| tax::form_1099(conn, year))?;
        let now = self.clock.now();
        let rows = transact(db, |tx| tax::with_numbers(tx, &self.backend.vault, (&told, reason), &by, now))?;
        file::write(path, &tax::TinRow::sheet(&rows).csv()?, true)?;
        if giving.by.json {
            output::json(&json!({"year": year, "file": path, "forms": rows.len()}))?;
        } else {
            output::line(format_args!("{} forms in {}", rows.len(), path.display()))?;
        }
        output::note(
            "The file has tax numbers in the clear: keep it where only you can read it, and not for long.",
        )?;
        Ok(if told.is_complete() { Outcome::Done } else { Outcome::Difference })
    }

    fn disclosure(
        &self,
        year: i32,
        (currency, country): (Option<Currency>, Option<String>),
        rows: Option<PathBuf>,
        giving: &Giving,
    ) -> anyhow::Result<Outcome> {
        let currency = match currency {
            Some(currency) => currency,
            None => self.only_currency(year)?,
        };
        let asked = IncomeAsked { year, currency, country };
        let told = self.read(|conn| tax::disclosure(conn, &asked))?;
        if let Some(path) = &giving.csv {
            file::write(path, &told.sheet().csv()?, false)?;
        }
        if let Some(path) = &rows {
            file::write(path, &told.rows.csv()?, false)?;
        }
        let published = self.given(giving, &told.figure())?;
        tell::income(&told, published.as_ref(), giving.by.json)
    }

    fn only_currency(&self, year: i32) -> anyhow::Result<Currency> {
        let known = self.read(|conn| tax::currencies(conn, year))?;
        match known.as_slice() {
            [only] => parse_currency(only).map_err(anyhow::Error::msg),
            [] => bail!("nothing was earned in {year}; name a currency with --currency all the same"),
            several => bail!("there are {}; name one with --currency", several.join(", ")),
        }
    }

    fn share(&self, period: &str, giving: &Giving) -> anyhow::Result<Outcome> {
        let told = self.read(|conn| tax::customer_share(conn, period))?;
        let figure = told.figure();
        if let Some(path) = &giving.csv {
            file::write(path, &figure.sheet.csv()?, false)?;
        }
        let published = self.given(giving, &figure)?;
        tell::share(&told, published.as_ref(), giving.by.json)
    }

    fn issue(&self, dry_run: bool, by: &By) -> anyhow::Result<Outcome> {
        let (who, now) = (by.name(), self.clock.now());
        let mut tried = None;
        let done = self.backend.db.transact_or(Lane::Admin, |tx| {
            let issued = tax::issue(tx, &who, now)?;
            if dry_run {
                tried = Some(issued);
                return tell::only_tried();
            }
            Ok(issued)
        });
        let issued = match (done, tried) {
            (Ok(issued), _) | (Err(_), Some(issued)) => issued,
            (Err(problem), None) => bail!(problem),
        };
        tell::issued(&issued, dry_run, by.json)
    }

    fn published(&self, number: Option<i64>, json: bool) -> anyhow::Result<Outcome> {
        match number {
            Some(number) => {
                let found =
                    self.read(|conn| tax::figure(conn, number)?.ok_or(TaxProblem::UnknownFigure(number)))?;
                tell::figure(&found, json)
            }
            None => tell::figures(&self.read(|conn| Ok(tax::figures(conn, None, "", tell::MOST)?))?, json),
        }
    }
}
