//! `upline backfill`: the orders of the past, read from the store itself.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use super::pipeline::{Pipeline, with_pipeline};
use super::pull::{self, Reached};
use super::{Global, Outcome, output, parse_instant};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clients::{Window, WindowBy};
use crate::clock::Clock;
use crate::connections;
use crate::db::Lane;
use crate::pulls::{self, Cause, Job, Kind, Means, Pull, Span, State, Taken};

/// Read every order that a connected store has had since a date
///
/// What is new or stands differently becomes a delivery, and is processed before the command ends: the orders are
/// there with their commissions. What is known already is read and left alone, so it may be run again at any time.
///
/// Ctrl-C ends it after the page that is being read; the same command goes on from there. A running server is not
/// disturbed.
#[derive(Args)]
#[command(after_help = "Examples:
  upline backfill main --since 2026-01-01 --dry-run
  upline backfill main --since 2026-01-01
  upline backfill main --since 2025-01-01 --until 2026-01-01 --json")]
pub struct Backfill {
    /// Slug of a connected store
    store: String,
    /// Orders made from then on: 2026-01-31 or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    since: DateTime<Utc>,
    /// Orders made before then [default: now]
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    until: Option<DateTime<Utc>>,
    /// Only read and count what is news; nothing is stored
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backfill {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        if self.until.is_some_and(|until| until <= self.since) {
            bail!("--until has to be later than --since");
        }
        if self.dry_run {
            return global.with_backend(Opening::Ready, |backend, clock| self.count(backend, clock));
        }
        with_pipeline(global, |pipeline| self.read(pipeline))
    }

    /// Never the future: what is not yet cannot have been read.
    fn span(&self, now: DateTime<Utc>) -> anyhow::Result<Span> {
        let to = self.until.map_or(now, |until| until.min(now));
        if self.since >= to {
            bail!("--since lies in the future");
        }
        Ok(Span { by: WindowBy::Ordered, from: Some(self.since), to })
    }

    fn read(&self, pipeline: &Pipeline) -> anyhow::Result<Outcome> {
        let (db, clock) = (&pipeline.backend.db, &pipeline.clock);
        let Reached { connection, store } = pull::reach(db, &self.store)?;
        let api = connections::open(&connection, &pipeline.backend.vault, clock)?;
        let begun = db.read(Lane::Admin, |conn| pulls::unfinished_backfill(conn, store.id))?;
        let span = match begun.filter(|begun| self.is_the_same(begun)) {
            Some(begun) => {
                output::note(format!("Going on where it ended: {} orders were read.", begun.seen))?;
                begun.span
            }
            None => self.span(clock.now())?,
        };
        let detail = json!({"since": self.since, "until": span.to});
        let now = clock.now();
        db.transact(Lane::Admin, |tx| {
            audit::record(tx, "console", "store.backfill", &self.store, detail.clone(), now)
        })?;
        let means = Means { db, clock, stop: &pipeline.stop };
        let job = Job { store: &store, kind: Kind::Orders, cause: Cause::Backfill, span, by: "console" };
        let bar = output::bar();
        let read = pulls::run(means, api.as_ref(), &job, &mut |pull| show(&bar, pull));
        bar.finish_and_clear();
        let again = format!("upline backfill {} --since {}", self.store, written(self.since));
        // Also after a failure: what was read is worth its commissions.
        let settled = pipeline.settle(store.id)?;
        let pull = read.with_context(|| format!("what was read stays; to go on: {again}"))?;
        self.tell(&pull, settled, &again)
    }

    /// Begun before with these dates, and not come to its end.
    fn is_the_same(&self, begun: &Pull) -> bool {
        begun.span.from == Some(self.since) && self.until.is_none_or(|until| begun.span.to == until)
    }

    fn tell(&self, pull: &Pull, settled: bool, again: &str) -> anyhow::Result<Outcome> {
        let done = pull.state == State::Done;
        if self.json {
            let mut told = pull::as_json(pull);
            if let Some(fields) = told.as_object_mut() {
                fields.insert("processed".to_owned(), json!(settled));
            }
            output::json(&told)?;
        } else {
            let Pull { seen, told, fresh, .. } = pull;
            output::line(format!(
                "{seen} orders read: {fresh} new, {} stand differently, the rest as known.",
                told - fresh
            ))?;
        }
        if !done {
            output::note(format!("Stopped before the end. To go on: {again}"))?;
        } else if !settled {
            output::note("All is read; the rest is processed by the next `upline serve` or command.")?;
        }
        Ok(if done && settled { Outcome::Done } else { Outcome::Failed })
    }

    /// Reads all pages and compares; stores nothing.
    fn count(&self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let Reached { connection, store } = pull::reach(&backend.db, &self.store)?;
        let api = connections::open(&connection, &backend.vault, clock)?;
        let span = self.span(clock.now())?;
        let window = Window { by: span.by, from: self.since, to: span.to };
        let bar = output::bar();
        let (mut all, mut seen, mut cursor) = (Taken::default(), 0, None);
        loop {
            let page = api.orders_in_bulk(&window, cursor.as_deref())?;
            let taken = backend.db.read(Lane::Admin, |conn| pulls::look(conn, &store, &page.items))?;
            all.told += taken.told;
            all.same += taken.same;
            all.unknown += taken.unknown;
            let left = page.remaining.unwrap_or_default();
            bar.set_length(u64::try_from(seen).unwrap_or(0).saturating_add(left));
            seen += page.items.len();
            bar.set_position(u64::try_from(seen).unwrap_or(0));
            if let Some(wait) = page.wait {
                std::thread::sleep(wait);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
        if self.json {
            output::json(
                &json!({"store": self.store, "since": self.since, "until": span.to, "dry_run": true,
                                 "seen": seen, "told": all.told, "new": all.unknown}),
            )?;
            return Ok(Outcome::Done);
        }
        let differ = all.told - all.unknown;
        output::line(format!(
            "{seen} orders read, nothing stored: {} new, {differ} stand differently.",
            all.unknown
        ))?;
        Ok(Outcome::Done)
    }
}

fn show(bar: &ProgressBar, pull: &Pull) {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let seen = i64::from(pull.seen);
    bar.set_length(count(seen.saturating_add(pull.remaining.unwrap_or_default())));
    bar.set_position(count(seen));
    bar.set_message(format!("{} news", pull.told));
}

/// As it may be typed again.
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
