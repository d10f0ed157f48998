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
