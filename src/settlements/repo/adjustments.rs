//! SQL of adjustments.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::super::{Attachment, NewAdjustment};
use crate::db::DbError;

/// An adjustment, without the bytes of its attachment.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Adjustment {
    #[diesel(sql_type = SqlUuid)]
    pub adjustment_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub adjustment_no: i32,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub attachment_name: Option<String>,
    /// Hexadecimal.
    #[diesel(sql_type = Nullable<Text>)]
    pub attachment_sha256: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub requested_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub requested_by: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub decided_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub decision_note: Option<String>,
}

const COLUMNS: &str = "adjustment_id, adjustment_no, distributor_id, currency::text as currency, amount, reason,
    attachment_name, encode(attachment_sha256, 'hex') as attachment_sha256, requested_at, requested_by, status,
    decided_at, decided_by, decision_note";

pub fn list(conn: &mut PgConnection, status: Option<&str>, limit: i64) -> Result<Vec<Adjustment>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from adjustments where $1 is null or status = $1 order by adjustment_no desc limit $2"
    ))
    .bind::<Nullable<Text>, _>(status)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn one(conn: &mut PgConnection, number: i32) -> Result<Option<Adjustment>, DbError> {
    Ok(sql_query(format!("select {COLUMNS} from adjustments where adjustment_no = $1"))
        .bind::<Integer, _>(number)
        .get_result(conn)
        .optional()?)
}

pub fn locked(conn: &mut PgConnection, number: i32) -> Result<Option<Adjustment>, DbError> {
    Ok(sql_query(format!("select {COLUMNS} from adjustments where adjustment_no = $1 for update"))
        .bind::<Integer, _>(number)
        .get_result(conn)
        .optional()?)
}

#[derive(QueryableByName)]
struct AttachmentRow {
    #[diesel(sql_type = Text)]
    attachment_name: String,
    #[diesel(sql_type = Text)]
    attachment_type: String,
    #[diesel(sql_type = Binary)]
    attachment: Vec<u8>,
}

pub fn attachment(conn: &mut PgConnection, number: i32) -> Result<Option<Attachment>, DbError> {
    let row: Option<AttachmentRow> = sql_query(
        "select attachment_name, attachment_type, attachment from adjustments
         where adjustment_no = $1 and attachment is not null",
    )
    .bind::<Integer, _>(number)
    .get_result(conn)
    .optional()?;
    Ok(row.map(|row| Attachment {
        name: row.attachment_name,
        media_type: row.attachment_type,
        bytes: row.attachment,
    }))
}

#[derive(QueryableByName)]
struct Is {
    #[diesel(sql_type = Bool)]
    is: bool,
}

pub fn is_distributor(conn: &mut PgConnection, id: &str) -> Result<bool, DbError> {
    let found: Is = sql_query("select exists (select from distributors where distributor_id = $1) as is")
        .bind::<Text, _>(id)
        .get_result(conn)?;
    Ok(found.is)
}

#[derive(QueryableByName)]
struct No {
    #[diesel(sql_type = Integer)]
    adjustment_no: i32,
}

pub fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    new: &NewAdjustment,
    amount: Decimal,
    by: &str,
    now: DateTime<Utc>,
) -> Result<i32, DbError> {
    let file = new.attachment.as_ref();
    let row: No = sql_query(
        "insert into adjustments (adjustment_id, distributor_id, currency, amount, reason, attachment_name,
                                  attachment_type, attachment, attachment_sha256, requested_at, requested_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning adjustment_no",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(new.distributor.as_str())
    .bind::<Text, _>(new.currency.code())
    .bind::<Numeric, _>(amount)
    .bind::<Text, _>(new.reason.trim())
    .bind::<Nullable<Text>, _>(file.map(|file| file.name.as_str()))
    .bind::<Nullable<Text>, _>(file.map(|file| file.media_type.as_str()))
    .bind::<Nullable<Binary>, _>(file.map(|file| file.bytes.as_slice()))
    .bind::<Nullable<Binary>, _>(file.map(|file| file.sha256().to_vec()))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .get_result(conn)?;
    Ok(row.adjustment_no)
}

pub fn decide(
    conn: &mut PgConnection,
    id: Uuid,
    approved: bool,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update adjustments set status = $2, decided_at = $3, decided_by = $4, decision_note = nullif($5, '')
         where adjustment_id = $1 and status = 'requested'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(if approved { "approved" } else { "refused" })
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .bind::<Text, _>(note)
    .execute(conn)?;
    Ok(())
}
