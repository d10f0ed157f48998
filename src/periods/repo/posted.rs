//! What was posted for a period so far, over all runs up to a number.

use diesel::sql_types::{Integer, Numeric, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::super::rows::PoolRow;
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::NamedAward;
use crate::db::DbError;

#[derive(QueryableByName)]
struct AwardSum {
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Text)]
    position: String,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    earned: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

const OF_PERIOD: &str =
    "from run_periods p join (select run_id from runs where post_no <= $2) r using (run_id)";

fn fixed(value: Decimal, period: Uuid) -> Result<Fixed, DbError> {
    Fixed::of(value).map_err(|_| DbError::Damaged(format!("a sum of what was posted for period {period}")))
}

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Text)]
    told: String,
}

/// Awards of a posted run that are not what its commission events say. Those can never be changed, and later
/// adjustments go by the awards.
pub fn differences(conn: &mut PgConnection, run_id: Uuid) -> Result<Vec<String>, DbError> {
    let rows: Vec<Difference> = sql_query(
        "with a as (
           select row_number() over (order by a.award_no) as n, a.award_no, p.name as period, a.bonus,
                  a.distributor_id, a.amount, a.kind
           from run_awards a left join periods p using (period_id) where a.run_id = $1 and a.kind is not null),
         e as (
           select row_number() over (order by e.event_id) as n, c.calc_snapshot_json ->> 'period' as period, e.bonus,
                  e.distributor_id, e.amount, e.kind
           from commission_events e join calculations c using (order_id, calculation_no) where e.order_id = $1)
         select concat('award ', coalesce(a.award_no::text, 'none'), ' is ',
                       concat_ws(' ', a.period, a.bonus, a.distributor_id, a.amount, a.kind), ', its event is ',
                       concat_ws(' ', e.period, e.bonus, e.distributor_id, e.amount, e.kind)) as told
         from a full join e using (n)
         where (a.period, a.bonus, a.distributor_id, a.amount, a.kind)
               is distinct from (e.period, e.bonus, e.distributor_id, e.amount, e.kind)
         order by n limit 20",
    )
    .bind::<SqlUuid, _>(run_id)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.told).collect())
}

/// One for each bonus, distributor and position.
pub fn awards(conn: &mut PgConnection, period: Uuid, based_on: i32) -> Result<Vec<NamedAward>, DbError> {
    let rows: Vec<AwardSum> = sql_query(format!(
        "select a.bonus, a.distributor_id, a.position, sum(a.base) as base, sum(a.earned) as earned,
                sum(a.amount) as amount
         {OF_PERIOD} join run_awards a on a.run_id = p.run_id and a.period_id = p.period_id
         where p.period_id = $1 group by a.bonus, a.distributor_id, a.position order by 1, 2, 3"
    ))
    .bind::<SqlUuid, _>(period)
    .bind::<Integer, _>(based_on)
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(NamedAward {
                bonus: row.bonus,
                distributor: DistributorId::new(row.distributor_id),
                position: row.position,
                base: fixed(row.base, period)?,
                earned: fixed(row.earned, period)?,
                amount: fixed(row.amount, period)?,
            })
        })
        .collect()
}

#[derive(QueryableByName)]
struct PoolSum {
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = Numeric)]
    pool: Decimal,
    #[diesel(sql_type = Numeric)]
    paid: Decimal,
    #[diesel(sql_type = Numeric)]
    breakage: Decimal,
    #[diesel(sql_type = Numeric)]
    rounding: Decimal,
}

pub fn pools(conn: &mut PgConnection, period: Uuid, based_on: i32) -> Result<Vec<PoolRow>, DbError> {
    let rows: Vec<PoolSum> = sql_query(format!(
        "select a.bonus, sum(a.pool) as pool, sum(a.paid) as paid, sum(a.breakage) as breakage,
                sum(a.rounding) as rounding
         {OF_PERIOD} join run_pools a on a.run_id = p.run_id and a.period_id = p.period_id
         where p.period_id = $1 group by a.bonus order by a.bonus"
    ))
    .bind::<SqlUuid, _>(period)
    .bind::<Integer, _>(based_on)
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(PoolRow {
                period_id: period,
                bonus: row.bonus,
                pool: fixed(row.pool, period)?,
                paid: fixed(row.paid, period)?,
                breakage: fixed(row.breakage, period)?,
                rounding: fixed(row.rounding, period)?,
            })
        })
        .collect()
}
