//! `upline backup`: one file with everything, proven by restoring it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::person::By;
use super::{Global, Outcome, output};
use crate::app::{Backend, Opening};
use crate::backups::{self, Proof, Source};
use crate::chain::recovery;
use crate::clock::Clock;
use crate::db::Lane;
use crate::settings::Settings;

/// Back up, prove a backup, restore one
///
/// A backup is one tar file: a manifest, PostgreSQL's own dump and the heads of the chain. It does not hold the key of
/// the secrets (secret.key in the data directory, or UPLINE_SECRET_KEY): keep that elsewhere, it is needed to restore.
#[derive(Args)]
#[command(after_help = "Examples:
  upline backup create
  upline backup verify data/backups/upline-20261121T080000Z.backup
  upline --data-dir /srv/restored backup restore upline-20261121T080000Z.backup")]
pub struct BackupCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write a backup, and prove it by restoring it into a scratch database
    #[command(after_help = "Examples:
  upline backup create
  upline backup create --to /mnt/backups/today.backup --json")]
    Create {
        /// The file to write [default: backups/upline-TIME.backup in the data directory]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Only write it
        #[arg(long)]
        no_verify: bool,
        /// Server for the scratch database [default: the one that is backed up]
        #[arg(long, value_name = "URL")]
        scratch: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup into a scratch database and verify the ledger there; exit code 3 when it differs
    #[command(after_help = "Example:\n  upline backup verify upline-20261121T080000Z.backup --json")]
    Verify {
        file: PathBuf,
        /// Server for the scratch database [default: the one of this installation]
        #[arg(long, value_name = "URL")]
        scratch: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup into an empty database; payouts wait afterwards
    #[command(after_help = "Examples:
  upline --data-dir /srv/restored backup restore upline-20261121T080000Z.backup
  DATABASE_URL=postgres://upline@db/restored upline backup restore upline-20261121T080000Z.backup")]
    Restore {
        file: PathBuf,
        #[command(flatten)]
        by: By,
    },
    /// Whether the database was set back, and what is to be done before payouts go on
    #[command(after_help = "Example:\n  upline backup recovery --json")]
    Recovery {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Payouts may go on: the stores were read again, and what had left is entered
    #[command(
        after_help = "Example:\n  upline backup recovered --note 'no payout left between 06:00 and 08:00'"
    )]
    Recovered {
        /// What was done about payouts that left after the time that the database was set back to
        #[arg(long)]
        note: String,
        #[command(flatten)]
        by: By,
    },
}

impl BackupCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let settings = global.settings(None)?;
        let opening =
            if matches!(self.action, Action::Restore { .. }) { Opening::AsFound } else { Opening::Ready };
        global.with_backend(opening, |backend, clock| {
            let room = Room { backend, clock, settings: &settings };
            match self.action {
                Action::Create { to, no_verify, scratch, json } => {
                    room.create(to, no_verify, scratch.as_deref(), json)
                }
                Action::Verify { file, scratch, json } => room.verify(&file, scratch.as_deref(), json),
                Action::Restore { file, by } => room.restore(&file, &by),
                Action::Recovery { json } => room.recovery(json),
                Action::Recovered { note, by } => room.recovered(&note, &by),
            }
        })
    }
}

struct Room<'a> {
    backend: &'a Backend,
    clock: &'a Clock,
    settings: &'a Settings,
}

