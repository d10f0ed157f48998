//! How much flowed on each day, and how long it took.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use super::Conn;
use crate::db::DbError;

/// Orders of one day (UTC, by the order's own time) in one currency, as they stand now.
#[derive(Clone, Debug, QueryableByName)]
pub struct Day {
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = BigInt)]
    pub held: i64,
    #[diesel(sql_type = BigInt)]
    pub exempt: i64,
    /// Of commissionable orders.
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Numeric)]
    pub paid: Decimal,
    #[diesel(sql_type = Numeric)]
    pub breakage: Decimal,
}

pub fn days(conn: &mut Conn, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Day>, DbError> {
    Ok(sql_query(
        "select (o.ordered_at at time zone 'UTC')::date as day, o.currency::text as currency, count(*) as orders,
                count(*) filter (where o.status = 'held') as held,
                count(*) filter (where o.status = 'exempt') as exempt,
                coalesce(sum(o.net) filter (where o.status = 'commissionable'), 0) as net,
                coalesce(sum(c.paid), 0) as paid, coalesce(sum(c.breakage), 0) as breakage
         from orders o
         left join calculations c on c.order_id = o.order_id and c.calculation_no = o.calculation_no
         where o.ordered_at >= $1 and o.ordered_at < $2 and o.currency is not null
         group by 1, 2 order by 1, 2",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(until)
    .load(conn)?)
}

/// The newest order's own time: where a look back begins when nothing came lately.
pub fn newest_order(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let row: Row = sql_query("select max(ordered_at) as at from orders").get_result(conn)?;
    Ok(row.at)
}

/// Milliseconds from receipt to posting of the latest entries.
#[derive(Clone, Debug, QueryableByName)]
pub struct Posted {
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub p50: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub p99: Option<Decimal>,
}

/// Over the first calculations of the newest `latest` orders: later ones may have been started by a person.
pub fn receipt_to_ledger(conn: &mut Conn, latest: i64) -> Result<Posted, DbError> {
    Ok(sql_query(
        "with newest as (select order_id, first_delivery_id from orders order by order_id desc limit $1),
              took as (
                select extract(epoch from c.calculated_at - d.received_at) * 1000 as ms
                from newest n
                join calculations c on c.order_id = n.order_id and c.calculation_no = 1
                join deliveries d on d.delivery_id = n.first_delivery_id)
         select count(*) as entries, round(percentile_cont(0.5) within group (order by ms)::numeric, 3) as p50,
                round(percentile_cont(0.99) within group (order by ms)::numeric, 3) as p99
         from took",
    )
    .bind::<BigInt, _>(latest)
    .get_result(conn)?)
}

/// What the ledger says against what the calculations say, over the newest orders.
#[derive(Clone, Debug, QueryableByName)]
pub struct Drift {
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// Sum of the differences without their signs; anything but zero is damage.
    #[diesel(sql_type = Numeric)]
    pub drift: Decimal,
}

/// Commissions that should stand posted against the payable that does, order by order.
pub fn drift(conn: &mut Conn, latest: i64) -> Result<Drift, DbError> {
    Ok(sql_query(
        "with newest as (
           select order_id, calculation_no from orders where calculation_no > 0 order by order_id desc limit $1)
         select count(*) as orders, coalesce(sum(abs(c.paid + coalesce(p.payable, 0))), 0) as drift
         from newest n
         join calculations c on c.order_id = n.order_id and c.calculation_no = n.calculation_no
         left join lateral (
           select sum(amount) as payable from postings p where p.source_id = n.order_id and p.account = 2100) p
           on true",
    )
    .bind::<BigInt, _>(latest)
    .get_result(conn)?)
}
