//! What waits for a person, by cause, with its money.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Orders of one cause in one currency.
#[derive(Clone, Debug, QueryableByName)]
pub struct Cause {
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Text)]
    pub cause: String,
    /// One of the orders' own words for it.
    #[diesel(sql_type = Text)]
    pub detail: String,
    /// Stores that it was seen in.
    #[diesel(sql_type = Array<Text>)]
    pub stores: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Timestamptz)]
    pub oldest: DateTime<Utc>,
}

/// The largest first within a reason; an empty `reason` takes all.
pub fn causes(conn: &mut Conn, reason: &str) -> Result<Vec<Cause>, DbError> {
    Ok(sql_query(
        "with held as (
           select reason, cause, order_id, min(detail) as detail, min(held_at) as held_at
           from holds where $1 = '' or reason = $1 group by reason, cause, order_id)
         select h.reason, h.cause, min(h.detail) as detail, array_agg(distinct s.slug) as stores,
                o.currency::text as currency, count(*) as orders, sum(o.net) as net, min(h.held_at) as oldest
         from held h join orders o using (order_id) join stores s using (store_id)
         group by h.reason, h.cause, o.currency
         order by h.reason, sum(count(*)) over (partition by h.reason, h.cause) desc, h.cause, o.currency",
    )
    .bind::<Text, _>(reason)
    .load(conn)?)
}

/// All held orders, each counted once.
#[derive(Clone, Debug, QueryableByName)]
pub struct Total {
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

pub fn totals(conn: &mut Conn) -> Result<Vec<Total>, DbError> {
    Ok(sql_query(
        "select o.currency::text as currency, count(*) as orders, sum(o.net) as net
         from orders o where o.order_id in (select order_id from holds) group by o.currency order by o.currency",
    )
    .load(conn)?)
}

/// The same by reason: an order that waits for two reasons is in both.
#[derive(Clone, Debug, QueryableByName)]
pub struct ByReason {
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

pub fn by_reason(conn: &mut Conn) -> Result<Vec<ByReason>, DbError> {
    Ok(sql_query(
        "select h.reason, o.currency::text as currency, count(*) as orders, sum(o.net) as net
         from (select distinct reason, order_id from holds) h join orders o using (order_id)
         group by h.reason, o.currency order by h.reason, o.currency",
    )
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub number: String,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub detail: String,
    /// Reasons and causes that it waits for besides.
    #[diesel(sql_type = Array<Text>)]
    pub others: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

/// Orders that wait for one cause, oldest first.
pub fn orders(
    conn: &mut Conn,
    reason: &str,
    cause: &str,
    after: Option<Uuid>,
) -> Result<Page<Row, Uuid>, DbError> {
    let rows: Vec<Row> = sql_query(
        "select o.order_id, coalesce(o.number, o.external_id) as number, s.slug as store, s.platform, o.ordered_at,
                h.detail,
                array(select distinct x.reason || ' ' || x.cause from holds x
                      where x.order_id = o.order_id and (x.reason, x.cause) <> ($1, $2)) as others,
                o.currency::text as currency, o.net
         from (select order_id, min(detail) as detail from holds
               where reason = $1 and cause = $2 and order_id > $3
               group by order_id order by order_id limit $4) h
         join orders o using (order_id) join stores s using (store_id) order by o.order_id",
    )
    .bind::<Text, _>(reason)
    .bind::<Text, _>(cause)
    .bind::<SqlUuid, _>(after.unwrap_or(Uuid::nil()))
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.order_id))
}

/// Orders of a cause in one currency, and how many of them wait for something else too.
#[derive(Clone, Debug, QueryableByName)]
pub struct Effect {
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// Of all of them.
    #[diesel(sql_type = Numeric)]
    pub waiting: Decimal,
    /// Of those that wait for nothing else.
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = BigInt)]
    pub still_held: i64,
}

/// `stores` and `since` are how far a fix reaches; empty and `None`: everywhere and ever.
pub fn effect(
    conn: &mut Conn,
    reason: &str,
    cause: &str,
    stores: &[String],
    since: Option<DateTime<Utc>>,
) -> Result<Vec<Effect>, DbError> {
    Ok(sql_query(
        "select o.currency::text as currency, count(*) as orders, sum(o.net) as waiting,
                coalesce(sum(o.net) filter (where not w.waits), 0) as net, count(*) filter (where w.waits) as still_held
         from (select distinct order_id from holds where reason = $1 and cause = $2) h
         join orders o using (order_id) join stores s using (store_id)
         cross join lateral (select exists (
           select 1 from holds x where x.order_id = o.order_id and (x.reason, x.cause) <> ($1, $2)) as waits) w
         where ($3 = '{}' or s.slug = any($3)) and ($4 is null or o.ordered_at >= $4)
         group by o.currency order by o.currency",
    )
    .bind::<Text, _>(reason)
    .bind::<Text, _>(cause)
    .bind::<Array<Text>, _>(stores)
    .bind::<Nullable<Timestamptz>, _>(since)
    .load(conn)?)
}
