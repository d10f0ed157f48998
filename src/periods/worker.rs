//! Calculates runs that wait, one at a time.
//!
//! A run belongs to the session that holds its lock. When the process dies the lock is free, and whoever finds the
//! run begins it again from its start: it reads the same facts, so it comes to the same result.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::problem::CalculationProblem;
use super::repo::runs::Run;
use super::repo::{self, rows as tables};
use super::rows::{Rows, StandingRow};
use super::scope::Scope;
use super::summary::Summary;
use super::words::{RunKind, RunStage};
use super::{adjust, life, single};
use crate::clock::Clock;
use crate::db::{Conn, Db, DbError, Lane, Tx, connect};
use crate::plans::Plans;

#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub plans: Arc<Plans>,
    pub clock: Clock,
    /// Set when the program ends: a run that is being calculated is left to the next start.
    pub stopped: Arc<AtomicBool>,
}

/// How soon a run is noticed.
const POLL: Duration = Duration::from_millis(500);
/// How often it is looked whether another period has begun.
const CALENDAR: u32 = 120;
/// A run that was begun so often and never came to its end ends its process itself.
const ATTEMPTS: i32 = 3;
/// Rows in one statement.
const BATCH: usize = 10_000;

impl Worker {
    pub fn new(db: Db, plans: Arc<Plans>, clock: Clock) -> Self {
        Self { db, plans, clock, stopped: Arc::default() }
    }

