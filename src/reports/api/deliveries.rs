//! Deliveries as programs read them: what came when, and what was made of it. Not the bytes themselves: those
//! hold personal data.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Conn, DbError};

#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct DeliveryView {
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: Uuid,
    /// Slug of the store.
    #[diesel(sql_type = Text)]
    #[schema(example = "main")]
    pub store: String,
    #[diesel(sql_type = Text)]
    #[schema(example = "order.updated")]
    pub topic: String,
    /// When its first byte was read.
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    /// When it happened, by the platform's own header.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub triggered_at: Option<DateTime<Utc>>,
    /// The platform's own id of the delivery: evidence, never a key.
    #[diesel(sql_type = Nullable<Text>)]
    pub delivery_key: Option<String>,
    #[diesel(sql_type = Integer)]
    pub body_bytes: i32,
    /// Of the bytes on the wire, hexadecimal.
    #[diesel(sql_type = Text)]
    pub body_sha256: String,
    /// How often the same was told again.
    #[diesel(sql_type = BigInt)]
    pub repeats: i64,
    /// `waiting`: not processed yet. `applied`: it changed an order. `superseded`: a newer state was known.
    /// `unchanged`: it told nothing new. `ignored`: none of our business. `unreadable`: kept, but not understood.
    #[diesel(sql_type = Text)]
    #[schema(example = "applied")]
    pub verdict: String,
    /// Why, where the verdict needs a sentence.
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    /// The orders that it told something about.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub order_ids: Vec<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub processed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub store: Option<String>,
    pub verdict: Option<String>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// A page of deliveries by `delivery_id`: in the order in which they came.
pub fn deliveries(conn: &mut Conn, filter: &DeliveryFilter) -> Result<Vec<DeliveryView>, DbError> {
    Ok(sql_query(
        "select d.delivery_id, s.slug as store, d.topic, d.received_at, d.triggered_at, d.delivery_key, d.body_bytes,
                encode(d.body_sha256, 'hex') as body_sha256,
                (select count(*) from delivery_repeats r where r.delivery_id = d.delivery_id) as repeats,
                coalesce(o.verdict, 'waiting') as verdict, o.detail, coalesce(o.order_ids, '{}') as order_ids,
                o.processed_at
         from deliveries d
         join stores s using (store_id)
         left join lateral (select verdict, detail, order_ids, processed_at from delivery_outcomes x
                            where x.delivery_id = d.delivery_id order by outcome_no desc limit 1) o on true
         where ($1::text is null or s.slug = $1) and ($2::text is null or coalesce(o.verdict, 'waiting') = $2)
           and ($3::uuid is null or d.delivery_id > $3)
         order by d.delivery_id limit $4",
    )
    .bind::<Nullable<Text>, _>(&filter.store)
    .bind::<Nullable<Text>, _>(&filter.verdict)
    .bind::<Nullable<SqlUuid>, _>(filter.after)
    .bind::<BigInt, _>(filter.limit)
    .load(conn)?)
}
