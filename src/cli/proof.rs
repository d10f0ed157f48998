//! `upline explain`, `verify` and `replay`: why a cent is what it is, and that nothing was touched.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use uuid::Uuid;

use super::{Global, Outcome, output};
use crate::app::{Backend, Opening};
use crate::catalog::Mappings;
use crate::db::Lane;
use crate::distributors::Networks;
use crate::ingest::StoreDirectory;
use crate::orders::Books;
use crate::plans::Plans;
use crate::proof;

/// Why a commission event is what it is, from the store's delivery to the posting
#[derive(Args)]
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
            let found = backend.db.read(Lane::Admin, |conn| proof::explain(conn, self.event))?;
            let Some(explanation) = found else { bail!("there is no commission event {}", self.event) };
            if self.json {
                output::json(&explanation)?;
            } else {
                output::line(explanation)?;
            }
            Ok(Outcome::Done)
        })
    }
}

/// Check that nothing stored or posted was changed: digests, sums, references
///
/// Reads the whole ledger and all deliveries and names every row that is not as it was written. Exit code 3 if
/// there is one.
#[derive(Args)]
pub struct Verify {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            let verified = backend.db.read(Lane::Admin, |conn| proof::verify(conn, |_| {}))?;
            if self.json {
                output::json(&verified)?;
            } else {
                for problem in &verified.problems {
                    output::line(format_args!("{} {}: {}", problem.table, problem.row, problem.message))?;
                }
                output::line(format_args!(
                    "{} deliveries, {} commission events, {} journal entries, {} postings: {}",
                    verified.deliveries,
                    verified.commission_events,
                    verified.entries,
                    verified.postings,
                    if verified.is_clean() {
                        "clean".to_owned()
                    } else {
                        format!("{} problem(s)", verified.problems.len())
                    },
                ))?;
            }
            Ok(if verified.is_clean() { Outcome::Done } else { Outcome::Difference })
        })
    }
}

/// Compute everything anew from the stored deliveries and compare it with the ledger
///
/// Writes nothing. Exit code 3 if the digests differ; then every order that differs is named.
#[derive(Args)]
pub struct Replay {
    /// Compare only; the one thing there is to do
    #[arg(long, required = true)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            let books = books(backend);
            let replayed = backend.db.read(Lane::Admin, |conn| proof::replay(conn, &books, |_| {}))?;
            if self.json {
                output::json(&replayed)?;
            } else {
                for difference in &replayed.differences {
                    let proof::Difference { store, external_id, what, stored, replayed } = difference;
                    output::line(format_args!(
                        "{store} {external_id}: {what} is {stored}, should be {replayed}"
                    ))?;
                }
                output::line(format_args!(
                    "{} deliveries, {} orders\nstored   {}\nreplayed {}",
                    replayed.deliveries, replayed.orders, replayed.stored.sha256, replayed.replayed.sha256
                ))?;
            }
            Ok(if replayed.is_clean() { Outcome::Done } else { Outcome::Difference })
        })
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
