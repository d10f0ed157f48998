//! SQL of what arrived from the stores lately. Delivery ids begin with their time: a time is a range of the key.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::clock::first_id_of;
use crate::core::ids::StoreId;
use crate::db::DbError;

#[derive(Debug, QueryableByName)]
pub struct Heard {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    /// When it last delivered by itself.
    #[diesel(sql_type = Timestamptz)]
    pub last: DateTime<Utc>,
    /// When it last told that our app was taken away.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub uninstalled_at: Option<DateTime<Utc>>,
}

/// Of connected stores that delivered since.
pub fn heard(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<Heard>, DbError> {
    Ok(sql_query(
        "select d.store_id, max(d.received_at) as last,
                max(coalesce(d.triggered_at, d.received_at)) filter (where d.topic = 'app/uninstalled') as uninstalled_at
         from deliveries d join store_connections c using (store_id)
         where d.delivery_id >= $1 and d.topic not like 'pull.%' group by d.store_id",
    )
    .bind::<SqlUuid, _>(first_id_of(since))
    .load(conn)?)
}

pub fn note_heard(conn: &mut PgConnection, heard: &[Heard]) -> Result<(), DbError> {
    sql_query(
        "update store_connections c set heard_at = h.last from unnest($1, $2) as h(store_id, last)
         where c.store_id = h.store_id and (c.heard_at is null or c.heard_at < h.last)",
    )
    .bind::<Array<Integer>, _>(heard.iter().map(|heard| heard.store_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(heard.iter().map(|heard| heard.last).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
}

/// The newest deliveries of a store since then, before one of them: pulled orders, or what it sent itself.
pub fn latest(
    conn: &mut PgConnection,
    store: StoreId,
    pulled: Option<&str>,
    since: DateTime<Utc>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    let found: Vec<Id> = sql_query(
        "select delivery_id from deliveries
         where delivery_id >= $1 and store_id = $2 and received_at >= $3
           and case when $4 is null then topic not like 'pull.%' else topic = $4 end
           and ($5 is null or delivery_id < $5)
         order by delivery_id desc limit $6",
    )
    .bind::<SqlUuid, _>(first_id_of(since))
    .bind::<Integer, _>(store.0)
    .bind::<Timestamptz, _>(since)
    .bind::<Nullable<Text>, _>(pulled)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(found.into_iter().map(|row| row.delivery_id).collect())
}

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = Bool)]
    there: bool,
}

/// Whether the store said again what it had said before: it speaks, although that is no delivery of its own.
pub fn repeated(conn: &mut PgConnection, store: StoreId, since: DateTime<Utc>) -> Result<bool, DbError> {
    let found: There = sql_query(
        "select exists (select 1 from delivery_repeats r join deliveries d using (delivery_id)
                        where r.received_at >= $2 and d.store_id = $1) as there",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Timestamptz, _>(since)
    .get_result(conn)?;
    Ok(found.there)
}