    /// Works until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut polls = 0u32;
        while !*stop.borrow() {
            let (worker, first) = (self.clone(), polls.is_multiple_of(CALENDAR));
            let looking = tokio::task::spawn_blocking(move || worker.look(first));
            tokio::pin!(looking);
            let looked = tokio::select! {
                looked = &mut looking => looked,
                _ = stop.changed() => {
                    self.stopped.store(true, Ordering::Relaxed);
                    looking.await
                }
            };
            polls = polls.wrapping_add(1);
            match looked {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "runs wait for the database"),
                Err(panic) => tracing::error!(%panic, "the worker of runs panicked outside of its work"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    fn look(&self, calendar: bool) -> Result<bool, DbError> {
        if calendar {
            self.db.transact(Lane::Pipeline, |tx| {
                let published = self.plans.get(tx.conn)?;
                life::ensure(tx, &published, self.clock.now())
            })?;
        }
        self.work_once()
    }

    /// Calculates the first run that waits and is nobody's; `false` when there is none. Blocking.
    pub fn work_once(&self) -> Result<bool, DbError> {
        for run in self.db.read(Lane::Pipeline, repo::runs::waiting)? {
            // The lock is the session's, and reading takes longer than the pools allow.
            let mut session = connect(self.db.url())?;
            if !repo::runs::try_claim(&mut session, run.run_id)? {
                continue;
            }
            if self.work(&mut session, run.run_id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `false` when it was not to be calculated any more.
    fn work(&self, session: &mut Conn, run_id: Uuid) -> Result<bool, DbError> {
        let now = self.clock.now();
        let begun = self.db.transact(Lane::Pipeline, |tx| repo::runs::begin(tx.conn, run_id, now))?;
        let Some(attempts) = begun else { return Ok(false) };
        if attempts > ATTEMPTS {
            let problem = format!(
                "the run was begun {ATTEMPTS} times and its process or its database session ended each time; look for why \
                 in the log, memory first, and start another run"
            );
            return self.fail(run_id, &problem);
        }
        let work = || self.calculate(session, run_id);
        let problem = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(CalculationProblem::Stopped)) => {
                self.db.transact(Lane::Pipeline, |tx| repo::runs::give_back(tx.conn, run_id))?;
                return Ok(true);
            }
            Ok(Err(CalculationProblem::Db(error))) if error.is_transient() => return Err(error),
            Ok(Err(problem)) => told(&problem),
            Err(_) => "the calculation panicked; the log says where".to_owned(),
        };
        self.fail(run_id, &problem)
    }

    fn fail(&self, run_id: Uuid, problem: &str) -> Result<bool, DbError> {
        tracing::error!(run = %run_id, problem, "a run failed");
        let now = self.clock.now();
        self.db.transact(Lane::Pipeline, |tx| repo::runs::fail(tx.conn, run_id, problem, now))?;
        Ok(true)
    }

    fn calculate(&self, session: &mut Conn, run_id: Uuid) -> Result<(), CalculationProblem> {
        let missing = || DbError::Damaged(format!("run {run_id}"));
        let run = repo::runs::run(session, run_id)?.ok_or_else(missing)?;
        let calculated = self.compute(session, &run)?;
        calculated.rows.check().map_err(CalculationProblem::Refused)?;
        self.write(&run, calculated)
    }

    /// The stages that only read.
    pub(super) fn compute(&self, conn: &mut Conn, run: &Run) -> Result<Calculated, CalculationProblem> {
        let periods = repo::periods::all(conn)?;
        let published = self.plans.get(conn)?;
        let mut progress = |stage, done, total| self.progress(run.run_id, stage, done, total);
        if run.kind == RunKind::Adjustment {
            let found = adjust::calculate(conn, run, &periods, &published, None, &mut progress)?;
            let plan = run.plan()?;
            let plan = published.by_hash(plan).ok_or_else(|| DbError::Damaged(format!("plan {plan}")))?;
            let currency = plan.currency().to_string();
            let summary = Summary::of_adjustment(&found.rows, found.corrected, currency)?;
            return Ok(Calculated { rows: found.rows, summary });
        }
        let (result, rows) = single::calculate(conn, run, &periods, &published, &mut progress)?;
        let is_first = periods.first().is_some_and(|first| first.period_id == run.period_id);
        let carried = is_first || rows.periods.iter().any(|period| period.carried_run_id.is_some());
        let summary = Summary::of(&result, &rows, carried)?;
        Ok(Calculated { rows, summary })
    }

    /// All rows in one database transaction: a run is there as a whole or not at all.
    pub(super) fn write(&self, run: &Run, calculated: Calculated) -> Result<(), CalculationProblem> {
        let Calculated { rows, summary } = calculated;
        let now = self.clock.now();
        let stopped = Cell::new(false);
        let written = self.db.transact(Lane::Pipeline, |tx| {
            let mut summary = summary.clone();
            self.write_rows(tx, run.run_id, &rows, &stopped)?;
            let periods = repo::periods::all(tx.conn)?;
            let (period, before) = single::find(&periods, run.period_id)?;
            let scope = Scope::of(period, before, run.cutoff_seq);
            if run.kind != RunKind::Adjustment {
                summary.look_around(tx.conn, run.run_id, period, &scope)?;
            }
            let wanted =
                repo::runs::finish(tx.conn, run.run_id, &rows.hash, &serde_json::to_value(&summary)?, now)?;
            stopped.set(!wanted);
            if wanted { Ok(()) } else { Err(DbError::Fenced("a run")) }
        });
        if stopped.get() { Err(CalculationProblem::Stopped) } else { Ok(written?) }
    }

    /// `stopped` is set when it was not to be written after all.
    fn write_rows(
        &self,
        tx: &mut Tx<'_>,
        run_id: Uuid,
        rows: &Rows,
        stopped: &Cell<bool>,
    ) -> Result<(), DbError> {
        let Rows { awards, cuts, pools, standings, lots, periods, .. } = rows;
        let total: usize = [awards.len(), cuts.len(), standings.len(), lots.len()].iter().sum();
        let mut written = 0usize;
        let mut tell = |more: usize| {
            written += more;
            let (done, total) = (i64::try_from(written).unwrap_or(0), i64::try_from(total).unwrap_or(0));
            self.progress(run_id, RunStage::Writing, done, total).map_err(|problem| {
                stopped.set(matches!(problem, CalculationProblem::Stopped));
                DbError::from(problem)
            })
        };
        tables::clear(tx.conn, run_id)?;
        let mut first = 1;
        for batch in awards.chunks(BATCH) {
            tables::insert_awards(tx.conn, run_id, first, batch)?;
            first += i32::try_from(batch.len()).unwrap_or(i32::MAX);
            tell(batch.len())?;
        }
        for batch in cuts.chunks(BATCH) {
            tables::insert_cuts(tx.conn, run_id, batch)?;
            tell(batch.len())?;
        }
        tables::insert_pools(tx.conn, run_id, pools)?;
        for batch in standings.chunks(BATCH) {
            let batch: &[StandingRow] = batch;
            tables::insert_standings(tx.conn, run_id, batch)?;
            tell(batch.len())?;
        }
        let mut first = 1;
        for batch in lots.chunks(BATCH) {
            tables::insert_lots(tx.conn, run_id, first, batch)?;
            first += i32::try_from(batch.len()).unwrap_or(i32::MAX);
            tell(batch.len())?;
        }
        repo::runs::set_run_periods(tx.conn, run_id, periods)
    }

    fn progress(
        &self,
        run_id: Uuid,
        stage: RunStage,
        done: i64,
        total: i64,
    ) -> Result<(), CalculationProblem> {
        // Another connection: what is being written is not visible yet, and this has to be.
        let told = self
            .db
            .transact(Lane::Pipeline, |tx| repo::runs::progress(tx.conn, run_id, stage, (done, total)))?;
        let stopped = self.stopped.load(Ordering::Relaxed);
        if told && !stopped { Ok(()) } else { Err(CalculationProblem::Stopped) }
    }
}

/// What a run has come to, before it is written.
pub(super) struct Calculated {
    pub rows: Rows,
    pub summary: Summary,
}

/// With all its causes.
fn told(problem: &CalculationProblem) -> String {
    let mut text = problem.to_string();
    let mut source = std::error::Error::source(problem);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
