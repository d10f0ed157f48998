//! SQL of users, links, sessions, tokens and the audit log.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Binary, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;

use super::sessions::Account;
use crate::clock::new_id;
use crate::db::DbError;

#[derive(Clone, Debug, QueryableByName)]
pub struct User {
    #[diesel(sql_type = Integer)]
    pub user_id: i32,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub role: String,
    #[diesel(sql_type = Bool)]
    pub has_password: bool,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub disabled_at: Option<DateTime<Utc>>,
}

const USER: &str = "user_id, email, role, password_hash is not null as has_password, created_at, disabled_at";

pub fn users(conn: &mut PgConnection) -> Result<Vec<User>, DbError> {
    Ok(sql_query(format!("select {USER} from users order by email")).load(conn)?)
}

/// `None`: the address is taken.
pub fn insert_user(
    conn: &mut PgConnection,
    email: &str,
    role: &str,
    now: DateTime<Utc>,
) -> Result<Option<User>, DbError> {
    let insert = format!(
        "insert into users (email, role, created_at) values ($1, $2, $3) on conflict (email) do nothing returning {USER}"
    );
    Ok(sql_query(insert)
        .bind::<Text, _>(email)
        .bind::<Text, _>(role)
        .bind::<Timestamptz, _>(now)
        .get_result(conn)
        .optional()?)
}

pub fn disable_user(conn: &mut PgConnection, email: &str, now: DateTime<Utc>) -> Result<usize, DbError> {
    let disabled = sql_query("update users set disabled_at = $2 where email = $1 and disabled_at is null")
        .bind::<Text, _>(email)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    sql_query("delete from sessions s using users u where u.user_id = s.user_id and u.email = $1")
        .bind::<Text, _>(email)
        .execute(conn)?;
    Ok(disabled)
}

pub fn set_password(conn: &mut PgConnection, user_id: i32, hash: &str) -> Result<(), DbError> {
    sql_query("update users set password_hash = $2 where user_id = $1")
        .bind::<Integer, _>(user_id)
        .bind::<Text, _>(hash)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = Integer)]
    user_id: i32,
    #[diesel(sql_type = Nullable<Text>)]
    password_hash: Option<String>,
}

pub fn account(conn: &mut PgConnection, email: &str) -> Result<Option<Account>, DbError> {
    let found =
        sql_query("select user_id, password_hash from users where email = $1 and disabled_at is null")
            .bind::<Text, _>(email)
            .get_result::<AccountRow>(conn)
            .optional()?;
    Ok(found.map(|row| Account { user_id: row.user_id, password_hash: row.password_hash }))
}

pub fn insert_link(
    conn: &mut PgConnection,
    email: &str,
    hash: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "insert into login_links (token_hash, user_id, expires_at)
         select $2, user_id, $3 from users where email = $1 and disabled_at is null",
    )
    .bind::<Text, _>(email)
    .bind::<Binary, _>(hash)
    .bind::<Timestamptz, _>(expires_at)
    .execute(conn)?)
}

#[derive(QueryableByName)]
pub struct LinkUser {
    #[diesel(sql_type = Integer)]
    pub user_id: i32,
    #[diesel(sql_type = Text)]
    pub email: String,
}

/// One of two who come at the same time gets it.
pub fn use_link(
    conn: &mut PgConnection,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<LinkUser>, DbError> {
    Ok(sql_query(
        "update login_links l set used_at = $2 from users u
         where l.token_hash = $1 and l.used_at is null and l.expires_at > $2
           and u.user_id = l.user_id and u.disabled_at is null
         returning u.user_id, u.email",
    )
    .bind::<Binary, _>(hash)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .optional()?)
}

pub fn insert_session(
    conn: &mut PgConnection,
    hash: &[u8],
    user_id: i32,
    csrf: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into sessions (token_hash, user_id, csrf, created_at, seen_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)",
    )
    .bind::<Binary, _>(hash)
    .bind::<Integer, _>(user_id)
    .bind::<Text, _>(csrf)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub struct SessionRow {
    #[diesel(sql_type = Integer)]
    pub user_id: i32,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub role: String,
    #[diesel(sql_type = Text)]
    pub csrf: String,
    #[diesel(sql_type = Bool)]
    pub has_password: bool,
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
}

pub fn session(
    conn: &mut PgConnection,
    hash: &[u8],
    now: DateTime<Utc>,
    seen_after: DateTime<Utc>,
) -> Result<Option<SessionRow>, DbError> {
    Ok(sql_query(
        "select u.user_id, u.email, u.role, s.csrf, u.password_hash is not null as has_password, s.seen_at
         from sessions s join users u using (user_id)
         where s.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3 and u.disabled_at is null",
    )
    .bind::<Binary, _>(hash)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(seen_after)
    .get_result(conn)
    .optional()?)
}

pub fn touch_session(conn: &mut PgConnection, hash: &[u8], now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query("update sessions set seen_at = $2 where token_hash = $1")
        .bind::<Binary, _>(hash)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(())
}

pub fn delete_session(conn: &mut PgConnection, hash: &[u8]) -> Result<(), DbError> {
    sql_query("delete from sessions where token_hash = $1").bind::<Binary, _>(hash).execute(conn)?;
    Ok(())
}

pub fn delete_other_sessions(conn: &mut PgConnection, user_id: i32, keep: &[u8]) -> Result<(), DbError> {
    sql_query("delete from sessions where user_id = $1 and token_hash <> $2")
        .bind::<Integer, _>(user_id)
        .bind::<Binary, _>(keep)
        .execute(conn)?;
    Ok(())
}

pub fn delete_expired(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    seen_before: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query("delete from sessions where expires_at <= $1 or seen_at <= $2")
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(seen_before)
        .execute(conn)?;
    sql_query("delete from login_links where expires_at <= $1").bind::<Timestamptz, _>(now).execute(conn)?;
    Ok(())
}

/// A token as it is shown: without its secret.
#[derive(Clone, Debug, QueryableByName)]
pub struct ApiToken {
    #[diesel(sql_type = Integer)]
    pub token_id: i32,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub scope: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub store: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub revoked_at: Option<DateTime<Utc>>,
}

pub fn tokens(conn: &mut PgConnection) -> Result<Vec<ApiToken>, DbError> {
    Ok(sql_query(
        "select t.token_id, t.name, t.scope, s.slug as store, t.created_at, t.revoked_at
         from api_tokens t left join stores s using (store_id) order by t.token_id",
    )
    .load(conn)?)
}

#[derive(QueryableByName)]
pub struct LiveToken {
    #[diesel(sql_type = Integer)]
    pub token_id: i32,
    #[diesel(sql_type = Binary)]
    pub token_hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub scope: String,
    #[diesel(sql_type = Nullable<Integer>)]
    pub store_id: Option<i32>,
}

pub fn live_tokens(conn: &mut PgConnection) -> Result<Vec<LiveToken>, DbError> {
    Ok(sql_query(
        "select token_id, token_hash, name, scope, store_id from api_tokens where revoked_at is null",
    )
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Integer)]
    id: i32,
}

