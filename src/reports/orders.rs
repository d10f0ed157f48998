//! The list of orders.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub store: String,
    pub status: String,
    pub distributor: String,
    /// The store's id or number of an order.
    pub q: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        [&self.store, &self.status, &self.distributor, &self.q].iter().all(|field| field.is_empty())
    }
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub number: String,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Array<Text>)]
    pub exemptions: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub reasons: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub paid: Option<Decimal>,
}

/// Where a page begins: after this order of this time.
pub type Key = (DateTime<Utc>, Uuid);

const ROW: &str = "o.order_id, coalesce(o.number, o.external_id) as number, s.slug as store,
    coalesce(o.ordered_at, o.received_at) as at, o.status, o.exemptions,
    array(select distinct h.reason from holds h where h.order_id = o.order_id order by 1) as reasons,
    o.distributor_id, o.currency::text as currency, o.net, c.paid";

const JOINS: &str = "join stores s on s.store_id = o.store_id
    left join calculations c on c.order_id = o.order_id and c.calculation_no = o.calculation_no";

/// Newest first by the order's own time; those that have none yet only when they are asked for.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<Key>) -> Result<Page<Row, Key>, DbError> {
    let (at, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::nil()));
    let at = at.min(far());
    // Fixed text; only the conditions that are needed are asked, so that an index can serve them.
    let mut conditions = match filter.status.as_str() {
        "awaiting" => vec!["o.status = 'awaiting' and o.order_id > $2"],
        _ => vec!["(o.ordered_at < $1 or (o.ordered_at = $1 and o.order_id > $2))"],
    };
    match filter.status.as_str() {
        "" | "awaiting" => {}
        "held" => conditions.push("o.order_id in (select h.order_id from holds h)"),
        _ => conditions.push("o.status = $4"),
    }
    if !filter.distributor.is_empty() {
        conditions.push("o.distributor_id = $5");
    }
    if !filter.q.is_empty() {
        conditions
            .push("(o.number = $6 or (o.store_id, o.external_id) in (select store_id, $6 from stores))");
    }
    let order = if filter.status == "awaiting" { "o.order_id" } else { "o.ordered_at desc, o.order_id" };
    let rows: Vec<Row> = sql_query(format!(
        "select {ROW} from orders o {JOINS}
         where {} and ($3 = '' or s.slug = $3)
         order by {order} limit $7",
        conditions.join(" and ")
    ))
    .bind::<Timestamptz, _>(at)
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(&filter.store)
    .bind::<Text, _>(&filter.status)
    .bind::<Text, _>(filter.distributor.trim())
    .bind::<Text, _>(filter.q.trim())
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| (row.at, row.order_id)))
}

/// Later than any order, and still a time for the database.
fn far() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
