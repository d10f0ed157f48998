//! The rows of runs, and of the periods that they have calculated.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::periods::Pins;
use super::words::{RunKind, RunStage, RunStatus};
use crate::core::plan::PlanHash;
use crate::db::DbError;

/// One calculation of a period, or of what has changed of closed ones.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Run {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    /// Name of its period.
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Text)]
    pub kind: RunKind,
    #[diesel(sql_type = Text)]
    pub status: RunStatus,
    /// loading, calculating or writing, and how far it is.
    #[diesel(sql_type = Text)]
    pub stage: String,
    #[diesel(sql_type = BigInt)]
    pub done: i64,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = BigInt)]
    pub cutoff_seq: i64,
    #[diesel(sql_type = Timestamptz)]
    pub known_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub plan_hash: String,
    #[diesel(sql_type = Integer)]
    pub based_on: i32,
    /// 64 hexadecimal digits.
    #[diesel(sql_type = Nullable<Text>)]
    pub result_hash: Option<String>,
    /// [`Summary`](crate::periods::Summary)
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub summary: Option<Value>,
    /// Why it has failed.
    #[diesel(sql_type = Nullable<Text>)]
    pub problem: Option<String>,
    #[diesel(sql_type = Text)]
    pub created_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub approved_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub approved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub posted_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub posted_at: Option<DateTime<Utc>>,
    /// Posted runs are numbered in the order of their posting.
    #[diesel(sql_type = Nullable<Integer>)]
    pub post_no: Option<i32>,
    /// Journal entries that the posting made.
    #[diesel(sql_type = Integer)]
    pub entries: i32,
}

impl Run {
    pub fn plan(&self) -> Result<PlanHash, DbError> {
        PlanHash::parse(&self.plan_hash)
            .ok_or_else(|| DbError::Damaged(format!("plan_hash of run {}", self.run_id)))
    }
}

const SELECT: &str = "select r.run_id, r.period_id, p.name as period, r.kind, r.status, r.stage, r.done, r.total,
       r.cutoff_seq, r.known_at, encode(r.plan_hash, 'hex') as plan_hash, r.based_on,
       encode(r.result_hash, 'hex') as result_hash, r.summary, r.problem, r.created_by, r.created_at, r.started_at,
       r.finished_at, r.approved_by, r.approved_at, r.posted_by, r.posted_at, r.post_no, r.entries
     from runs r join periods p using (period_id)";

pub fn run(conn: &mut PgConnection, run_id: Uuid) -> Result<Option<Run>, DbError> {
    let found: Vec<Run> =
        sql_query(format!("{SELECT} where r.run_id = $1")).bind::<SqlUuid, _>(run_id).load(conn)?;
    Ok(found.into_iter().next())
}

