//! `upline explain` and `replay`: why a cent is what it is, and that it comes out again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use uuid::Uuid;

use super::{Global, Outcome, output};
use crate::app::{Backend, Opening};
use crate::catalog::Mappings;
use crate::db::Lane;
use crate::distributors::Networks;
use crate::events;
use crate::ingest::StoreDirectory;
use crate::orders::Books;
use crate::plans::Plans;
use crate::proof;

/// Why a commission event is what it is, from the store's delivery or the period's volumes to the posting
#[derive(Args)]
#[command(after_help = "Example:
  upline explain 01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f")]
pub struct Explain {
    /// The event_id, as in the API, the pages and the ledger
    event: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            if let Some(explanation) =
                backend.db.read(Lane::Admin, |conn| proof::explain(conn, self.event))?
            {
                return self.tell(explanation);
            }
            let found = backend.db.read(Lane::Admin, |conn| Ok(proof::explain_run(conn, self.event)?))?;
            match found {
                Some(explanation) => self.tell(explanation),
                None => bail!("there is no commission event {}", self.event),
            }
        })
    }
}

impl Explain {
    fn tell(&self, explanation: impl serde::Serialize + std::fmt::Display) -> anyhow::Result<Outcome> {
        if self.json {
            output::json(&explanation)?;
        } else {
            output::line(explanation)?;
        }
        Ok(Outcome::Done)
    }
}

/// Compute everything anew from the stored deliveries, posted runs too, and compare it with the ledger
///
/// Waits first until nothing is left to do, and writes nothing. Exit code 3 if the digests differ; then every order
/// that differs is named. Deliveries that come in while it runs can look like differences: run it again.
#[derive(Args)]
#[command(after_help = "Examples:
  upline replay --check
  upline replay --check --wait 600 --json")]
pub struct Replay {
    /// Compare only; the one thing there is to do
    #[arg(long, required = true)]
    check: bool,
    /// How long to wait for work that a running `serve` has still to do
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            drained(backend, Duration::from_secs(self.wait))?;
            let books = books(backend);
            let counter = output::counter("deliveries read again");
            let replayed = backend
                .db
                .read(Lane::Admin, |conn| proof::replay(conn, &books, |read| counter.set_position(read)))?;
            counter.finish_and_clear();
            if self.json {
                output::json(&replayed)?;
            } else {
                for difference in &replayed.differences {
                    let proof::Difference { store, external_id, what, stored, replayed } = difference;
                    output::line(format_args!(
                        "{store} {external_id}: {what} is {stored}, should be {replayed}"
                    ))?;
                }
                for difference in &replayed.run_differences {
                    let proof::RunDifference { run_id, period, what, stored, recalculated } = difference;
                    output::line(format_args!(
                        "run {run_id} of {period}: {what} is {stored}, should be {recalculated}"
                    ))?;
                }
                output::line(format_args!(
                    "{} deliveries, {} orders, {} posted runs\nstored   {}\nreplayed {}",
                    replayed.deliveries,
                    replayed.orders,
                    replayed.runs,
                    replayed.stored.sha256,
                    replayed.replayed.sha256
                ))?;
            }
            Ok(if replayed.is_clean() { Outcome::Done } else { Outcome::Difference })
        })
    }
}

/// Until the consequences of every delivery are recorded, the ledger is right to differ.
fn drained(backend: &Backend, patience: Duration) -> anyhow::Result<()> {
    let (begun, counter) = (Instant::now(), output::counter("events still to do"));
    loop {
        let backlog = backend.db.read(Lane::Admin, events::backlog)?;
        let waiting: i64 = backlog.iter().map(|topic| topic.waiting).sum();
        if waiting == 0 {
            counter.finish_and_clear();
            return Ok(());
        }
        if begun.elapsed() >= patience {
            bail!(
                "{waiting} event(s) still wait to be worked on after {} s, so there is nothing to compare yet; \
                 start `upline serve`, or give it longer with --wait SECONDS",
                patience.as_secs()
            );
        }
        counter.set_position(waiting.unsigned_abs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn books(backend: &Backend) -> Books {
    Books {
        stores: Arc::new(StoreDirectory::new(backend.vault.clone())),
        mappings: Arc::new(Mappings::default()),
        networks: Arc::new(Networks::default()),
        plans: Arc::new(Plans::default()),
    }
}
