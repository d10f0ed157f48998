//! The report of a day: put together, kept, and told to whoever should know.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::reading::Found;
use super::{Asked, Heal, ReconcileProblem, Reconciler, StoreDay, notice, repo};
use crate::core::money::Currency;
use crate::core::reconcile::{Difference, Names, State, Sums};
use crate::db::Lane;
use crate::ingest::Store;

/// Why a day was reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The day was over.
    Schedule,
    /// Orders of it have changed since the last report.
    Changed,
    /// The last report was a week old, or could not be finished.
    Again,
    Manual,
}

impl Cause {
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Changed => "changed",
            Self::Again => "again",
            Self::Manual => "manual",
        }
    }
}

/// Deliveries of the store that came in on the day, by their stored rows. What was refused at the door has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// By webhook or API, each once.
    pub unique: i64,
    /// Read at the store by ourselves.
    pub pulled: i64,
    /// Tellings of what was told before.
    pub repeats: i64,
    /// Kept, and nobody can tell what they say.
    pub unreadable: i64,
}

/// The parts of a report that are told and not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub deliveries: Deliveries,
    pub in_flight: Names,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Slug.
    pub store: String,
    pub day: NaiveDate,
    pub report_no: i32,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub zone: String,
    pub state: State,
    /// The store was; otherwise all of this is only what we hold.
    pub asked: bool,
    /// Why not everything of the day was read.
    pub incomplete: Option<String>,
    pub healing: bool,
    pub cause: Cause,
    pub asked_by: String,
    pub sums: BTreeMap<Currency, Sums>,
    /// By order.
    pub differences: Vec<Difference>,
    /// Were there first, and are not any more.
    pub healed: Vec<Difference>,
    pub told: Told,
    pub oldest_unexplained: Option<DateTime<Utc>>,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
}

impl Report {
    /// Signed, by currency; only where there is any.
    pub fn drift(&self) -> Vec<(Currency, Decimal)> {
        let drifting = self.sums.iter().filter(|(_, sums)| !sums.off.is_zero());
        drifting.map(|(currency, sums)| (*currency, sums.drift)).collect()
    }
}

pub(super) fn keep(
    room: &Reconciler,
    store: &Store,
    day: StoreDay,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
    found: Found,
) -> Result<Report, ReconcileProblem> {
    let Found { day: sums, healed, incomplete, asked: was_asked } = found;
    // What is sold in the rest of the day is not in it: such a report proves nothing about the day.
    let is_over = started_at >= day.to;
    let incomplete = incomplete.or_else(|| (!is_over).then(|| format!("the day ends only at {}", day.to)));
    let deliveries =
        room.db.read(Lane::Pipeline, |conn| repo::write::deliveries(conn, store.id, day.from, day.to))?;
    let mut report = Report {
        store: store.slug.clone(),
        day: day.day,
        report_no: 0,
        starts_at: day.from,
        ends_at: day.to,
        zone: day.zone.name().to_owned(),
        state: sums.state(was_asked, incomplete.is_none()),
        asked: was_asked,
        incomplete,
        healing: asked.heal == Heal::Yes,
        cause: asked.cause,
        asked_by: asked.by.to_owned(),
        sums: sums.currencies,
        differences: sums.differences,
        healed,
        told: Told { deliveries, in_flight: sums.in_flight },
        oldest_unexplained: sums.oldest_unexplained,
        started_at,
        finished_at: room.clock.now(),
    };
    report.report_no = room.db.transact(Lane::Pipeline, |tx| {
        let number = repo::write::insert(tx.conn, store.id, &report)?;
        repo::write::done(tx.conn, store.id, &report)?;
        if is_over {
            notice::tell(tx, store.id, &report, room.clock.now())?;
        }
        Ok(number)
    })?;
    Ok(report)
}
