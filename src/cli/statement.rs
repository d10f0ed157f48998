//! `upline statement`: what happened on a distributor's accounts in a period, as a table, a PDF, CSV or JSON.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::db::{DbError, Lane};
use crate::reports::api;
use crate::reports::statement::{self, Amounts, Asked, Part, Purse, Span, Statement};

const BY: &str = "console";

/// What happened on a distributor's accounts: before, every entry, after
#[derive(Args)]
#[command(
    after_help = "Entries count by when they were posted. The bonuses of a period are posted when its close is approved,
so they are on the statement of the period after it.

Examples:
  upline statement 11043 --period 2026-10
  upline statement 11043 --from 2026-10-01 --to 2026-10-15 --json
  upline statement 11043 --period 2026-10 --pdf statement.pdf
  upline statement 11043 --period 2026-10 --csv > statement.csv"
)]
pub struct StatementCommand {
    /// Id of the distributor
    distributor: String,
    /// Name of a period, as 2026-10, 2026-Q4 or 2026-W43 [default: the one of now]
    #[arg(long, conflicts_with_all = ["from", "to"])]
    period: Option<String>,
    /// First day, as 2026-10-01 (UTC)
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<String>,
    /// Last day, as 2026-10-31 (UTC)
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<String>,
    /// Write a PDF to this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csv", "json"])]
    pdf: Option<PathBuf>,
    /// Write all entries as CSV to this file, or to stdout
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with = "json")]
    csv: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl StatementCommand {
    pub fn run(self, global: &Global) -> Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let now = clock.now();
            let asked = Asked { period: self.period.clone(), from: self.from.clone(), to: self.to.clone() };
            let span = backend.db.read(Lane::Admin, |conn| Ok(statement::span(conn, &asked, now)))??;
            let Some(found) = backend.db.read(Lane::Admin, |conn| {
                statement::read(conn, &self.distributor, &span, &Part::default())
            })?
            else {
                bail!(
                    "there is no distributor {:?}; `upline distributor show ID` knows those that there are",
                    self.distributor
                )
            };
            match (&self.pdf, &self.csv) {
                (Some(file), _) => {
                    let bytes = statement::paper(&found);
                    std::fs::write(file, bytes)
                        .with_context(|| format!("{} cannot be written", file.display()))?;
                    left(backend, &found, "pdf", now)?;
                    output::note(format_args!("{} is written.", file.display()))?;
                }
                (None, Some(file)) => {
                    sheet(backend, &found, &span, file)?;
                    left(backend, &found, "csv", now)?;
                }
                (None, None) if self.json => output::json(&api::statement_view(found, true))?,
                (None, None) => table(&found)?,
            }
            Ok(Outcome::Done)
        })
    }
}

/// A file with somebody's money in it is on record.
fn left(backend: &Backend, found: &Statement, format: &str, now: DateTime<Utc>) -> Result<()> {
    let detail = json!({"span": found.span.name(), "format": format});
    let record = |tx: &mut crate::db::Tx<'_>| {
        audit::record(tx, BY, "statement.export", &found.distributor, detail.clone(), now)
    };
    Ok(transact::<_, DbError>(&backend.db, record)?)
}

fn sheet(backend: &Backend, found: &Statement, span: &Span, file: &Path) -> Result<()> {
    let working = output::working("writing the statement");
    let write = |to: &mut dyn io::Write| {
        let written = backend
            .db
            .read(Lane::Admin, |conn| Ok(statement::write_sheet(conn, &found.distributor, span, to)))?;
        Ok::<_, anyhow::Error>(written?)
    };
    let lines = if file == Path::new("-") {
        write(&mut BufWriter::new(io::stdout().lock()))?
    } else {
        let made = File::create(file).with_context(|| format!("{} cannot be written", file.display()))?;
        write(&mut BufWriter::new(made))?
    };
    working.finish_and_clear();
    output::note(format_args!("{lines} entries."))?;
    Ok(())
}

fn table(found: &Statement) -> Result<()> {
    let name = found.name.as_deref().map_or(String::new(), |name| format!(", {name}"));
    output::line(format_args!("Statement of {}{name}, {}", found.distributor, found.span.name()))?;
    if found.purses.is_empty() {
        output::line("Nothing was ever posted on these accounts.")?;
    }
    for purse in &found.purses {
        output::line("")?;
        let columns: Vec<&statement::Column> = purse.columns().collect();
        let titles = columns.iter().map(|column| column.title);
        let header: Vec<&str> = [purse.currency.as_str(), ""].into_iter().chain(titles).collect();
        output::table(&header, &rows(found, purse, &columns))?;
    }
    if found.next.is_some() {
        let shown = found.lines.len();
        output::note(format_args!("Only the first {shown} entries are shown; --csv FILE has all of them."))?;
    }
    Ok(())
}

fn rows(found: &Statement, purse: &Purse, columns: &[&statement::Column]) -> Vec<Vec<String>> {
    let row = |at: &str, about: &str, amounts: &Amounts, zeros: bool| {
        let told = |column: &&statement::Column| match amounts.of(column.account) {
            zero if zero.is_zero() && !zeros => String::new(),
            amount => statement::money(amount, &purse.currency),
        };
        [at.to_owned(), about.to_owned()].into_iter().chain(columns.iter().map(told)).collect::<Vec<_>>()
    };
    let mut rows = vec![row("", "before", &purse.opening, true)];
    for line in found.lines.iter().filter(|line| line.currency == purse.currency) {
        rows.push(row(&line.at.format("%Y-%m-%d").to_string(), &line.about, &line.amounts, false));
    }
    rows.push(row("", "after", &purse.closing, true));
    rows
}
