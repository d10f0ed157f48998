//! The days of the stores as they were reconciled: the newest report of each, one report with all it says, and how
//! much of what should earn the ledger explains.

mod sheet;

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::sql_types::{
    BigInt, Bool, Date, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

pub use sheet::{differences_sheet, sums_sheet};

use super::Conn;
use crate::core::reconcile::{Share, Sums};
use crate::db::DbError;
use crate::reconcile::Told;

/// A report without its sums and differences.
#[derive(Clone, Debug, QueryableByName)]
pub struct Head {
    /// Slug.
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Integer)]
    pub report_no: i32,
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub zone: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Bool)]
    pub asked: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub incomplete: Option<String>,
    #[diesel(sql_type = Bool)]
    pub healing: bool,
    #[diesel(sql_type = Text)]
    pub cause: String,
    #[diesel(sql_type = Text)]
    pub asked_by: String,
    #[diesel(sql_type = Integer)]
    pub differences: i32,
    #[diesel(sql_type = Integer)]
    pub healed: i32,
    #[diesel(sql_type = BigInt)]
    pub in_flight: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest_unexplained: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    told: Value,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub finished_at: DateTime<Utc>,
}

impl Head {
    pub fn told(&self) -> Result<Told, DbError> {
        Ok(serde_json::from_value(self.told.clone())?)
    }
}

const HEAD: &str = "s.slug as store, r.store_id, r.day, r.report_no, r.starts_at, r.ends_at, r.zone, r.state, r.asked, \
                    r.incomplete, r.healing, r.cause, r.asked_by, r.differences, r.healed, r.in_flight, \
                    r.oldest_unexplained, r.told, r.started_at, r.finished_at";

/// The newest report of each day of a store in `[from, to]`, oldest day first.
pub fn days(conn: &mut Conn, store: &str, from: NaiveDate, to: NaiveDate) -> Result<Vec<Head>, DbError> {
    Ok(sql_query(format!(
        "select distinct on (r.day) {HEAD} from reconciliations r join stores s using (store_id)
         where s.slug = $1 and r.day between $2 and $3 order by r.day, r.report_no desc"
    ))
    .bind::<Text, _>(store)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .load(conn)?)
}

/// All reports of a day, the newest first.
pub fn history(conn: &mut Conn, store: &str, day: NaiveDate) -> Result<Vec<Head>, DbError> {
    Ok(sql_query(format!(
        "select {HEAD} from reconciliations r join stores s using (store_id)
         where s.slug = $1 and r.day = $2 order by r.report_no desc"
    ))
    .bind::<Text, _>(store)
    .bind::<Date, _>(day)
    .load(conn)?)
}

/// One report; the newest of its day when no number is given.
pub fn head(
    conn: &mut Conn,
    store: &str,
    day: NaiveDate,
    number: Option<i32>,
) -> Result<Option<Head>, DbError> {
    Ok(sql_query(format!(
        "select {HEAD} from reconciliations r join stores s using (store_id)
         where s.slug = $1 and r.day = $2 and r.report_no = coalesce($3, r.report_no)
         order by r.report_no desc limit 1"
    ))
    .bind::<Text, _>(store)
    .bind::<Date, _>(day)
    .bind::<Nullable<Integer>, _>(number)
    .get_result(conn)
    .optional()?)
}

#[derive(QueryableByName)]
struct SumsRow {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Jsonb)]
    sums: Value,
}

