//! SQL of customers and of what is decided of them.

pub mod erase;
pub mod export;
pub mod policy;
pub mod requests;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;

use super::{CustomerKey, NewDecision};
use crate::core::binding::{Decision, What};
use crate::core::customer::Customer;
use crate::core::ids::{DeliveryId, DistributorId, StoreId};
use crate::core::order::PlaceValue;
use crate::db::DbError;

/// In the order of the keys, as everybody does. A row that is there is locked and left as it is.
pub fn hold(conn: &mut PgConnection, keys: &[CustomerKey], now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "insert into customers (store_id, customer_id, first_seen_at)
         select store_id, customer_id, $3 from unnest($1, $2) as t(store_id, customer_id) order by 1, 2
         on conflict (store_id, customer_id) do update set first_seen_at = excluded.first_seen_at where false",
    )
    .bind::<Array<Integer>, _>(keys.iter().map(|(store, _)| store.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(keys.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

#[derive(Serialize)]
pub struct CustomerRow<'c> {
    customer_id: &'c str,
    created_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    places: serde_json::Value,
}

impl<'c> CustomerRow<'c> {
    pub fn new(customer: &'c Customer, places: &[PlaceValue], now: DateTime<Utc>) -> Self {
        Self {
            customer_id: &customer.external_id,
            created_at: customer.created_at,
            updated_at: customer.updated_at.unwrap_or(now),
            places: serde_json::to_value(places).unwrap_or_default(),
        }
    }
}

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = Text)]
    customer_id: String,
    #[diesel(sql_type = Bool)]
    first: bool,
}

/// Those that stand now as they were told, and whether it is the first record of them. A customer who was
/// forgotten stays so until the store tells something newer.
pub fn record(
    conn: &mut PgConnection,
    store: StoreId,
    rows: &[CustomerRow<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<(String, bool)>, DbError> {
    let rows: Vec<Standing> = sql_query(
        "with told as (
           select * from json_to_recordset($2::json) as r(customer_id text, created_at timestamptz, updated_at timestamptz,
                                                          places jsonb)),
         known as (select c.customer_id from customers c join told using (customer_id)
                   where c.store_id = $1 and c.updated_at is not null),
         stands as (
           insert into customers as c (store_id, customer_id, created_at, updated_at, places, first_seen_at)
           select $1, customer_id, created_at, updated_at, places, $3 from told order by customer_id
           on conflict (store_id, customer_id) do update set
             created_at = coalesce(excluded.created_at, c.created_at), updated_at = excluded.updated_at,
             places = excluded.places, gone_at = case when excluded.updated_at > c.gone_at then null else c.gone_at end
           where (c.updated_at is null or excluded.updated_at >= c.updated_at)
             and (c.redacted_at is null or excluded.updated_at > c.redacted_at)
           returning customer_id)
         select s.customer_id, k.customer_id is null as first from stands s left join known k using (customer_id)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(serde_json::to_string(rows)?)
    .bind::<Timestamptz, _>(now)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.customer_id, row.first)).collect())
}

/// What a customer's record says of one kind.
#[derive(Serialize)]
pub struct Said<'c> {
    pub customer_id: &'c str,
    pub kind: &'static str,
    pub distributor_id: Option<String>,
    pub effective_from: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    customer_id: String,
}

/// Adds what records say now and did not say before. The customers are locked. Returns whose that is.
pub fn decide_by_records(
    conn: &mut PgConnection,
    store: StoreId,
    said: &[Said<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<String>, DbError> {
    if said.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<Id> = sql_query(
        "with said as (
           select * from json_to_recordset($2::json) as r(customer_id text, kind text, distributor_id text,
                                                          effective_from timestamptz)),
         news as (
           select s.* from said s
           left join lateral (
             select distributor_id from customer_bindings b
             where b.store_id = $1 and b.customer_id = s.customer_id and b.kind = s.kind and b.source = 'record'
             order by binding_no desc limit 1) b on true
           where s.distributor_id is distinct from b.distributor_id),
         added as (
           insert into customer_bindings (store_id, customer_id, binding_no, kind, distributor_id, effective_from, source,
                                          recorded_at, recorded_by)
           select $1, customer_id,
                  row_number() over (partition by customer_id order by kind)
                  + (select count(*) from customer_bindings b where b.store_id = $1 and b.customer_id = n.customer_id),
                  kind, distributor_id, coalesce(effective_from, '-infinity'), 'record', $3, 'store'
           from news n
           returning customer_id)
         select distinct customer_id from added order by customer_id",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(serde_json::to_string(said)?)
    .bind::<Timestamptz, _>(now)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.customer_id).collect())
}

