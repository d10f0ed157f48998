//! The delivery log.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::{Conn, PAGE, Page, limit};
use crate::db::DbError;

/// Deliveries that one page may look at before it shows what it has.
const STRETCH: i64 = 20_000;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub store: String,
    /// A verdict, `waiting` or `parked`.
    pub state: String,
    /// A topic, or a store's id or number of an order.
    pub q: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.store.is_empty() && self.state.is_empty() && self.q.is_empty()
    }
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub topic: String,
    #[diesel(sql_type = Integer)]
    pub body_bytes: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub verdict: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    pub order_ids: Vec<Uuid>,
    /// Store's number or id of the first of them.
    #[diesel(sql_type = Nullable<Text>)]
    pub order_number: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub parked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub repeats: i64,
}

const ROW: &str =
    "d.delivery_id, d.received_at, s.slug as store, s.platform, d.topic, d.body_bytes, x.verdict, x.detail,
    coalesce(x.order_ids, '{}') as order_ids, coalesce(o.number, o.external_id) as order_number,
    b.parked_at, b.last_error,
    (select count(*) from delivery_repeats r where r.delivery_id = d.delivery_id) as repeats";

const JOINS: &str = "join stores s on s.store_id = d.store_id
    left join lateral (select * from delivery_outcomes x where x.delivery_id = d.delivery_id
                       order by outcome_no desc limit 1) x on true
    left join orders o on o.order_id = x.order_ids[1]
    left join lateral (select parked_at, last_error from outbox b
                       where b.key = d.delivery_id and b.topic = 'delivery_accepted' limit 1) b on true";

/// Newest first, older than `before`.
pub fn list(conn: &mut Conn, filter: &Filter, before: Option<Uuid>) -> Result<Page<Row, Uuid>, DbError> {
    let before = before.unwrap_or(Uuid::max());
    let rows: Vec<Row> = sql_query(format!(
        "with told as (
           select r.delivery_id from orders o join order_revisions r using (order_id)
           where $4 <> '' and (o.number = $4 or (o.store_id, o.external_id) in (select store_id, $4 from stores))),
         d as (
           select * from deliveries d where delivery_id < $1
             and (not exists (select 1 from told) or d.delivery_id in (select delivery_id from told))
           order by delivery_id desc limit $5)
         select {ROW} from d {JOINS}
         where ($2 = '' or s.slug = $2)
           and ($4 = '' or d.topic = $4 or exists (select 1 from told))
           and ($3 = '' or $3 = case when b.parked_at is not null then 'parked' else coalesce(x.verdict, 'waiting') end)
         order by d.delivery_id desc limit $6"
    ))
    .bind::<SqlUuid, _>(before)
    .bind::<Text, _>(&filter.store)
    .bind::<Text, _>(&filter.state)
    .bind::<Text, _>(filter.q.trim())
    .bind::<BigInt, _>(STRETCH)
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    let full = rows.len() > PAGE;
    let mut page = Page::cut(rows, |row| row.delivery_id);
    if !full {
        page.next = end_of_stretch(conn, before)?;
    }
    Ok(page)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
}

/// The last delivery that a page could look at, if there are more behind it.
fn end_of_stretch(conn: &mut Conn, before: Uuid) -> Result<Option<Uuid>, DbError> {
    let end: Option<Id> = sql_query(
        "select delivery_id from deliveries where delivery_id < $1 order by delivery_id desc offset $2 limit 1",
    )
    .bind::<SqlUuid, _>(before)
    .bind::<BigInt, _>(STRETCH - 1)
    .get_result(conn)
    .optional()?;
    Ok(end.map(|id| id.delivery_id))
}

pub fn one(conn: &mut Conn, id: Uuid) -> Result<Option<Row>, DbError> {
    Ok(sql_query(format!("select {ROW} from deliveries d {JOINS} where d.delivery_id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .optional()?)
}

/// What came of a delivery, each time it was processed.
#[derive(Clone, Debug, QueryableByName)]
pub struct Outcome {
    #[diesel(sql_type = Text)]
    pub verdict: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub processed_at: DateTime<Utc>,
}

pub fn outcomes(conn: &mut Conn, id: Uuid) -> Result<Vec<Outcome>, DbError> {
    Ok(sql_query(
        "select verdict, detail, processed_at from delivery_outcomes where delivery_id = $1 order by outcome_no",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

/// One revision that a delivery made.
#[derive(Clone, Debug, QueryableByName)]
pub struct Change {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub number: String,
    #[diesel(sql_type = Integer)]
    pub revision_no: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub absorbed: String,
}

/// Of the orders that the delivery is known to be about.
pub fn changes(conn: &mut Conn, id: Uuid, orders: &[Uuid]) -> Result<Vec<Change>, DbError> {
    Ok(sql_query(
        "select r.order_id, coalesce(o.number, o.external_id) as number, r.revision_no, r.kind, r.absorbed
         from order_revisions r join orders o using (order_id)
         where r.order_id = any($2) and r.delivery_id = $1 order by r.order_id, r.revision_no",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?)
}
