//! What was done to batches and items.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::db::DbError;

#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Change {
    #[diesel(sql_type = Integer)]
    pub change_no: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub item_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    pub change: String,
    #[diesel(sql_type = Jsonb)]
    pub detail: Value,
    #[diesel(sql_type = Text)]
    pub changed_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub changed_at: DateTime<Utc>,
}

/// Of the batch as a whole, the oldest first.
pub fn of_batch(conn: &mut PgConnection, batch_id: Uuid) -> Result<Vec<Change>, DbError> {
    Ok(sql_query(
        "select change_no, item_id, change, detail, changed_by, changed_at from payout_changes
         where batch_id = $1 and item_id is null order by change_no",
    )
    .bind::<SqlUuid, _>(batch_id)
    .load(conn)?)
}

pub fn of_item(conn: &mut PgConnection, item_id: Uuid) -> Result<Vec<Change>, DbError> {
    Ok(sql_query(
        "select change_no, item_id, change, detail, changed_by, changed_at from payout_changes
         where item_id = $1 order by change_no",
    )
    .bind::<SqlUuid, _>(item_id)
    .load(conn)?)
}

/// One change to be written.
pub struct New {
    pub item_id: Option<Uuid>,
    pub change: &'static str,
    pub detail: Value,
}

/// Under the lock of the batch.
pub fn insert(
    conn: &mut PgConnection,
    batch_id: Uuid,
    changes: &[New],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into payout_changes (batch_id, change_no, item_id, change, detail, changed_by, changed_at)
         select $1, n.last + t.no, t.item_id, t.change, t.detail, $5, $6
         from unnest($2, $3, $4) with ordinality as t(item_id, change, detail, no),
              (select coalesce(max(change_no), 0) as last from payout_changes where batch_id = $1) n",
    )
    .bind::<SqlUuid, _>(batch_id)
    .bind::<Array<Nullable<SqlUuid>>, _>(changes.iter().map(|change| change.item_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(changes.iter().map(|change| change.change).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(changes.iter().map(|change| &change.detail).collect::<Vec<_>>())
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
