//! `upline payee`: where distributors are paid, sealed for each person.

mod import;
mod rotate;
mod set;
mod tell;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::person::Person;
use super::{Global, Outcome, output, transact};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::ids::DistributorId;
use crate::db::Lane;
use crate::payees::{self, PayeeError};

/// Payout details and tax data: recorded, released by a second person, revealed with a reason, forgotten
///
/// Everything is sealed with a key for each person. Who changes or reveals something signs in with the address and the
/// password of the admin pages, and the audit log has the name.
#[derive(Args)]
#[command(after_help = "Examples:
  upline payee set 11043 --rail sepa --name 'Anna Winter' --iban \"$IBAN\" --by ann@example.com
  upline payee show 11043
  upline payee release 11043 --by bob@example.com
  upline payee import payees.csv --by ann@example.com --dry-run")]
pub struct PayeeCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Set(Box<set::Set>),
    Tax(Box<set::Tax>),
    /// What is recorded, masked, with its history
    #[command(after_help = "Example:\n  upline payee show 11043 --json")]
    Show {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    Reveal(Reveal),
    Release(Release),
    Erase(Erase),
    Import(import::Import),
    RotateKey(rotate::RotateKey),
}

/// Show what is sealed; the audit log keeps who asked and why
#[derive(Args)]
#[command(after_help = "Examples:
  upline payee reveal 11043 --reason 'the bank asks about a return' --by ann@example.com
  upline payee reveal 11043 --tax --reason 'a form came back' --by ann@example.com --json")]
struct Reveal {
    id: String,
    /// Why it has to be seen; without the number itself
    #[arg(long)]
    reason: String,
    /// The tax data instead of the payout details
    #[arg(long)]
    tax: bool,
    #[command(flatten)]
    person: Person,
}

/// Let payouts to changed details go before their time; never by who changed them
#[derive(Args)]
#[command(after_help = "Examples:
  upline payee release 11043 --by bob@example.com
  upline payee release 11043 --seen 3 --by bob@example.com --dry-run")]
struct Release {
    id: String,
    /// The version that was looked at; it has to be the newest [default: the newest]
    #[arg(long, value_name = "VERSION")]
    seen: Option<i32>,
    /// Only say what would be released
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: Person,
}

/// Forget a person: destroy the key, so that nobody can open the details any more
///
/// Amounts, ids and every proof stay. There is no way back.
#[derive(Args)]
#[command(after_help = "Examples:
  upline payee erase 11043 --dry-run --by ann@example.com
  upline payee erase 11043 --by ann@example.com")]
struct Erase {
    id: String,
    /// Only say how much would be forgotten
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: Person,
}

impl PayeeCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let hold_days = global.settings(None)?.payees.hold_days;
        global.with_backend(Opening::Ready, |backend, clock| match self.action {
            Action::Set(set) => set.run(backend, clock, hold_days),
            Action::Tax(tax) => tax.run(backend, clock),
            Action::Show { id, json } => tell::show(backend, clock, &id, json),
            Action::Reveal(reveal) => reveal.run(backend, clock),
            Action::Release(release) => release.run(backend, clock),
            Action::Erase(erase) => erase.run(backend, clock),
            Action::Import(import) => import.run(backend, clock, hold_days),
            Action::RotateKey(rotate) => rotate.run(backend, clock),
        })
    }
}

impl Reveal {
    fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let by = self.person.sign_in(&backend.db)?;
        let (distributor, now) = (DistributorId::new(self.id), clock.now());
        let revealed = transact(&backend.db, |tx| {
            payees::reveal(tx, &backend.vault, (&distributor, self.tax), &self.reason, &by, now)
        })?;
        tell::revealed(&revealed, self.person.json)?;
        Ok(Outcome::Done)
    }
}

impl Release {
    fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let by = self.person.sign_in(&backend.db)?;
        let (distributor, now) = (DistributorId::new(self.id.as_str()), clock.now());
        let head =
            backend.db.read(Lane::Admin, |conn| payees::heads(conn, &[&self.id]))?.remove(&distributor);
        let Some(head) = head else { bail!(PayeeError::Nothing(distributor)) };
        let seen = self.seen.unwrap_or(head.version_no);
        if !self.dry_run {
            transact(&backend.db, |tx| payees::release(tx, &distributor, seen, &by, now))?;
        }
        if self.person.json {
            output::json(&json!({"applied": !self.dry_run, "distributor": distributor, "version_no": seen,
                                 "masked": head.masked, "changed_by": head.changed_by}))?;
        } else {
            let what = if self.dry_run { "Dry run, nothing changed; would release" } else { "Released" };
            output::line(format_args!(
                "{what} version {seen} of {distributor}: {} {}, {}, changed by {}.",
                head.rail.name(),
                head.currency,
                head.masked,
                head.changed_by
            ))?;
        }
        Ok(Outcome::Done)
    }
}

impl Erase {
    fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let by = self.person.sign_in(&backend.db)?;
        let (distributor, now) = (DistributorId::new(self.id.as_str()), clock.now());
        if self.dry_run {
            let versions = backend.db.read(Lane::Admin, |conn| payees::versions(conn, &self.id))?;
            let there = versions.iter().filter(|version| !version.masked.is_empty()).count();
            if self.person.json {
                output::json(&json!({"applied": false, "distributor": distributor, "versions": there}))?;
            } else {
                output::line(format_args!(
                    "Dry run, nothing changed: {there} version(s) of payout details and all tax data would be closed."
                ))?;
            }
            return Ok(Outcome::Done);
        }
        let erased = transact(&backend.db, |tx| payees::erase(tx, &distributor, &by, now))?;
        if self.person.json {
            output::json(&json!({"applied": true, "distributor": distributor, "versions": erased.versions,
                                 "tax_versions": erased.tax_versions}))?;
        } else {
            output::line(format_args!(
                "Forgotten: {} version(s) of payout details and {} of tax data cannot be opened any more.",
                erased.versions, erased.tax_versions
            ))?;
            output::note("note: backups from before still hold the key; they have to run out as well")?;
        }
        Ok(Outcome::Done)
    }
}
