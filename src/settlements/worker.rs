//! Keeps holdbacks, releases and write-offs up to date, in the background and whenever somebody is about to pay.

use std::time::Duration;

use tokio::sync::watch;

use super::{debts, hold, release};
use crate::clock::Clock;
use crate::db::{Db, DbError, Lane};

#[derive(Clone)]
pub struct Worker {
    db: Db,
    clock: Clock,
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Settled {
    /// Facts of orders and runs that were looked at.
    pub seen: usize,
    pub released: usize,
    pub written_off: usize,
}

const EVERY: Duration = Duration::from_secs(10);

impl Worker {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Works until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let worker = self.clone();
            match tokio::task::spawn_blocking(move || settle(&worker.db, &worker.clock)).await {
                Ok(Ok(Settled { released: 0, written_off: 0, .. })) => {}
                Ok(Ok(settled)) => tracing::info!(settled.released, settled.written_off, "settled"),
                Ok(Err(error)) => tracing::warn!(%error, "settling waits for the database"),
                Err(panic) => tracing::error!(%panic, "settling panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Does everything that is due, a bounded part in each database transaction. Blocking.
pub fn settle(db: &Db, clock: &Clock) -> Result<Settled, DbError> {
    let mut settled = Settled::default();
    let now = clock.now();
    let until_nothing = |work: fn(&mut crate::db::Tx<'_>, _) -> Result<usize, DbError>| {
        let mut all = 0usize;
        loop {
            match db.transact(Lane::Pipeline, |tx| work(tx, now))? {
                0 => return Ok::<_, DbError>(all),
                done => all = all.saturating_add(done),
            }
        }
    };
    settled.seen = until_nothing(hold::orders)?.saturating_add(until_nothing(hold::run)?);
    settled.released = until_nothing(release::release)?;
    settled.written_off = db.transact(Lane::Pipeline, |tx| debts::write_off(tx, now))?;
    Ok(settled)
}