impl Room<'_> {
    fn source(&self) -> Source<'_> {
        Source {
            db: &self.backend.db,
            vault: &self.backend.vault,
            data_dir: &self.settings.data_dir,
            pg_bin: self.settings.pg_bin.as_deref(),
        }
    }

    fn create(
        &self,
        to: Option<PathBuf>,
        no_verify: bool,
        scratch: Option<&str>,
        json: bool,
    ) -> anyhow::Result<Outcome> {
        let working = output::working("backing up");
        let (file, manifest) = backups::create(&self.source(), to.as_deref(), self.clock.now())?;
        working.finish_and_clear();
        if !json {
            let (entries, bytes) = (manifest.entries, manifest.dump_bytes);
            output::line(format_args!("{}: {entries} journal entries, {bytes} bytes", file.display()))?;
        }
        if !no_verify {
            let proof = self.proof(&file, scratch)?;
            return tell(&proof, json, &file);
        }
        if json {
            output::json(&json!({"file": file, "manifest": manifest}))?;
        }
        Ok(Outcome::Done)
    }

    fn proof(&self, file: &std::path::Path, scratch: Option<&str>) -> anyhow::Result<Proof> {
        let counter = output::counter("rows of the restored ledger verified");
        let server = scratch.unwrap_or(self.backend.db.url());
        let (bin, now) = (self.settings.pg_bin.as_deref(), self.clock.now());
        let proof = backups::verify(file, server, bin, now, |rows| counter.set_position(rows));
        counter.finish_and_clear();
        Ok(proof?)
    }

    fn verify(&self, file: &std::path::Path, scratch: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
        tell(&self.proof(file, scratch)?, json, file)
    }

    fn restore(&self, file: &std::path::Path, by: &By) -> anyhow::Result<Outcome> {
        let counter = output::counter("rows of the restored ledger verified");
        let now = self.clock.now();
        let restored =
            backups::restore(file, &self.source(), &by.name(), now, |rows| counter.set_position(rows));
        counter.finish_and_clear();
        let restored = restored?;
        if by.json {
            output::json(&restored)?;
        } else {
            let (at, entries) =
                (restored.manifest.created_at.format("%Y-%m-%d %H:%M UTC"), restored.verified.entries);
            output::line(format_args!("Restored as of {at}: {entries} journal entries."))?;
            output::line("Nothing is paid until the stores were read again: upline backup recovery")?;
        }
        Ok(if restored.verified.is_clean() { Outcome::Done } else { Outcome::Difference })
    }

    fn recovery(&self, json: bool) -> anyhow::Result<Outcome> {
        let told = self.backend.db.read(Lane::Admin, |conn| {
            let Some(recovery) = recovery::going_on(conn)? else { return Ok(None) };
            let left = recovery::left_to_do(conn, &recovery)?;
            Ok(Some((recovery, left)))
        })?;
        match told {
            None if json => output::json(&json!({"recovery": null}))?,
            None => output::line("The database was not set back; payouts go on.")?,
            Some((recovery, left)) if json => {
                output::json(&json!({"recovery": recovery, "left_to_do": left}))?
            }
            Some((recovery, left)) => {
                let back_to = recovery.back_to.format("%Y-%m-%d %H:%M UTC");
                output::line(format_args!("The database was set back to {back_to}: {}.", recovery.reason))?;
                output::line("Payouts wait. Before they go on:")?;
                for step in left {
                    output::line(format_args!("  {step}"))?;
                }
                output::line(
                    "  enter again what left since: bank files (upline payout import), manifests of payouts",
                )?;
                output::line("  upline backup recovered --note 'what you have done'")?;
            }
        }
        Ok(Outcome::Done)
    }

    fn recovered(&self, note: &str, by: &By) -> anyhow::Result<Outcome> {
        let (who, now) = (by.name(), self.clock.now());
        super::transact(&self.backend.db, |tx| recovery::end(tx, note, &who, now))?;
        match by.json {
            true => output::json(&json!({"recovery": null}))?,
            false => output::line("Payouts go on.")?,
        }
        Ok(Outcome::Done)
    }
}

fn tell(proof: &Proof, json: bool, file: &std::path::Path) -> anyhow::Result<Outcome> {
    if json {
        output::json(&json!({"file": file, "proof": proof, "clean": proof.is_clean()}))?;
    } else if proof.is_clean() {
        let verified = &proof.verified;
        let (entries, deliveries) = (verified.entries, verified.deliveries);
        output::line(format_args!(
            "Restored and verified: {entries} journal entries, {deliveries} deliveries."
        ))?;
    } else {
        for difference in &proof.differences {
            output::line(format_args!("  {difference}"))?;
        }
        for problem in proof.verified.problems.iter().take(50) {
            output::line(format_args!("  {} {}: {}", problem.table, problem.row, problem.message))?;
        }
    }
    Ok(if proof.is_clean() { Outcome::Done } else { Outcome::Difference })
}
