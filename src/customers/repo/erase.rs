//! SQL of forgetting: which deliveries are about a customer, and the one way past their guard.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::core::ids::{DeliveryId, StoreId};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
}

fn ids(rows: Vec<Id>) -> Vec<Uuid> {
    rows.into_iter().map(|row| row.delivery_id).collect()
}

/// Every delivery about the customer or one of its orders, and about the orders that are named besides.
pub fn of_customer(
    conn: &mut PgConnection,
    store: StoreId,
    customer: &str,
    orders: &[String],
) -> Result<Vec<Uuid>, DbError> {
    Ok(ids(sql_query(
        "with o as (
           select order_id, first_delivery_id from orders
           where store_id = $1 and (customer_id = $2 or external_id = any($3)))
         select delivery_id from customer_deliveries where store_id = $1 and customer_id = $2
         union select first_delivery_id from o
         union select r.delivery_id from o join order_revisions r using (order_id)
         union select x.delivery_id from delivery_outcomes x
               where x.order_ids && (select coalesce(array_agg(order_id), '{}') from o)
         union select delivery_id from privacy_requests where store_id = $1 and customer_id = $2
         order by 1",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(customer)
    .bind::<Array<Text>, _>(orders)
    .load(conn)?))
}

#[derive(QueryableByName)]
struct Customer {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    customer_id: String,
}

/// Forgotten customers of whom something was processed since.
pub fn told_since_forgotten(conn: &mut PgConnection) -> Result<Vec<(StoreId, String)>, DbError> {
    let found: Vec<Customer> = sql_query(
        "select c.store_id, c.customer_id from customers c
         where c.redacted_at is not null and (
           exists (select from orders o where o.store_id = c.store_id and o.customer_id = c.customer_id
                   and o.assessed_at >= c.redacted_at)
           or exists (select from customer_deliveries k join delivery_outcomes d using (delivery_id)
                      where k.store_id = c.store_id and k.customer_id = c.customer_id
                        and d.processed_at >= c.redacted_at))
         order by 1, 2",
    )
    .load(conn)?;
    Ok(found.into_iter().map(|row| (StoreId(row.store_id), row.customer_id)).collect())
}

/// The next deliveries of a store that are as they came.
pub fn of_store(
    conn: &mut PgConnection,
    store: StoreId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    Ok(ids(sql_query(
        "select delivery_id from deliveries where store_id = $1 and delivery_id > $2 and redacted_at is null
         order by delivery_id limit $3",
    )
    .bind::<Integer, _>(store.0)
    .bind::<SqlUuid, _>(after.unwrap_or(Uuid::nil()))
    .bind::<BigInt, _>(limit)
    .load(conn)?))
}

/// A body without what nobody needs, and its hash.
pub struct Redaction {
    pub delivery: DeliveryId,
    /// Compressed.
    pub body: Vec<u8>,
    pub body_bytes: usize,
    pub sha256: [u8; 32],
}

pub fn redact(
    conn: &mut PgConnection,
    redactions: &[Redaction],
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "select redact_delivery(id, body, bytes, sha, $5, $6, $7)
         from unnest($1, $2, $3, $4) as t(id, body, bytes, sha)",
    )
    .bind::<Array<SqlUuid>, _>(redactions.iter().map(|r| r.delivery.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(redactions.iter().map(|r| r.body.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(
        redactions.iter().map(|r| i32::try_from(r.body_bytes).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
    )
    .bind::<Array<Binary>, _>(redactions.iter().map(|r| r.sha256.as_slice()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .bind::<Text, _>(reason)
    .execute(conn)?;
    Ok(())
}

/// `None`: all customers of the store.
pub fn forget(
    conn: &mut PgConnection,
    store: StoreId,
    customer: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update customers set places = '[]', created_at = null, redacted_at = $3
         where store_id = $1 and ($2 is null or customer_id = $2)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Nullable<Text>, _>(customer)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
