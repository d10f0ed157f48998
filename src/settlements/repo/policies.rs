//! SQL of market policies.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Nullable, Numeric, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use super::super::NewPolicy;
use crate::core::settlement::MarketPolicy;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    policy_no: i32,
    #[diesel(sql_type = Text)]
    country: String,
    #[diesel(sql_type = Numeric)]
    holdback_percent: Decimal,
    #[diesel(sql_type = Integer)]
    holdback_days: i32,
    #[diesel(sql_type = Nullable<Numeric>)]
    carry_floor: Option<Decimal>,
    #[diesel(sql_type = Nullable<Integer>)]
    write_off_days: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    effective_from: DateTime<Utc>,
}

pub fn all(conn: &mut PgConnection) -> Result<Vec<MarketPolicy>, DbError> {
    let rows: Vec<Row> = sql_query(
        "select policy_no, country, holdback_percent, holdback_days, carry_floor, write_off_days, effective_from
         from market_policies order by country, effective_from, policy_no",
    )
    .load(conn)?;
    let days = |days: i32| u32::try_from(days).unwrap_or(0);
    let policies = rows.into_iter().map(|row| MarketPolicy {
        policy_no: row.policy_no,
        country: row.country,
        holdback_percent: row.holdback_percent.normalize(),
        holdback_days: days(row.holdback_days),
        carry_floor: row.carry_floor.map(|floor| floor.normalize()),
        write_off_days: row.write_off_days.map(days),
        effective_from: row.effective_from,
    });
    Ok(policies.collect())
}

#[derive(QueryableByName)]
struct No {
    #[diesel(sql_type = Integer)]
    policy_no: i32,
}

pub fn insert(
    conn: &mut PgConnection,
    new: &NewPolicy,
    by: &str,
    now: DateTime<Utc>,
) -> Result<i32, DbError> {
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let row: No = sql_query(
        "insert into market_policies (country, holdback_percent, holdback_days, carry_floor, write_off_days,
                                      effective_from, recorded_at, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning policy_no",
    )
    .bind::<Text, _>(&new.country)
    .bind::<Numeric, _>(new.holdback_percent)
    .bind::<Integer, _>(days(new.holdback_days))
    .bind::<Nullable<Numeric>, _>(new.carry_floor)
    .bind::<Nullable<Integer>, _>(new.write_off_days.map(days))
    .bind::<Timestamptz, _>(new.effective_from)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .get_result(conn)?;
    Ok(row.policy_no)
}
