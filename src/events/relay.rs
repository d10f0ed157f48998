//! Drives one consumer: arm the doorbell, look, claim, handle, complete; sleep only when there was nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::outbox::{self, Event};
use super::{Bus, Instance, Topic};
use crate::db::{Db, DbError, Lane, Tx};

/// A room's reaction to a topic. Called with a batch inside one database transaction; what it writes there
/// commits together with the batch's completion, or not at all. Must be safe to run again on the same events.
pub trait Consumer: Send + Sync + 'static {
    fn topic(&self) -> Topic;
    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError>;
}

pub struct Relay {
    db: Db,
    bus: Arc<Bus>,
    instance: Arc<Instance>,
    consumer: Box<dyn Consumer>,
}

const BATCH: i64 = 256;
/// How long a lost ring can cost.
const POLL: Duration = Duration::from_millis(500);

impl Relay {
    pub fn new(db: Db, bus: Arc<Bus>, instance: Arc<Instance>, consumer: impl Consumer) -> Self {
        Self { db, bus, instance, consumer: Box::new(consumer) }
    }

    /// Works until `stop` says so; a batch that has begun is finished.
    pub async fn run(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        let relay = Arc::new(self);
        let bus = relay.bus.clone();
        let bell = bus.bell(relay.consumer.topic());
        while !*stop.borrow() {
            let ring = bell.notified();
            tokio::pin!(ring);
            ring.as_mut().enable();
            if relay.clone().look().await {
                continue;
            }
            tokio::select! {
                () = ring => {}
                () = tokio::time::sleep(POLL) => relay.clone().recover().await,
                _ = stop.changed() => {}
            }
        }
    }

    /// Did one batch? Off the async threads, because the work blocks.
    async fn look(self: Arc<Self>) -> bool {
        let topic = self.consumer.topic().name();
        match tokio::task::spawn_blocking(move || self.work_once()).await {
            Ok(Ok(worked)) => worked,
            Ok(Err(error)) => {
                tracing::warn!(topic, error = %Chain(&error), "consumer waits for the database");
                tokio::time::sleep(POLL).await;
                false
            }
            Err(panic) => {
                tracing::error!(topic, %panic, "consumer panicked outside of its work");
                false
            }
        }
    }

    async fn recover(self: Arc<Self>) {
        let done = tokio::task::spawn_blocking(move || {
            self.instance.ensure_registered()?;
            let me = self.instance.id();
            self.db.transact(Lane::Pipeline, |tx| super::instance::free_leases_of_the_dead(tx, me))
        });
        if let Ok(Ok(freed @ 1..)) = done.await {
            tracing::info!(freed, "took over work of a process that is gone");
        }
    }

    /// Claims and handles one batch; `false` when there was nothing to do. Blocking.
    pub fn work_once(&self) -> Result<bool, DbError> {
        let topic = self.consumer.topic();
        let owner = self.instance.id();
        let events = self.db.transact(Lane::Pipeline, |tx| outbox::claim(tx, topic, owner, BATCH))?;
        if events.is_empty() {
            return Ok(false);
        }
        match self.attempt(&events) {
            Ok(()) => Ok(true),
            Err(Failed::Passing(error)) => {
                self.db.transact(Lane::Pipeline, |tx| outbox::release(tx, topic, owner, &events))?;
                Err(error)
            }
            Err(Failed::Broken(error)) => self.one_by_one(&events, error).map(|()| true),
        }
    }

    /// The batch failed as a whole: find whom to blame, let the rest go on.
    fn one_by_one(&self, events: &[Event], batch_error: String) -> Result<(), DbError> {
        let topic = self.consumer.topic();
        for event in events {
            let failed = match events {
                [_] => Err(Failed::Broken(batch_error.clone())),
                _ => self.attempt(std::slice::from_ref(event)),
            };
            match failed {
                Ok(()) => {}
                Err(Failed::Passing(error)) => {
                    let event = std::slice::from_ref(event);
                    let owner = self.instance.id();
                    self.db.transact(Lane::Pipeline, |tx| outbox::release(tx, topic, owner, event))?;
                    tracing::warn!(topic = topic.name(), error = %Chain(&error), "event released");
                }
                Err(Failed::Broken(error)) => {
                    tracing::error!(topic = topic.name(), key = %event.key, attempts = event.attempts, error, "event failed");
                    self.db.transact(Lane::Pipeline, |tx| outbox::fail(tx, topic, event, &error))?;
                }
            }
        }
        Ok(())
    }

    fn attempt(&self, events: &[Event]) -> Result<(), Failed> {
        let topic = self.consumer.topic();
        let owner = self.instance.id();
        let work = || {
            self.db.transact(Lane::Pipeline, |tx| {
                self.consumer.handle(tx, events)?;
                outbox::complete(tx, topic, owner, events)
            })
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.is_transient() => Err(Failed::Passing(error)),
            Ok(Err(error)) => Err(Failed::Broken(Chain(&error).to_string())),
            Err(panic) => Err(Failed::Broken(format!("panicked: {}", panic_text(&*panic)))),
        }
    }
}

enum Failed {
    /// The database's trouble, not the event's.
    Passing(DbError),
    Broken(String),
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// An error with all its sources on one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
