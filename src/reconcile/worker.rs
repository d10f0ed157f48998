//! Reconciles the days that are due, in the background, a few at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::due::{self, Due, DueDays};
use super::repo::days;
use super::{Asked, ReconcileProblem, Reconciler};
use crate::db::{DbError, Lane};
use crate::settings;

#[derive(Clone)]
pub struct Worker {
    reconciler: Reconciler,
    settings: settings::Reconcile,
    /// Changes before that are known.
    since: Arc<Mutex<Option<DateTime<Utc>>>>,
}

/// How soon a day that somebody asked for is begun.
const POLL: Duration = Duration::from_secs(2);
/// The schedule is looked at only so often.
const SCHEDULE: u32 = 30;
/// Days in one round: the programs' other work goes on between them.
const MOST: usize = 4;
/// Deliveries are worked on after they got their id.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

impl Worker {
    pub fn new(reconciler: Reconciler, settings: settings::Reconcile) -> Self {
        Self { reconciler, settings, since: Arc::default() }
    }

    /// Works until `stop` says so; a day that is being read then is begun again by the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut polls = 0u32;
        while !*stop.borrow() {
            let (worker, scheduled) = (self.clone(), polls.is_multiple_of(SCHEDULE));
            let looking = tokio::task::spawn_blocking(move || worker.look(scheduled));
            tokio::pin!(looking);
            let looked = tokio::select! {
                looked = &mut looking => looked,
                _ = stop.changed() => {
                    self.reconciler.stop.say();
                    looking.await
                }
            };
            polls = polls.wrapping_add(1);
            match looked {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "reconciliation waits for the database"),
                Err(panic) => tracing::error!(%panic, "reconciliation panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    fn look(&self, scheduled: bool) -> Result<usize, DbError> {
        let asked_for = || self.reconciler.db.read(Lane::Pipeline, days::requests);
        if scheduled || !asked_for()?.is_empty() { self.round() } else { Ok(0) }
    }

    /// Reconciles what is due, the oldest days first, up to a few. Returns how many. Blocking.
    pub fn round(&self) -> Result<usize, DbError> {
        let now = self.reconciler.clock.now();
        let since = self.since(now)?;
        let DueDays { days, waits } =
            self.reconciler.db.read(Lane::Pipeline, |conn| due::due(conn, &self.settings, since, now))?;
        let more = days.len() > MOST;
        let mut failed: Vec<String> = vec![];
        let mut done = 0;
        for day in days.into_iter().take(MOST) {
            if failed.contains(&day.store) || self.reconciler.stop.is_said() {
                continue;
            }
            done += 1;
            if !self.one(&day)? {
                failed.push(day.store);
            }
        }
        // What is left over must be found again.
        if !more && !waits && failed.is_empty() {
            *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(now - OVERLAP);
        }
        Ok(done)
    }

    fn since(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
        let known = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(known) => Ok(known),
            None => {
                self.reconciler.db.read(Lane::Pipeline, |conn| due::remembered(conn, &self.settings, now))
            }
        }
    }

    /// `false` when the store could not be read to the end of the day.
    fn one(&self, due: &Due) -> Result<bool, DbError> {
        let asked = Asked { heal: due.heal, cause: due.cause, by: &due.by };
        match self.reconciler.day(&due.store, due.day, &asked) {
            Ok(report) => {
                let (store, day, state) = (&report.store, report.day, report.state.name());
                tracing::info!(store, %day, state, differences = report.differences.len(), "reconciled");
                Ok(report.incomplete.is_none())
            }
            Err(ReconcileProblem::Db(error)) if error.is_transient() => Err(error),
            // Whoever does it writes the report; or the next start does.
            Err(ReconcileProblem::Busy(..) | ReconcileProblem::Stopped) => Ok(true),
            Err(problem) => {
                tracing::error!(store = due.store, day = %due.day, %problem, "a day cannot be reconciled");
                let forget = |tx: &mut crate::db::Tx<'_>| days::forget(tx.conn, &due.store, due.day);
                self.reconciler.db.transact(Lane::Pipeline, forget)?;
                Ok(false)
            }
        }
    }
}
