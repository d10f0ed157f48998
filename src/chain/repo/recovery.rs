//! SQL of recoveries.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;

use crate::db::DbError;

/// A database that was set back, and whether somebody has looked.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Recovery {
    #[diesel(sql_type = Integer)]
    pub recovery_no: i32,
    #[diesel(sql_type = Timestamptz)]
    pub began_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub began_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub back_to: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub ended_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub note: Option<String>,
}

pub fn going_on(conn: &mut PgConnection) -> Result<Option<Recovery>, DbError> {
    Ok(sql_query("select * from recoveries where ended_at is null").get_result(conn).optional()?)
}

/// Nothing happens when one is going on.
pub fn begin(
    conn: &mut PgConnection,
    back_to: DateTime<Utc>,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "insert into recoveries (began_at, began_by, back_to, reason) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(back_to)
    .bind::<Text, _>(reason)
    .execute(conn)?)
}

pub fn end(conn: &mut PgConnection, note: &str, by: &str, now: DateTime<Utc>) -> Result<usize, DbError> {
    Ok(sql_query("update recoveries set ended_at = $1, ended_by = $2, note = $3 where ended_at is null")
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(by)
        .bind::<Text, _>(note)
        .execute(conn)?)
}

#[derive(QueryableByName)]
struct Slug {
    #[diesel(sql_type = Text)]
    slug: String,
}

/// Connected stores whose API was not read since the database was set back, from before the time it was set back to.
pub fn not_read_since(conn: &mut PgConnection, recovery: &Recovery) -> Result<Vec<String>, DbError> {
    let rows: Vec<Slug> = sql_query(
        "select s.slug from store_connections c join stores s using (store_id)
         where s.active and not exists (
           select from pulls p where p.store_id = c.store_id and p.kind = 'orders' and p.state = 'done'
             and p.started_at >= $1 and coalesce(p.window_from, '-infinity') <= $2)
         order by s.slug",
    )
    .bind::<Timestamptz, _>(recovery.began_at)
    .bind::<Timestamptz, _>(recovery.back_to)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.slug).collect())
}
