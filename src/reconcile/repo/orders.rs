//! What we hold of orders, and what is posted for them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::core::ids::StoreId;
use crate::core::journal::Account;
use crate::db::DbError;
use crate::events::Topic;
use crate::ingest::DIRECT_TOPIC;

/// The head of an order beside its newest calculation and all that is posted for it.
#[derive(Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Jsonb)]
    pub lines: serde_json::Value,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Integer)]
    pub policy_no: i32,
    #[diesel(sql_type = Integer)]
    pub binding_no: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub manual: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub pool: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub paid: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub breakage: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub rounding: Option<Decimal>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub calculated_lines: Option<serde_json::Value>,
    #[diesel(sql_type = Bool)]
    pub earns: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub calculated_for: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub events: Decimal,
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
    /// Debit positive.
    #[diesel(sql_type = Numeric)]
    pub payable: Decimal,
    #[diesel(sql_type = Numeric)]
    pub expense: Decimal,
    #[diesel(sql_type = Numeric)]
    pub posted_breakage: Decimal,
    #[diesel(sql_type = Numeric)]
    pub posted_rounding: Decimal,
    #[diesel(sql_type = Bool)]
    pub in_closed_period: bool,
}

pub fn rows(conn: &mut PgConnection, store: StoreId, external_ids: &[&str]) -> Result<Vec<Row>, DbError> {
    Ok(sql_query(
        "select o.order_id, o.external_id, o.status, o.distributor_id, o.net, o.lines, o.calculation_no,
                o.policy_no, o.binding_no,
                (select m.distributor_id from manual_attributions m where m.order_id = o.order_id
                 order by m.decision_no desc limit 1) as manual,
                c.pool, c.paid, c.breakage, c.rounding, c.calc_snapshot_json -> 'lines' as calculated_lines,
                coalesce(c.calc_snapshot_json -> 'calculation', 'null') <> 'null' as earns,
                c.calc_snapshot_json #>> '{context,attributed,distributor}' as calculated_for,
                coalesce((select sum(e.amount) from commission_events e where e.order_id = o.order_id), 0) as events,
                (select count(*) from journal_entries j where j.source_id = o.order_id) as entries,
                coalesce(p.payable, 0) as payable, coalesce(p.expense, 0) as expense,
                coalesce(p.breakage, 0) as posted_breakage, coalesce(p.rounding, 0) as posted_rounding,
                coalesce((select d.status = 'closed' and f.first_seq <= d.late_after_seq
                          from periods d, lateral (select first_seq from volume_facts f
                                                   where f.order_id = o.order_id limit 1) f
                          where d.starts_at <= o.ordered_at and o.ordered_at < d.ends_at), false) as in_closed_period
         from orders o
         left join calculations c on c.order_id = o.order_id and c.calculation_no = o.calculation_no
         left join lateral (
           select sum(amount) filter (where account = $3) as payable, sum(amount) filter (where account = $4) as expense,
                  sum(amount) filter (where account = $5) as breakage, sum(amount) filter (where account = $6) as rounding
           from postings where source_id = o.order_id) p on true
         where o.store_id = $1 and o.external_id = any($2)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Array<Text>, _>(external_ids)
    .bind::<Integer, _>(i32::from(Account::CommissionPayable.number()))
    .bind::<Integer, _>(i32::from(Account::CommissionExpense.number()))
    .bind::<Integer, _>(i32::from(Account::Breakage.number()))
    .bind::<Integer, _>(i32::from(Account::Rounding.number()))
    .load(conn)?)
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = SqlUuid)]
    key: Uuid,
    #[diesel(sql_type = Bool)]
    parked: bool,
}

/// Of the given orders, those about which an event waits, and whether each of them is parked.
pub fn waiting(conn: &mut PgConnection, orders: &[Uuid]) -> Result<HashMap<Uuid, bool>, DbError> {
    let rows: Vec<WaitingRow> = sql_query(
        "select key, bool_and(parked_at is not null) as parked from outbox
         where topic = any($1) and key = any($2) group by key",
    )
    .bind::<Array<Text>, _>([Topic::OrderReview.name(), Topic::OrderRecorded.name()].as_slice())
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.key, row.parked)).collect())
}

/// The store's deliveries that wait to be worked on, and whether each is parked.
pub fn waiting_deliveries(
    conn: &mut PgConnection,
    store: StoreId,
    limit: i64,
) -> Result<HashMap<Uuid, bool>, DbError> {
    let rows: Vec<WaitingRow> = sql_query(
        "select o.key, o.parked_at is not null as parked from outbox o join deliveries d on d.delivery_id = o.key
         where o.topic = $1 and d.store_id = $2 order by o.parked_at is not null limit $3",
    )
    .bind::<Text, _>(Topic::DeliveryAccepted.name())
    .bind::<Integer, _>(store.0)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.key, row.parked)).collect())
}

/// An order of a day, and where the next page goes on.
#[derive(Clone, Debug, QueryableByName)]
pub struct Placed {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Held as deleted at the store.
    #[diesel(sql_type = Bool)]
    pub deleted: bool,
}

/// Our orders made in `[from, to)`, the next after a key. An order of which only a change is known belongs to the
/// time of its telling.
pub fn placed(
    conn: &mut PgConnection,
    store: StoreId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Option<&Placed>,
    limit: i64,
) -> Result<Vec<Placed>, DbError> {
    // Without a page before, nothing is made at `from` with a smaller id than the nil one.
    let (at, id) = after.map_or((from, Uuid::nil()), |last| (last.at, last.order_id));
    Ok(sql_query(
        "select order_id, external_id, coalesce(ordered_at, received_at) as at, 'deleted' = any(exemptions) as deleted from (
           (select order_id, external_id, ordered_at, received_at, exemptions from orders
            where store_id = $1 and ordered_at >= $4 and ordered_at < $3 and (ordered_at, order_id) > ($4, $5)
            order by ordered_at, order_id limit $6)
           union all
           (select order_id, external_id, ordered_at, received_at, exemptions from orders
            where store_id = $1 and ordered_at is null and received_at >= $2 and received_at < $3
              and (received_at, order_id) > ($4, $5)
            order by received_at, order_id limit $6)) o
         order by at, order_id limit $6",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Timestamptz, _>(at)
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

/// Of the given orders, those that the store itself has never told.
pub fn only_posted(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = sql_query(
        "select k.order_id from unnest($1) as k(order_id)
         where exists (select from order_revisions r where r.order_id = k.order_id)
           and not exists (select from order_revisions r join deliveries d using (delivery_id)
                           where r.order_id = k.order_id and d.topic <> $2)",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .bind::<Text, _>(DIRECT_TOPIC)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.order_id).collect())
}
