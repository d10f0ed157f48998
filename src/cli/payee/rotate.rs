//! `upline payee rotate-key`: after the key of the data directory was exchanged.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::access::audit;
use crate::app::Backend;
use crate::cli::{Outcome, output, read_text, transact};
use crate::clock::Clock;
use crate::connections::{self, ConnectionProblem};
use crate::db::Lane;
use crate::ingest::{self, StoreProblem};
use crate::payees;
use crate::vault::Vault;

/// Seal the key of every person again, after secret.key or UPLINE_SECRET_KEY was exchanged
///
/// The secrets and credentials of the stores lie under the same key, so they are sealed again as well. Stop the server
/// before, put the other key in place, run this with the former one, start the server. It can be stopped and run again.
#[derive(Args)]
#[command(after_help = "Examples:
  cp var/data/secret.key former.key && openssl rand -hex 32 > var/data/secret.key
  upline payee rotate-key --old-key-file former.key --dry-run
  upline payee rotate-key --old-key-file former.key && rm former.key
  UPLINE_OLD_SECRET_KEY=... upline payee rotate-key --json")]
pub struct RotateKey {
    /// File with the former key
    #[arg(long, value_name = "FILE", required_unless_present = "old_key")]
    old_key_file: Option<PathBuf>,
    /// Only by the environment
    #[arg(long, env = "UPLINE_OLD_SECRET_KEY", hide = true, hide_env_values = true)]
    old_key: Option<SecretString>,
    /// Only say how many keys are under another one
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl RotateKey {
    pub fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let old = self.former()?;
        let (db, new) = (&backend.db, &backend.vault);
        if old.fingerprint() == new.fingerprint() {
            bail!("the former key is the one in place; exchange secret.key or UPLINE_SECRET_KEY first");
        }
        let waiting = db.read(Lane::Admin, |conn| payees::under_another_key(conn, new))?;
        if self.dry_run {
            if self.json {
                output::json(&json!({"applied": false, "keys": waiting}))?;
            } else {
                output::line(format_args!(
                    "Dry run, nothing changed: {waiting} key(s) are under another one."
                ))?;
            }
            return Ok(Outcome::Done);
        }
        let bar = output::bar();
        bar.set_message("sealing again");
        bar.set_length(waiting.unsigned_abs());
        let mut keys = 0;
        loop {
            let sealed = transact(db, |tx| payees::rotate_page(tx, &old, new))?;
            if sealed == 0 {
                break;
            }
            keys += sealed;
            bar.set_position(u64::try_from(keys).unwrap_or(u64::MAX));
        }
        let secrets = transact(db, |tx| ingest::seal_again(tx, &old, new).map_err(Failed::from))?;
        let stores = transact(db, |tx| connections::seal_again(tx, &old, new).map_err(Failed::from))?;
        let done = json!({"keys": keys, "secrets": secrets, "connections": stores});
        db.transact(Lane::Admin, |tx| {
            audit::record(tx, "console", "key.rotate", &new.fingerprint(), done.clone(), clock.now())
        })?;
        bar.finish_and_clear();
        if self.json {
            output::json(&json!({"applied": true, "sealed": done}))?;
        } else {
            output::line(format_args!(
                "{keys} key(s) of persons, {secrets} secret(s) and {stores} credential(s) of stores are under the key in place."
            ))?;
            output::note("note: a server that is still running has the former key; start it anew")?;
        }
        Ok(Outcome::Done)
    }

    fn former(&self) -> anyhow::Result<Vault> {
        match (&self.old_key_file, &self.old_key) {
            (Some(file), _) => Ok(Vault::from_hex(&read_text(file)?, &file.display().to_string())?),
            (None, Some(key)) => Ok(Vault::from_hex(key.expose_secret(), "UPLINE_OLD_SECRET_KEY")?),
            (None, None) => bail!("name the former key: --old-key-file FILE"),
        }
    }
}

/// Which of the rooms could not.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the secrets of the stores: {0}")]
    Stores(#[from] StoreProblem),
    #[error("the credentials of the stores: {0}")]
    Connections(#[from] ConnectionProblem),
    #[error("the database failed")]
    Db(#[from] crate::db::DbError),
}
