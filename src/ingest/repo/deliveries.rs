//! SQL of deliveries and their repeats.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::super::{NewDelivery, sha256};
use crate::core::ids::{DeliveryId, StoreId};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Binary)]
    dedupe_key: Vec<u8>,
}

type DedupeKey = (StoreId, [u8; 32]);

/// Inserts what is not there yet. Returns the ids of those that were, by key; all others are in now.
pub fn insert(
    conn: &mut PgConnection,
    rows: &[(Uuid, &NewDelivery)],
) -> Result<HashMap<DedupeKey, Uuid>, DbError> {
    let all = |f: fn(&NewDelivery) -> Option<String>| rows.iter().map(|(_, d)| f(d)).collect::<Vec<_>>();
    let headers: Result<Vec<_>, _> = rows.iter().map(|(_, d)| serde_json::to_value(&d.headers)).collect();
    let inserted = sql_query(
        "insert into deliveries (delivery_id, store_id, topic, dedupe_key, delivery_key, event_key, triggered_at,
                                 received_at, headers, body, body_bytes, body_sha256)
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (store_id, dedupe_key) do nothing",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|(_, d)| d.store.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|(_, d)| d.topic.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|(_, d)| d.dedupe_key.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(all(|d| d.delivery_key.clone()))
    .bind::<Array<Nullable<Text>>, _>(all(|d| d.event_key.clone()))
    .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|(_, d)| d.triggered_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|(_, d)| d.received_at).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(headers?)
    .bind::<Array<Binary>, _>(rows.iter().map(|(_, d)| d.body.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|(_, d)| i32::try_from(d.body_bytes).unwrap_or(i32::MAX)).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|(_, d)| d.body_sha256.as_slice()).collect::<Vec<_>>())
    .execute(conn)?;
    if inserted == rows.len() {
        return Ok(HashMap::new());
    }
    known(conn, rows)
}

fn known(
    conn: &mut PgConnection,
    rows: &[(Uuid, &NewDelivery)],
) -> Result<HashMap<DedupeKey, Uuid>, DbError> {
    let ours: std::collections::HashSet<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    let found: Vec<Key> = sql_query(
        "select d.delivery_id, d.store_id, d.dedupe_key from unnest($1, $2) as k(store_id, dedupe_key)
         join deliveries d on d.store_id = k.store_id and d.dedupe_key = k.dedupe_key",
    )
    .bind::<Array<Integer>, _>(rows.iter().map(|(_, d)| d.store.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|(_, d)| d.dedupe_key.as_slice()).collect::<Vec<_>>())
    .load(conn)?;
    found
        .into_iter()
        .filter(|key| !ours.contains(&key.delivery_id))
        .map(|key| {
            let dedupe_key = <[u8; 32]>::try_from(key.dedupe_key)
                .map_err(|_| DbError::Damaged(format!("dedupe_key of delivery {}", key.delivery_id)))?;
            Ok(((StoreId(key.store_id), dedupe_key), key.delivery_id))
        })
        .collect()
}

pub fn insert_repeats(conn: &mut PgConnection, repeats: &[(Uuid, DateTime<Utc>)]) -> Result<(), DbError> {
    if repeats.is_empty() {
        return Ok(());
    }
    let (ids, times): (Vec<Uuid>, Vec<DateTime<Utc>>) = repeats.iter().copied().unzip();
    sql_query("insert into delivery_repeats (delivery_id, received_at) select * from unnest($1, $2)")
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Timestamptz>, _>(times)
        .execute(conn)?;
    Ok(())
}

/// A delivery read back: the bytes are the ones that were on the wire, or what is left of them without personal data.
#[derive(Clone, Debug)]
pub struct StoredDelivery {
    pub id: DeliveryId,
    pub store: StoreId,
    pub topic: String,
    pub delivery_key: Option<String>,
    pub event_key: Option<String>,
    pub triggered_at: Option<DateTime<Utc>>,
    pub received_at: DateTime<Utc>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Nullable<Text>)]
    delivery_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    event_key: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    triggered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    headers: serde_json::Value,
    #[diesel(sql_type = Binary)]
    body: Vec<u8>,
    /// Of what stands in `body`.
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
}

const COLUMNS: &str = "delivery_id, store_id, topic, delivery_key, event_key, triggered_at, received_at, headers, \
                       body, coalesce(redacted_sha256, body_sha256) as sha256";

/// In the order in which they were stored.
pub fn load(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<StoredDelivery>, DbError> {
    sql_query(format!("select {COLUMNS} from deliveries where delivery_id = any($1) order by delivery_id"))
        .bind::<Array<SqlUuid>, _>(ids)
        .load::<Row>(conn)?
        .into_iter()
        .map(StoredDelivery::try_from)
        .collect()
}

/// The next `limit` deliveries after one, in the order in which they were stored.
pub fn load_page(
    conn: &mut PgConnection,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<StoredDelivery>, DbError> {
    sql_query(format!(
        "select {COLUMNS} from deliveries where delivery_id > $1 order by delivery_id limit $2"
    ))
    .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), |id| id.0))
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)?
    .into_iter()
    .map(StoredDelivery::try_from)
    .collect()
}

impl TryFrom<Row> for StoredDelivery {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("{what} of delivery {}", row.delivery_id));
        let body = lz4_flex::decompress_size_prepended(&row.body).map_err(|_| damaged("body"))?;
        if sha256(&body).as_slice() != row.sha256 {
            return Err(damaged("body_sha256"));
        }
        Ok(Self {
            id: DeliveryId(row.delivery_id),
            store: StoreId(row.store_id),
            topic: row.topic,
            delivery_key: row.delivery_key,
            event_key: row.event_key,
            triggered_at: row.triggered_at,
            received_at: row.received_at,
            headers: serde_json::from_value(row.headers)?,
            body,
        })
    }
}
