//! What was paid, and what was bought.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use crate::db::DbError;

/// One distributor in one currency.
#[derive(QueryableByName)]
pub struct PaidRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Numeric)]
    pub fees: Decimal,
    #[diesel(sql_type = Numeric)]
    pub withheld: Decimal,
    #[diesel(sql_type = BigInt)]
    pub payouts: i64,
    #[diesel(sql_type = Numeric)]
    pub bought: Decimal,
}

/// A payment is of the day on which the bank carries it out, whatever day somebody reads the statement. What came back
/// stands at zero on the bank account, and was never paid.
pub const QUERY: &str = "with payouts as (
  select e.source_id, p.distributor_id, e.currency::text as currency,
         -coalesce(sum(p.amount) filter (where p.account = 1000), 0) as net,
         -coalesce(sum(p.amount) filter (where p.account = 4200), 0) as fees,
         -coalesce(sum(p.amount) filter (where p.account = 2130), 0) as withheld
  from payout_batches b
  join journal_entries e on e.source_id = b.batch_id
  join postings p using (source_id, entry_no)
  where b.value_date >= $1 and b.value_date < $2
    and e.kind in ('payout', 'payout_cancelled', 'payout_confirmed', 'payout_returned')
    and p.account in (1000, 2130, 4200) and p.distributor_id is not null
  group by 1, 2, 3),
paid as (
  select distributor_id, currency, sum(net) as net, sum(fees) as fees, sum(withheld) as withheld, count(*) as payouts
  from payouts where net <> 0 group by 1, 2),
bought as (
  select o.distributor_id, o.currency::text as currency, sum(o.net) as net
  from orders o
  where o.own and o.ordered_at >= $3 and o.ordered_at < $4 and o.distributor_id is not null and o.currency is not null
    and not o.exemptions && array['test', 'cancelled', 'deleted', 'voided', 'unpaid']
  group by 1, 2)
select distributor_id, d.country, currency, coalesce(p.net, 0) as net, coalesce(p.fees, 0) as fees,
       coalesce(p.withheld, 0) as withheld, coalesce(p.payouts, 0) as payouts, coalesce(b.net, 0) as bought
from paid p full join bought b using (distributor_id, currency) join distributors d using (distributor_id)
order by distributor_id, currency";

/// `days` are of payments, `instants` of orders.
pub fn of_year(
    conn: &mut PgConnection,
    days: (NaiveDate, NaiveDate),
    instants: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<PaidRow>, DbError> {
    Ok(sql_query(QUERY)
        .bind::<Date, _>(days.0)
        .bind::<Date, _>(days.1)
        .bind::<Timestamptz, _>(instants.0)
        .bind::<Timestamptz, _>(instants.1)
        .load(conn)?)
}
