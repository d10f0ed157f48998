//! Everything that is held about a customer.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Text};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;

use crate::core::ids::StoreId;
use crate::db::DbError;

/// What a customer who asks is given.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Slug.
    pub store: String,
    pub customer_id: String,
    pub exported_at: DateTime<Utc>,
    /// The customer's record; nothing where only orders name the customer.
    pub record: serde_json::Value,
    pub orders: serde_json::Value,
    pub bindings: serde_json::Value,
    /// By id, topic and time; what a store told is told once more by the store itself.
    pub deliveries: serde_json::Value,
    pub requests: serde_json::Value,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    store: String,
    #[diesel(sql_type = Jsonb)]
    record: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    orders: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    bindings: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    deliveries: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    requests: serde_json::Value,
}

/// `None`: nothing is known of the customer. `orders` are named besides its own, as a store does for guests.
pub fn held(
    conn: &mut PgConnection,
    store: StoreId,
    customer: &str,
    orders: &[String],
    now: DateTime<Utc>,
) -> Result<Option<Held>, DbError> {
    let deliveries = super::erase::of_customer(conn, store, customer, orders)?;
    let row: Option<Row> = sql_query(
        "select s.slug as store,
           coalesce((select to_jsonb(c) - 'store_id' from customers c
                     where c.store_id = s.store_id and c.customer_id = $2), 'null') as record,
           coalesce((select jsonb_agg(jsonb_build_object(
                       'order', o.external_id, 'number', o.number, 'ordered_at', o.ordered_at, 'status', o.status,
                       'currency', o.currency, 'total', o.total::text, 'net', o.net::text,
                       'distributor', o.distributor_id, 'place', o.place) order by o.ordered_at, o.external_id)
                     from orders o where o.store_id = s.store_id
                       and (o.customer_id = $2 or o.external_id = any($3))), '[]') as orders,
           coalesce((select jsonb_agg(to_jsonb(b) - 'store_id' - 'customer_id' order by b.binding_no)
                     from customer_bindings b
                     where b.store_id = s.store_id and b.customer_id = $2), '[]') as bindings,
           coalesce((select jsonb_agg(jsonb_build_object('delivery', d.delivery_id, 'topic', d.topic,
                       'received_at', d.received_at, 'redacted_at', d.redacted_at) order by d.delivery_id)
                     from deliveries d where d.delivery_id = any($4)), '[]') as deliveries,
           coalesce((select jsonb_agg(to_jsonb(r) - 'store_id' order by r.request_id) from privacy_requests r
                     where r.store_id = s.store_id and r.customer_id = $2), '[]') as requests
         from stores s where s.store_id = $1",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(customer)
    .bind::<Array<Text>, _>(orders)
    .bind::<Array<diesel::sql_types::Uuid>, _>(&deliveries)
    .get_result(conn)
    .optional()?;
    let known =
        row.filter(|row| !row.record.is_null() || row.orders.as_array().is_some_and(|o| !o.is_empty()));
    Ok(known.map(|row| Held {
        store: row.store,
        customer_id: customer.to_owned(),
        exported_at: now,
        record: row.record,
        orders: row.orders,
        bindings: row.bindings,
        deliveries: row.deliveries,
        requests: row.requests,
    }))
}
