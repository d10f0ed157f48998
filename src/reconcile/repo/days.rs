//! What decides which days are due.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::clock::first_id_of;
use crate::core::ids::StoreId;
use crate::db::DbError;

/// The newest report of a day.
#[derive(Clone, Debug, QueryableByName)]
pub struct Reported {
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Bool)]
    pub complete: bool,
    /// The day was over, and the store could not be read.
    #[diesel(sql_type = Bool)]
    pub unread: bool,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
}

/// Of each day of a store that has one, oldest first. One with orders that were still being worked on is not the
/// last word.
pub fn reported(conn: &mut PgConnection, store: StoreId) -> Result<Vec<Reported>, DbError> {
    Ok(sql_query(
        "select distinct on (day) day, incomplete is null and in_flight = 0 as complete,
                incomplete is not null and started_at >= ends_at as unread, started_at from reconciliations
         where store_id = $1 order by day, report_no desc",
    )
    .bind::<Integer, _>(store.0)
    .load(conn)?)
}

/// A stretch of time in which orders were made that have changed since.
#[derive(Clone, Debug, QueryableByName)]
pub struct Changed {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Timestamptz)]
    pub made_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub changed_at: DateTime<Utc>,
}

/// What deliveries and commission events have changed since, whenever they came: a delivery may have waited for days.
/// A quarter of an hour is in one day of every zone there is.
pub fn changed(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<Changed>, DbError> {
    Ok(sql_query(
        "select o.store_id, date_bin('15 minutes', o.ordered_at, 'epoch') as made_at, max(x.changed_at) as changed_at
         from (select k.order_id, d.processed_at as changed_at
               from delivery_outcomes d cross join lateral unnest(d.order_ids) as k(order_id)
               where d.processed_at >= $1 and d.verdict = 'applied'
               union all
               select e.order_id, e.created_at from commission_events e where e.event_id >= $2) x
         join orders o using (order_id) where o.ordered_at is not null group by 1, 2",
    )
    .bind::<Timestamptz, _>(since)
    .bind::<SqlUuid, _>(first_id_of(since))
    .load(conn)?)
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

/// When the last report of any store was begun.
pub fn last_report(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>, DbError> {
    let last: At = sql_query("select max(started_at) as at from reconciliations").get_result(conn)?;
    Ok(last.at)
}

#[derive(QueryableByName)]
struct Is {
    #[diesel(sql_type = Bool)]
    is: bool,
}

pub fn has_orders(conn: &mut PgConnection, store: StoreId) -> Result<bool, DbError> {
    let found: Is = sql_query("select exists (select from orders where store_id = $1) as is")
        .bind::<Integer, _>(store.0)
        .get_result(conn)?;
    Ok(found.is)
}

/// A day that somebody wants now.
#[derive(Clone, Debug, QueryableByName)]
pub struct Request {
    #[diesel(sql_type = Text)]
    pub slug: String,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Bool)]
    pub healing: bool,
    #[diesel(sql_type = Text)]
    pub asked_by: String,
}

pub fn requests(conn: &mut PgConnection) -> Result<Vec<Request>, DbError> {
    Ok(sql_query(
        "select s.slug, r.day, r.healing, r.asked_by from reconciliation_requests r join stores s using (store_id)
         order by r.asked_at, s.slug, r.day",
    )
    .load(conn)?)
}

/// A request that cannot be answered is not tried for ever.
pub fn forget(conn: &mut PgConnection, slug: &str, day: NaiveDate) -> Result<(), DbError> {
    sql_query(
        "delete from reconciliation_requests r using stores s
         where s.store_id = r.store_id and s.slug = $1 and r.day = $2",
    )
    .bind::<Text, _>(slug)
    .bind::<Date, _>(day)
    .execute(conn)?;
    Ok(())
}
