//! SQL of holding back and releasing.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{
    Array, BigInt, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::db::DbError;

#[derive(QueryableByName)]
struct Cursor {
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// Whoever has it holds back; the others wait.
pub fn locked_cursor(conn: &mut PgConnection, name: &str) -> Result<i64, DbError> {
    let cursor: Cursor = sql_query("select position from settlement_cursors where name = $1 for update")
        .bind::<Text, _>(name)
        .get_result(conn)?;
    Ok(cursor.position)
}

pub fn move_cursor(conn: &mut PgConnection, name: &str, position: i64) -> Result<(), DbError> {
    sql_query("update settlement_cursors set position = $2 where name = $1")
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(position)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub struct Fact {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
}

pub fn facts(conn: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<Fact>, DbError> {
    Ok(sql_query("select seq, order_id from volume_facts where seq > $1 order by seq limit $2")
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

#[derive(QueryableByName)]
pub struct PostedRun {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub post_no: i32,
}

pub fn next_run(conn: &mut PgConnection, after: i64) -> Result<Option<PostedRun>, DbError> {
    Ok(sql_query("select run_id, post_no from runs where post_no > $1 order by post_no limit 1")
        .bind::<BigInt, _>(after)
        .get_result(conn)
        .optional()?)
}

/// What a distributor has earned by one order or run, all of its commission events together.
#[derive(Clone, Debug, QueryableByName)]
pub struct Earned {
    #[diesel(sql_type = SqlUuid)]
    pub source_id: Uuid,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    /// When it was ordered, or the run was posted.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

pub fn earned_of_orders(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Earned>, DbError> {
    Ok(sql_query(
        "select e.order_id as source_id, e.distributor_id, e.currency::text as currency, d.country,
                coalesce(o.ordered_at, o.received_at) as at, sum(e.amount) as amount
         from commission_events e join orders o using (order_id)
         left join distributors d on d.distributor_id = e.distributor_id
         where e.order_id = any($1) group by 1, 2, 3, 4, 5 order by 1, 2, 3",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?)
}

pub fn earned_of_run(
    conn: &mut PgConnection,
    run: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<Earned>, DbError> {
    Ok(sql_query(
        "select e.*, d.country from (
           select e.order_id as source_id, e.distributor_id, e.currency::text as currency, r.posted_at as at,
                  sum(e.amount) as amount
           from commission_events e join runs r on r.run_id = e.order_id
           where e.order_id = $1 and e.distributor_id > $2 group by 1, 2, 3, 4 order by 2 limit $3) e
         left join distributors d on d.distributor_id = e.distributor_id order by e.distributor_id",
    )
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What stands held back.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct Holdback {
    #[diesel(sql_type = SqlUuid)]
    pub source_id: Uuid,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Integer)]
    pub policy_no: i32,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Date)]
    pub release_on: NaiveDate,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub released_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "source_id, distributor_id, currency::text as currency, policy_no, amount, release_on, released_at";

pub fn of_sources(conn: &mut PgConnection, sources: &[Uuid]) -> Result<Vec<Holdback>, DbError> {
    Ok(sql_query(format!("select {COLUMNS} from holdbacks where source_id = any($1) for update"))
        .bind::<Array<SqlUuid>, _>(sources)
        .load(conn)?)
}

/// What of a distributor is held back now, the next to be released first.
pub fn holdbacks(conn: &mut PgConnection, distributor: &str, limit: i64) -> Result<Vec<Holdback>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from holdbacks where distributor_id = $1 and released_at is null and amount > 0
         order by release_on, source_id limit $2"
    ))
    .bind::<Text, _>(distributor)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// The next that are due, locked; those that somebody else is releasing are left to them.
pub fn due(conn: &mut PgConnection, today: NaiveDate, limit: i64) -> Result<Vec<Holdback>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from holdbacks where released_at is null and release_on <= $1
         order by release_on, source_id, distributor_id, currency limit $2 for update skip locked"
    ))
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// What is to stand held back of a source from now on.
pub struct Change {
    pub source_id: Uuid,
    pub distributor_id: String,
    pub currency: String,
    pub policy_no: i32,
    pub amount: Decimal,
    pub release_on: NaiveDate,
}

pub fn upsert(conn: &mut PgConnection, changes: &[Change]) -> Result<(), DbError> {
    if changes.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into holdbacks (source_id, distributor_id, currency, policy_no, amount, release_on)
         select * from unnest($1, $2, $3, $4, $5, $6)
         on conflict (source_id, distributor_id, currency) do update set amount = excluded.amount",
    )
    .bind::<Array<SqlUuid>, _>(changes.iter().map(|change| change.source_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(changes.iter().map(|change| change.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(changes.iter().map(|change| change.currency.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(changes.iter().map(|change| change.policy_no).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(changes.iter().map(|change| change.amount).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(changes.iter().map(|change| change.release_on).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

pub fn released(
    conn: &mut PgConnection,
    due: &[Holdback],
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update holdbacks h set released_at = $4, released_by_id = $5
         from unnest($1, $2, $3) as k(source_id, distributor_id, currency)
         where h.source_id = k.source_id and h.distributor_id = k.distributor_id and h.currency = k.currency",
    )
    .bind::<Array<SqlUuid>, _>(due.iter().map(|held| held.source_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(due.iter().map(|held| held.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(due.iter().map(|held| held.currency.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(by)
    .execute(conn)?;
    Ok(())
}
