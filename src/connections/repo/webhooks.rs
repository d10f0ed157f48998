//! SQL of our subscriptions at the stores.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::StoreId;
use crate::db::DbError;

/// A subscription as we left it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Subscription {
    #[diesel(sql_type = Text)]
    pub topic: String,
    /// `None` while the store refuses to make one.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub address: String,
    #[diesel(sql_type = Integer)]
    pub secret_no: i32,
    #[diesel(sql_type = Timestamptz)]
    pub secret_since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub problem: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub checked_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub mended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    pub mended: i32,
}

pub fn subscriptions(conn: &mut PgConnection, store: StoreId) -> Result<Vec<Subscription>, DbError> {
    Ok(sql_query(
        "select topic, external_id, address, secret_no, secret_since, problem, created_at, checked_at, mended_at, mended
         from store_webhooks where store_id = $1 order by topic",
    )
    .bind::<Integer, _>(store.0)
    .load(conn)?)
}

/// What is so of one topic now.
pub struct Noted<'a> {
    pub topic: &'a str,
    pub external_id: Option<&'a str>,
    pub address: &'a str,
    pub secret_no: i32,
    pub problem: Option<&'a str>,
    /// It had been made before and was not as it should be.
    pub mended: bool,
}

pub fn note_subscription(
    conn: &mut PgConnection,
    store: StoreId,
    noted: &Noted<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into store_webhooks as w
           (store_id, topic, external_id, address, secret_no, secret_since, problem, created_at, checked_at, mended_at, mended)
         values ($1, $2, $3, $4, $5, $7, $6, $7, $7, case when $8 then $7 end, $8::int)
         on conflict (store_id, topic) do update set
           external_id = coalesce(excluded.external_id, w.external_id),
           address = case when excluded.problem is null then excluded.address else w.address end,
           secret_no = case when excluded.problem is null then excluded.secret_no else w.secret_no end,
           secret_since = case when excluded.problem is null and w.secret_no <> excluded.secret_no then $7
                               else w.secret_since end,
           problem = excluded.problem, checked_at = $7,
           mended_at = coalesce(excluded.mended_at, w.mended_at), mended = w.mended + excluded.mended",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(noted.topic)
    .bind::<Nullable<Text>, _>(noted.external_id)
    .bind::<Text, _>(noted.address)
    .bind::<Integer, _>(noted.secret_no)
    .bind::<Nullable<Text>, _>(noted.problem)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(noted.mended)
    .execute(conn)?;
    Ok(())
}

pub fn forget_subscriptions(conn: &mut PgConnection, store: StoreId) -> Result<(), DbError> {
    sql_query("delete from store_webhooks where store_id = $1").bind::<Integer, _>(store.0).execute(conn)?;
    Ok(())
}

/// Of a topic that is not wanted any more.
pub fn forget_subscription(
    conn: &mut PgConnection,
    store: StoreId,
    external_id: &str,
) -> Result<(), DbError> {
    sql_query("delete from store_webhooks where store_id = $1 and external_id = $2")
        .bind::<Integer, _>(store.0)
        .bind::<Text, _>(external_id)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

/// "webhooks" as a number, beside the store's own.
const LOCK: i64 = 0x7765_6268_0000_0000;

fn key(store: StoreId) -> i64 {
    LOCK | i64::from(store.0)
}

/// Whoever changes a store's subscriptions holds this, for as long as the session lives.
pub fn try_lock(session: &mut PgConnection, store: StoreId) -> Result<bool, DbError> {
    let claim: Got = sql_query("select pg_try_advisory_lock($1) as got")
        .bind::<BigInt, _>(key(store))
        .get_result(session)?;
    Ok(claim.got)
}