/// The customers are locked.
pub fn decide(
    conn: &mut PgConnection,
    decisions: &[NewDecision<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into customer_bindings (store_id, customer_id, binding_no, kind, distributor_id, effective_from, source,
                                        recorded_at, recorded_by)
         select store_id, customer_id,
                row_number() over (partition by store_id, customer_id order by n)
                + (select count(*) from customer_bindings b
                   where b.store_id = t.store_id and b.customer_id = t.customer_id),
                kind, distributor_id, coalesce(effective_from, '-infinity'), source, $7, $8
         from unnest($1, $2, $3, $4, $5, $6) with ordinality
           as t(store_id, customer_id, kind, distributor_id, effective_from, source, n)",
    )
    .bind::<Array<Integer>, _>(decisions.iter().map(|d| d.store.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(decisions.iter().map(|d| d.customer).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(decisions.iter().map(|d| d.what.name()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        decisions.iter().map(|d| d.distributor.map(DistributorId::as_str)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Timestamptz>>, _>(decisions.iter().map(|d| d.from).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(decisions.iter().map(|d| d.source).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct DecisionRow {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    customer_id: String,
    #[diesel(sql_type = Integer)]
    binding_no: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_from: Option<DateTime<Utc>>,
}

pub fn decisions(conn: &mut PgConnection) -> Result<Vec<(CustomerKey, Decision)>, DbError> {
    sql_query(
        "select store_id, customer_id, binding_no, kind, distributor_id,
                nullif(effective_from, '-infinity') as effective_from
         from customer_bindings order by store_id, customer_id, binding_no",
    )
    .load::<DecisionRow>(conn)?
    .into_iter()
    .map(|row| {
        let what = What::parse(&row.kind)
            .ok_or_else(|| DbError::Damaged(format!("kind of a binding of customer {}", row.customer_id)))?;
        let decision = Decision {
            no: row.binding_no,
            what,
            distributor: row.distributor_id.map(DistributorId::new),
            from: row.effective_from,
        };
        Ok(((StoreId(row.store_id), row.customer_id), decision))
    })
    .collect()
}

pub fn gone(conn: &mut PgConnection, store: StoreId, ids: &[(String, DateTime<Utc>)]) -> Result<(), DbError> {
    let (ids, times): (Vec<&str>, Vec<DateTime<Utc>>) = ids.iter().map(|(id, at)| (id.as_str(), *at)).unzip();
    sql_query(
        "insert into customers as c (store_id, customer_id, first_seen_at, gone_at)
         select $1, id, max(at), max(at) from unnest($2, $3) as t(id, at) group by id order by id
         on conflict (store_id, customer_id) do update set gone_at = excluded.gone_at
         where c.updated_at is null or c.updated_at <= excluded.gone_at",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Timestamptz>, _>(times)
    .execute(conn)?;
    Ok(())
}

pub fn remember_deliveries(
    conn: &mut PgConnection,
    store: StoreId,
    told: &[(String, DeliveryId)],
) -> Result<(), DbError> {
    sql_query(
        "insert into customer_deliveries (store_id, customer_id, delivery_id)
         select $1, customer_id, delivery_id from unnest($2, $3) as t(customer_id, delivery_id) order by 2, 3
         on conflict do nothing",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Array<Text>, _>(told.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(told.iter().map(|(_, delivery)| delivery.0).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
