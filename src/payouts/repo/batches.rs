//! The rows of batches.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{
    BigInt, Binary, Date, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::super::batch::{Batch, BatchStatus, Deed, StoredFile};
use crate::core::money::Currency;
use crate::core::payout::Rail;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    batch_id: Uuid,
    #[diesel(sql_type = Integer)]
    batch_no: i32,
    #[diesel(sql_type = Text)]
    rail: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    purpose: String,
    #[diesel(sql_type = Jsonb)]
    terms: Value,
    #[diesel(sql_type = Numeric)]
    withholding: Decimal,
    #[diesel(sql_type = Jsonb)]
    left_out: Value,
    #[diesel(sql_type = Text)]
    created_by: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    approved_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    approved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Binary>)]
    approved_digest: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Date>)]
    value_date: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    exported_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    exported_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    file_name: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    file_sha256: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    sent_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "batch_id, batch_no, rail, currency::text as currency, status, purpose, terms, withholding, \
     left_out, created_by, created_at, approved_by, approved_at, approved_digest, value_date, exported_by, \
     exported_at, file_name, file_sha256, sent_by, sent_at";

impl TryFrom<Row> for Batch {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let damaged = || DbError::Damaged(format!("payout batch {}", row.batch_no));
        let deed = |by: Option<String>, at: Option<DateTime<Utc>>| Some(Deed { by: by?, at: at? });
        Ok(Self {
            batch_id: row.batch_id,
            batch_no: row.batch_no,
            rail: Rail::parse(&row.rail).ok_or_else(damaged)?,
            currency: Currency::parse(&row.currency).ok_or_else(damaged)?,
            status: BatchStatus::parse(&row.status).ok_or_else(damaged)?,
            terms: serde_json::from_value(row.terms.clone()).map_err(|_| damaged())?,
            left_out: serde_json::from_value(row.left_out.clone()).map_err(|_| damaged())?,
            approved_digest: row.approved_digest.map(hex::encode),
            file: row
                .file_name
                .zip(row.file_sha256)
                .map(|(name, sha256)| StoredFile { name, sha256: hex::encode(sha256) }),
            purpose: row.purpose,
            withholding: row.withholding,
            created: Deed { by: row.created_by, at: row.created_at },
            approved: deed(row.approved_by, row.approved_at),
            value_date: row.value_date,
            exported: deed(row.exported_by, row.exported_at),
            sent: deed(row.sent_by, row.sent_at),
        })
    }
}

/// By its number; locked until the database transaction ends where `lock` says so.
pub fn by_no(conn: &mut PgConnection, batch_no: i32, lock: bool) -> Result<Option<Batch>, DbError> {
    let lock = if lock { "for update" } else { "" };
    let row = sql_query(format!("select {COLUMNS} from payout_batches where batch_no = $1 {lock}"))
        .bind::<Integer, _>(batch_no)
        .get_result::<Row>(conn)
        .optional()?;
    row.map(Batch::try_from).transpose()
}

pub fn by_id(conn: &mut PgConnection, batch_id: Uuid) -> Result<Option<Batch>, DbError> {
    let row = sql_query(format!("select {COLUMNS} from payout_batches where batch_id = $1"))
        .bind::<SqlUuid, _>(batch_id)
        .get_result::<Row>(conn)
        .optional()?;
    row.map(Batch::try_from).transpose()
}

/// The newest first, before a number.
pub fn page(conn: &mut PgConnection, before: Option<i32>, limit: i64) -> Result<Vec<Batch>, DbError> {
    let rows: Vec<Row> = sql_query(format!(
        "select {COLUMNS} from payout_batches where $1 is null or batch_no < $1 order by batch_no desc limit $2"
    ))
    .bind::<Nullable<Integer>, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    rows.into_iter().map(Batch::try_from).collect()
}

