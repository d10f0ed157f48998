//! SQL of debts.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::sql_types::{Array, Date, Numeric, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use crate::db::DbError;

#[derive(QueryableByName)]
struct Country {
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Text)]
    country: String,
}

pub fn countries(conn: &mut PgConnection, ids: &[&str]) -> Result<HashMap<String, String>, DbError> {
    let rows: Vec<Country> = sql_query(
        "select distributor_id, country from distributors where distributor_id = any($1) and country is not null",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.distributor_id, row.country)).collect())
}

#[derive(QueryableByName)]
pub struct Movement {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Date)]
    pub on_date: NaiveDate,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

/// What moved on the debts of these distributors, entry by entry, by time.
pub fn movements(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<Movement>, DbError> {
    Ok(sql_query(
        "select p.distributor_id, e.currency::text as currency, (e.posted_at at time zone 'UTC')::date as on_date, p.amount
         from postings p join journal_entries e using (source_id, entry_no)
         where p.account = 1200 and p.distributor_id = any($1)
         order by e.posted_at, e.source_id, e.entry_no, p.posting_no",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?)
}