pub fn store_id(conn: &mut PgConnection, slug: &str) -> Result<Option<i32>, DbError> {
    let found: Option<Id> = sql_query("select store_id as id from stores where slug = $1")
        .bind::<Text, _>(slug)
        .get_result(conn)
        .optional()?;
    Ok(found.map(|row| row.id))
}

pub fn insert_token(
    conn: &mut PgConnection,
    hash: &[u8],
    name: &str,
    scope: &str,
    store_id: Option<i32>,
    now: DateTime<Utc>,
) -> Result<i32, DbError> {
    let made: Id = sql_query(
        "insert into api_tokens (token_hash, name, scope, store_id, created_at) values ($1, $2, $3, $4, $5)
         returning token_id as id",
    )
    .bind::<Binary, _>(hash)
    .bind::<Text, _>(name)
    .bind::<Text, _>(scope)
    .bind::<Nullable<Integer>, _>(store_id)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)?;
    Ok(made.id)
}

pub fn revoke_token(conn: &mut PgConnection, id: i32, now: DateTime<Utc>) -> Result<usize, DbError> {
    Ok(sql_query("update api_tokens set revoked_at = $2 where token_id = $1 and revoked_at is null")
        .bind::<Integer, _>(id)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?)
}

pub fn insert_audit(
    conn: &mut PgConnection,
    actor: &str,
    action: &str,
    object: &str,
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into audit_log (audit_id, at, actor, action, object, detail) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlUuid, _>(new_id())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(action)
    .bind::<Text, _>(object)
    .bind::<Jsonb, _>(detail)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub struct KeyRow {
    #[diesel(sql_type = Binary)]
    pub request_sha256: Vec<u8>,
    #[diesel(sql_type = SmallInt)]
    pub status: i16,
    #[diesel(sql_type = Text)]
    pub response: String,
}

/// Returns 0 when the key is there already.
pub fn insert_key(
    conn: &mut PgConnection,
    token: i32,
    key: &str,
    sha256: &[u8],
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "insert into idempotency_keys (token_id, idempotency_key, request_sha256, status, response, created_at)
         values ($1, $2, $3, 0, '', $4) on conflict (token_id, idempotency_key) do nothing",
    )
    .bind::<Integer, _>(token)
    .bind::<Text, _>(key)
    .bind::<Binary, _>(sha256)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?)
}

pub fn key(conn: &mut PgConnection, token: i32, key: &str) -> Result<KeyRow, DbError> {
    Ok(sql_query(
        "select request_sha256, status, response from idempotency_keys
         where token_id = $1 and idempotency_key = $2",
    )
    .bind::<Integer, _>(token)
    .bind::<Text, _>(key)
    .get_result(conn)?)
}

pub fn answer_key(
    conn: &mut PgConnection,
    token: i32,
    key: &str,
    status: i16,
    response: &str,
) -> Result<(), DbError> {
    sql_query(
        "update idempotency_keys set status = $3, response = $4 where token_id = $1 and idempotency_key = $2",
    )
    .bind::<Integer, _>(token)
    .bind::<Text, _>(key)
    .bind::<SmallInt, _>(status)
    .bind::<Text, _>(response)
    .execute(conn)?;
    Ok(())
}
