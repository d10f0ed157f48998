//! `upline payee import`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::Backend;
use crate::cli::person::Person;
use crate::cli::{Outcome, output, read_bytes, transact};
use crate::clock::Clock;
use crate::db::Lane;
use crate::payees::import;

/// Payout details and tax data of many distributors from a CSV file, all or nothing
#[derive(Args)]
#[command(
    after_help = "Columns: distributor_id, rail, name; as the rail needs them currency, holder, country,
routing_number, account_number, account, iban, bic, email, instruction; optional tax_id, tax_kind, tax_status.
Details that are known are left alone. Changed ones hold payouts, as on the pages.

Examples:
  upline payee import payees.csv --by ann@example.com --dry-run
  upline payee import payees.csv --by ann@example.com"
)]
pub struct Import {
    file: PathBuf,
    /// Only say what the file would change
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: Person,
}

impl Import {
    pub fn run(self, backend: &Backend, clock: &Clock, hold_days: u32) -> anyhow::Result<Outcome> {
        let csv = read_bytes(&self.file)?;
        let by = self.person.sign_in(&backend.db)?;
        let working = output::working(format!("importing {} bytes", csv.len()));
        let read = backend.db.read(Lane::Admin, |conn| Ok(import::preview(conn, &backend.vault, &csv)))?;
        let import = read?;
        let apply = import.is_clean() && !self.dry_run;
        let mut held = 0;
        if apply {
            let now = clock.now();
            held = transact(&backend.db, |tx| import.record(tx, &backend.vault, hold_days, &by, now))?;
        }
        working.finish_and_clear();
        let outcome = if import.is_clean() { Outcome::Done } else { Outcome::Failed };
        if self.person.json {
            output::json(&json!({"applied": apply, "held": held, "import": import}))?;
            return Ok(outcome);
        }
        if !import.ignored_columns.is_empty() {
            output::note(format_args!(
                "note: columns that are not used: {}",
                import.ignored_columns.join(", ")
            ))?;
        }
        if !import.is_clean() {
            output::note(format_args!(
                "error: {} has {} problem(s); nothing was imported",
                self.file.display(),
                import.problems.len()
            ))?;
            output::problems(&import.problems)?;
            return Ok(outcome);
        }
        let import::Import { new, changed, unchanged, with_tax, .. } = &import;
        let what = if apply { "Imported" } else { "Dry run, nothing changed" };
        output::line(format_args!(
            "{what}: {new} new, {changed} changed, {unchanged} unchanged; tax data of {with_tax}."
        ))?;
        if held > 0 {
            output::line(format_args!(
                "Payouts to {held} are held for {hold_days} day(s), or until somebody else releases them."
            ))?;
        }
        Ok(outcome)
    }
}
