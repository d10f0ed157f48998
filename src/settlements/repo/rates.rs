//! SQL of exchange rates.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Date, Integer, Numeric, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use super::super::NewRate;
use crate::core::money::Currency;
use crate::core::settlement::Rate;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    rate_no: i32,
    #[diesel(sql_type = Text)]
    from_currency: String,
    #[diesel(sql_type = Text)]
    to_currency: String,
    #[diesel(sql_type = Numeric)]
    rate: Decimal,
    #[diesel(sql_type = Date)]
    on_date: NaiveDate,
    #[diesel(sql_type = Text)]
    source: String,
}

const COLUMNS: &str =
    "rate_no, from_currency::text as from_currency, to_currency::text as to_currency, rate, on_date, source";

fn rate(row: Row) -> Result<Rate, DbError> {
    let damaged = || DbError::Damaged(format!("exchange rate {}", row.rate_no));
    Ok(Rate {
        rate_no: row.rate_no,
        from: Currency::parse(&row.from_currency).ok_or_else(damaged)?,
        to: Currency::parse(&row.to_currency).ok_or_else(damaged)?,
        rate: row.rate.normalize(),
        on_date: row.on_date,
        source: row.source,
    })
}

pub fn newest(conn: &mut PgConnection, limit: i64) -> Result<Vec<Rate>, DbError> {
    let rows: Vec<Row> = sql_query(format!(
        "select {COLUMNS} from exchange_rates order by on_date desc, rate_no desc limit $1"
    ))
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    rows.into_iter().map(rate).collect()
}

/// The newest of the days from the first to the second.
pub fn between(
    conn: &mut PgConnection,
    (from, to): (Currency, Currency),
    (oldest, day): (NaiveDate, NaiveDate),
) -> Result<Option<Rate>, DbError> {
    let row: Option<Row> = sql_query(format!(
        "select {COLUMNS} from exchange_rates
         where from_currency = $1 and to_currency = $2 and on_date between $3 and $4
         order by on_date desc, rate_no desc limit 1"
    ))
    .bind::<Text, _>(from.code())
    .bind::<Text, _>(to.code())
    .bind::<Date, _>(oldest)
    .bind::<Date, _>(day)
    .get_result(conn)
    .optional()?;
    row.map(rate).transpose()
}

pub fn insert(conn: &mut PgConnection, new: &[NewRate], by: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "insert into exchange_rates (from_currency, to_currency, rate, on_date, source, recorded_at, recorded_by)
         select t.*, $6, $7 from unnest($1, $2, $3, $4, $5) as t",
    )
    .bind::<Array<Text>, _>(new.iter().map(|rate| rate.from.code()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|rate| rate.to.code()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(new.iter().map(|rate| rate.rate).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(new.iter().map(|rate| rate.on_date).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|rate| rate.source.trim()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}
