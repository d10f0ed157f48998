//! Reconciliation: each day of each store, order by order, from what the store says to what is posted.
//!
//! The store's day is read through its API, page by page, and compared by [`crate::core::reconcile`]. With healing,
//! what is not as the store has it is taken as a delivery and goes the usual road; orders that stand other than
//! their evidence says are assessed again; then it is compared once more. What came of it is kept as a report that
//! nobody changes; the newest of a day counts. A day that could not be read to its end is never clean.

mod due;
mod notice;
mod ours;
mod pass;
mod reading;
mod repo;
mod report;
mod tally;
mod window;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

pub use due::{Due, due};
pub use report::{Cause, Deliveries, Report, Told};
pub use window::{StoreDay, day_of};
pub use worker::Worker;

use crate::clients::{ApiError, StoreApi};
use crate::clock::Clock;
use crate::connections::{self, ConnectionProblem};
use crate::core::ids::StoreId;
use crate::db::{Db, DbError, Lane, Tx, connect};
use crate::ingest::Store;
use crate::orders::Books;
use crate::pulls::Stop;
use crate::vault::Vault;

/// Whether what is found is mended where it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heal {
    Yes,
    No,
}

/// Who wants a day reconciled, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub heal: Heal,
    pub cause: Cause,
    /// An e-mail address, `schedule` or `command line`.
    pub by: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum ReconcileProblem {
    #[error("there is no store {0:?}; the stores are listed by: upline store list")]
    UnknownStore(String),
    #[error("{0} begins at the store only at {1}")]
    NotBegun(NaiveDate, DateTime<Utc>),
    #[error("{0} is no day of the calendar")]
    NoSuchDay(NaiveDate),
    #[error("{1} of the store {0} is being reconciled by somebody else just now; wait for its report")]
    Busy(String, NaiveDate),
    #[error("it was told to stop before the day was read to its end; no report is kept")]
    Stopped,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// How long orders that were healed may take to be recorded and calculated.
#[derive(Clone)]
pub struct Patience {
    /// How often it is looked.
    pub looks: u32,
    /// Between two looks.
    pub pause: Arc<dyn Fn() + Send + Sync>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { looks: 1200, pause: Arc::new(|| std::thread::sleep(Duration::from_millis(100))) }
    }
}

/// Where the truth about a store comes from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Api(&'a dyn StoreApi),
    /// There is an API, and it cannot be opened: why.
    Closed(&'a str),
    /// The store cannot be asked: what we hold is all there is.
    Ours,
}

/// Everything that reconciling needs.
#[derive(Clone)]
pub struct Reconciler {
    pub db: Db,
    pub vault: Vault,
    pub books: Books,
    pub clock: Clock,
    pub patience: Patience,
    /// Ends a reading at its next page.
    pub stop: Arc<Stop>,
    /// Told how many orders of the store's day were read so far.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Reconciles one day of a store and keeps the report. Blocking, for as long as the store takes to answer.
pub fn day(
    db: &Db,
    vault: &Vault,
    books: &Books,
    clock: &Clock,
    store: &str,
    day: NaiveDate,
    heal: Heal,
) -> Result<Report, ReconcileProblem> {
    let reconciler = Reconciler::new(db.clone(), vault.clone(), books.clone(), clock.clone());
    reconciler.day(store, day, &Asked { heal, cause: Cause::Manual, by: "command line" })
}

impl Reconciler {
    pub fn new(db: Db, vault: Vault, books: Books, clock: Clock) -> Self {
        let (patience, stop) = (Patience::default(), Arc::default());
        Self { db, vault, books, clock, patience, stop, progress: Arc::new(|_| {}) }
    }

    /// With the store's own API, when it is connected. A store that is paused is asked too: somebody wants to know.
    pub fn day(&self, slug: &str, day: NaiveDate, asked: &Asked<'_>) -> Result<Report, ReconcileProblem> {
        let connection = self.db.read(Lane::Pipeline, |conn| connections::connection(conn, slug))?;
        let Some(connection) = connection else {
            return self.day_of(Source::Ours, Tz::UTC, slug, day, asked);
        };
        let opened = match connections::open(&connection, &self.vault, &self.clock) {
            Ok(api) => Ok(api),
            Err(ConnectionProblem::Db(error)) => return Err(error.into()),
            Err(problem) => Err(problem.to_string()),
        };
        let source = match &opened {
            Ok(api) => Source::Api(api.as_ref()),
            Err(why) => Source::Closed(why),
        };
        self.day_of(source, connection.tz(), slug, day, asked)
    }

    /// With a source of the caller's; the day is one of the given zone.
    pub fn day_of(
        &self,
        source: Source<'_>,
        zone: Tz,
        slug: &str,
        day: NaiveDate,
        asked: &Asked<'_>,
    ) -> Result<Report, ReconcileProblem> {
        let store = self.store(slug)?;
        let now = self.clock.now();
        let day = StoreDay::new(day, zone).ok_or(ReconcileProblem::NoSuchDay(day))?;
        if day.from > now {
            return Err(ReconcileProblem::NotBegun(day.day, day.from));
        }
        // The lock is the session's: whoever dies lets it go.
        let mut session = connect(self.db.url())?;
        if !repo::try_claim(&mut session, store.id, day.day)? {
            return Err(ReconcileProblem::Busy(store.slug, day.day));
        }
        let found = match source {
            Source::Api(api) => reading::of_store(self, api, &store, day, asked.heal)?,
            Source::Closed(why) => reading::Found::nothing(why),
            Source::Ours => reading::of_ours(self, &store, day, asked.heal)?,
        };
        let report = report::keep(self, &store, day, asked, now, found)?;
        drop(session);
        Ok(report)
    }

    fn store(&self, slug: &str) -> Result<Store, ReconcileProblem> {
        let stores = self.db.read(Lane::Pipeline, |conn| self.books.stores.all(conn))?;
        let found = stores.iter().find(|store| store.slug == slug).cloned();
        found.ok_or_else(|| ReconcileProblem::UnknownStore(slug.to_owned()))
    }

    fn note(&self, store: StoreId, outcome: Result<(), &ApiError>) -> Result<(), DbError> {
        let problem = outcome.err().filter(|error| !error.is_temporary()).map(ToString::to_string);
        if outcome.is_err() && problem.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        self.db.transact(Lane::Pipeline, |tx| connections::note_outcome(tx, store, problem.as_deref(), now))
    }
}

/// Somebody wants a day reconciled as soon as the worker gets to it.
pub fn request(
    tx: &mut Tx<'_>,
    store: StoreId,
    day: NaiveDate,
    heal: Heal,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    repo::write::request(tx.conn, store, day, heal == Heal::Yes, by, now)
}