/// The last batch of the same rail before this one that was not cancelled.
pub fn last_before(conn: &mut PgConnection, batch: &Batch) -> Result<Option<Batch>, DbError> {
    let row = sql_query(format!(
        "select {COLUMNS} from payout_batches
         where rail = $1 and currency = $2 and batch_no < $3 and status <> 'cancelled' order by batch_no desc limit 1"
    ))
    .bind::<Text, _>(batch.rail.name())
    .bind::<Text, _>(batch.currency.code())
    .bind::<Integer, _>(batch.batch_no)
    .get_result::<Row>(conn)
    .optional()?;
    row.map(Batch::try_from).transpose()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// Under the lock of payouts.
pub fn next_no(conn: &mut PgConnection) -> Result<i32, DbError> {
    let next = sql_query("select coalesce(max(batch_no), 0) + 1 as number from payout_batches");
    Ok(next.get_result::<Number>(conn)?.number)
}

pub fn insert(conn: &mut PgConnection, batch: &Batch) -> Result<(), DbError> {
    sql_query(
        "insert into payout_batches (batch_id, batch_no, rail, currency, purpose, terms, withholding, left_out,
                                     created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<SqlUuid, _>(batch.batch_id)
    .bind::<Integer, _>(batch.batch_no)
    .bind::<Text, _>(batch.rail.name())
    .bind::<Text, _>(batch.currency.code())
    .bind::<Text, _>(&batch.purpose)
    .bind::<Jsonb, _>(serde_json::to_value(&batch.terms)?)
    .bind::<Numeric, _>(batch.withholding)
    .bind::<Jsonb, _>(serde_json::to_value(&batch.left_out)?)
    .bind::<Text, _>(&batch.created.by)
    .bind::<Timestamptz, _>(batch.created.at)
    .execute(conn)?;
    Ok(())
}

/// Takes the numbers of the next journal entries, and answers the first of them. Holds the batch.
pub fn take_entries(conn: &mut PgConnection, batch_id: Uuid, count: i32) -> Result<i32, DbError> {
    let taken = sql_query(
        "update payout_batches set entries = entries + $2 where batch_id = $1 returning entries - $2 + 1 as number",
    )
    .bind::<SqlUuid, _>(batch_id)
    .bind::<Integer, _>(count);
    Ok(taken.get_result::<Number>(conn)?.number)
}

pub fn set_approved(
    conn: &mut PgConnection,
    batch_id: Uuid,
    deed: &Deed,
    digest: &[u8; 32],
    value_date: NaiveDate,
) -> Result<(), DbError> {
    sql_query(
        "update payout_batches set status = 'approved', approved_by = $2, approved_at = $3, approved_digest = $4,
                                   value_date = $5 where batch_id = $1",
    )
    .bind::<SqlUuid, _>(batch_id)
    .bind::<Text, _>(&deed.by)
    .bind::<Timestamptz, _>(deed.at)
    .bind::<Binary, _>(digest.as_slice())
    .bind::<Date, _>(value_date)
    .execute(conn)?;
    Ok(())
}

pub fn set_cancelled(conn: &mut PgConnection, batch_id: Uuid) -> Result<(), DbError> {
    sql_query("update payout_batches set status = 'cancelled' where batch_id = $1")
        .bind::<SqlUuid, _>(batch_id)
        .execute(conn)?;
    Ok(())
}

pub fn set_exported(
    conn: &mut PgConnection,
    batch_id: Uuid,
    deed: &Deed,
    name: &str,
    sha256: &[u8; 32],
) -> Result<(), DbError> {
    sql_query(
        "update payout_batches set status = 'exported', exported_by = $2, exported_at = $3, file_name = $4,
                                   file_sha256 = $5 where batch_id = $1",
    )
    .bind::<SqlUuid, _>(batch_id)
    .bind::<Text, _>(&deed.by)
    .bind::<Timestamptz, _>(deed.at)
    .bind::<Text, _>(name)
    .bind::<Binary, _>(sha256.as_slice())
    .execute(conn)?;
    Ok(())
}

pub fn set_sent(conn: &mut PgConnection, batch_id: Uuid, deed: &Deed) -> Result<(), DbError> {
    sql_query("update payout_batches set status = 'sent', sent_by = $2, sent_at = $3 where batch_id = $1")
        .bind::<SqlUuid, _>(batch_id)
        .bind::<Text, _>(&deed.by)
        .bind::<Timestamptz, _>(deed.at)
        .execute(conn)?;
    Ok(())
}
