//! Stores, users and the audit log as the settings pages show them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Deliveries that are looked at for the stores' last ones.
const LATELY: i64 = 20_000;

#[derive(Clone, Debug, QueryableByName)]
pub struct Heard {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    /// `None`: not lately.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    pub ever: bool,
}

/// When each store was last heard of.
pub fn heard(conn: &mut Conn) -> Result<Vec<Heard>, DbError> {
    Ok(sql_query(
        "with lately as (select store_id, received_at from deliveries order by delivery_id desc limit $1)
         select s.store_id, l.last,
                l.last is not null or exists (select 1 from deliveries d where d.store_id = s.store_id) as ever
         from stores s
         left join (select store_id, max(received_at) as last from lately group by store_id) l using (store_id)",
    )
    .bind::<BigInt, _>(LATELY)
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Secret {
    #[diesel(sql_type = Integer)]
    pub secret_no: i32,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub retired_at: Option<DateTime<Utc>>,
}

/// All that a store ever had, newest first; never what they are.
pub fn secrets(conn: &mut Conn, store: i32) -> Result<Vec<Secret>, DbError> {
    Ok(sql_query(
        "select secret_no, created_at, retired_at from store_secrets where store_id = $1 order by secret_no desc",
    )
    .bind::<Integer, _>(store)
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Seen {
    #[diesel(sql_type = Integer)]
    pub user_id: i32,
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
}

/// When users with a session were last there.
pub fn last_seen(conn: &mut Conn) -> Result<Vec<Seen>, DbError> {
    Ok(sql_query("select user_id, max(seen_at) as seen_at from sessions group by user_id").load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Act {
    #[diesel(sql_type = SqlUuid)]
    pub audit_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Text)]
    pub object: String,
    #[diesel(sql_type = Jsonb)]
    pub detail: Value,
}

/// Newest first, older than `before`.
pub fn audit(conn: &mut Conn, before: Option<Uuid>) -> Result<Page<Act, Uuid>, DbError> {
    let rows: Vec<Act> = sql_query(
        "select audit_id, at, actor, action, object, detail from audit_log where audit_id < $1
         order by audit_id desc limit $2",
    )
    .bind::<SqlUuid, _>(before.unwrap_or(Uuid::max()))
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.audit_id))
}
