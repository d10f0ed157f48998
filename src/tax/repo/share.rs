//! Whose purchases commissions and sales come from.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::db::DbError;

/// One earner in one currency.
#[derive(QueryableByName)]
pub struct ShareRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub from_customers: Decimal,
    #[diesel(sql_type = Numeric)]
    pub from_own: Decimal,
    #[diesel(sql_type = Numeric)]
    pub from_distributors: Decimal,
    #[diesel(sql_type = Numeric)]
    pub of_period: Decimal,
    #[diesel(sql_type = Numeric)]
    pub sold_to_customers: Decimal,
    #[diesel(sql_type = Numeric)]
    pub sold_to_distributors: Decimal,
}

/// A buyer is a distributor when the order says so, when the customer was known to be one at the order's time, or where
/// customers and distributors share their ids, as on the direct API.
pub const QUERY: &str = "with bought as (
  select o.order_id, o.distributor_id, o.currency::text as currency, o.net, o.status,
         case when o.own then o.distributor_id else coalesce(who.distributor_id, same.distributor_id) end as buyer
  from orders o
  join stores s using (store_id)
  left join lateral (
    select b.distributor_id from customer_bindings b
    where b.store_id = o.store_id and b.customer_id = o.customer_id and b.kind = 'is'
      and b.effective_from <= o.ordered_at
    order by b.effective_from desc, b.binding_no desc limit 1) who on true
  left join distributors same on s.platform = 'direct' and same.distributor_id = o.customer_id
  where o.ordered_at >= $1 and o.ordered_at < $2 and o.currency is not null),
earned as (
  select e.distributor_id, e.currency::text as currency,
         coalesce(sum(e.amount) filter (where b.buyer is null), 0) as customers,
         coalesce(sum(e.amount) filter (where b.buyer = e.distributor_id), 0) as own,
         coalesce(sum(e.amount) filter (where b.buyer <> e.distributor_id), 0) as distributors
  from bought b join commission_events e on e.order_id = b.order_id group by 1, 2),
closed as (
  select a.distributor_id,
         (select j.currency::text from journal_entries j where j.source_id = r.run_id limit 1) as currency,
         sum(a.amount) as amount
  from runs r join run_awards a using (run_id)
  where r.status = 'posted' and a.period_id = $3 and a.amount <> 0 group by 1, 2),
sold as (
  select distributor_id, currency,
         coalesce(sum(net) filter (where buyer is null), 0) as customers,
         coalesce(sum(net) filter (where buyer is not null), 0) as distributors
  from bought where status = 'commissionable' and distributor_id is not null group by 1, 2)
select distributor_id, currency, coalesce(e.customers, 0) as from_customers, coalesce(e.own, 0) as from_own,
       coalesce(e.distributors, 0) as from_distributors, coalesce(c.amount, 0) as of_period,
       coalesce(s.customers, 0) as sold_to_customers, coalesce(s.distributors, 0) as sold_to_distributors
from earned e full join closed c using (distributor_id, currency) full join sold s using (distributor_id, currency)
where currency is not null
order by distributor_id, currency";

pub fn of_period(
    conn: &mut PgConnection,
    period: Uuid,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<ShareRow>, DbError> {
    Ok(sql_query(QUERY)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(until)
        .bind::<SqlUuid, _>(period)
        .load(conn)?)
}
