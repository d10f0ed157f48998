//! Order revisions: every piece of evidence that said something, for ever.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use uuid::Uuid;

use super::{Head, recordset};
use crate::core::ids::{DeliveryId, StoreId};
use crate::core::order::{Absorbed, OrderState, Report};
use crate::db::DbError;

#[derive(Serialize)]
pub struct Revision {
    order_id: Uuid,
    revision_no: i32,
    delivery_id: Uuid,
    kind: &'static str,
    absorbed: Absorbed,
    report: Report,
    received_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

impl Revision {
    /// The revision that `head` has just counted.
    pub fn new(
        head: &Head,
        delivery: DeliveryId,
        report: Report,
        absorbed: Absorbed,
        received_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            order_id: head.order_id,
            revision_no: head.revisions,
            delivery_id: delivery.0,
            kind: kind(&report),
            absorbed,
            report,
            received_at,
            recorded_at: now,
        }
    }
}

fn kind(report: &Report) -> &'static str {
    match report {
        Report::Snapshot(_) => "snapshot",
        Report::Refund { .. } => "refund",
        Report::Deleted { .. } => "deleted",
        Report::Restored { .. } => "restored",
        _ => "hint",
    }
}

pub fn insert_revisions(conn: &mut PgConnection, revisions: &[Revision]) -> Result<(), DbError> {
    if revisions.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into order_revisions select * from json_populate_recordset(null::order_revisions, $1::json)",
    )
    .bind::<Text, _>(recordset(revisions)?)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Jsonb)]
    report: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

/// What is known of each order. Superseded snapshots are not read: the newest one alone counts.
pub fn states(conn: &mut PgConnection, heads: &[Head]) -> Result<HashMap<Uuid, OrderState>, DbError> {
    let known: Vec<&Head> = heads.iter().filter(|head| head.revisions > 0).collect();
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sql_query(
        "select r.order_id, r.report, r.received_at
         from unnest($1, $2) as k(order_id, newest_revision)
         join order_revisions r on r.order_id = k.order_id
         where r.kind <> 'snapshot' or r.revision_no = k.newest_revision
         order by r.order_id, r.revision_no",
    )
    .bind::<Array<SqlUuid>, _>(known.iter().map(|head| head.order_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(known.iter().map(|head| head.newest_revision).collect::<Vec<_>>())
    .load(conn)?;
    let mut states: HashMap<Uuid, OrderState> = HashMap::new();
    for row in rows {
        let report: Report = serde_json::from_value(row.report)?;
        states.entry(row.order_id).or_default().absorb(report, row.received_at);
    }
    Ok(states)
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Jsonb)]
    report: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

/// What is known of a store's orders, by the store's own ids; those that nothing is known of are not there.
pub fn states_of(
    conn: &mut PgConnection,
    store: StoreId,
    external_ids: &[&str],
) -> Result<HashMap<String, OrderState>, DbError> {
    if external_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<KnownRow> = sql_query(
        "select o.external_id, r.report, r.received_at
         from orders o join order_revisions r on r.order_id = o.order_id
         where o.store_id = $1 and o.external_id = any($2)
           and (r.kind <> 'snapshot' or r.revision_no = o.newest_revision)
         order by o.order_id, r.revision_no",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Array<Text>, _>(external_ids)
    .load(conn)?;
    let mut states: HashMap<String, OrderState> = HashMap::new();
    for row in rows {
        let report: Report = serde_json::from_value(row.report)?;
        states.entry(row.external_id).or_default().absorb(report, row.received_at);
    }
    Ok(states)
}
