//! Periods, runs and their awards as programs read them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{money, plain};
use crate::db::{Conn, DbError};
use crate::plans::Published;
use crate::reports::periods::earners::{self, Award};
use crate::reports::periods::review::{self, Pool};
use crate::reports::periods::{self, Period, Run};

/// A period of the plan's calendar, half-open.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodView {
    /// `2026-01`, `2026-Q1`, `2026-W05` or `2026-01-31`, by the plan's cadence.
    #[schema(example = "2026-01")]
    pub name: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// `open`; `soft_closed`: orders that come late count in the next one; `frozen`: its runs all start from the
    /// same; `closed`: posted.
    #[schema(example = "closed")]
    pub status: String,
    /// The last fact of an order that counts, once it is frozen.
    pub cutoff_seq: Option<i64>,
    /// Distributors and trees are taken as they were known then, once it is frozen.
    pub known_at: Option<DateTime<Utc>>,
    /// Hexadecimal; once it is frozen.
    pub plan_hash: Option<String>,
    /// The run that was posted.
    pub run_id: Option<Uuid>,
    /// Newest first; only where one period is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunView>>,
}

/// One calculation of a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
    pub run_id: Uuid,
    /// The period's name.
    #[schema(example = "2026-01")]
    pub period: String,
    /// `official`: may be posted. `unofficial`: for looking at. `adjustment`: what later facts change of closed
    /// periods.
    #[schema(example = "official")]
    pub kind: String,
    /// queued, running, review, approved, posted, discarded or failed.
    #[schema(example = "posted")]
    pub status: String,
    /// What a running run does: loading, calculating or writing.
    pub stage: String,
    pub done: i64,
    pub total: i64,
    pub cutoff_seq: Option<i64>,
    pub known_at: Option<DateTime<Utc>>,
    pub plan_hash: Option<String>,
    /// SHA-256 of everything that the run says, hexadecimal. Equal ones are equal results.
    pub result_hash: Option<String>,
    /// Totals of the run.
    pub summary: Option<Value>,
    /// Why it failed.
    pub problem: Option<String>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub posted_by: Option<String>,
    pub posted_at: Option<DateTime<Utc>>,
    /// Only where one run is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pools: Option<Vec<PoolView>>,
}

/// What a bonus could have paid and where it went: `paid + breakage + rounding = pool`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolView {
    pub period: String,
    #[schema(example = "team")]
    pub bonus: String,
    #[schema(example = "1200.00")]
    pub pool: String,
    pub paid: String,
    pub breakage: String,
    pub rounding: String,
}

/// What a bonus pays one distributor in a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct AwardView {
    /// `after` of the next page.
    pub award_no: i32,
    /// The period that it is of; of an adjustment, the closed one.
    #[schema(example = "2026-01")]
    pub period: String,
    #[schema(example = "team")]
    pub bonus: String,
    pub distributor_id: String,
    /// The place of a binary or a matrix; empty for the others.
    pub position: String,
    /// The volume behind it.
    #[schema(example = "1500")]
    pub base: String,
    /// Before gates and caps.
    pub earned: String,
    #[schema(example = "75.00")]
    pub amount: String,
}

/// A page of periods, newest first, and where the next one goes on.
pub fn periods(
    conn: &mut Conn,
    before: Option<DateTime<Utc>>,
) -> Result<(Vec<PeriodView>, Option<DateTime<Utc>>), DbError> {
    let page = periods::list(conn, before)?;
    Ok((page.rows.into_iter().map(period_view).collect(), page.next))
}

pub fn period(conn: &mut Conn, name: &str) -> Result<Option<PeriodView>, DbError> {
    let Some(found) = periods::named(conn, name)? else { return Ok(None) };
    let runs = periods::runs(conn, found.period_id)?.into_iter().map(run_view).collect();
    Ok(Some(PeriodView { runs: Some(runs), ..period_view(found) }))
}

fn period_view(period: Period) -> PeriodView {
    PeriodView {
        name: period.name,
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        status: period.status,
        cutoff_seq: period.cutoff_seq,
        known_at: period.known_at,
        plan_hash: period.plan_hash.map(hex::encode),
        run_id: period.run_id,
        runs: None,
    }
}

pub fn run(conn: &mut Conn, run: Uuid, plans: &Published) -> Result<Option<RunView>, DbError> {
    let Some(found) = periods::run(conn, run)? else { return Ok(None) };
    let currency = periods::currency(plans, found.plan_hash.as_deref(), found.ends_at);
    let pools = review::pools(conn, run)?.into_iter().map(|pool| pool_view(pool, Some(&currency))).collect();
    Ok(Some(RunView { pools: Some(pools), ..run_view(found) }))
}

fn run_view(run: Run) -> RunView {
    RunView {
        run_id: run.run_id,
        period: run.period,
        kind: run.kind,
        status: run.status,
        stage: run.stage,
        done: run.done,
        total: run.total,
        cutoff_seq: run.cutoff_seq,
        known_at: run.known_at,
        plan_hash: run.plan_hash.map(hex::encode),
        result_hash: run.result_hash.map(hex::encode),
        summary: run.summary,
        problem: run.problem,
        created_by: run.created_by,
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        approved_by: run.approved_by,
        approved_at: run.approved_at,
        posted_by: run.posted_by,
        posted_at: run.posted_at,
        pools: None,
    }
}

fn pool_view(pool: Pool, currency: Option<&str>) -> PoolView {
    PoolView {
        period: pool.period,
        bonus: pool.bonus,
        pool: money(pool.pool, currency),
        paid: money(pool.paid, currency),
        breakage: money(pool.breakage, currency),
        rounding: money(pool.rounding, currency),
    }
}

/// By number. `None`: there is no such run.
pub fn awards(
    conn: &mut Conn,
    run: Uuid,
    after: i32,
    limit: i64,
    plans: &Published,
) -> Result<Option<Vec<AwardView>>, DbError> {
    let Some(found) = periods::run(conn, run)? else { return Ok(None) };
    let currency = periods::currency(plans, found.plan_hash.as_deref(), found.ends_at);
    let awards = earners::awards(conn, run, after, limit)?;
    Ok(Some(awards.into_iter().map(|award| award_view(award, Some(&currency))).collect()))
}

fn award_view(award: Award, currency: Option<&str>) -> AwardView {
    AwardView {
        award_no: award.award_no,
        period: award.period,
        bonus: award.bonus,
        distributor_id: award.distributor_id,
        position: award.position,
        base: plain(award.base),
        earned: money(award.earned, currency),
        amount: money(award.amount, currency),
    }
}
