//! Looks after all connected stores on a schedule: their webhooks, their silence.
//!
//! The network may take minutes to say no, so the work is done on threads of its own, one for each store, which
//! nobody waits for when the program ends: every step that is written down can be repeated.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::webhooks::Keeper;
use super::{Connection, ConnectionProblem, listen, notes, repo};
use crate::db::{DbError, Lane};
use crate::telemetry::Metrics;

#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How often the webhooks of a store are looked at.
    pub every: TimeDelta,
    /// A store that delivers nothing for so long although its API shows orders is silent.
    pub silent: TimeDelta,
}

#[derive(Clone)]
pub struct Worker {
    keeper: Keeper,
    metrics: Metrics,
    schedule: Schedule,
    /// What was looked at before is looked at again: our own address may be another since.
    started: DateTime<Utc>,
    /// Stores that a thread is busy with.
    busy: Arc<Mutex<BTreeSet<i32>>>,
    stopped: Arc<AtomicBool>,
}

/// How soon a store that is due is noticed, and an app that was uninstalled.
const TICK: Duration = Duration::from_secs(15);
/// Deliveries are looked at once more this long after they came: some commit later than others.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

impl Worker {
    pub fn new(keeper: Keeper, metrics: Metrics, schedule: Schedule) -> Self {
        let started = keeper.now();
        Self { keeper, metrics, schedule, started, busy: Arc::default(), stopped: Arc::default() }
    }

    /// Works until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut since = self.keeper.now() - self.schedule.silent;
        while !*stop.borrow() {
            let (worker, from) = (self.clone(), since);
            let now = self.keeper.now();
            match tokio::task::spawn_blocking(move || worker.look(from)).await {
                Ok(Ok(())) => since = now - OVERLAP,
                Ok(Err(error)) => tracing::warn!(%error, "stores wait for the database"),
                Err(panic) => tracing::error!(%panic, "the worker of connections panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => {}
            }
        }
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Listens, and starts a thread for each store that is due. Does not wait for them.
    pub fn look(&self, since: DateTime<Utc>) -> Result<(), DbError> {
        let now = self.keeper.now();
        listen::listen(&self.keeper.db, since, now)?;
        let connections = self.keeper.db.read(Lane::Pipeline, repo::list)?;
        for connection in connections.into_iter().filter(|connection| self.is_due(connection, now)) {
            if !self.take(connection.store_id) {
                continue;
            }
            let worker = self.clone();
            let id = connection.store_id;
            let started =
                thread::Builder::new().name(format!("store {}", connection.slug)).spawn(move || {
                    let _given_back = GivenBack { worker: &worker, id };
                    if !worker.stopped.load(Ordering::Relaxed) {
                        worker.work(&connection);
                    }
                });
            if let Err(error) = started {
                tracing::warn!(%error, "no thread for a store");
                self.give_back(id);
            }
        }
        Ok(())
    }

    fn is_due(&self, connection: &Connection, now: DateTime<Utc>) -> bool {
        let since = (now - self.schedule.every).max(self.started);
        !connection.paused && connection.checked_at.is_none_or(|at| at < since)
    }

    fn work(&self, connection: &Connection) {
        let tended = connection.webhooks.then(|| self.keeper.tend(connection));
        match &tended {
            None => {}
            Some(Ok(ensured)) => {
                let mended = ensured.done.iter().filter(|done| done.is_repair()).count();
                let mended = u64::try_from(mended).unwrap_or(u64::MAX);
                self.metrics.webhooks_mended.with_label_values(&[&connection.slug]).inc_by(mended);
            }
            Some(Err(ConnectionProblem::Busy(_))) => return,
            Some(Err(problem)) => {
                tracing::warn!(store = connection.slug, %problem, "webhooks could not be looked at")
            }
        }
        if let Err(error) = self.judge(connection, !matches!(tended, Some(Ok(_)))) {
            tracing::warn!(store = connection.slug, %error, "what was seen of a store could not be written down");
        }
    }

    /// Whether the store is silent; and the numbers of the look.
    fn judge(&self, seen: &Connection, unlooked: bool) -> Result<(), DbError> {
        let now = self.keeper.now();
        let (db, slug) = (&self.keeper.db, seen.slug.as_str());
        let found = db.read(Lane::Pipeline, |conn| repo::connection(conn, slug))?;
        let Some(connection) = found else { return Ok(()) };
        let silent = listen::silence(db, &connection, self.schedule.silent, now)?;
        let rows = db.transact(Lane::Pipeline, |tx| {
            notes::note_silence(tx, &connection, silent, self.schedule.silent.num_hours(), now)?;
            if unlooked {
                // A failed look was one all the same: the next is not due at once.
                repo::note_checked(tx.conn, connection.store(), now)?;
            }
            repo::subscriptions(tx.conn, connection.store())
        })?;
        let broken = rows.iter().filter(|row| row.problem.is_some()).count();
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.webhooks.with_label_values(&[slug, "active"]).set(gauge(rows.len() - broken));
        self.metrics.webhooks.with_label_values(&[slug, "broken"]).set(gauge(broken));
        self.metrics.store_up.with_label_values(&[slug]).set(i64::from(connection.problem.is_none()));
        self.metrics.store_silent.with_label_values(&[slug]).set(i64::from(silent.is_some()));
        Ok(())
    }

    fn take(&self, store: i32) -> bool {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(store)
    }

    fn give_back(&self, store: i32) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&store);
    }
}

/// However the thread ends.
struct GivenBack<'a> {
    worker: &'a Worker,
    id: i32,
}

impl Drop for GivenBack<'_> {
    fn drop(&mut self) {
        self.worker.give_back(self.id);
    }
}
