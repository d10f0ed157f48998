//! Self-billing: what needs a number, the series, the documents.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{
    Array, BigInt, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::db::DbError;

/// Nobody else gives numbers until the database transaction ends.
pub fn hold(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("select pg_advisory_xact_lock(hashtextextended('self billing', 0))").execute(conn)?;
    Ok(())
}

/// A payout that has no document yet.
#[derive(Clone, QueryableByName)]
pub struct Due {
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub item_id: Uuid,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Date)]
    pub paid_on: NaiveDate,
    /// Of a credit note: as on its invoice. Of an invoice: unknown yet.
    #[diesel(sql_type = Nullable<Integer>)]
    pub tax_version: Option<i32>,
}

/// Paid and without an invoice, of those who ever told a VAT number; returned after an invoice and without a credit
/// note. In the order of payment.
pub fn due(conn: &mut PgConnection) -> Result<Vec<Due>, DbError> {
    Ok(sql_query(
        "select kind, item_id, distributor_id, country, currency, amount, paid_on, tax_version from (
           select 'invoice' as kind, i.item_id, i.item_no, i.distributor_id, upper(d.country) as country,
                  i.currency::text as currency, i.gross as amount, b.value_date as paid_on, null::int as tax_version
           from payout_items i join payout_batches b using (batch_id) join distributors d using (distributor_id)
           where i.status = 'confirmed'
             and exists (select from payee_tax_versions v where v.distributor_id = i.distributor_id and v.kind = 'vat')
             and not exists (select from self_billing_invoices s where s.item_id = i.item_id and s.kind = 'invoice')
           union all
           select 'credit_note', i.item_id, i.item_no, i.distributor_id, s.country::text, s.currency::text, s.amount,
                  s.paid_on, s.tax_version
           from self_billing_invoices s join payout_items i using (item_id)
           where s.kind = 'invoice' and i.status = 'returned'
             and not exists (select from self_billing_invoices c
                             where c.item_id = s.item_id and c.kind = 'credit_note')) due
         order by paid_on, item_no, kind",
    )
    .load(conn)?)
}

/// Numbers of a country and year.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName, Serialize)]
pub struct Series {
    #[diesel(sql_type = Text)]
    pub country: String,
    #[diesel(sql_type = Integer)]
    pub year: i32,
    #[diesel(sql_type = Integer)]
    pub last_no: i32,
}

/// The newest year first.
pub fn series(conn: &mut PgConnection) -> Result<Vec<Series>, DbError> {
    Ok(sql_query(
        "select country::text as country, year, last_no from self_billing_series order by year desc, country",
    )
    .load(conn)?)
}

/// Takes so many numbers of each country; returns the last of each.
pub fn take_numbers(
    conn: &mut PgConnection,
    year: i32,
    countries: &[(&str, i32)],
) -> Result<Vec<Series>, DbError> {
    let (names, counts): (Vec<&str>, Vec<i32>) = countries.iter().copied().unzip();
    Ok(sql_query(
        "insert into self_billing_series as s (country, year, last_no)
         select t.country, $1, t.many from unnest($2, $3) as t(country, many) order by t.country
         on conflict (country, year) do update set last_no = s.last_no + excluded.last_no
         returning country::text as country, year, last_no",
    )
    .bind::<Integer, _>(year)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Integer>, _>(counts)
    .load(conn)?)
}

/// A document with its number.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName, Serialize)]
pub struct Invoice {
    #[diesel(sql_type = Text)]
    pub country: String,
    #[diesel(sql_type = Integer)]
    pub year: i32,
    #[diesel(sql_type = Integer)]
    pub invoice_no: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub item_id: Uuid,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Date)]
    pub paid_on: NaiveDate,
    #[diesel(sql_type = Integer)]
    pub tax_version: i32,
    #[diesel(sql_type = Timestamptz)]
    pub issued_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub issued_by: String,
}

impl Invoice {
    /// As it stands on the document: `SB-DE-2026-000017`.
    pub fn number(&self) -> String {
        format!("SB-{}-{}-{:06}", self.country, self.year, self.invoice_no)
    }
}

pub fn insert(conn: &mut PgConnection, rows: &[Invoice]) -> Result<(), DbError> {
    sql_query(
        "insert into self_billing_invoices (country, year, invoice_no, kind, item_id, distributor_id, currency, amount,
           paid_on, tax_version, issued_at, issued_by)
         select t.*, $11, $12 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as t",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.country.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.year).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.invoice_no).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.item_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.currency.as_str()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(rows.iter().map(|row| row.amount).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(rows.iter().map(|row| row.paid_on).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.tax_version).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(rows.first().map(|row| row.issued_at).unwrap_or_default())
    .bind::<Text, _>(rows.first().map_or("", |row| row.issued_by.as_str()))
    .execute(conn)?;
    Ok(())
}

/// In the order of their numbers; a country of '' is all.
pub fn invoices(
    conn: &mut PgConnection,
    country: &str,
    year: i32,
    after: i32,
    limit: i64,
) -> Result<Vec<Invoice>, DbError> {
    Ok(sql_query(
        "select country::text as country, year, invoice_no, kind, item_id, distributor_id, currency::text as currency,
                amount, paid_on, tax_version, issued_at, issued_by
         from self_billing_invoices
         where year = $1 and ($2 = '' or country = $2) and invoice_no > $3
         order by country, invoice_no limit $4",
    )
    .bind::<Integer, _>(year)
    .bind::<Text, _>(country)
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}
