//! SQL of plans and their publications.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Integer, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::plan::{Plan, PlanHash};
use crate::db::DbError;

#[derive(Clone, Debug, QueryableByName)]
pub struct StoredPlan {
    #[diesel(sql_type = Binary)]
    pub plan_hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// As written.
    #[diesel(sql_type = Text)]
    pub document: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub created_by: String,
}

/// Every plan that was ever published.
pub fn stored(conn: &mut PgConnection) -> Result<Vec<StoredPlan>, DbError> {
    Ok(sql_query("select plan_hash, name, document, created_at, created_by from plans order by created_at")
        .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Publication {
    #[diesel(sql_type = Integer)]
    pub publication_no: i32,
    #[diesel(sql_type = Binary)]
    pub plan_hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Timestamptz)]
    pub effective_from: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub published_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub published_by: String,
}

impl Publication {
    pub(super) fn timed_hash(self) -> Result<(DateTime<Utc>, PlanHash), DbError> {
        let hash = <[u8; 32]>::try_from(self.plan_hash)
            .map_err(|_| DbError::Damaged(format!("plan_hash of publication {}", self.publication_no)))?;
        Ok((self.effective_from, PlanHash(hash)))
    }
}

/// In the order in which they take effect.
pub fn publications(conn: &mut PgConnection) -> Result<Vec<Publication>, DbError> {
    Ok(sql_query(
        "select publication_no, plan_hash, name, effective_from, published_at, published_by
         from plan_publications join plans using (plan_hash) order by effective_from, publication_no",
    )
    .load(conn)?)
}

/// The same plan can be published many times; its document is kept as first written.
pub fn insert(
    conn: &mut PgConnection,
    plan: &Plan,
    document: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into plans (plan_hash, name, document, canonical, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6) on conflict (plan_hash) do nothing",
    )
    .bind::<Binary, _>(plan.hash().0.to_vec())
    .bind::<Text, _>(plan.name())
    .bind::<Text, _>(document)
    .bind::<Text, _>(plan.canonical())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

pub fn insert_publication(
    conn: &mut PgConnection,
    hash: PlanHash,
    from: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into plan_publications (plan_hash, effective_from, published_at, published_by) values ($1, $2, $3, $4)",
    )
    .bind::<Binary, _>(hash.0.to_vec())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}
