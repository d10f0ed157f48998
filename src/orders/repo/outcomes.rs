//! What came of each delivery.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Text, Timestamptz};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use serde::Serialize;
use uuid::Uuid;

use super::recordset;
use crate::db::DbError;

/// Weakest effect first: a delivery that tells several orders shows the strongest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing in it is for us.
    #[default]
    Ignored,
    Unchanged,
    Superseded,
    Applied,
    /// Held with its bytes kept: a person has to look.
    Unreadable,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    pub verdict: Verdict,
    pub detail: Option<String>,
    pub order_ids: Vec<Uuid>,
}

#[derive(Serialize)]
struct Row<'a> {
    delivery_id: Uuid,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// Adds one outcome behind those that a delivery has from being processed before.
pub fn insert_outcomes(
    conn: &mut PgConnection,
    outcomes: &[(Uuid, Outcome)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let rows: Vec<Row<'_>> = outcomes.iter().map(|(id, outcome)| Row { delivery_id: *id, outcome }).collect();
    sql_query(
        "insert into delivery_outcomes (delivery_id, outcome_no, verdict, detail, order_ids, processed_at)
         select r.delivery_id,
                1 + coalesce((select max(outcome_no) from delivery_outcomes x where x.delivery_id = r.delivery_id), 0),
                r.verdict, r.detail, r.order_ids, $2
         from json_populate_recordset(null::delivery_outcomes, $1::json) r",
    )
    .bind::<Text, _>(recordset(&rows)?)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
