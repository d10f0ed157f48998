//! Files of banks and what they said.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::new_id;
use crate::db::DbError;

/// False: these bytes were taken before.
pub fn insert_file(
    conn: &mut PgConnection,
    sha256: &[u8; 32],
    (format, message_id): (&str, &str),
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let inserted = sql_query(
        "insert into payout_bank_files (file_sha256, format, message_id, received_by, received_at)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind::<Binary, _>(sha256.as_slice())
    .bind::<Text, _>(format)
    .bind::<Text, _>(message_id)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(inserted == 1)
}

/// One answer as it is kept.
pub struct New {
    pub answer: Value,
    pub item_id: Option<Uuid>,
    pub verdict: &'static str,
    pub why: String,
}

pub fn insert(conn: &mut PgConnection, sha256: &[u8; 32], answers: &[New]) -> Result<(), DbError> {
    sql_query(
        "insert into payout_answers (answer_id, answer, item_id, verdict, why, answer_no, file_sha256)
         select t.id, t.answer, t.item_id, t.verdict, t.why, t.no, $6
         from unnest($1, $2, $3, $4, $5) with ordinality as t(id, answer, item_id, verdict, why, no)",
    )
    .bind::<Array<SqlUuid>, _>(answers.iter().map(|_| new_id()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(answers.iter().map(|new| &new.answer).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(answers.iter().map(|new| new.item_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(answers.iter().map(|new| new.verdict).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(answers.iter().map(|new| new.why.as_str()).collect::<Vec<_>>())
    .bind::<Binary, _>(sha256.as_slice())
    .execute(conn)?;
    Ok(())
}

/// An answer that a person has to look at.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct OpenAnswer {
    #[diesel(sql_type = SqlUuid)]
    pub answer_id: Uuid,
    #[diesel(sql_type = Jsonb)]
    pub answer: Value,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub item_no: Option<i64>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub batch_no: Option<i32>,
    #[diesel(sql_type = Text)]
    pub why: String,
    #[diesel(sql_type = Text)]
    pub format: String,
    #[diesel(sql_type = Text)]
    pub message_id: String,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
}

const OPEN: &str =
    "select a.answer_id, a.answer, i.item_no, b.batch_no, a.why, f.format, f.message_id, f.received_at
     from payout_answers a join payout_bank_files f using (file_sha256)
     left join payout_items i using (item_id) left join payout_batches b using (batch_id)
     where a.verdict = 'person' and a.settled_at is null";

pub fn open(conn: &mut PgConnection, limit: i64) -> Result<Vec<OpenAnswer>, DbError> {
    Ok(sql_query(format!("{OPEN} order by a.answer_id limit $1")).bind::<BigInt, _>(limit).load(conn)?)
}

/// Says that somebody has looked. False: there is no such answer that waits.
pub fn settle(
    conn: &mut PgConnection,
    answer_id: Uuid,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let settled = sql_query(
        "update payout_answers set settled_by = $2, settled_at = $3, note = $4
         where answer_id = $1 and verdict = 'person' and settled_at is null",
    )
    .bind::<SqlUuid, _>(answer_id)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(note)
    .execute(conn)?;
    Ok(settled == 1)
}
