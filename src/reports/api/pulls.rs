//! Windows of the stores' APIs that were read, as programs read about them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Conn, DbError};

/// A window of time that was read at a store, or is being read.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct PullView {
    #[diesel(sql_type = SqlUuid)]
    pub pull_id: Uuid,
    /// Slug of the store.
    #[diesel(sql_type = Text)]
    #[schema(example = "main")]
    pub store: String,
    /// orders, products or customers.
    #[diesel(sql_type = Text)]
    #[schema(example = "orders")]
    pub kind: String,
    /// schedule, daily, backfill, manual or reconcile.
    #[diesel(sql_type = Text)]
    #[schema(example = "schedule")]
    pub cause: String,
    /// `changed`: what the store changed in the window. `ordered`: what was ordered in it.
    #[diesel(sql_type = Text)]
    #[schema(example = "changed")]
    pub window_by: String,
    /// Inclusive; null: from the beginning.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub from: Option<DateTime<Utc>>,
    /// Exclusive.
    #[diesel(sql_type = Timestamptz)]
    pub to: DateTime<Utc>,
    /// `running`: being read. `done`: read to its end. `failed`: see `problem`; tried again. `stopped`: ended on the
    /// way without a problem. What did not come to its end goes on where it was.
    #[diesel(sql_type = Text)]
    #[schema(example = "done")]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub pages: i32,
    /// Read.
    #[diesel(sql_type = Integer)]
    pub seen: i32,
    /// News, of what was read: each is a delivery.
    #[diesel(sql_type = Integer)]
    pub told: i32,
    /// What was not known at all, of the news.
    #[diesel(sql_type = Integer)]
    pub new: i32,
    /// What the store said is left, when it last said so.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub remaining: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub problem: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default)]
pub struct PullFilter {
    pub store: Option<String>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// A page of pulls, in the order in which they began.
pub fn pulls(conn: &mut Conn, filter: &PullFilter) -> Result<Vec<PullView>, DbError> {
    Ok(sql_query(
        "select p.pull_id, s.slug as store, p.kind, p.cause, p.window_by, p.window_from as \"from\",
                p.window_to as \"to\", p.state, p.pages, p.seen, p.told, p.fresh as new, p.remaining, p.problem,
                p.started_at, p.updated_at, p.finished_at
         from pulls p join stores s using (store_id)
         where ($1::text is null or s.slug = $1) and ($2::uuid is null or p.pull_id > $2)
         order by p.pull_id limit $3",
    )
    .bind::<Nullable<Text>, _>(&filter.store)
    .bind::<Nullable<SqlUuid>, _>(filter.after)
    .bind::<BigInt, _>(filter.limit)
    .load(conn)?)
}
