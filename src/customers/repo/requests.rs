//! SQL of privacy requests.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use uuid::Uuid;

use crate::core::customer::PrivacyRequest;
use crate::core::ids::{DeliveryId, StoreId};
use crate::db::DbError;

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Request {
    #[diesel(sql_type = SqlUuid)]
    pub request_id: Uuid,
    #[diesel(sql_type = Integer)]
    #[serde(skip)]
    pub store_id: i32,
    /// Slug.
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_id: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    pub orders: Vec<String>,
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub due_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub handled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub handled_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

const SELECT: &str =
    "select r.request_id, r.store_id, s.slug as store, r.kind, r.customer_id, r.orders, r.delivery_id,
        r.received_at, r.due_at, r.handled_at, r.handled_by, r.detail
 from privacy_requests r join stores s using (store_id)";

/// Open ones first, those that are due first at the top.
pub fn list(conn: &mut PgConnection, open_only: bool, limit: i64) -> Result<Vec<Request>, DbError> {
    Ok(sql_query(format!(
        "{SELECT} where not $1 or r.handled_at is null
         order by r.handled_at is not null, r.due_at, r.request_id limit $2"
    ))
    .bind::<Bool, _>(open_only)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn request(conn: &mut PgConnection, request: Uuid) -> Result<Option<Request>, DbError> {
    Ok(sql_query(format!("{SELECT} where r.request_id = $1"))
        .bind::<SqlUuid, _>(request)
        .get_result(conn)
        .optional()?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    request_id: Uuid,
}

/// Open requests of the kind about a customer.
pub fn waiting_for(
    conn: &mut PgConnection,
    store: StoreId,
    customer: &str,
    kind: &str,
) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = sql_query(
        "select request_id from privacy_requests
         where store_id = $1 and customer_id = $2 and kind = $3 and handled_at is null order by request_id",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(customer)
    .bind::<Text, _>(kind)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.request_id).collect())
}

pub fn open_of_store(conn: &mut PgConnection, store: StoreId) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = sql_query(
        "select request_id from privacy_requests where store_id = $1 and handled_at is null order by request_id",
    )
    .bind::<Integer, _>(store.0)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.request_id).collect())
}

pub fn insert(
    conn: &mut PgConnection,
    request: Uuid,
    store: StoreId,
    delivery: DeliveryId,
    asked: &PrivacyRequest,
    (received_at, due_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, DbError> {
    let added = sql_query(
        "insert into privacy_requests (request_id, store_id, kind, customer_id, orders, delivery_id, received_at, due_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (delivery_id) do nothing",
    )
    .bind::<SqlUuid, _>(request)
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(asked.kind.name())
    .bind::<Nullable<Text>, _>(asked.customer.as_deref())
    .bind::<Array<Text>, _>(&asked.orders)
    .bind::<SqlUuid, _>(delivery.0)
    .bind::<Timestamptz, _>(received_at)
    .bind::<Timestamptz, _>(due_at)
    .execute(conn)?;
    Ok(added > 0)
}

pub fn done(
    conn: &mut PgConnection,
    request: Uuid,
    by: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let changed = sql_query(
        "update privacy_requests set handled_at = $2, handled_by = $3, detail = nullif($4, '')
         where request_id = $1 and handled_at is null",
    )
    .bind::<SqlUuid, _>(request)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .bind::<Text, _>(detail)
    .execute(conn)?;
    Ok(changed > 0)
}
