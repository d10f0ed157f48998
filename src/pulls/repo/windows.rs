//! The windows that were read, or are.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::super::words::{window_by, window_by_name};
use super::super::{Cause, Kind, Pull, Span, State, Taken};
use crate::core::ids::StoreId;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    pull_id: Uuid,
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    window_by: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    window_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    window_to: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    cursor: Option<String>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Integer)]
    pages: i32,
    #[diesel(sql_type = Integer)]
    seen: i32,
    #[diesel(sql_type = Integer)]
    told: i32,
    #[diesel(sql_type = Integer)]
    fresh: i32,
    #[diesel(sql_type = Nullable<BigInt>)]
    remaining: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    problem: Option<String>,
    #[diesel(sql_type = Text)]
    started_by: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Pull {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let damaged = |what: &str| DbError::Damaged(format!("{what} of pull {}", row.pull_id));
        let by = window_by(&row.window_by).ok_or_else(|| damaged("window_by"))?;
        Ok(Self {
            pull_id: row.pull_id,
            store_id: StoreId(row.store_id),
            kind: row.kind.parse().map_err(|_| damaged("kind"))?,
            cause: row.cause.parse().map_err(|_| damaged("cause"))?,
            span: Span { by, from: row.window_from, to: row.window_to },
            state: row.state.parse().map_err(|_| damaged("state"))?,
            store: row.slug,
            cursor: row.cursor,
            pages: row.pages,
            seen: row.seen,
            told: row.told,
            fresh: row.fresh,
            remaining: row.remaining,
            problem: row.problem,
            started_by: row.started_by,
            started_at: row.started_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
        })
    }
}

const COLUMNS: &str = "p.pull_id, p.store_id, s.slug, p.kind, p.cause, p.window_by, p.window_from, p.window_to, p.cursor, \
                       p.state, p.pages, p.seen, p.told, p.fresh, p.remaining, p.problem, p.started_by, p.started_at, \
                       p.updated_at, p.finished_at";

fn typed(rows: Vec<Row>) -> Result<Vec<Pull>, DbError> {
    rows.into_iter().map(Pull::try_from).collect()
}

/// The newest first; of one store, or of all.
pub fn newest(conn: &mut PgConnection, store: Option<StoreId>, limit: i64) -> Result<Vec<Pull>, DbError> {
    let rows = sql_query(format!(
        "select {COLUMNS} from pulls p join stores s using (store_id)
         where $1::int is null or p.store_id = $1 order by p.started_at desc, p.pull_id desc limit $2"
    ))
    .bind::<Nullable<Integer>, _>(store.map(|store| store.0))
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    typed(rows)
}

pub fn one(conn: &mut PgConnection, pull_id: Uuid) -> Result<Option<Pull>, DbError> {
    let row: Option<Row> = sql_query(format!(
        "select {COLUMNS} from pulls p join stores s using (store_id) where p.pull_id = $1"
    ))
    .bind::<SqlUuid, _>(pull_id)
    .get_result(conn)
    .optional()?;
    row.map(Pull::try_from).transpose()
}

