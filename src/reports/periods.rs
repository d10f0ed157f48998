//! Periods, their runs and what was done with them, newest first.

pub mod earners;
pub mod review;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{
    BigInt, Binary, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{Conn, Page, limit};
use crate::core::plan::PlanHash;
use crate::db::DbError;
use crate::plans::Published;

#[derive(Clone, Debug, QueryableByName)]
pub struct Period {
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cutoff_seq: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub known_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub plan_hash: Option<Vec<u8>>,
    /// The run that was posted.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    /// Of the run that was posted, or of the newest official one that has a result.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub summary: Option<Value>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub summary_plan: Option<Vec<u8>>,
}

const PERIOD: &str = "select p.period_id, p.name, p.starts_at, p.ends_at, p.status, p.cutoff_seq, p.known_at,
        p.plan_hash, p.run_id, r.summary, r.plan_hash as summary_plan
    from periods p
    left join lateral (
      select summary, plan_hash from runs
      where period_id = p.period_id and kind = 'official' and status in ('review', 'approved', 'posted')
      order by (status = 'posted') desc, created_at desc limit 1) r on true";

/// By beginning, newest first, those that began before `before`.
pub fn list(conn: &mut Conn, before: Option<DateTime<Utc>>) -> Result<Page<Period, DateTime<Utc>>, DbError> {
    let rows: Vec<Period> = sql_query(format!(
        "{PERIOD} where p.starts_at < coalesce($1, 'infinity'::timestamptz) order by p.starts_at desc limit $2"
    ))
    .bind::<Nullable<Timestamptz>, _>(before)
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.starts_at))
}

pub fn named(conn: &mut Conn, name: &str) -> Result<Option<Period>, DbError> {
    let found = sql_query(format!("{PERIOD} where p.name = $1")).bind::<Text, _>(name);
    Ok(found.get_result(conn).optional()?)
}

/// Name and status of the periods before an instant that are not closed, the oldest first.
pub fn unfinished(conn: &mut Conn, before: DateTime<Utc>) -> Result<Vec<(String, String)>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        status: String,
    }
    let rows: Vec<Row> = sql_query(
        "select name, status from periods where starts_at < $1 and status <> 'closed' order by starts_at limit 100",
    )
    .bind::<Timestamptz, _>(before)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.name, row.status)).collect())
}

/// The oldest period that is not closed: the one that somebody has to bring further.
pub fn current(conn: &mut Conn) -> Result<Option<Period>, DbError> {
    let found = sql_query(format!("{PERIOD} where p.status <> 'closed' order by p.starts_at limit 1"));
    Ok(found.get_result(conn).optional()?)
}

/// Orders that were placed in a span of time, counted up to a limit, and those of them that are held.
#[derive(Clone, Debug, Default, QueryableByName)]
pub struct Placed {
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = BigInt)]
    pub held: i64,
    #[diesel(sql_type = Numeric)]
    pub held_net: Decimal,
}

/// Counting on would read the whole period.
pub const ENOUGH: i64 = 10_000;

pub fn placed(conn: &mut Conn, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Placed, DbError> {
    Ok(sql_query(
        "select (select count(*) from (
                   select 1 from volume_facts f
                   where f.ordered_at >= $1 and f.ordered_at < $2 and f.seq = f.first_seq limit $3) counted) as orders,
                count(o.order_id) as held, coalesce(sum(o.net), 0) as held_net
         from (select distinct order_id from holds) h
         join orders o on o.order_id = h.order_id and o.ordered_at >= $1 and o.ordered_at < $2",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(until)
    .bind::<BigInt, _>(ENOUGH + 1)
    .get_result(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Change {
    #[diesel(sql_type = Integer)]
    pub change_no: i32,
    #[diesel(sql_type = Text)]
    pub change: String,
    #[diesel(sql_type = Jsonb)]
    pub detail: Value,
    #[diesel(sql_type = Text)]
    pub changed_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub changed_at: DateTime<Utc>,
}

/// What was done with a period, newest first.
pub fn changes(conn: &mut Conn, period: Uuid) -> Result<Vec<Change>, DbError> {
    Ok(sql_query(
        "select change_no, change, detail, changed_by, changed_at from period_changes
         where period_id = $1 order by change_no desc limit 100",
    )
    .bind::<SqlUuid, _>(period)
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Run {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    /// Of the period.
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Text)]
    pub period_status: String,
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Text)]
    pub stage: String,
    #[diesel(sql_type = BigInt)]
    pub done: i64,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cutoff_seq: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub known_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub plan_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub result_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub summary: Option<Value>,
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
}

const RUN: &str = "select r.run_id, r.period_id, p.name as period, p.status as period_status, p.starts_at, p.ends_at,
        r.kind, r.status, r.stage, r.done, r.total, r.cutoff_seq, r.known_at, r.plan_hash, r.result_hash, r.summary,
        r.problem, r.created_by, r.created_at, r.started_at, r.finished_at, r.approved_by, r.approved_at, r.posted_by,
        r.posted_at
    from runs r join periods p using (period_id)";

/// Runs of a period, newest first.
pub fn runs(conn: &mut Conn, period: Uuid) -> Result<Vec<Run>, DbError> {
    Ok(sql_query(format!("{RUN} where r.period_id = $1 order by r.created_at desc, r.run_id desc limit 100"))
        .bind::<SqlUuid, _>(period)
        .load(conn)?)
}

pub fn run(conn: &mut Conn, run: Uuid) -> Result<Option<Run>, DbError> {
    let found = sql_query(format!("{RUN} where r.run_id = $1")).bind::<SqlUuid, _>(run);
    Ok(found.get_result(conn).optional()?)
}

/// The posted official runs of the periods before one, the nearest first.
pub fn posted_before(conn: &mut Conn, period: DateTime<Utc>, most: i64) -> Result<Vec<Run>, DbError> {
    Ok(sql_query(format!(
        "{RUN} where r.kind = 'official' and r.status = 'posted' and p.starts_at < $1
         order by p.starts_at desc limit $2"
    ))
    .bind::<Timestamptz, _>(period)
    .bind::<BigInt, _>(most)
    .load(conn)?)
}

/// Of the plan that a run was made with; without one, of the plan that holds when the period ends.
pub fn currency(plans: &Published, hash: Option<&[u8]>, ends: DateTime<Utc>) -> String {
    let hash = hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(PlanHash);
    let last = ends - TimeDelta::microseconds(1);
    let plan = hash.and_then(|hash| plans.by_hash(hash)).or_else(|| plans.at(last));
    plan.map_or_else(String::new, |plan| plan.currency().code().to_owned())
}
