//! What comes of customers after they were forgotten: an order that changes tells their names again. Once an hour it
//! is reduced to what the order needs, like everything before it.

use std::time::Duration;

use tokio::sync::watch;

use super::customers::forget_customer;
use crate::clock::Clock;
use crate::customers::{self, EraseProblem, Erased};
use crate::db::{Db, Lane};
use crate::ingest;

/// In the audit log and beside what was reduced.
const BY: &str = "upline";
const EVERY: Duration = Duration::from_secs(3600);

#[derive(Clone)]
pub struct Forgetter {
    db: Db,
    clock: Clock,
}

impl Forgetter {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Works until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let forgetter = self.clone();
            match tokio::task::spawn_blocking(move || forgetter.round()).await {
                Ok(Ok(Erased { deliveries: 0, .. })) => {}
                Ok(Ok(erased)) => {
                    tracing::info!(erased.deliveries, "forgotten customers were forgotten again")
                }
                Ok(Err(problem)) => {
                    tracing::error!(%problem, "a forgotten customer cannot be forgotten again")
                }
                Err(panic) => tracing::error!(%panic, "forgetting panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Every forgotten customer of whom something came since. Blocking.
    pub fn round(&self) -> Result<Erased, EraseProblem> {
        let told = self.db.read(Lane::Pipeline, customers::told_since_forgotten)?;
        let mut all = Erased::default();
        if told.is_empty() {
            return Ok(all);
        }
        let stores = self.db.read(Lane::Pipeline, ingest::list_stores)?;
        for (store, customer) in told {
            let Some(store) = stores.iter().find(|known| known.id == store) else { continue };
            let now = self.clock.now();
            all += self
                .db
                .transact_or(Lane::Pipeline, |tx| forget_customer(tx, store, (&customer, &[]), BY, now))?;
        }
        Ok(all)
    }
}
