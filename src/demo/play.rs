//! The demo itself: sets up the sample company, sends its deliveries to a running server, waits until the last
//! consequence is in the ledger, and reads back what came of it.
//!
//! Blocking; whoever calls it from async code gives it a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use super::company::Company;
use super::draw::EXAMPLES;
use super::histogram::Histogram;
use super::repo;
use super::send::{SendError, Sender};
use super::set_up::{SetUpProblem, set_up};
use super::stream::stream;
use super::summary::Summary;
use crate::clock::Clock;
use crate::db::{Db, DbError, Lane};
use crate::events;
use crate::vault::Vault;

#[derive(Clone, Debug)]
pub struct Demo {
    pub orders: u32,
    pub seed: u64,
    /// In place of the sample company's own plan.
    pub plan: Option<String>,
    /// The server's own address, `http://127.0.0.1:8080`.
    pub base: String,
    /// Show a progress bar where somebody looks at it.
    pub progress: bool,
    /// Set from elsewhere to give up at once.
    pub stopped: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoProblem {
    #[error("the sample company could not be set up")]
    SetUp(#[from] SetUpProblem),
    #[error("the deliveries could not be sent")]
    Send(#[from] SendError),
    #[error(
        "{waiting} events have been waiting for {patience:?} without any being done; see `upline doctor`"
    )]
    Stuck { waiting: i64, patience: Duration },
    #[error("{0} events are parked: they failed several times; see the deliveries page")]
    Parked(i64),
    #[error("the server does not tell its metrics")]
    Metrics(#[source] Box<ureq::Error>),
    #[error("the database cannot be read")]
    Db(#[from] DbError),
}

const CONNECTIONS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Demo {
    pub fn play(&self, db: &Db, vault: &Vault, clock: &Clock) -> Result<Summary, DemoProblem> {
        let mut company = Company::sample(self.seed);
        if let Some(plan) = &self.plan {
            company.plan.clone_from(plan);
        }
        let stores: Vec<String> = company.stores.iter().map(|store| store.slug.to_owned()).collect();
        put_in_place(db, vault, &company, clock.now())?;
        let before = db.read(Lane::Admin, |conn| repo::counts(conn, &stores))?;
        // From midnight, so that all runs of a day tell the same.
        let today = clock.now().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let deliveries = stream(&company, self.seed, self.orders, today);

        let began = Instant::now();
        let posted_before = self.receipt_to_ledger()?;
        let bar = self.bar(deliveries.len());
        let sender = Sender {
            base: self.base.clone(),
            connections: CONNECTIONS,
            patience: PATIENCE,
            stopped: self.stopped.clone(),
        };
        let acks = sender.send(&deliveries, &|| bar.inc(1))?;
        bar.set_message("waiting for the ledger");
        wait_until_done(db, &self.stopped)?;
        bar.finish_and_clear();

        let took = began.elapsed();
        let posted = self.receipt_to_ledger()?.since(&posted_before);
        let counts = db.read(Lane::Admin, |conn| repo::counts(conn, &stores))?;
        Ok(Summary {
            deliveries: acks.count(),
            duplicates: counts.repeats - before.repeats,
            counts,
            sums: db.read(Lane::Admin, |conn| repo::sums(conn, &stores))?,
            ack: (acks.percentile(50), acks.percentile(99)),
            receipt_to_ledger: (posted.percentile(50), posted.percentile(99)),
            rows: self.rows(db, &company)?,
            took,
        })
    }

    fn receipt_to_ledger(&self) -> Result<Histogram, DemoProblem> {
        let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build();
        let agent = ureq::Agent::new_with_config(config);
        let answer = agent.get(format!("{}/metrics", self.base)).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let text = text.map_err(|error| DemoProblem::Metrics(Box::new(error)))?;
        Ok(Histogram::read(&text, "upline_receipt_to_ledger_seconds"))
    }

    fn rows(&self, db: &Db, company: &Company) -> Result<Vec<repo::ResultRow>, DbError> {
        db.read(Lane::Admin, |conn| {
            let mut rows = Vec::new();
            for example in EXAMPLES {
                let store = company.store(example.platform).map(|store| store.slug).unwrap_or_default();
                rows.extend(repo::result_row(conn, store, &example.order.to_string())?);
            }
            Ok(rows)
        })
    }

    fn bar(&self, deliveries: usize) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{bar:40.cyan/dim} {pos}/{len} deliveries, {per_sec}  {msg}");
        let bar = ProgressBar::new(u64::try_from(deliveries).unwrap_or(u64::MAX));
        style.map_or(bar.clone(), |style| bar.with_style(style))
    }
}

fn put_in_place(db: &Db, vault: &Vault, company: &Company, now: DateTime<Utc>) -> Result<(), DemoProblem> {
    let mut refused = None;
    let written = db.transact(Lane::Admin, |tx| {
        set_up(tx, vault, company, now).map_err(|problem| match problem {
            SetUpProblem::Db(error) => error,
            other => {
                let error = DbError::Invariant(other.to_string());
                refused = Some(other);
                error
            }
        })
    });
    match (written, refused) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(problem)) => Err(problem.into()),
        (Err(error), None) => Err(error.into()),
    }
}

/// Until nothing is left to do. Gives up only when nothing moves any more.
pub fn wait_until_done(db: &Db, stopped: &AtomicBool) -> Result<(), DemoProblem> {
    let (mut least, mut moved) = (i64::MAX, Instant::now());
    loop {
        if stopped.load(Ordering::Relaxed) {
            return Err(SendError::Stopped.into());
        }
        let backlog = db.read(Lane::Admin, events::backlog)?;
        let parked: i64 = backlog.iter().map(|topic| topic.parked).sum();
        if parked > 0 {
            return Err(DemoProblem::Parked(parked));
        }
        let waiting: i64 = backlog.iter().map(|topic| topic.waiting).sum();
        if waiting == 0 {
            return Ok(());
        }
        if waiting < least {
            (least, moved) = (waiting, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            return Err(DemoProblem::Stuck { waiting, patience: PATIENCE });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
