//! PostgreSQL: the one store.
//!
//! [`Db::transact`] is the only way to write. It runs a closure in one database transaction, runs it again when
//! the database asks for that, and rings the doorbells that the closure collected only after COMMIT. A COMMIT
//! whose answer was lost may have happened, so every closure has to be safe to run again.

mod address;
mod cached;
pub mod embedded;
mod error;
mod migrate;
mod pool;
mod server;

use std::sync::Arc;

use diesel::{Connection, PgConnection};
use tokio::sync::Semaphore;

pub use address::{on_database, without_password};
pub use cached::{Cached, bump};
pub use error::DbError;
pub use migrate::{Migrated, migrate, pending};
pub use pool::{Lane, PATIENCE, connect};
pub use server::{OLDEST_MAJOR, ServerFacts, server_facts};

use pool::Pools;

/// A connection, whatever it is doing. Named here so that only SQL knows the driver.
pub type Conn = PgConnection;

/// Hears, after a commit, that there may be work on a topic. Carries no data: a lost ring costs one poll.
pub trait Doorbell: Send + Sync {
    fn ring(&self, topic: &'static str);
}

#[derive(Clone)]
pub struct Db {
    url: String,
    pools: Pools,
    /// As many blocking calls as there are connections; the rest waits without holding a thread.
    permits: Arc<[(Lane, Semaphore)]>,
    doorbell: Arc<dyn Doorbell>,
}

/// An open database transaction. Functions that write take one; none takes the pool.
pub struct Tx<'a> {
    pub conn: &'a mut PgConnection,
    after: &'a mut After,
}

/// What waits for the COMMIT.
#[derive(Default)]
struct After {
    rings: Vec<&'static str>,
    hooks: Vec<Box<dyn FnOnce()>>,
}

impl Tx<'_> {
    /// Rings after COMMIT.
    pub fn ring(&mut self, topic: &'static str) {
        if !self.after.rings.contains(&topic) {
            self.after.rings.push(topic);
        }
    }

    /// Runs once the COMMIT has returned; for measuring, never for money.
    pub fn after_commit(&mut self, hook: impl FnOnce() + 'static) {
        self.after.hooks.push(Box::new(hook));
    }
}

const ATTEMPTS: u32 = 5;

impl Db {
    /// Connects lazily: a database that is down makes calls fail, not this one.
    pub fn new(url: &str, doorbell: Arc<dyn Doorbell>) -> Self {
        let permits = Lane::ALL
            .map(|lane| (lane, Semaphore::new(usize::try_from(lane.connections()).unwrap_or(1))))
            .into_iter()
            .collect();
        Self { url: url.to_owned(), pools: Pools::new(url), permits, doorbell }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs `work` in one database transaction and rings its doorbells. Blocking.
    pub fn transact<T>(
        &self,
        lane: Lane,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut attempt = 1;
        loop {
            let mut after = After::default();
            let result = self
                .pools
                .get(lane)
                .and_then(|mut conn| conn.transaction(|conn| work(&mut Tx { conn, after: &mut after })));
            match result {
                Err(DbError::Contended(error)) if attempt < ATTEMPTS => {
                    tracing::debug!(attempt, %error, "running a database transaction again");
                    std::thread::sleep(std::time::Duration::from_millis(5 << attempt));
                    attempt += 1;
                }
                Ok(value) => {
                    after.rings.into_iter().for_each(|topic| self.doorbell.ring(topic));
                    after.hooks.into_iter().for_each(|hook| hook());
                    return Ok(value);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// [`Db::transact`] for work that can also refuse with a problem of its own; then nothing is written.
    pub fn transact_or<T, E: From<DbError> + std::fmt::Display>(
        &self,
        lane: Lane,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut refused = None;
        let done = self.transact(lane, |tx| {
            work(tx).map_err(|problem| {
                let undone = DbError::Invariant(problem.to_string());
                refused = Some(problem);
                undone
            })
        });
        done.map_err(|error| refused.unwrap_or_else(|| error.into()))
    }

    /// Reads outside of an explicit database transaction. Blocking.
    pub fn read<T>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut PgConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        work(&mut *self.pools.get(lane)?)
    }

    /// [`Db::transact`] for async callers.
    pub async fn transact_async<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.blocking(lane, move |db| db.transact(lane, work)).await
    }

    /// [`Db::transact_or`] for async callers.
    pub async fn transact_or_async<T, E>(
        &self,
        lane: Lane,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, DbError>
    where
        T: Send + 'static,
        E: From<DbError> + std::fmt::Display + Send + 'static,
    {
        self.blocking(lane, move |db| Ok(db.transact_or(lane, work))).await
    }

    /// [`Db::read`] for async callers.
    pub async fn read_async<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut PgConnection) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.blocking(lane, move |db| db.read(lane, work)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&Db) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let permits = self.permits.iter().find(|(of, _)| *of == lane).map(|(_, permits)| permits);
        let permits = permits.ok_or(DbError::Busy)?;
        let _permit = tokio::time::timeout(PATIENCE, permits.acquire())
            .await
            .map_err(|_| DbError::Busy)?
            .map_err(|_| DbError::Busy)?;
        let db = self.clone();
        tokio::task::spawn_blocking(move || work(&db))
            .await
            .map_err(|panic| DbError::Invariant(format!("a database call panicked: {panic}")))?
    }
}
