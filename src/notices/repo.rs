//! SQL of notices.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::Notice;
use crate::clock::new_id;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Times {
    #[diesel(sql_type = Integer)]
    times: i32,
}

pub fn raise(conn: &mut PgConnection, notice: &Notice<'_>, now: DateTime<Utc>) -> Result<bool, DbError> {
    let raised: Times = sql_query(
        "insert into notices (notice_id, key, severity, subject, body, store_id, raised_at, last_raised_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (key) where resolved_at is null do update set
           severity = excluded.severity, subject = excluded.subject, body = excluded.body,
           last_raised_at = excluded.last_raised_at, times = notices.times + 1
         returning times",
    )
    .bind::<SqlUuid, _>(new_id())
    .bind::<Text, _>(notice.key)
    .bind::<Text, _>(notice.severity.name())
    .bind::<Text, _>(notice.subject)
    .bind::<Text, _>(notice.body)
    .bind::<Nullable<Integer>, _>(notice.store.map(|store| store.0))
    .bind::<Timestamptz, _>(now)
    .get_result(conn)?;
    Ok(raised.times == 1)
}

pub fn resolve(conn: &mut PgConnection, key: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let resolved = sql_query("update notices set resolved_at = $2 where key = $1 and resolved_at is null")
        .bind::<Text, _>(key)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(resolved > 0)
}
