//! The database as settings describe it, checked and migrated, and the key of its secrets.
//!
//! Beside a running `serve` on the same data directory a command attaches to the server that runs there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;

use crate::backups;
use crate::chain;
use crate::clock::Clock;
use crate::db::embedded::{Embedded, Options};
use crate::db::{self, Db, Lane, Migrated, OLDEST_MAJOR, ServerFacts};
use crate::events::Bus;
use crate::payees;
use crate::settings::Settings;
use crate::vault::Vault;

/// The embedded database's name.
const DATABASE: &str = "upline";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Refuse unsafe servers, bring the schema up to date.
    Ready,
    /// Take it as it is, to look at it.
    AsFound,
}

pub struct Backend {
    pub db: Db,
    pub bus: Arc<Bus>,
    pub vault: Vault,
    pub migrated: Migrated,
    /// Stopped last, after the pools above it are closed.
    embedded: Option<Embedded>,
}

impl Backend {
    /// Blocking; the first start of the embedded database takes about a second.
    pub fn open(settings: &Settings, opening: Opening) -> anyhow::Result<Self> {
        fs::create_dir_all(&settings.data_dir)
            .with_context(|| format!("cannot make the data directory {}", settings.data_dir.display()))?;
        let key = settings.secret_key.as_ref().map(ExposeSecret::expose_secret);
        let vault = Vault::open(&settings.data_dir, key)?;
        let (url, embedded) = database(settings)?;
        let bus = Arc::new(Bus::default());
        let db = Db::new(&url, bus.clone());
        let migrated = match opening {
            Opening::AsFound => Migrated { applied: vec![] },
            Opening::Ready => {
                refuse_unsafe(&db.read(Lane::Admin, db::server_facts)?, settings.allow_unsafe_database)?;
                back_up(settings, &url)?;
                let migrated = db::migrate(&url)?;
                chain::recovery::notice(&db, &settings.data_dir, Clock::system().now())?;
                payees::seal_clear_numbers(&db, &vault, Clock::system().now())
                    .context("tax numbers that were imported earlier cannot be sealed")?;
                migrated
            }
        };
        Ok(Self { db, bus, vault, migrated, embedded })
    }

    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Chains what a command or a server at its end has written. When that fails its work is done all the same, and the
    /// next one chains it.
    pub fn chain_up(&self, data_dir: &Path, clock: &Clock) {
        if let Err(error) = chain::settle(&self.db, data_dir, clock.now()) {
            tracing::warn!(%error, "what was written last is not chained yet");
        }
    }

    /// Closes the pools, then stops the database if it is ours.
    pub fn close(self) {
        let Self { db, bus, embedded, .. } = self;
        drop((db, bus));
        drop(embedded);
    }
}

fn database(settings: &Settings) -> anyhow::Result<(String, Option<Embedded>)> {
    if let Some(url) = &settings.database_url {
        return Ok((url.expose_secret().to_owned(), None));
    }
    let options = Options {
        state_dir: settings.postgres_dir(),
        bin_dir: settings.pg_bin.clone(),
        durable: true,
        database: DATABASE.to_owned(),
    };
    let embedded = Embedded::start(&options).context("the embedded database does not start")?;
    Ok((embedded.url().to_owned(), Some(embedded)))
}

/// The database as it is before its schema changes.
fn back_up(settings: &Settings, url: &str) -> anyhow::Result<()> {
    if !settings.backups.before_migration {
        return Ok(());
    }
    let now = Clock::system().now();
    let made = backups::before_migration(url, &settings.data_dir, settings.pg_bin.as_deref(), now).context(
        "no backup could be made before the schema changes; UPLINE_BACKUPS_BEFORE_MIGRATION=false goes on without one",
    )?;
    if let Some(file) = made {
        tracing::info!(file = %file.display(), "backed up before the schema changes");
    }
    Ok(())
}

fn refuse_unsafe(facts: &ServerFacts, allowed: bool) -> anyhow::Result<()> {
    if facts.is_too_old() {
        bail!("the database is PostgreSQL {}; {OLDEST_MAJOR} or later is needed", facts.version);
    }
    if facts.read_only {
        bail!("the database is a standby or read-only; give the address of the primary");
    }
    let settings = facts.unsafe_settings();
    if settings.is_empty() {
        return Ok(());
    }
    let settings = settings.join(", ");
    if allowed {
        tracing::warn!(settings, "the database may forget what it has confirmed; for tests only");
        return Ok(());
    }
    bail!("the database may forget what it has confirmed ({settings}); turn that on in its configuration")
}