/// Of each store and kind the newest window of these causes, if it did not come to its end.
pub fn unfinished(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    causes: &[Cause],
) -> Result<Vec<Pull>, DbError> {
    let rows = sql_query(format!(
        "select {COLUMNS} from stores s cross join unnest($3) as k(kind)
         cross join lateral (
           select * from pulls p where p.store_id = s.store_id and p.kind = k.kind and p.cause = any($2)
           order by p.started_at desc, p.pull_id desc limit 1) p
         where ($1::int is null or s.store_id = $1) and p.state <> 'done'"
    ))
    .bind::<Nullable<Integer>, _>(store.map(|store| store.0))
    .bind::<Array<Text>, _>(causes.iter().map(|cause| cause.name()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(Kind::ALL.map(Kind::name).to_vec())
    .load(conn)?;
    typed(rows)
}

pub struct New<'a> {
    pub pull_id: Uuid,
    pub store: StoreId,
    pub kind: Kind,
    pub cause: Cause,
    pub span: &'a Span,
    pub by: &'a str,
    pub taker: Uuid,
}

pub fn insert(conn: &mut PgConnection, new: &New<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "insert into pulls (pull_id, store_id, kind, cause, window_by, window_from, window_to, started_by, taker,
                            started_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind::<SqlUuid, _>(new.pull_id)
    .bind::<Integer, _>(new.store.0)
    .bind::<Text, _>(new.kind.name())
    .bind::<Text, _>(new.cause.name())
    .bind::<Text, _>(window_by_name(new.span.by))
    .bind::<Nullable<Timestamptz>, _>(new.span.from)
    .bind::<Timestamptz, _>(new.span.to)
    .bind::<Text, _>(new.by)
    .bind::<SqlUuid, _>(new.taker)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Goes on with a window. Whoever had it may not write to it any more.
pub fn take_over(
    conn: &mut PgConnection,
    pull_id: Uuid,
    taker: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update pulls set state = 'running', problem = null, taker = $2, updated_at = $3
         where pull_id = $1 and state <> 'done'",
    )
    .bind::<SqlUuid, _>(pull_id)
    .bind::<SqlUuid, _>(taker)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// The turn is ours, so whoever left these running is gone.
pub fn stop_orphans(
    conn: &mut PgConnection,
    (store, kind): (StoreId, Kind),
    aside: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let causes = Cause::ALL.into_iter().filter(|cause| cause.is_aside() == aside);
    sql_query(
        "update pulls set state = 'stopped', problem = 'its process ended', updated_at = $4
         where store_id = $1 and kind = $2 and cause = any($3) and state = 'running'",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Text, _>(kind.name())
    .bind::<Array<Text>, _>(causes.map(Cause::name).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// What one page adds.
pub struct Step<'a> {
    pub pull_id: Uuid,
    pub taker: Uuid,
    pub seen: usize,
    pub taken: Taken,
    /// `None`: the window is complete.
    pub next: Option<&'a str>,
    /// What is left behind this page.
    pub remaining: Option<i64>,
}

/// Counts a page. Whoever was taken over from writes nothing.
pub fn advance(conn: &mut PgConnection, step: &Step<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let done = sql_query(
        "update pulls set
           pages = pages + 1, seen = seen + $3, told = told + $4, fresh = fresh + $5, cursor = $6, remaining = $7,
           updated_at = $8, state = case when $9 then 'done' else state end,
           finished_at = case when $9 then $8 end
         where pull_id = $1 and taker = $2 and state = 'running'",
    )
    .bind::<SqlUuid, _>(step.pull_id)
    .bind::<SqlUuid, _>(step.taker)
    .bind::<Integer, _>(count(step.seen))
    .bind::<Integer, _>(count(step.taken.told))
    .bind::<Integer, _>(count(step.taken.unknown))
    .bind::<Nullable<Text>, _>(step.next)
    .bind::<Nullable<BigInt>, _>(step.remaining)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(step.next.is_none())
    .execute(conn)?;
    if done == 1 { Ok(()) } else { Err(DbError::Fenced("a pull")) }
}

pub struct End<'a> {
    pub pull_id: Uuid,
    pub taker: Uuid,
    pub state: State,
    pub problem: Option<&'a str>,
    /// The cursor itself may be what does not work.
    pub from_the_start: bool,
}

/// Ends a try before the window ends.
pub fn end(conn: &mut PgConnection, end: &End<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    sql_query(
        "update pulls set state = $3, problem = $4, cursor = case when $5 then null else cursor end, updated_at = $6
         where pull_id = $1 and taker = $2 and state = 'running'",
    )
    .bind::<SqlUuid, _>(end.pull_id)
    .bind::<SqlUuid, _>(end.taker)
    .bind::<Text, _>(end.state.name())
    .bind::<Nullable<Text>, _>(end.problem)
    .bind::<Bool, _>(end.from_the_start)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
