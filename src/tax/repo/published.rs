//! Figures that were given out.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Jsonb, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;

use crate::chain::Head;
use crate::db::DbError;

/// A figure as it was given out.
#[derive(Clone, Debug, PartialEq, QueryableByName, Serialize)]
pub struct Stored {
    #[diesel(sql_type = BigInt)]
    pub figure_no: i64,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Jsonb)]
    pub parameters: Value,
    #[diesel(sql_type = Text)]
    pub query: String,
    /// Hexadecimal.
    #[diesel(sql_type = Text)]
    pub data_sha256: String,
    #[diesel(sql_type = BigInt)]
    pub data_rows: i64,
    #[diesel(sql_type = Jsonb)]
    pub summary: Value,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub follows: Option<i64>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub change: Option<Value>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub head_seq: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub head_hash: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub published_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub published_by: String,
}

const COLUMNS: &str =
    "figure_no, name, parameters, query, encode(data_sha256, 'hex') as data_sha256, data_rows,
    summary, follows, change, head_seq, head_hash, published_at, published_by";

/// The newest first, before a number.
pub fn figures(
    conn: &mut PgConnection,
    before: Option<i64>,
    name: &str,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from published_figures where figure_no < $1 and ($2 = '' or name = $2)
         order by figure_no desc limit $3"
    ))
    .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
    .bind::<Text, _>(name)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn figure(conn: &mut PgConnection, number: i64) -> Result<Option<Stored>, DbError> {
    Ok(sql_query(format!("select {COLUMNS} from published_figures where figure_no = $1"))
        .bind::<BigInt, _>(number)
        .get_result(conn)
        .optional()?)
}

/// Nobody else publishes a figure of this name until the database transaction ends.
pub fn hold(conn: &mut PgConnection, name: &str) -> Result<(), DbError> {
    sql_query("select pg_advisory_xact_lock(hashtextextended('published ' || $1, 0))")
        .bind::<Text, _>(name)
        .execute(conn)?;
    Ok(())
}

pub fn newest(conn: &mut PgConnection, name: &str, parameters: &Value) -> Result<Option<Stored>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from published_figures where name = $1 and parameters = $2 order by figure_no desc limit 1"
    ))
    .bind::<Text, _>(name)
    .bind::<Jsonb, _>(parameters)
    .get_result(conn)
    .optional()?)
}

pub struct New<'a> {
    pub name: &'a str,
    pub parameters: &'a Value,
    pub query: &'a str,
    pub data_sha256: &'a [u8; 32],
    pub data_rows: i64,
    pub summary: &'a Value,
    pub follows: Option<i64>,
    pub change: Option<Value>,
    pub head: Option<Head>,
}

pub fn insert(
    conn: &mut PgConnection,
    new: &New<'_>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Stored, DbError> {
    Ok(sql_query(format!(
        "insert into published_figures (name, parameters, query, data_sha256, data_rows, summary, follows, change,
           head_seq, head_hash, published_at, published_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning {COLUMNS}"
    ))
    .bind::<Text, _>(new.name)
    .bind::<Jsonb, _>(new.parameters)
    .bind::<Text, _>(new.query)
    .bind::<Binary, _>(new.data_sha256.as_slice())
    .bind::<BigInt, _>(new.data_rows)
    .bind::<Jsonb, _>(new.summary)
    .bind::<Nullable<BigInt>, _>(new.follows)
    .bind::<Nullable<Jsonb>, _>(&new.change)
    .bind::<Nullable<BigInt>, _>(new.head.as_ref().map(|head| head.seq))
    .bind::<Nullable<Text>, _>(new.head.as_ref().map(|head| head.hash.as_str()))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .get_result(conn)?)
}
