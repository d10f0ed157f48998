//! Everything about one order, from its deliveries to its calculations. Commissions and the journal tell their
//! own parts.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::Conn;
use crate::commissions::{self, StoredCalculation, StoredEvent};
use crate::core::assess::AssessedLine;
use crate::core::order::Report;
use crate::db::DbError;
use crate::ledger::{self, StoredEntry};

pub struct Order {
    pub head: Head,
    pub lines: Vec<AssessedLine>,
    pub holds: Vec<Hold>,
    pub revisions: Vec<Revision>,
    /// Oldest first, each with its snapshot as stored.
    pub calculations: Vec<(StoredCalculation, Value)>,
    pub events: Vec<StoredEvent>,
    pub entries: Vec<StoredEntry>,
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Head {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub store_name: String,
    #[diesel(sql_type = Array<Text>)]
    pub places: Vec<String>,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ordered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Array<Text>)]
    pub exemptions: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub place: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub place_value: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub total: Decimal,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
    #[diesel(sql_type = Nullable<Integer>)]
    pub newest_revision: Option<i32>,
    #[diesel(sql_type = SqlUuid)]
    pub first_delivery_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub assessed_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    lines: Value,
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Hold {
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Text)]
    pub cause: String,
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Timestamptz)]
    pub held_at: DateTime<Utc>,
}

pub struct Revision {
    pub number: i32,
    pub kind: String,
    pub absorbed: String,
    pub delivery_id: Uuid,
    pub topic: String,
    pub report: Report,
    /// The report as stored, to be compared field by field.
    pub told: Value,
    pub received_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
}

pub fn one(conn: &mut Conn, id: Uuid) -> Result<Option<Order>, DbError> {
    let head: Option<Head> = sql_query(
        "select o.order_id, s.slug as store, s.name as store_name, s.attribution as places, o.external_id, o.number,
                o.currency::text as currency, o.ordered_at, o.status, o.exemptions, o.distributor_id, o.place,
                o.place_value, o.customer_id, o.total, o.net, o.newest_revision, o.first_delivery_id, o.received_at,
                o.assessed_at, o.lines
         from orders o join stores s using (store_id) where o.order_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn)
    .optional()?;
    let Some(mut head) = head else { return Ok(None) };
    let lines = serde_json::from_value(head.lines.take())?;
    Ok(Some(Order {
        head,
        lines,
        holds: holds(conn, id)?,
        revisions: revisions(conn, id)?,
        calculations: commissions::calculations(conn, &[id])?,
        events: commissions::events_of(conn, &[id])?,
        entries: ledger::load_entries(conn, &[id])?,
    }))
}

fn holds(conn: &mut Conn, id: Uuid) -> Result<Vec<Hold>, DbError> {
    Ok(sql_query("select reason, cause, detail, held_at from holds where order_id = $1 order by hold_no")
        .bind::<SqlUuid, _>(id)
        .load(conn)?)
}

#[derive(QueryableByName)]
struct RevisionRow {
    #[diesel(sql_type = Integer)]
    revision_no: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    absorbed: String,
    #[diesel(sql_type = SqlUuid)]
    delivery_id: Uuid,
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Jsonb)]
    report: Value,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
}

/// Newest first.
fn revisions(conn: &mut Conn, id: Uuid) -> Result<Vec<Revision>, DbError> {
    let rows: Vec<RevisionRow> = sql_query(
        "select r.revision_no, r.kind, r.absorbed, r.delivery_id, d.topic, r.report, r.received_at, r.recorded_at
         from order_revisions r join deliveries d using (delivery_id)
         where r.order_id = $1 order by r.revision_no desc",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(Revision {
                number: row.revision_no,
                kind: row.kind,
                absorbed: row.absorbed,
                delivery_id: row.delivery_id,
                topic: row.topic,
                report: serde_json::from_value(row.report.clone())?,
                told: row.report,
                received_at: row.received_at,
                recorded_at: row.recorded_at,
            })
        })
        .collect()
}

/// Names of plans by hash.
pub fn plan_name(conn: &mut Conn, hash: &[u8]) -> Result<Option<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let row: Option<Row> = sql_query("select name from plans where plan_hash = $1")
        .bind::<diesel::sql_types::Binary, _>(hash)
        .get_result(conn)
        .optional()?;
    Ok(row.map(|row| row.name))
}
