//! SQL of the heads that were given out, and of verifications.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use crate::chain::heads::GivenHead;
use crate::db::DbError;

/// The head as it is at this moment; nothing when there was one for the cause.
pub fn insert(conn: &mut PgConnection, cause: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    // One after the other: their numbers commit in their order, so the file that follows them misses none.
    sql_query("select 1 from chain_state for update").execute(conn)?;
    sql_query(
        "insert into chain_heads (seq, hash, cause, at) select head_seq, head_hash, $1, $2 from chain_state
         where head_seq > 0 and not exists (select 1 from chain_heads where cause = $1)
         on conflict (cause) do nothing",
    )
    .bind::<Text, _>(cause)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Bool)]
    due: bool,
}

/// Whether there is none for the cause, and something to say.
pub fn is_due(conn: &mut PgConnection, cause: &str) -> Result<bool, DbError> {
    let due: Due = sql_query(
        "select head_seq > 0 and not exists (select 1 from chain_heads where cause = $1) as due from chain_state",
    )
    .bind::<Text, _>(cause)
    .get_result(conn)?;
    Ok(due.due)
}

#[derive(QueryableByName)]
struct Run {
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
}

/// Posted runs whose entries are chained and that have no head.
pub fn runs_without(conn: &mut PgConnection) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Run> = sql_query(
        "select r.run_id from runs r
         left join chain_heads h on h.cause = 'run ' || r.run_id
         join chain c on c.source_id = r.run_id and c.number = r.entries and c.kind = 'entry'
         where r.status = 'posted' and h.cause is null order by r.post_no",
    )
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}

#[derive(QueryableByName)]
struct Cause {
    #[diesel(sql_type = Text)]
    cause: String,
}

/// What to call the heads of exported payouts that have none, once everything of them is chained.
pub fn payouts_without(conn: &mut PgConnection) -> Result<Vec<String>, DbError> {
    let rows: Vec<Cause> = sql_query(
        "select 'payout ' || b.batch_no as cause from payout_batches b
         left join chain_heads h on h.cause = 'payout ' || b.batch_no
         join chain c on c.source_id = b.batch_id and c.number = b.entries and c.kind = 'entry'
         where b.exported_at is not null and h.cause is null order by b.batch_no",
    )
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.cause).collect())
}

/// The head that was given out for a cause.
pub fn of(conn: &mut PgConnection, cause: &str) -> Result<Option<GivenHead>, DbError> {
    let row: Option<HeadRow> = sql_query(
        "select head_no, seq, encode(hash, 'hex') as hash, cause, at from chain_heads where cause = $1",
    )
    .bind::<Text, _>(cause)
    .get_result(conn)
    .optional()?;
    Ok(row.map(given))
}

#[derive(QueryableByName)]
struct HeadRow {
    #[diesel(sql_type = BigInt)]
    head_no: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    hash: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

pub fn after(conn: &mut PgConnection, no: i64) -> Result<Vec<GivenHead>, DbError> {
    let rows: Vec<HeadRow> = sql_query(
        "select head_no, seq, encode(hash, 'hex') as hash, cause, at from chain_heads where head_no > $1
         order by head_no",
    )
    .bind::<BigInt, _>(no)
    .load(conn)?;
    Ok(rows.into_iter().map(given).collect())
}

fn given(HeadRow { head_no, seq, hash, cause, at }: HeadRow) -> GivenHead {
    GivenHead { no: head_no, seq, hash, cause, at }
}

/// The head that a verification is of is the chain's at this moment.
pub fn record_verification(
    conn: &mut PgConnection,
    first_bad: Option<i64>,
    problems: i32,
    told: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into verifications (at, ok, head_seq, head_hash, first_bad, problems, told)
         select $1, $2 = 0, head_seq, head_hash, $3, $2, $4 from chain_state",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(problems)
    .bind::<Nullable<BigInt>, _>(first_bad)
    .bind::<Jsonb, _>(told)
    .execute(conn)?;
    Ok(())
}
