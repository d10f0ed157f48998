//! Customers as a person reads them: by id, with their orders and whom they are bound to.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    BigInt, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The beginning of a customer's id, or a distributor's id.
    pub q: String,
    /// Slug.
    pub store: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.store.is_empty()
    }
}

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Integer)]
    #[serde(skip)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub customer_id: String,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_order_at: Option<DateTime<Utc>>,
    /// The distributor that the customer is, by what is decided.
    #[diesel(sql_type = Nullable<Text>)]
    pub is: Option<String>,
    /// Whom the customer is bound to, by what is decided.
    #[diesel(sql_type = Nullable<Text>)]
    pub bound: Option<String>,
    /// Whom the first of its orders that names somebody names.
    #[diesel(sql_type = Nullable<Text>)]
    pub first_named: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub created_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub gone_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub redacted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    #[serde(skip)]
    pub places: serde_json::Value,
}

const ROW: &str =
    "c.store_id, s.slug as store, c.customer_id, c.created_at, c.gone_at, c.redacted_at, c.places,
    o.orders, o.last_order_at, o.first_named, d.\"is\", d.bound";

const JOINS: &str = "join stores s using (store_id)
    left join lateral (
      select count(*) as orders, max(ordered_at) as last_order_at,
             (array_agg(binds_to order by ordered_at, external_id) filter (where binds_to is not null))[1] as first_named
      from orders o where o.store_id = c.store_id and o.customer_id = c.customer_id) o on true
    left join lateral (
      select max(distributor_id) filter (where kind = 'is') as \"is\",
             max(distributor_id) filter (where kind = 'bound') as bound
      from (select distinct on (kind) kind, distributor_id from customer_bindings b
            where b.store_id = c.store_id and b.customer_id = c.customer_id and b.effective_from <= now()
            order by kind, b.effective_from desc, b.binding_no desc) b) d on true";

pub type Key = (i32, String);

pub fn list(conn: &mut Conn, filter: &Filter, after: Option<Key>) -> Result<Page<Row, Key>, DbError> {
    let (store_id, customer) = after.unwrap_or_default();
    let rows: Vec<Row> = sql_query(format!(
        "select {ROW} from (
           select * from customers c
           where (c.store_id, c.customer_id) > ($1, $2)
             and ($3 = '' or c.store_id = (select store_id from stores where slug = $3))
             and ($4 = '' or starts_with(c.customer_id, $4)
                  or exists (select from customer_bindings b where b.store_id = c.store_id
                             and b.customer_id = c.customer_id and b.distributor_id = $4)
                  or exists (select from orders o where o.store_id = c.store_id and o.customer_id = c.customer_id
                             and o.binds_to = $4))
           order by c.store_id, c.customer_id limit $5) c
         {JOINS} order by c.store_id, c.customer_id"
    ))
    .bind::<Integer, _>(store_id)
    .bind::<Text, _>(customer)
    .bind::<Text, _>(&filter.store)
    .bind::<Text, _>(filter.q.trim())
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| (row.store_id, row.customer_id.clone())))
}

pub fn one(conn: &mut Conn, store: &str, customer: &str) -> Result<Option<Row>, DbError> {
    Ok(sql_query(format!("select {ROW} from customers c {JOINS} where s.slug = $1 and c.customer_id = $2"))
        .bind::<Text, _>(store)
        .bind::<Text, _>(customer)
        .get_result(conn)
        .optional()?)
}

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Binding {
    #[diesel(sql_type = Integer)]
    pub binding_no: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub effective_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
}

/// Everything decided of a customer, the latest first.
pub fn bindings(conn: &mut Conn, store_id: i32, customer: &str) -> Result<Vec<Binding>, DbError> {
    Ok(sql_query(
        "select binding_no, kind, distributor_id, nullif(effective_from, '-infinity') as effective_from, source,
                recorded_at, recorded_by
         from customer_bindings where store_id = $1 and customer_id = $2 order by binding_no desc",
    )
    .bind::<Integer, _>(store_id)
    .bind::<Text, _>(customer)
    .load(conn)?)
}

#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Order {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub number: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub place: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub binds_to: Option<String>,
    #[diesel(sql_type = Bool)]
    pub own: bool,
}

/// A customer's orders, the newest first, as many as a page shows.
pub fn orders(conn: &mut Conn, store_id: i32, customer: &str) -> Result<Vec<Order>, DbError> {
    Ok(sql_query(
        "select order_id, coalesce(number, external_id) as number, ordered_at, status, currency::text as currency, net,
                distributor_id, place, binds_to, own
         from orders where store_id = $1 and customer_id = $2 order by ordered_at desc nulls last, order_id limit $3",
    )
    .bind::<Integer, _>(store_id)
    .bind::<Text, _>(customer)
    .bind::<BigInt, _>(limit())
    .load(conn)?)
}
