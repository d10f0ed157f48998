//! `upline pull`: reads what changed at the stores, now, and shows how reading them goes.

use anyhow::{anyhow, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::pipeline::{Pipeline, with_pipeline};
use super::{Global, Outcome, output, parse_instant};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::connections::{self, Connection, ConnectionProblem};
use crate::db::{Db, Lane};
use crate::ingest::{self, Store};
use crate::pulls::{self, Mark, Means, One, Pull, PullProblem, Round, State, window_by_name};

/// Read what changed at the stores, now
///
/// A running server does the same by itself every few minutes. What is news becomes a delivery, and is processed
/// before the command ends. What was read stays, whatever happens then.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Examples:
  upline pull main
  upline pull --all
  upline pull main --order 58123
  upline pull main --changed-since 2026-11-01
  upline pull status main"
)]
pub struct PullCommand {
    #[command(subcommand)]
    action: Option<Action>,
    /// Slug of a connected store
    #[arg(required_unless_present = "all")]
    store: Option<String>,
    /// Every connected store that is not paused
    #[arg(long, conflicts_with = "store")]
    all: bool,
    /// Only this order, by the store's own id
    #[arg(long, value_name = "ID", conflicts_with_all = ["all", "changed_since"])]
    order: Option<String>,
    /// Orders that changed since then, instead of since the last time
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    changed_since: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Until when the stores were read, and what came of the last pulls
    #[command(after_help = "Examples:\n  upline pull status\n  upline pull status main --json")]
    Status {
        /// Slug [default: all]
        store: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A connected store.
pub struct Reached {
    pub connection: Connection,
    pub store: Store,
}

pub fn reach(db: &Db, slug: &str) -> anyhow::Result<Reached> {
    let (stores, connection) =
        db.read(Lane::Admin, |conn| Ok((ingest::list_stores(conn)?, connections::connection(conn, slug)?)))?;
    let store = stores.into_iter().find(|store| store.slug == slug);
    let store = store.ok_or_else(|| anyhow!("there is no store {slug:?}; see upline store list"))?;
    let connection = connection.ok_or_else(|| ConnectionProblem::NotConnected(slug.to_owned()))?;
    Ok(Reached { connection, store })
}

impl PullCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Some(Action::Status { store, json }) => {
                global.with_backend(Opening::Ready, |backend, _| status(backend, store.as_deref(), *json))
            }
            None => with_pipeline(global, |pipeline| self.pull(pipeline)),
        }
    }

    fn pull(&self, pipeline: &Pipeline) -> anyhow::Result<Outcome> {
        let stores = self.stores(&pipeline.backend.db)?;
        if let (Some(order), [reached]) = (&self.order, stores.as_slice()) {
            return self.one(pipeline, reached, order);
        }
        let (mut pulls, mut failed) = (vec![], false);
        for reached in &stores {
            if pipeline.stop.is_said() {
                break;
            }
            let read = self.round(pipeline, reached);
            failed |= !pipeline.settle(reached.store.id)?;
            match read {
                Ok(read) => {
                    failed |= read.iter().any(|pull| pull.state != State::Done);
                    pulls.extend(read);
                }
                // One store's trouble is not the other stores'.
                Err(problem) if self.all => {
                    output::note(format!("{}: {problem}", reached.store.slug))?;
                    failed = true;
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        self.tell(&pulls)?;
        Ok(if failed || pipeline.stop.is_said() { Outcome::Failed } else { Outcome::Done })
    }

    fn stores(&self, db: &Db) -> anyhow::Result<Vec<Reached>> {
        if let Some(slug) = &self.store {
            return Ok(vec![reach(db, slug)?]);
        }
        let (stores, connections) =
            db.read(Lane::Admin, |conn| Ok((ingest::list_stores(conn)?, connections::list(conn)?)))?;
        let reached: Vec<Reached> = connections
            .into_iter()
            .filter(|connection| !connection.paused)
            .filter_map(|connection| {
                let store = stores.iter().find(|store| store.id.0 == connection.store_id)?.clone();
                Some(Reached { connection, store })
            })
            .collect();
        if reached.is_empty() {
            bail!("no store is connected to its API: upline store connect SLUG");
        }
        Ok(reached)
    }

    fn round(&self, pipeline: &Pipeline, reached: &Reached) -> Result<Vec<Pull>, PullProblem> {
        let Reached { connection, store } = reached;
        let api = connections::open(connection, &pipeline.backend.vault, &pipeline.clock)?;
        let means = Means { db: &pipeline.backend.db, clock: &pipeline.clock, stop: &pipeline.stop };
        let bar = output::counter("read");
        let asked = Round { by: "console", since: self.changed_since };
        let pulls =
            pulls::round(means, &pipeline.pulls, api.as_ref(), (connection, store), &asked, &mut |pull| {
                bar.set_position(u64::try_from(pull.seen).unwrap_or(0));
            });
        bar.finish_and_clear();
        pulls
    }

    fn one(&self, pipeline: &Pipeline, reached: &Reached, order: &str) -> anyhow::Result<Outcome> {
        let Reached { connection, store } = reached;
        let (db, clock) = (&pipeline.backend.db, &pipeline.clock);
        let api = connections::open(connection, &pipeline.backend.vault, clock)?;
        let one = pulls::one(db, clock, api.as_ref(), store, order)?;
        let now = clock.now();
        db.transact(Lane::Admin, |tx| {
            let detail = json!({"order": order, "found": one.name()});
            audit::record(tx, "console", "order.pull", &store.slug, detail, now)
        })?;
        let settled = pipeline.settle(store.id)?;
        if self.json {
            output::json(
                &json!({"store": store.slug, "order": order, "outcome": one.name(), "processed": settled}),
            )?;
        } else {
            output::line(told(one))?;
        }
        Ok(if one == One::Nowhere || !settled { Outcome::Failed } else { Outcome::Done })
    }

    fn tell(&self, pulls: &[Pull]) -> anyhow::Result<()> {
        if self.json {
            return output::json(&pulls.iter().map(as_json).collect::<Vec<_>>());
        }
        Ok(table(pulls)?)
    }
}

fn told(one: One) -> &'static str {
    match one {
        One::Found => "The order was not known here; it is now.",
        One::Newer => "The order stands differently at the store; it is taken over.",
        One::Same => "Nothing new: the order is known as it stands at the store.",
        One::Gone => "The store does not have the order any more; it counts as deleted.",
        One::Nowhere => "Neither the store nor upline has this order.",
    }
}

fn status(backend: &Backend, slug: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    const SHOWN: i64 = 20;
    let store = slug.map(|slug| reach(&backend.db, slug)).transpose()?.map(|reached| reached.store.id);
    let (marks, newest, stores) = backend.db.read(Lane::Admin, |conn| {
        Ok((pulls::marks(conn, store)?, pulls::newest(conn, store, SHOWN)?, ingest::list_stores(conn)?))
    })?;
    let name = |mark: &Mark| {
        stores
            .iter()
            .find(|store| store.id == mark.store)
            .map_or_else(String::new, |store| store.slug.clone())
    };
    if json {
        let marks: Vec<_> = marks
            .iter()
            .map(|mark| {
                json!({"store": name(mark), "kind": mark.kind.name(), "pulled_until": mark.pulled_until,
                       "daily_at": mark.daily_at, "failures": mark.failures, "next_try_at": mark.next_try_at})
            })
            .collect();
        output::json(&json!({"marks": marks, "pulls": newest.iter().map(as_json).collect::<Vec<_>>()}))?;
        return Ok(Outcome::Done);
    }
    let row = |mark: &Mark| {
        let kind = mark.kind.to_string();
        vec![name(mark), kind, minute(mark.pulled_until), mark.failures.to_string(), minute(mark.next_try_at)]
    };
    let rows: Vec<_> = marks.iter().map(row).collect();
    output::table(&["store", "kind", "read until", "failures", "next try"], &rows)?;
    output::line("")?;
    table(&newest)?;
    Ok(Outcome::Done)
}

fn minute(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string())
}

