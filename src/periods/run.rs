//! Runs, as people handle them: started, looked at, approved by a second person, discarded.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::life::{locked, named, pins};
use super::problem::{PeriodProblem, refused};
use super::repo;
use super::repo::periods::{Period, Pins};
use super::repo::runs::{Run, RunPeriod};
use super::single::find;
use super::summary::Summary;
use super::words::{RunKind, RunStatus, Status};
use crate::access::audit;
use crate::clock::new_id;
use crate::core::plan::PlanHash;
use crate::db::{DbError, Tx};
use crate::plans::Published;

/// Queues a run; a [`Worker`](super::Worker) calculates it. An adjustment is named by the period that it is posted
/// into.
pub fn start_run(
    tx: &mut Tx<'_>,
    published: &Published,
    name: &str,
    kind: RunKind,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, PeriodProblem> {
    let periods = locked(tx)?;
    let (period, earlier) = named(&periods, name)?;
    match kind {
        RunKind::Official => may_be_official(tx, period, earlier.last())?,
        RunKind::Adjustment => may_adjust(tx, period, earlier)?,
        RunKind::Unofficial => {}
    }
    let frozen = frozen_pins(period)?.filter(|_| kind != RunKind::Adjustment);
    let pins = match frozen {
        Some(pins) => pins,
        None => pins(tx, published, period, now)?,
    };
    let run_id = new_id();
    repo::runs::insert(tx.conn, (run_id, period.period_id, kind), &pins, by, now)?;
    if kind != RunKind::Adjustment {
        let last = repo::runs::last_posted(tx.conn)?;
        let carried_run_id = match earlier.last() {
            Some(before) => repo::runs::carry_of(tx.conn, before.period_id, last)?,
            None => None,
        };
        let row = RunPeriod {
            period_id: period.period_id,
            cutoff_seq: pins.cutoff_seq,
            known_at: pins.known_at,
            plan_hash: pins.plan_hash.to_vec(),
            carried_run_id,
            carries: false,
            result_hash: None,
        };
        repo::runs::set_run_periods(tx.conn, run_id, &[row])?;
    }
    let detail = json!({"run": run_id, "kind": kind.name(), "cutoff_seq": pins.cutoff_seq});
    audit::record(tx, by, "run.start", name, detail, now)?;
    Ok(run_id)
}

fn may_be_official(tx: &mut Tx<'_>, period: &Period, before: Option<&Period>) -> Result<(), PeriodProblem> {
    let name = &period.name;
    match period.status {
        Status::Frozen => {}
        Status::Closed => return refused(format!("period {name} is closed: its run is posted")),
        Status::Open | Status::SoftClosed => {
            return refused(format!(
                "period {name} is {}; an official run needs it frozen: `upline period freeze {name}`. To look at it \
                 before, run it with --unofficial",
                period.status.told()
            ));
        }
    }
    if let Some(before) = before.filter(|before| before.status != Status::Closed) {
        return refused(format!(
            "period {} before it is not closed, and this one builds on what it leaves; post its run first",
            before.name
        ));
    }
    let runs = repo::runs::runs(tx.conn, Some(period.period_id), i64::MAX)?;
    live(&runs, RunKind::Official)
}

fn may_adjust(tx: &mut Tx<'_>, period: &Period, earlier: &[Period]) -> Result<(), PeriodProblem> {
    if period.status.is_frozen() {
        return refused(format!(
            "period {} is {}; an adjustment is posted into an open one: `upline period list` shows it",
            period.name,
            period.status.told()
        ));
    }
    if !earlier.iter().any(|earlier| earlier.status == Status::Closed) {
        return refused("no period is closed yet, so there is nothing to adjust");
    }
    let runs = repo::runs::runs(tx.conn, None, i64::MAX)?;
    live(&runs, RunKind::Adjustment)
}

/// There is one of its kind at a time.
fn live(runs: &[Run], kind: RunKind) -> Result<(), PeriodProblem> {
    match runs.iter().find(|run| run.kind == kind && run.status.is_live()) {
        Some(run) => refused(format!(
            "run {} is {} already; post it, or throw it away: `upline period discard {}`",
            run.run_id, run.status, run.run_id
        )),
        None => Ok(()),
    }
}

/// What the freeze has fixed.
pub(super) fn frozen_pins(period: &Period) -> Result<Option<Pins>, DbError> {
    if !period.status.is_frozen() {
        return Ok(None);
    }
    let damaged = || DbError::Damaged(format!("what period {} is frozen to", period.name));
    let (Some(cutoff_seq), Some(known_at), Some(hash)) =
        (period.cutoff_seq, period.known_at, period.plan_hash.as_deref())
    else {
        return Err(damaged());
    };
    let PlanHash(plan_hash) = PlanHash::parse(hash).ok_or_else(damaged)?;
    Ok(Some(Pins { cutoff_seq, known_at, plan_hash }))
}

/// Throws a run away; not one that is posted.
pub fn discard(tx: &mut Tx<'_>, run_id: Uuid, by: &str, now: DateTime<Utc>) -> Result<Run, PeriodProblem> {
    repo::lock(tx.conn)?;
    let run = known(tx, run_id)?;
    match run.status {
        RunStatus::Posted => return refused("the run is posted; nothing posted is ever changed"),
        RunStatus::Discarded => return refused("the run is discarded already"),
        _ => {}
    }
    repo::runs::discard(tx.conn, &[run_id])?;
    audit::record(tx, by, "run.discard", &run.period, json!({"run": run_id}), now)?;
    Ok(run)
}

/// What an approval has to say that it knows: that the run pays a greater share of CV than this, and that an
/// adjustment leaves orders out.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopLoss {
    pub most: Decimal,
    pub is_acknowledged: bool,
    /// Orders of distributors who were not known when the closed period was frozen count for nothing.
    pub leaves_out: bool,
}

