//! Reads what is due, of every connected store, beside everything else.
//!
//! Each store has a thread of its own while it is read, so that a slow one holds nobody back. The threads are
//! not waited for at the end of the program beyond a short grace: whatever is cut off goes on from its cursor.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use super::due::{OWN, kinds, known, known_now};
use super::health::{self, Of, Trouble};
use super::repo::turn::Turn;
use super::repo::{marks, windows};
use super::rhythm::Rhythm;
use super::run::run_in;
use super::{Cause, Job, Kind, Means, Pull, PullProblem, Stop};
use crate::clients::StoreApi;
use crate::clock::Clock;
use crate::connections::{self, Connection, ConnectionProblem};
use crate::db::{Conn, Db, DbError, Lane};
use crate::ingest::{self, Store};
use crate::settings;
use crate::telemetry::Metrics;

/// Makes the client of a connected store.
pub type Opener = dyn Fn(&Connection) -> Result<Box<dyn StoreApi>, ConnectionProblem> + Send + Sync;

#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub clock: Clock,
    pub settings: settings::Pulls,
    pub open: Arc<Opener>,
    pub metrics: Metrics,
    pub stop: Arc<Stop>,
    /// Stores that are being read by us.
    busy: Arc<Mutex<BTreeSet<i32>>>,
}

/// How soon it is noticed that something is due, or that a store was connected.
const LOOK: Duration = Duration::from_secs(2);
/// Stores that are read at a time.
const AT_ONCE: usize = 16;
/// How long the end of the program waits for pages that are being read.
const GRACE: Duration = Duration::from_secs(3);
/// Who the worker is in the table of pulls.
const SCHEDULE: &str = "schedule";

impl Worker {
    pub fn new(db: Db, clock: Clock, settings: settings::Pulls, open: Arc<Opener>, metrics: Metrics) -> Self {
        Self { db, clock, settings, open, metrics, stop: Arc::default(), busy: Arc::default() }
    }

    /// Works until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let worker = self.clone();
            match tokio::task::spawn_blocking(move || worker.look()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "pulls wait for the database"),
                Err(panic) => tracing::error!(%panic, "the worker of pulls panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => {}
            }
        }
        self.stop.say();
        let idle = async {
            while self.is_busy() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(GRACE, idle).await.is_err() {
            tracing::info!("a store is slow to answer; its pull goes on at the next start");
        }
    }

    /// Whether anything is being read by this worker.
    pub fn is_busy(&self) -> bool {
        !self.busy.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Starts to read every store of which something is due and that nobody here reads already.
    pub fn look(&self) -> Result<(), DbError> {
        let due = self.db.read(Lane::Pipeline, |conn| self.due(conn))?;
        for (connection, store) in due {
            let Some(place) = self.place(connection.store_id) else { continue };
            let worker = self.clone();
            let begun = thread::Builder::new().name(format!("pull {}", store.slug)).spawn(move || {
                let _place = place;
                worker.pull_store(&connection, &store);
            });
            if let Err(error) = begun {
                tracing::error!(%error, "no thread for a pull");
            }
        }
        Ok(())
    }

    fn due(&self, conn: &mut Conn) -> Result<Vec<(Connection, Store)>, DbError> {
        let connections: Vec<Connection> =
            connections::list(conn)?.into_iter().filter(|connection| !connection.paused).collect();
        if connections.is_empty() {
            return Ok(vec![]);
        }
        let stores = ingest::list_stores(conn)?;
        let (marks, unfinished) = (marks::marks(conn, None)?, windows::unfinished(conn, None, &OWN)?);
        let now = self.clock.now();
        let is_due = |connection: &Connection| {
            kinds().any(|kind| {
                let known = known(connection, kind, &marks, &unfinished);
                Rhythm::of(kind, &self.settings).due(&known, now).is_some()
            })
        };
        Ok(connections
            .into_iter()
            .filter(is_due)
            .filter_map(|connection| {
                let store = stores.iter().find(|store| store.id.0 == connection.store_id)?.clone();
                Some((connection, store))
            })
            .collect())
    }

    /// `None` while the store is read already, or too many are.
    fn place(&self, store: i32) -> Option<Place> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let free = busy.len() < AT_ONCE && busy.insert(store);
        free.then(|| Place { busy: self.busy.clone(), store })
    }

    /// Reads what is due of one store, one kind after the other. Blocking.
    pub fn pull_store(&self, connection: &Connection, store: &Store) {
        for kind in kinds() {
            if self.stop.is_said() {
                return;
            }
            let work = || self.pull_kind(connection, store, kind);
            match catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(())) => {}
                Ok(Err(PullProblem::Db(error))) => {
                    tracing::warn!(store = store.slug, %kind, %error, "a pull waits for the database");
                }
                Ok(Err(problem)) => {
                    self.metrics.pull_failures.with_label_values(&[store.slug.as_str(), kind.name()]).inc();
                    tracing::warn!(store = store.slug, %kind, %problem, "a pull failed");
                }
                Err(_) => tracing::error!(store = store.slug, %kind, "a pull panicked"),
            }
        }
    }

    fn pull_kind(&self, connection: &Connection, store: &Store, kind: Kind) -> Result<(), PullProblem> {
        let Some(turn) = Turn::take(&self.db, store.id, kind, Cause::Schedule)? else { return Ok(()) };
        // Asked again: whoever had the turn before may have read it.
        let known = self.db.read(Lane::Pipeline, |conn| known_now(conn, connection, kind))?;
        let Some((cause, span)) = Rhythm::of(kind, &self.settings).due(&known, self.clock.now()) else {
            return Ok(());
        };
        let api = self.open(connection, store, kind)?;
        let job = Job { store, kind, cause, span, by: SCHEDULE };
        let mut told = None;
        let mut tell = |pull: &Pull| {
            let news = u64::try_from(pull.told - told.unwrap_or(pull.told)).unwrap_or(0);
            told = Some(pull.told);
            self.metrics.pull_news.with_label_values(&[store.slug.as_str(), kind.name()]).inc_by(news);
        };
        let means = Means { db: &self.db, clock: &self.clock, stop: &self.stop };
        run_in(&turn, means, api.as_ref(), &job, &mut tell).map(drop)
    }

    /// A client that cannot be made is as unreachable as a store that does not answer.
    fn open(
        &self,
        connection: &Connection,
        store: &Store,
        kind: Kind,
    ) -> Result<Box<dyn StoreApi>, PullProblem> {
        (self.open)(connection).map_err(|problem| {
            let of = Of { store: store.id, slug: &store.slug, kind };
            let (text, now) = (problem.to_string(), self.clock.now());
            match self.db.transact(Lane::Pipeline, |tx| health::failed(tx, of, Trouble::Store(&text), now)) {
                Ok(()) => PullProblem::Connection(problem),
                Err(error) => PullProblem::Db(error),
            }
        })
    }
}

/// A store that is being read; given back when it is dropped.
struct Place {
    busy: Arc<Mutex<BTreeSet<i32>>>,
    store: i32,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.store);
    }
}
