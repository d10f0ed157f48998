//! Sends what was raised and resolved, again until it went through.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::channel::Channel;
use super::repo;
use crate::clock::Clock;
use crate::db::{Db, DbError, Lane};

pub struct Sender {
    db: Db,
    clock: Clock,
    channels: Vec<Channel>,
    /// Of the page that lists notices.
    link: String,
}

const PAUSE: Duration = Duration::from_secs(10);

impl Sender {
    pub fn new(db: Db, clock: Clock, channels: Vec<Channel>, link: String) -> Arc<Self> {
        Arc::new(Self { db, clock, channels, link })
    }

    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !self.channels.is_empty() && !*stop.borrow() {
            let sender = self.clone();
            match tokio::task::spawn_blocking(move || sender.round()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "notices wait for the database"),
                Err(error) => tracing::error!(%error, "sending notices panicked"),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Sends what is due now. Returns how many went through. Blocking.
    pub fn round(&self) -> Result<usize, DbError> {
        let mut sent = 0;
        for channel in &self.channels {
            let now = self.clock.now();
            let due = self.db.transact(Lane::Admin, |tx| repo::claim(tx.conn, channel.name(), now))?;
            for due in due {
                let problem = channel.send(&due, &self.link).err();
                if let Some(problem) = &problem {
                    tracing::warn!(channel = channel.name(), key = due.key, problem, "a notice was not sent");
                }
                sent += usize::from(problem.is_none());
                let now = self.clock.now();
                self.db.transact(Lane::Admin, |tx| {
                    repo::mark(tx.conn, &due, channel.name(), problem.as_deref(), now)
                })?;
            }
        }
        Ok(sent)
    }
}
