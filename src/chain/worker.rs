//! Appends beside the requests for as long as the server runs, and gives heads out when they are due.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::heads::{self, HeadProblem};
use super::sequencer::{Sequencer, Step};
use crate::clock::Clock;
use crate::db::{Db, DbError};

/// How soon what was committed is chained.
const POLL: Duration = Duration::from_millis(500);
/// How long the balances may stay behind a chain that hardly grows, and how often heads are looked after.
const TIDY: Duration = Duration::from_secs(10);

pub struct Worker {
    db: Db,
    clock: Clock,
    data_dir: PathBuf,
}

impl Worker {
    pub fn new(db: Db, clock: Clock, data_dir: PathBuf) -> Self {
        Self { db, clock, data_dir }
    }

    /// Works until `stop` says so; then chains what is there and lets go.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut hand = Hand::new(self);
        loop {
            let stopping = *stop.borrow();
            let turn = tokio::task::spawn_blocking(move || {
                let turned = hand.turn(stopping);
                (hand, turned)
            });
            match turn.await {
                Ok((back, turned)) => {
                    hand = back;
                    if let Err(error) = turned {
                        tracing::warn!(%error, "the chain waits");
                    }
                }
                Err(panic) => return tracing::error!(%panic, "the sequencer panicked"),
            }
            if stopping {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

struct Hand {
    worker: Worker,
    sequencer: Sequencer,
    /// `None` until it has chained something.
    tidied: Option<Instant>,
}

impl Hand {
    fn new(worker: Worker) -> Self {
        Self { sequencer: Sequencer::new(worker.db.clone()), tidied: None, worker }
    }

    fn turn(&mut self, stopping: bool) -> Result<(), HeadProblem> {
        let mut worked = false;
        while self.sequencer.step()? == Step::Worked {
            worked = true;
        }
        if stopping || self.tidied.map_or(worked, |at| at.elapsed() >= TIDY) {
            self.tidied = Some(Instant::now());
            tidy(&self.worker.db, &mut self.sequencer, &self.worker.data_dir, self.worker.clock.now())?;
        }
        if stopping {
            self.sequencer.release()?;
        }
        Ok(())
    }
}

fn tidy(db: &Db, sequencer: &mut Sequencer, data_dir: &Path, now: DateTime<Utc>) -> Result<(), HeadProblem> {
    while sequencer.bring_forward()? == Step::Worked {}
    heads::give_due(db, now)?;
    heads::write_file(db, data_dir)
}

/// Chains everything that is committed, for those who work without a server. Where somebody else holds the lease it is
/// left to them for as long as `patience`; `false` when there was still something to do then.
pub fn catch_up(db: &Db, patience: Duration) -> Result<bool, DbError> {
    let mut sequencer = Sequencer::new(db.clone());
    let begun = Instant::now();
    let done = loop {
        match sequencer.step()? {
            Step::Idle => break true,
            Step::Worked => {}
            Step::Elsewhere if begun.elapsed() >= patience => break false,
            Step::Elsewhere => std::thread::sleep(POLL / 10),
        }
    };
    while done && sequencer.bring_forward()? == Step::Worked {}
    sequencer.release()?;
    Ok(done)
}

/// [`catch_up`] and the heads that are due, at the end of a command. A server that is at work does it itself.
pub fn settle(db: &Db, data_dir: &Path, now: DateTime<Utc>) -> Result<(), HeadProblem> {
    if catch_up(db, Duration::ZERO)? {
        heads::give_due(db, now)?;
        heads::write_file(db, data_dir)?;
    }
    Ok(())
}
