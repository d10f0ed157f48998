//! SQL of binding policies.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::NewPolicy;
use crate::core::ids::StoreId;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Integer)]
    newest: i32,
}

/// The number of the newest version; nobody adds another before this database transaction ends.
pub fn lock(conn: &mut PgConnection, store: StoreId) -> Result<i32, DbError> {
    sql_query("select from stores where store_id = $1 for update")
        .bind::<Integer, _>(store.0)
        .execute(conn)?;
    let newest: Newest =
        sql_query("select coalesce(max(policy_no), 0) as newest from store_bindings where store_id = $1")
            .bind::<Integer, _>(store.0)
            .get_result(conn)?;
    Ok(newest.newest)
}

pub fn insert(
    conn: &mut PgConnection,
    store: StoreId,
    no: i32,
    new: &NewPolicy<'_>,
    from: Option<DateTime<Utc>>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into store_bindings (store_id, policy_no, days, own_place, bound_place, effective_from, recorded_at, recorded_by)
         values ($1, $2, $3, $4, $5, coalesce($6, '-infinity'), $7, $8)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Integer, _>(no)
    .bind::<Nullable<Integer>, _>(new.policy.days().map(|days| i32::try_from(days).unwrap_or(i32::MAX)))
    .bind::<Nullable<Text>, _>(new.own_place)
    .bind::<Nullable<Text>, _>(new.bound_place)
    .bind::<Nullable<Timestamptz>, _>(from)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

/// Puts the place behind those of the store, unless it is among them.
pub fn list_place(conn: &mut PgConnection, store: StoreId, place: &str) -> Result<bool, DbError> {
    let changed = sql_query(
        "update stores set attribution = attribution || $2::text where store_id = $1 and not $2 = any(attribution)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(place)
    .execute(conn)?;
    Ok(changed > 0)
}