/// A second person says that the run may be posted.
pub fn approve(
    tx: &mut Tx<'_>,
    run_id: Uuid,
    stop_loss: StopLoss,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Run, PeriodProblem> {
    let periods = locked(tx)?;
    let run = known(tx, run_id)?;
    if run.kind == RunKind::Unofficial {
        return refused("the run is unofficial, for looking at only; start an official one");
    }
    match run.status {
        RunStatus::Review => {}
        RunStatus::Queued | RunStatus::Running => {
            return refused("the run is not calculated yet; wait until it is in review");
        }
        other => return refused(format!("the run is {other}; only one in review can be approved")),
    }
    if same_person(by, &run.created_by) {
        return refused(format!(
            "{} has started this run, so somebody else has to approve it",
            run.created_by
        ));
    }
    builds_on_what_holds(tx, &run, &periods)?;
    let summary = summary(&run)?;
    match run.kind {
        RunKind::Official => within(&summary, stop_loss)?,
        _ => leaves_out(&summary, stop_loss)?,
    }
    repo::runs::approve(tx.conn, run_id, by, now)?;
    let over = stop_loss.is_acknowledged
        && within(&summary, StopLoss { is_acknowledged: false, ..stop_loss }).is_err();
    let detail = json!({"run": run_id, "result_hash": run.result_hash, "share_of_cv": summary.totals.share,
                        "over_stop_loss": over, "leaves_out": summary.counts.unknown_distributor});
    audit::record(tx, by, "run.approve", &run.period, detail, now)?;
    known(tx, run_id)
}

/// An adjustment may have corrected since what the period before leaves.
pub(super) fn builds_on_what_holds(
    tx: &mut Tx<'_>,
    run: &Run,
    periods: &[Period],
) -> Result<(), PeriodProblem> {
    let (period, Some(before)) = find(periods, run.period_id)? else { return Ok(()) };
    if run.kind != RunKind::Official {
        return Ok(());
    }
    let last = repo::runs::last_posted(tx.conn)?;
    let left = repo::runs::carry_of(tx.conn, before.period_id, last)?;
    let rows = repo::runs::run_periods(tx.conn, run.run_id)?;
    let carried = rows.into_iter().find(|row| row.period_id == period.period_id);
    if carried.and_then(|row| row.carried_run_id) == left {
        return Ok(());
    }
    refused(format!(
        "the period before, {}, was adjusted since; discard the run and start another",
        before.name
    ))
}

fn leaves_out(summary: &Summary, known: StopLoss) -> Result<(), PeriodProblem> {
    let orders = summary.counts.unknown_distributor;
    if orders == 0 || known.leaves_out {
        return Ok(());
    }
    refused(format!(
        "{orders} order(s) of the corrected periods are of distributors who were not known when the period was frozen, \
         and count for nothing; if that is right approve it with --leave-out"
    ))
}

fn same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn within(summary: &Summary, stop_loss: StopLoss) -> Result<(), PeriodProblem> {
    let too_much = match summary.totals.share {
        Some(share) => share > stop_loss.most,
        None => !summary.totals.paid.is_zero(),
    };
    if !too_much || stop_loss.is_acknowledged {
        return Ok(());
    }
    let share = match summary.totals.share {
        Some(share) => format!("{}%", (share * Decimal::ONE_HUNDRED).normalize()),
        None => "more than all".to_owned(),
    };
    refused(format!(
        "the run pays {share} of CV, above the limit of {}%; look into it, and if it is right approve it with \
         --over-stop-loss",
        (stop_loss.most * Decimal::ONE_HUNDRED).normalize()
    ))
}

/// What the review shows.
pub fn summary(run: &Run) -> Result<Summary, DbError> {
    let missing = || DbError::Damaged(format!("run {} has no summary", run.run_id));
    Ok(serde_json::from_value(run.summary.clone().ok_or_else(missing)?)?)
}

pub(super) fn known(tx: &mut Tx<'_>, run_id: Uuid) -> Result<Run, PeriodProblem> {
    repo::runs::run(tx.conn, run_id)?.ok_or(PeriodProblem::UnknownRun(run_id))
}
