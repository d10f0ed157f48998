//! For commands whose work is done only when orders and commissions are: the pipeline, run by the command itself.
//!
//! It works beside a running server too: both take from the same outbox, each event once.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::serve::runtime;
use super::{Global, output};
use crate::app::Parts;
use crate::clock::Clock;
use crate::core::ids::StoreId;
use crate::db::{DbError, Lane};
use crate::pulls::{self, Stop};
use crate::telemetry;

/// Everything behind the web server, at work.
pub struct Pipeline {
    parts: Parts,
    /// Said when the person at the terminal has enough.
    pub stop: Arc<Stop>,
}

impl Deref for Pipeline {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Opens everything, processes what waits while `work` goes on, and closes it again.
pub fn with_pipeline<T>(
    global: &Global,
    work: impl FnOnce(&Pipeline) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let settings = global.settings(None)?;
    telemetry::init_logging(settings.log_format, "warn,r2d2=off");
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let pipeline = Pipeline { parts: Parts::open(settings, Clock::system())?, stop: Arc::default() };
    let listening = runtime.spawn(listen(pipeline.stop.clone()));
    let (stopping, stopped) = watch::channel(false);
    let relays = pipeline.spawn_relays(&stopped);
    let done = work(&pipeline);
    stopping.send_replace(true);
    for relay in relays {
        runtime.block_on(relay).context("a consumer panicked")?;
    }
    listening.abort();
    pipeline.parts.close();
    done
}

/// The first word ends the work at its next pause, the second one at once: what is stored stays in both cases.
async fn listen(stop: Arc<Stop>) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for asked in 0.. {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if asked > 0 {
            std::process::exit(130);
        }
        stop.say();
        let _nobody_reads = output::note("Stopping after this page; once more to end at once.");
    }
}

/// How often it is asked whether the work has come through.
const POLL: Duration = Duration::from_millis(100);

impl Pipeline {
    /// Waits until the orders of a store are recorded and their commissions calculated. `false` when it was told to
    /// stop before: the rest is done by the next server or command.
    pub fn settle(&self, store: StoreId) -> Result<bool, DbError> {
        let left = || self.backend.db.read(Lane::Admin, |conn| pulls::unsettled(conn, store));
        let mut waiting = left()?;
        if waiting == 0 {
            return Ok(true);
        }
        let bar = output::bar();
        bar.set_message("processing");
        let all = u64::try_from(waiting).unwrap_or(0);
        bar.set_length(all);
        while waiting > 0 && !self.stop.wait(POLL) {
            waiting = left()?;
            bar.set_position(all.saturating_sub(u64::try_from(waiting).unwrap_or(0)));
        }
        bar.finish_and_clear();
        Ok(waiting == 0)
    }
}
