//! `upline period run` and `adjust`: start a run and see it through to its review.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use indicatif::ProgressBar;
use uuid::Uuid;

use super::{Room, show};
use crate::cli::person::By;
use crate::cli::{Outcome, output};
use crate::db::{DbError, Lane};
use crate::periods::{self, Run, RunKind, RunStatus, Worker};
use crate::plans::Plans;

/// Calculate a period: officially once it is frozen, or just to look at it, any time
///
/// Works here, or watches the server do it; either way a killed run is begun again by whoever finds it, and comes to
/// the same result. Exit code 1 if the run fails.
#[derive(Args)]
#[command(after_help = "Examples:
  upline period run 2026-01 --by ann
  upline period run 2026-02 --unofficial --json")]
pub struct RunPeriod {
    name: String,
    /// With what is known now, for looking at only
    #[arg(long)]
    unofficial: bool,
    #[command(flatten)]
    by: By,
}

/// Calculate what later orders, refunds and corrections change of closed periods
///
/// The run covers all closed periods and is posted into the open one, after review and approval like any other.
#[derive(Args)]
#[command(after_help = "Examples:
  upline period adjust
  upline period adjust --into 2026-02 --by ann --json")]
pub struct Adjust {
    /// The period that it is posted into [default: the first that is not frozen]
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    #[command(flatten)]
    by: By,
}

impl RunPeriod {
    pub fn run(self, room: &Room<'_>) -> anyhow::Result<Outcome> {
        let kind = if self.unofficial { RunKind::Unofficial } else { RunKind::Official };
        let run = begun(room, &self.name, kind)?;
        let run = run.map_or_else(|| room.start(&self.name, kind, &self.by), Ok)?;
        see_through(room, run, self.by.json)
    }
}

impl Adjust {
    pub fn run(self, room: &Room<'_>) -> anyhow::Result<Outcome> {
        let into = match self.into {
            Some(name) => name,
            None => room.open_period()?.name,
        };
        let run = begun(room, &into, RunKind::Adjustment)?;
        let run = run.map_or_else(|| room.start(&into, RunKind::Adjustment, &self.by), Ok)?;
        see_through(room, run, self.by.json)
    }
}

/// A run of the kind that waits or was left by somebody who is gone: it goes on, there is no second one.
fn begun(room: &Room<'_>, name: &str, kind: RunKind) -> anyhow::Result<Option<Uuid>> {
    let period = room.named(name)?.period_id;
    let runs = room.backend.db.read(Lane::Admin, |conn| periods::runs(conn, Some(period), i64::MAX))?;
    let waits = |run: &&Run| run.kind == kind && matches!(run.status, RunStatus::Queued | RunStatus::Running);
    let run = runs.iter().find(waits).filter(|_| kind != RunKind::Unofficial);
    if let Some(run) = run {
        output::note(format_args!("Run {} was begun by {} and goes on.", run.run_id, run.created_by))?;
    }
    Ok(run.map(|run| run.run_id))
}

/// How often it is looked how far the run is.
const LOOK: Duration = Duration::from_millis(100);

fn see_through(room: &Room<'_>, run: Uuid, json: bool) -> anyhow::Result<Outcome> {
    let plans = Arc::new(Plans::default());
    let worker = Worker::new(room.backend.db.clone(), plans, room.clock.clone());
    let bar = output::bar();
    let ended = AtomicBool::new(false);
    let run = std::thread::scope(|threads| {
        let working = threads.spawn(|| work(&worker, &ended));
        let watched = watch(room, run, &bar);
        ended.store(true, Ordering::Relaxed);
        match working.join() {
            Ok(worked) => worked?,
            Err(_) => bail!("the calculation panicked"),
        }
        watched
    })?;
    bar.finish_and_clear();
    if run.status == RunStatus::Failed {
        output::note(format_args!("error: {}", run.problem.as_deref().unwrap_or("the run failed")))?;
    }
    show::reviewed(&run, json)?;
    Ok(if run.status == RunStatus::Failed { Outcome::Failed } else { Outcome::Done })
}

/// Until the run has ended, here or elsewhere.
fn work(worker: &Worker, ended: &AtomicBool) -> Result<(), DbError> {
    while !ended.load(Ordering::Relaxed) {
        match worker.work_once() {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(LOOK),
            Err(error) if error.is_transient() => std::thread::sleep(LOOK),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn watch(room: &Room<'_>, run: Uuid, bar: &ProgressBar) -> anyhow::Result<Run> {
    loop {
        let run = room.known(run)?;
        if !matches!(run.status, RunStatus::Queued | RunStatus::Running) {
            return Ok(run);
        }
        if bar.message() != run.stage {
            // Each stage has an end of its own to be estimated.
            bar.reset();
            bar.set_message(run.stage.clone());
        }
        bar.set_length(run.total.unsigned_abs());
        bar.set_position(run.done.unsigned_abs());
        std::thread::sleep(LOOK);
    }
}
