//! SQL of the demo's summary: counts and sums of the sample company's stores, read back from the database.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use crate::db::DbError;

/// How much there is of each thing.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = BigInt)]
    pub repeats: i64,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = BigInt)]
    pub held: i64,
    #[diesel(sql_type = BigInt)]
    pub commission_events: i64,
    #[diesel(sql_type = BigInt)]
    pub ledger_entries: i64,
}

pub fn counts(conn: &mut PgConnection, stores: &[String]) -> Result<Counts, DbError> {
    Ok(sql_query(
        "with own as (select store_id from stores where slug = any($1)),
              o as (select order_id, status from orders where store_id in (select store_id from own))
         select (select count(*) from delivery_repeats r join deliveries d using (delivery_id)
                 where d.store_id in (select store_id from own)) as repeats,
                (select count(*) from o) as orders,
                (select count(*) from o where status = 'held') as held,
                (select count(*) from commission_events where order_id in (select order_id from o)) as commission_events,
                (select count(*) from journal_entries where source_id in (select order_id from o)) as ledger_entries",
    )
    .bind::<Array<Text>, _>(stores)
    .get_result(conn)?)
}

/// Money of one currency.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Sums {
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// Of orders that earn.
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Numeric)]
    pub commissions: Decimal,
    /// What should be posted and is not, plus what is posted and should not be, over all orders.
    #[diesel(sql_type = Numeric)]
    pub drift: Decimal,
}

pub fn sums(conn: &mut PgConnection, stores: &[String]) -> Result<Vec<Sums>, DbError> {
    Ok(sql_query(
        "with o as (select o.* from orders o join stores s using (store_id)
                    where s.slug = any($1) and o.currency is not null),
              target as (select c.order_id, c.paid from calculations c
                         join o on o.order_id = c.order_id and o.calculation_no = c.calculation_no),
              earned as (select order_id, sum(amount) as amount from commission_events
                         where order_id in (select order_id from o) group by order_id),
              posted as (select source_id as order_id, -sum(amount) as amount from postings
                         where account = 2100 and source_id in (select order_id from o) group by source_id)
         select o.currency::text as currency,
                coalesce(sum(o.net) filter (where o.status = 'commissionable'), 0) as net,
                coalesce(sum(earned.amount), 0) as commissions,
                coalesce(sum(abs(coalesce(target.paid, 0) - coalesce(earned.amount, 0))
                           + abs(coalesce(earned.amount, 0) - coalesce(posted.amount, 0))), 0) as drift
         from o left join target using (order_id) left join earned using (order_id) left join posted using (order_id)
         group by o.currency order by o.currency",
    )
    .bind::<Array<Text>, _>(stores)
    .load(conn)?)
}

/// One row of the result table.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct ResultRow {
    #[diesel(sql_type = Text)]
    pub order: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub buyer: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub referrer: Option<String>,
    /// Everything that the referrer has earned on the order.
    #[diesel(sql_type = Numeric)]
    pub commission: Decimal,
    /// What the store says about the payment.
    #[diesel(sql_type = Nullable<Text>)]
    pub payment: Option<String>,
}

pub fn result_row(conn: &mut PgConnection, store: &str, order: &str) -> Result<Option<ResultRow>, DbError> {
    let rows: Vec<ResultRow> = sql_query(
        "select o.external_id as \"order\", o.lines -> 0 ->> 'sku_id' as sku, o.customer_id as buyer,
                o.distributor_id as referrer,
                (select coalesce(sum(e.amount), 0) from commission_events e
                 where e.order_id = o.order_id and e.distributor_id = o.distributor_id) as commission,
                (select r.report ->> 'payment' from order_revisions r
                 where r.order_id = o.order_id and r.revision_no = o.newest_revision) as payment
         from orders o join stores s using (store_id) where s.slug = $1 and o.external_id = $2",
    )
    .bind::<Text, _>(store)
    .bind::<Text, _>(order)
    .load(conn)?;
    Ok(rows.into_iter().next())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Deliveries that were stored, each once however often it came.
pub fn stored_deliveries(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sql_query("select count(*) as count from deliveries").get_result::<Count>(conn)?.count)
}

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    broken: i64,
}

/// Invariants that hold after any run, by name, with how often each is broken: nothing when all is well.
pub fn broken_invariants(conn: &mut PgConnection) -> Result<BTreeMap<String, i64>, DbError> {
    let rows: Vec<Broken> = sql_query(
        "select 'journal entries that do not balance' as name, count(*) as broken
         from (select 1 from postings group by source_id, entry_no having sum(amount) <> 0) x
         union all
         select 'orders told by several rows', count(*)
         from (select 1 from orders group by store_id, external_id having count(*) > 1) x
         union all
         select 'deliveries stored more than once', count(*)
         from (select 1 from deliveries group by store_id, dedupe_key having count(*) > 1) x
         union all
         select 'deliveries without an outcome', count(*)
         from deliveries d where not exists (select 1 from delivery_outcomes o where o.delivery_id = d.delivery_id)
         union all
         select 'commission events without their posting', count(*)
         from commission_events e where not exists (
           select 1 from postings p where p.source_id = e.order_id and p.event_id = e.event_id
             and p.account = 2100 and p.amount = -e.amount)",
    )
    .load(conn)?;
    Ok(rows.into_iter().filter(|row| row.broken > 0).map(|row| (row.name, row.broken)).collect())
}
