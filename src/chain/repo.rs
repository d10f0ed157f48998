//! SQL of the chain: how it stands.

pub mod heads;
pub mod recovery;
pub mod sequence;
pub mod walk;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::db::DbError;

/// The last link, as it is given out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, QueryableByName)]
pub struct Head {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// 64 hexadecimal digits.
    #[diesel(sql_type = Text)]
    pub hash: String,
}

pub fn head(conn: &mut PgConnection) -> Result<Option<Head>, DbError> {
    Ok(sql_query(
        "select head_seq as seq, encode(head_hash, 'hex') as hash from chain_state where head_seq > 0",
    )
    .get_result(conn)
    .optional()?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Rows that the sequencer has not seen, up to a limit. While it walks through old rows, all of them count.
pub fn unchained(conn: &mut PgConnection, limit: i64) -> Result<i64, DbError> {
    let state = sequence::state(conn)?;
    let old = if state.walk_kind.is_some() { state.base } else { -1 };
    let waiting = |table: &str| {
        format!(
            "select 1 from {table} where txid >= $1 union all select 1 from {table} where txid = any($2)
             union all select 1 from {table} where txid <= $3"
        )
    };
    let count: Count = sql_query(format!(
        "select count(*) as rows from ({} union all {} limit $4) waiting",
        waiting("journal_entries"),
        waiting("audit_log")
    ))
    .bind::<BigInt, _>(state.seen_before)
    .bind::<Array<BigInt>, _>(&state.missing)
    .bind::<BigInt, _>(old)
    .bind::<BigInt, _>(limit)
    .get_result(conn)?;
    Ok(count.rows)
}

/// What `upline verify` came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, QueryableByName)]
pub struct Verification {
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    pub ok: bool,
    /// The chain's head then.
    #[diesel(sql_type = BigInt)]
    pub head_seq: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub first_bad: Option<i64>,
    #[diesel(sql_type = Integer)]
    pub problems: i32,
}

pub fn last_verification(conn: &mut PgConnection) -> Result<Option<Verification>, DbError> {
    Ok(sql_query(
        "select at, ok, head_seq, first_bad, problems from verifications order by verification_no desc limit 1",
    )
    .get_result(conn)
    .optional()?)
}
