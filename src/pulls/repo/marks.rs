//! Until when a store was read, and how often that failed.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::{Kind, Mark};
use crate::core::ids::StoreId;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pulled_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    daily_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_try_at: Option<DateTime<Utc>>,
}

/// Of one store, or of all.
pub fn marks(conn: &mut PgConnection, store: Option<StoreId>) -> Result<Vec<Mark>, DbError> {
    let rows: Vec<Row> = sql_query(
        "select store_id, kind, pulled_until, daily_at, failures, next_try_at from pull_marks
         where $1::int is null or store_id = $1 order by store_id, kind",
    )
    .bind::<Nullable<Integer>, _>(store.map(|store| store.0))
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let kind = row.kind.parse();
            Ok(Mark {
                store: StoreId(row.store_id),
                kind: kind
                    .map_err(|_| DbError::Damaged(format!("kind of a mark of store {}", row.store_id)))?,
                pulled_until: row.pulled_until,
                daily_at: row.daily_at,
                failures: row.failures,
                next_try_at: row.next_try_at,
            })
        })
        .collect()
}

/// A window is complete: the mark moves to its end, unless a gap would lie between.
pub fn move_to(
    conn: &mut PgConnection,
    (store, kind): (StoreId, Kind),
    (from, to): (Option<DateTime<Utc>>, DateTime<Utc>),
    daily: bool,
) -> Result<(), DbError> {
    // While nothing was read, what was there before the store was connected is a backfill's.
    sql_query(
        "insert into pull_marks as m (store_id, kind, pulled_until, daily_at)
         select $1, $2, case when $3::timestamptz is null or $3 <= c.connected_at then $4::timestamptz end,
                case when $5 then $4::timestamptz end
         from store_connections c where c.store_id = $1
         on conflict (store_id, kind) do update set
           pulled_until = case when m.pulled_until is null then excluded.pulled_until
                               when $3 is null or $3 <= m.pulled_until then greatest(m.pulled_until, $4)
                               else m.pulled_until end,
           daily_at = coalesce(greatest(m.daily_at, excluded.daily_at), m.daily_at)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(kind.name())
    .bind::<Nullable<Timestamptz>, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Bool, _>(daily)
    .execute(conn)?;
    Ok(())
}

/// As if nothing had been read yet.
pub fn forget(conn: &mut PgConnection, (store, kind): (StoreId, Kind)) -> Result<(), DbError> {
    sql_query("update pull_marks set pulled_until = null, daily_at = null where store_id = $1 and kind = $2")
        .bind::<Integer, _>(store.0)
        .bind::<Text, _>(kind.name())
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Failures {
    #[diesel(sql_type = Integer)]
    failures: i32,
}

/// Counts a failure. Returns how many there are in a row.
pub fn failed(conn: &mut PgConnection, (store, kind): (StoreId, Kind)) -> Result<i32, DbError> {
    let counted: Failures = sql_query(
        "insert into pull_marks as m (store_id, kind, failures) values ($1, $2, 1)
         on conflict (store_id, kind) do update set failures = m.failures + 1 returning failures",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(kind.name())
    .get_result(conn)?;
    Ok(counted.failures)
}

pub fn try_again_at(
    conn: &mut PgConnection,
    (store, kind): (StoreId, Kind),
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query("update pull_marks set next_try_at = $3 where store_id = $1 and kind = $2")
        .bind::<Integer, _>(store.0)
        .bind::<Text, _>(kind.name())
        .bind::<Timestamptz, _>(at)
        .execute(conn)?;
    Ok(())
}

/// The store answered. Returns the most failures in a row that any other kind of it has.
pub fn answered(conn: &mut PgConnection, (store, kind): (StoreId, Kind)) -> Result<i32, DbError> {
    sql_query(
        "update pull_marks set failures = 0, next_try_at = null where store_id = $1 and kind = $2 and failures > 0",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(kind.name())
    .execute(conn)?;
    let others: Failures = sql_query(
        "select coalesce(max(failures), 0) as failures from pull_marks where store_id = $1 and kind <> $2",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(kind.name())
    .get_result(conn)?;
    Ok(others.failures)
}
