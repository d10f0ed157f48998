//! What is known of distributors and positions, and since when: every writer stamps what it records under one lock,
//! so a freeze that names an instant has everything up to it and nothing that comes later.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Instant {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

const NEWEST: &str = "greatest((select max(recorded_at) from distributor_versions),
                                (select max(recorded_at) from placement_versions))";

/// Both trees, in an order that is always the same: whoever is just recording something is waited for, and nobody
/// else records anything before this database transaction ends.
pub fn lock(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query(
        "select from cache_versions where name in ('distributors', 'placement') order by name for update",
    )
    .execute(conn)?;
    Ok(())
}

/// When something was last recorded.
pub fn newest(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>, DbError> {
    Ok(sql_query(format!("select {NEWEST} as at")).get_result::<Instant>(conn)?.at)
}

/// The instant under which this database transaction records: later than everything that is recorded, and the same
/// one however often it is asked. Needs the lock.
pub fn stamp(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
    let stamped: Instant = sql_query(format!(
        "select set_config('upline.recorded_at', coalesce(
           nullif(current_setting('upline.recorded_at', true), ''),
           greatest($1, {NEWEST} + interval '1 microsecond')::text), true)::timestamptz as at"
    ))
    .bind::<Timestamptz, _>(now)
    .get_result(conn)?;
    Ok(stamped.at.unwrap_or(now))
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    distributor_id: String,
}

/// Whose rank at an instant was decided by the close of a period. `known_at`: only by what was recorded by then.
pub fn decided(
    conn: &mut PgConnection,
    at: DateTime<Utc>,
    known_at: Option<DateTime<Utc>>,
) -> Result<HashSet<DistributorId>, DbError> {
    let rows: Vec<Id> = sql_query(
        "select distributor_id from (
           select distinct on (distributor_id) distributor_id, rank_decided from distributor_versions
           where effective_from <= $1 and ($2 is null or recorded_at <= $2)
             and distributor_id in (select d.distributor_id from distributor_versions d where d.rank_decided)
           order by distributor_id, effective_from desc, version_no desc) v
         where rank_decided",
    )
    .bind::<Timestamptz, _>(at)
    .bind::<Nullable<Timestamptz>, _>(known_at)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| DistributorId::new(row.distributor_id)).collect())
}
