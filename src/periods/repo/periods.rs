//! The rows of periods and what was done to them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::calendar::Wanted;
use super::words::Status;
use crate::clock::new_id;
use crate::db::DbError;

/// A period: half-open, one after the other without a gap.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Period {
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    /// 2026-01, 2026-Q1, 2026-W05 or 2026-01-31.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub status: Status,
    /// An order whose first fact is after it counts in the next period.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub late_after_seq: Option<i64>,
    /// Facts up to here, since the freeze.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cutoff_seq: Option<i64>,
    /// Distributors as known then, since the freeze.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub known_at: Option<DateTime<Utc>>,
    /// 64 hexadecimal digits.
    #[diesel(sql_type = Nullable<Text>)]
    pub plan_hash: Option<String>,
    /// The official run that was posted.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
}

const COLUMNS: &str = "period_id, name, starts_at, ends_at, status, late_after_seq, cutoff_seq, known_at, \
                       encode(plan_hash, 'hex') as plan_hash, run_id";

/// In the order of time.
pub fn all(conn: &mut PgConnection) -> Result<Vec<Period>, DbError> {
    Ok(sql_query(format!("select {COLUMNS} from periods order by starts_at")).load(conn)?)
}

pub fn insert(
    conn: &mut PgConnection,
    wanted: &[Wanted],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<Uuid> = wanted.iter().map(|_| new_id()).collect();
    sql_query(
        "insert into periods (period_id, name, starts_at, ends_at, created_at)
         select t.id, t.name, t.starts_at, t.ends_at, $5 from unnest($1, $2, $3, $4) as t(id, name, starts_at, ends_at)",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Text>, _>(wanted.iter().map(|w| w.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(wanted.iter().map(|w| w.starts_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(wanted.iter().map(|w| w.ends_at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    for id in ids {
        insert_change(conn, id, "created", &Value::Object(serde_json::Map::new()), by, now)?;
    }
    Ok(())
}

pub fn soft_close(conn: &mut PgConnection, period: Uuid, late_after_seq: i64) -> Result<(), DbError> {
    sql_query("update periods set status = 'soft_closed', late_after_seq = $2 where period_id = $1")
        .bind::<SqlUuid, _>(period)
        .bind::<BigInt, _>(late_after_seq)
        .execute(conn)?;
    Ok(())
}

/// What the official run is calculated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    pub cutoff_seq: i64,
    pub known_at: DateTime<Utc>,
    pub plan_hash: [u8; 32],
}

pub fn freeze(conn: &mut PgConnection, period: Uuid, pins: &Pins) -> Result<(), DbError> {
    sql_query(
        "update periods set status = 'frozen', cutoff_seq = $2, known_at = $3, plan_hash = $4
         where period_id = $1",
    )
    .bind::<SqlUuid, _>(period)
    .bind::<BigInt, _>(pins.cutoff_seq)
    .bind::<Timestamptz, _>(pins.known_at)
    .bind::<Binary, _>(pins.plan_hash.as_slice())
    .execute(conn)?;
    Ok(())
}

pub fn unfreeze(conn: &mut PgConnection, period: Uuid) -> Result<(), DbError> {
    sql_query(
        "update periods set status = 'soft_closed', cutoff_seq = null, known_at = null, plan_hash = null
         where period_id = $1",
    )
    .bind::<SqlUuid, _>(period)
    .execute(conn)?;
    Ok(())
}

pub fn close(conn: &mut PgConnection, period: Uuid, run: Uuid) -> Result<(), DbError> {
    sql_query("update periods set status = 'closed', run_id = $2 where period_id = $1")
        .bind::<SqlUuid, _>(period)
        .bind::<SqlUuid, _>(run)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Instant {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

/// When the first order was placed of which there is a fact.
pub fn first_order(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>, DbError> {
    Ok(sql_query("select min(ordered_at) as at from volume_facts").get_result::<Instant>(conn)?.at)
}

/// One thing that was done to a period.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Change {
    #[diesel(sql_type = Integer)]
    pub change_no: i32,
    /// created, soft_closed, frozen, unfrozen, closed or adjusted.
    #[diesel(sql_type = Text)]
    pub change: String,
    #[diesel(sql_type = Jsonb)]
    pub detail: Value,
    #[diesel(sql_type = Text)]
    pub changed_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub changed_at: DateTime<Utc>,
}

pub fn changes(conn: &mut PgConnection, period: Uuid) -> Result<Vec<Change>, DbError> {
    Ok(sql_query(
        "select change_no, change, detail, changed_by, changed_at from period_changes
         where period_id = $1 order by change_no",
    )
    .bind::<SqlUuid, _>(period)
    .load(conn)?)
}

pub fn insert_change(
    conn: &mut PgConnection,
    period: Uuid,
    change: &str,
    detail: &Value,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into period_changes (period_id, change_no, change, detail, changed_by, changed_at)
         select $1, coalesce(max(change_no), 0) + 1, $2, $3, $4, $5 from period_changes where period_id = $1",
    )
    .bind::<SqlUuid, _>(period)
    .bind::<Text, _>(change)
    .bind::<Jsonb, _>(detail)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
