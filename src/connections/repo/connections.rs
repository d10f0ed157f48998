//! SQL of how stores are reached.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::NewConnection;
use crate::core::ids::StoreId;
use crate::db::DbError;

/// A store and how its API is reached.
#[derive(Clone, Debug, QueryableByName)]
pub struct Connection {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub slug: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub base_url: String,
    #[diesel(sql_type = Bool)]
    pub allow_private: bool,
    /// Sealed.
    #[diesel(sql_type = Binary)]
    pub credentials: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub zone: String,
    /// [`crate::clients::Probe`].
    #[diesel(sql_type = Jsonb)]
    pub facts: serde_json::Value,
    #[diesel(sql_type = Bool)]
    pub paused: bool,
    #[diesel(sql_type = Timestamptz)]
    pub connected_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub answered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub problem: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub problem_since: Option<DateTime<Utc>>,
    /// We keep subscriptions there.
    #[diesel(sql_type = Bool)]
    pub webhooks: bool,
    /// When the webhooks were last looked at.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub checked_at: Option<DateTime<Utc>>,
    /// When the store last delivered by itself.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub heard_at: Option<DateTime<Utc>>,
    /// A secret was added beside another, which ends once nothing is signed with it any more.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub rotating_since: Option<DateTime<Utc>>,
}

const SELECT: &str =
    "select c.store_id, s.slug, s.platform, c.base_url, c.allow_private, c.credentials, c.zone, c.facts,
        c.paused, c.connected_at, c.answered_at, c.problem, c.problem_since, c.webhooks, c.checked_at, c.heard_at, c.rotating_since
 from store_connections c join stores s using (store_id)";

/// Of every active store that has one, by slug.
pub fn list(conn: &mut PgConnection) -> Result<Vec<Connection>, DbError> {
    Ok(sql_query(format!("{SELECT} where s.active order by s.slug")).load(conn)?)
}

pub fn connection(conn: &mut PgConnection, slug: &str) -> Result<Option<Connection>, DbError> {
    Ok(sql_query(format!("{SELECT} where s.slug = $1")).bind::<Text, _>(slug).get_result(conn).optional()?)
}

pub fn save(
    conn: &mut PgConnection,
    new: &NewConnection<'_>,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into store_connections (store_id, base_url, allow_private, credentials, zone, facts, connected_at, answered_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (store_id) do update set
           base_url = excluded.base_url, allow_private = excluded.allow_private, credentials = excluded.credentials,
           zone = excluded.zone, facts = excluded.facts, connected_at = excluded.connected_at,
           answered_at = excluded.answered_at, paused = false, problem = null, problem_since = null, checked_at = null",
    )
    .bind::<Integer, _>(new.store.0)
    .bind::<Text, _>(new.base.as_str())
    .bind::<Bool, _>(new.allow_private)
    .bind::<Binary, _>(sealed)
    .bind::<Text, _>(new.zone.name())
    .bind::<Jsonb, _>(serde_json::to_value(new.facts)?)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub struct Trouble {
    #[diesel(sql_type = Text)]
    pub slug: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub since: Option<DateTime<Utc>>,
}

/// Returns whose outcome it was and since when it fails; nothing when the store is not connected any more.
pub fn note_outcome(
    conn: &mut PgConnection,
    store: StoreId,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Trouble>, DbError> {
    let noted = sql_query(
        "update store_connections c set
           problem = $2,
           problem_since = case when $2 is null then null else coalesce(problem_since, $3) end,
           answered_at = case when $2 is null then $3 else answered_at end
         from stores s where c.store_id = $1 and s.store_id = c.store_id
         returning s.slug, c.problem_since as since",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Nullable<Text>, _>(problem)
    .bind::<Timestamptz, _>(now);
    Ok(noted.get_result(conn).optional()?)
}

/// What the store says of itself now.
pub fn note_facts(conn: &mut PgConnection, store: StoreId, facts: serde_json::Value) -> Result<(), DbError> {
    sql_query("update store_connections set facts = $2 where store_id = $1")
        .bind::<Integer, _>(store.0)
        .bind::<Jsonb, _>(facts)
        .execute(conn)?;
    Ok(())
}

/// A pause of ours has a problem that says why; one of a person has none.
pub fn pause(
    conn: &mut PgConnection,
    store: StoreId,
    paused: bool,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "update store_connections set paused = $2, problem = $3, problem_since = case when $3 is null then null else $4 end
         where store_id = $1 and paused <> $2",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Bool, _>(paused)
    .bind::<Nullable<Text>, _>(problem)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?)
}

pub fn set_rotating(
    conn: &mut PgConnection,
    store: StoreId,
    since: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    sql_query("update store_connections set rotating_since = $2 where store_id = $1")
        .bind::<Integer, _>(store.0)
        .bind::<Nullable<Timestamptz>, _>(since)
        .execute(conn)?;
    Ok(())
}

pub fn keep_webhooks(conn: &mut PgConnection, store: StoreId, keep: bool) -> Result<(), DbError> {
    sql_query("update store_connections set webhooks = $2 where store_id = $1")
        .bind::<Integer, _>(store.0)
        .bind::<Bool, _>(keep)
        .execute(conn)?;
    Ok(())
}

pub fn note_checked(conn: &mut PgConnection, store: StoreId, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query("update store_connections set checked_at = $2 where store_id = $1")
        .bind::<Integer, _>(store.0)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(())
}

pub fn set_credentials(conn: &mut PgConnection, store: StoreId, sealed: &[u8]) -> Result<(), DbError> {
    sql_query("update store_connections set credentials = $2 where store_id = $1")
        .bind::<Integer, _>(store.0)
        .bind::<Binary, _>(sealed)
        .execute(conn)?;
    Ok(())
}

/// Until the end of the database transaction nobody else changes the store's secrets.
pub fn lock(conn: &mut PgConnection, store: StoreId) -> Result<(), DbError> {
    sql_query("select 1 from stores where store_id = $1 for update")
        .bind::<Integer, _>(store.0)
        .execute(conn)?;
    Ok(())
}

/// The credentials and what we knew of the webhooks.
pub fn forget(conn: &mut PgConnection, store: StoreId) -> Result<(), DbError> {
    sql_query(
        "with webhooks as (delete from store_webhooks where store_id = $1)
         delete from store_connections where store_id = $1",
    )
    .bind::<Integer, _>(store.0)
    .execute(conn)?;
    Ok(())
}

/// The credentials of every store that has some, held for the rest of the database transaction.
pub fn sealed_credentials(conn: &mut PgConnection) -> Result<Vec<(i32, Vec<u8>)>, DbError> {
    #[derive(QueryableByName)]
    struct Sealed {
        #[diesel(sql_type = Integer)]
        store_id: i32,
        #[diesel(sql_type = Binary)]
        credentials: Vec<u8>,
    }
    let sql = "select store_id, credentials from store_connections order by store_id for update";
    let rows: Vec<Sealed> = sql_query(sql).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.store_id, row.credentials)).collect())
}

pub fn exchange_credentials(conn: &mut PgConnection, rows: &[(i32, Vec<u8>)]) -> Result<(), DbError> {
    sql_query(
        "update store_connections c set credentials = t.credentials
         from unnest($1, $2) as t(store_id, credentials) where c.store_id = t.store_id",
    )
    .bind::<Array<Integer>, _>(rows.iter().map(|(store, _)| *store).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|(_, sealed)| sealed.as_slice()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
