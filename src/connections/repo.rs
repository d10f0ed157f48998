//! SQL of connections.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::NewConnection;
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
}

const SELECT: &str =
    "select c.store_id, s.slug, s.platform, c.base_url, c.allow_private, c.credentials, c.zone, c.facts,
        c.paused, c.connected_at, c.answered_at, c.problem, c.problem_since
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
           zone = excluded.zone, facts = excluded.facts, answered_at = excluded.answered_at, paused = false,
           problem = null, problem_since = null",
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

pub fn note_outcome(
    conn: &mut PgConnection,
    store: StoreId,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update store_connections set
           problem = $2,
           problem_since = case when $2 is null then null else coalesce(problem_since, $3) end,
           answered_at = case when $2 is null then $3 else answered_at end
         where store_id = $1",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Nullable<Text>, _>(problem)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