/// The newest runs first; of one period where one is given.
pub fn runs(conn: &mut PgConnection, period: Option<Uuid>, limit: i64) -> Result<Vec<Run>, DbError> {
    Ok(sql_query(format!(
        "{SELECT} where $1 is null or r.period_id = $1 order by r.created_at desc, r.run_id desc limit $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(period)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// In the order of their posting.
pub fn posted(conn: &mut PgConnection) -> Result<Vec<Run>, DbError> {
    Ok(sql_query(format!("{SELECT} where r.status = 'posted' order by r.post_no")).load(conn)?)
}

/// Runs that are to be calculated: queued ones, and such as somebody began who may be gone.
pub fn waiting(conn: &mut PgConnection) -> Result<Vec<Run>, DbError> {
    Ok(sql_query(format!("{SELECT} where r.status in ('queued', 'running') order by r.created_at"))
        .load(conn)?)
}

pub fn insert(
    conn: &mut PgConnection,
    (run_id, period, kind): (Uuid, Uuid, RunKind),
    pins: &Pins,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into runs (run_id, period_id, kind, cutoff_seq, known_at, plan_hash, based_on, created_by, created_at)
         select $1, $2, $3, $4, $5, $6, coalesce(max(post_no), 0), $7, $8 from runs",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(period)
    .bind::<Text, _>(kind.name())
    .bind::<BigInt, _>(pins.cutoff_seq)
    .bind::<Timestamptz, _>(pins.known_at)
    .bind::<Binary, _>(pins.plan_hash.as_slice())
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

/// Takes the run for this session. It is free again the moment that the session ends, however it ends.
pub fn try_claim(session: &mut PgConnection, run_id: Uuid) -> Result<bool, DbError> {
    let (_, low) = run_id.as_u64_pair();
    let claim: Got = sql_query("select pg_try_advisory_lock($1) as got")
        .bind::<BigInt, _>(i64::from_ne_bytes(low.to_ne_bytes()))
        .get_result(session)?;
    Ok(claim.got)
}

/// From its start, whoever had begun it before. How often that is, this time included; `None` when it is not to be
/// calculated any more.
pub fn begin(conn: &mut PgConnection, run_id: Uuid, now: DateTime<Utc>) -> Result<Option<i32>, DbError> {
    let begun: Vec<Number> = sql_query(
        "update runs set status = 'running', stage = 'loading', done = 0, total = 0, started_at = $2,
                attempts = attempts + 1
         where run_id = $1 and status in ('queued', 'running') returning attempts as number",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Timestamptz, _>(now)
    .load(conn)?;
    Ok(begun.into_iter().next().map(|row| row.number))
}

/// What stopped the attempt was not the run's fault.
pub fn give_back(conn: &mut PgConnection, run_id: Uuid) -> Result<(), DbError> {
    sql_query(
        "update runs set attempts = attempts - 1 where run_id = $1 and status = 'running' and attempts > 0",
    )
    .bind::<SqlUuid, _>(run_id)
    .execute(conn)?;
    Ok(())
}

/// `false` when nobody wants the run any more.
pub fn progress(
    conn: &mut PgConnection,
    run_id: Uuid,
    stage: RunStage,
    (done, total): (i64, i64),
) -> Result<bool, DbError> {
    let told = sql_query(
        "update runs set stage = $2, done = $3, total = $4 where run_id = $1 and status = 'running'",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Text, _>(stage.name())
    .bind::<BigInt, _>(done)
    .bind::<BigInt, _>(total)
    .execute(conn)?;
    Ok(told == 1)
}

/// `false` when nobody wants the run any more.
pub fn finish(
    conn: &mut PgConnection,
    run_id: Uuid,
    result_hash: &[u8; 32],
    summary: &Value,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = sql_query(
        "update runs set status = 'review', stage = '', done = 0, total = 0, result_hash = $2, summary = $3,
                finished_at = $4
         where run_id = $1 and status = 'running'",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Binary, _>(result_hash.as_slice())
    .bind::<Jsonb, _>(summary)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(done == 1)
}

pub fn fail(conn: &mut PgConnection, run_id: Uuid, problem: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "update runs set status = 'failed', problem = $2, finished_at = $3
         where run_id = $1 and status = 'running'",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Text, _>(problem)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

pub fn discard(conn: &mut PgConnection, run_ids: &[Uuid]) -> Result<(), DbError> {
    sql_query(
        "update runs set status = 'discarded', approved_by = null, approved_at = null where run_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(run_ids)
    .execute(conn)?;
    Ok(())
}

pub fn approve(conn: &mut PgConnection, run_id: Uuid, by: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "update runs set status = 'approved', approved_by = $2, approved_at = $3
         where run_id = $1 and status = 'review'",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// The number of the last run that was posted; 0 when there is none.
pub fn last_posted(conn: &mut PgConnection) -> Result<i32, DbError> {
    let last: Number = sql_query("select coalesce(max(post_no), 0) as number from runs").get_result(conn)?;
    Ok(last.number)
}

pub fn set_posted(
    conn: &mut PgConnection,
    run_id: Uuid,
    (post_no, entries): (i32, i32),
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update runs set status = 'posted', post_no = $2, entries = $3, posted_by = $4, posted_at = $5
         where run_id = $1 and status = 'approved'",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Integer, _>(post_no)
    .bind::<Integer, _>(entries)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// A period as a run has calculated it.
#[derive(Clone, Debug, QueryableByName)]
pub struct RunPeriod {
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub cutoff_seq: i64,
    #[diesel(sql_type = Timestamptz)]
    pub known_at: DateTime<Utc>,
    #[diesel(sql_type = Binary)]
    pub plan_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub carried_run_id: Option<Uuid>,
    /// Whether the run says anew what the period leaves to the next.
    #[diesel(sql_type = Bool)]
    pub carries: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    pub result_hash: Option<Vec<u8>>,
}

const RUN_PERIOD: &str = "period_id, cutoff_seq, known_at, plan_hash, carried_run_id, carries, result_hash";

impl RunPeriod {
    pub fn plan(&self) -> Result<PlanHash, DbError> {
        <[u8; 32]>::try_from(self.plan_hash.as_slice())
            .map(PlanHash)
            .map_err(|_| DbError::Damaged(format!("plan_hash of a run of period {}", self.period_id)))
    }
}

/// In the order of time.
pub fn run_periods(conn: &mut PgConnection, run_id: Uuid) -> Result<Vec<RunPeriod>, DbError> {
    Ok(sql_query(format!(
        "select {RUN_PERIOD} from run_periods
         where run_id = $1 order by (select starts_at from periods p where p.period_id = run_periods.period_id)"
    ))
    .bind::<SqlUuid, _>(run_id)
    .load(conn)?)
}

/// As the last run has calculated the period that was posted up to a number.
pub fn last_of_period(
    conn: &mut PgConnection,
    period: Uuid,
    based_on: i32,
) -> Result<Option<RunPeriod>, DbError> {
    let found: Vec<RunPeriod> = sql_query(format!(
        "select {RUN_PERIOD} from run_periods join (select run_id, post_no from runs where post_no <= $2) r using (run_id)
         where period_id = $1 order by r.post_no desc limit 1"
    ))
    .bind::<SqlUuid, _>(period)
    .bind::<Integer, _>(based_on)
    .load(conn)?;
    Ok(found.into_iter().next())
}

#[derive(QueryableByName)]
struct RunId {
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
}

/// The run that says what a period leaves to the next, of those that were posted up to a number.
pub fn carry_of(conn: &mut PgConnection, period: Uuid, based_on: i32) -> Result<Option<Uuid>, DbError> {
    let found: Vec<RunId> = sql_query(
        "select p.run_id from run_periods p join runs r using (run_id)
         where p.period_id = $1 and p.carries and r.post_no <= $2 order by r.post_no desc limit 1",
    )
    .bind::<SqlUuid, _>(period)
    .bind::<Integer, _>(based_on)
    .load(conn)?;
    Ok(found.into_iter().next().map(|row| row.run_id))
}

/// Replaces what the run had written of its periods.
pub fn set_run_periods(conn: &mut PgConnection, run_id: Uuid, rows: &[RunPeriod]) -> Result<(), DbError> {
    sql_query("delete from run_periods where run_id = $1").bind::<SqlUuid, _>(run_id).execute(conn)?;
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into run_periods
           (run_id, period_id, cutoff_seq, known_at, plan_hash, carried_run_id, carries, result_hash)
         select $1, * from unnest($2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.period_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|r| r.cutoff_seq).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|r| r.known_at).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|r| r.plan_hash.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|r| r.carried_run_id).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(rows.iter().map(|r| r.carries).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(rows.iter().map(|r| r.result_hash.as_deref()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