fn table(pulls: &[Pull]) -> std::io::Result<()> {
    let row = |pull: &Pull| {
        let from = minute(pull.span.from);
        let window = format!("{from} to {}", minute(Some(pull.span.to)));
        let words = [pull.store.clone(), pull.kind.to_string(), pull.cause.to_string(), window];
        let counts =
            [pull.state.to_string(), pull.seen.to_string(), pull.told.to_string(), pull.fresh.to_string()];
        words.into_iter().chain(counts).chain(pull.problem.clone()).collect()
    };
    let rows: Vec<Vec<String>> = pulls.iter().map(row).collect();
    output::table(&["store", "kind", "cause", "window", "state", "read", "news", "new", "problem"], &rows)
}

pub fn as_json(pull: &Pull) -> serde_json::Value {
    json!({"pull_id": pull.pull_id, "store": pull.store, "kind": pull.kind.name(), "cause": pull.cause.name(),
           "window_by": window_by_name(pull.span.by), "from": pull.span.from, "to": pull.span.to,
           "state": pull.state.name(), "pages": pull.pages, "seen": pull.seen, "told": pull.told, "new": pull.fresh,
           "remaining": pull.remaining, "problem": pull.problem, "started_by": pull.started_by,
           "started_at": pull.started_at, "updated_at": pull.updated_at, "finished_at": pull.finished_at})
}