/// By currency.
pub fn sums(conn: &mut Conn, head: &Head) -> Result<BTreeMap<String, Sums>, DbError> {
    let rows: Vec<SumsRow> = sql_query(
        "select currency::text as currency, sums from reconciliation_sums
         where store_id = $1 and day = $2 and report_no = $3",
    )
    .bind::<Integer, _>(head.store_id)
    .bind::<Date, _>(head.day)
    .bind::<Integer, _>(head.report_no)
    .load(conn)?;
    rows.into_iter().map(|row| Ok((row.currency, serde_json::from_value(row.sums)?))).collect()
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Difference {
    #[diesel(sql_type = Integer)]
    pub difference_no: i32,
    #[diesel(sql_type = Bool)]
    pub healed: bool,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub seam: String,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub number: Option<String>,
    /// Of an order that came with the healing too.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub line: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub refund: Option<String>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub should: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub is_now: Option<Decimal>,
    #[diesel(sql_type = Text)]
    pub what: String,
    #[diesel(sql_type = Text)]
    pub fix: String,
}

/// The next differences after a number, those that are left first.
pub fn differences(conn: &mut Conn, head: &Head, after: i32, limit: i64) -> Result<Vec<Difference>, DbError> {
    Ok(sql_query(
        "select d.difference_no, d.healed, d.kind, d.seam, d.external_id, d.number,
                coalesce(d.order_id, o.order_id) as order_id, d.line, d.refund, d.currency::text as currency, d.should,
                d.is_now, d.what, d.fix
         from reconciliation_differences d
         left join orders o on o.store_id = d.store_id and o.external_id = d.external_id
         where d.store_id = $1 and d.day = $2 and d.report_no = $3 and d.difference_no > $4
         order by d.difference_no limit $5",
    )
    .bind::<Integer, _>(head.store_id)
    .bind::<Date, _>(head.day)
    .bind::<Integer, _>(head.report_no)
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Request {
    #[diesel(sql_type = Text)]
    pub asked_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub asked_at: DateTime<Utc>,
}

/// Somebody waits for another report of the day.
pub fn requested(conn: &mut Conn, store: &str, day: NaiveDate) -> Result<Option<Request>, DbError> {
    Ok(sql_query(
        "select r.asked_by, r.asked_at from reconciliation_requests r join stores s using (store_id)
         where s.slug = $1 and r.day = $2",
    )
    .bind::<Text, _>(store)
    .bind::<Date, _>(day)
    .get_result(conn)
    .optional()?)
}

/// What the newest reports of all stores come to, in one currency.
#[derive(Clone, Debug, QueryableByName)]
pub struct Explained {
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Numeric)]
    pub worth: Decimal,
    #[diesel(sql_type = Numeric)]
    pub explained: Decimal,
    #[diesel(sql_type = Numeric)]
    pub off: Decimal,
}

impl Explained {
    pub fn share(&self) -> Option<Decimal> {
        Share { worth: self.worth, explained: self.explained }.ratio()
    }
}

/// The day with the oldest item that nothing explains.
#[derive(Clone, Debug, QueryableByName)]
pub struct Oldest {
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// How the newest reports of days stand together.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub explained: Vec<Explained>,
    pub oldest: Option<Oldest>,
    pub days: i64,
    pub not_ok: i64,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    days: i64,
    #[diesel(sql_type = BigInt)]
    not_ok: i64,
}

const NEWEST: &str = "newest as (select distinct on (store_id, day) store_id, day, report_no, state, oldest_unexplained
                                 from reconciliations where day >= $1 order by store_id, day, report_no desc)";

/// Of the days that began up to `back` days ago.
pub fn standing(conn: &mut Conn, now: DateTime<Utc>, back: u64) -> Result<Standing, DbError> {
    let today = now.date_naive();
    let since = today.checked_sub_days(Days::new(back)).unwrap_or(today);
    let explained: Vec<Explained> = sql_query(format!(
        "with {NEWEST} select r.currency::text as currency, sum(r.worth) as worth, sum(r.explained) as explained,
                sum(r.off) as off
         from newest join reconciliation_sums r using (store_id, day, report_no)
         group by r.currency having sum(r.worth) <> 0 or sum(r.off) <> 0 order by sum(r.worth) desc, r.currency"
    ))
    .bind::<Date, _>(since)
    .load(conn)?;
    let oldest = sql_query(format!(
        "with {NEWEST} select s.slug as store, n.day, n.oldest_unexplained as at
         from newest n join stores s using (store_id) where n.oldest_unexplained is not null
         order by n.oldest_unexplained, s.slug limit 1"
    ))
    .bind::<Date, _>(since)
    .get_result(conn)
    .optional()?;
    let counted: Counted = sql_query(format!(
        "with {NEWEST} select count(*) as days, count(*) filter (where state = 'not_ok') as not_ok from newest"
    ))
    .bind::<Date, _>(since)
    .get_result(conn)?;
    Ok(Standing { explained, oldest, days: counted.days, not_ok: counted.not_ok })
}
