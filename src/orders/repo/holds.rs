//! Holds, and the decisions of admins that end them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::super::Waiting;
use super::{Head, recordset};
use crate::core::assess::{Assessment, Verdict};
use crate::core::ids::DistributorId;
use crate::core::order::OrderState;
use crate::db::DbError;

#[derive(Serialize)]
struct Row<'a> {
    order_id: Uuid,
    hold_no: usize,
    reason: &'static str,
    cause: &'a str,
    detail: &'a str,
    line: Option<&'a str>,
    held_at: DateTime<Utc>,
}

/// The holds of the given orders are exactly those of their assessments.
pub fn replace_holds(
    conn: &mut PgConnection,
    orders: &[(Head, OrderState, Assessment)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<Uuid> = orders.iter().map(|(head, ..)| head.order_id).collect();
    sql_query("delete from holds where order_id = any($1)").bind::<Array<SqlUuid>, _>(ids).execute(conn)?;
    let rows: Vec<Row<'_>> =
        orders.iter().flat_map(|(head, _, assessment)| rows(head, assessment, now)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query("insert into holds select * from json_populate_recordset(null::holds, $1::json)")
        .bind::<Text, _>(recordset(&rows)?)
        .execute(conn)?;
    Ok(())
}

fn rows<'a>(head: &Head, assessment: &'a Assessment, now: DateTime<Utc>) -> Vec<Row<'a>> {
    let Verdict::Held(reasons) = &assessment.verdict else { return vec![] };
    let order_id = head.order_id;
    let row = |(i, hold): (usize, &'a crate::core::assess::HoldReason)| Row {
        order_id,
        hold_no: i + 1,
        reason: hold.reason.name(),
        cause: &hold.cause,
        detail: &hold.detail,
        line: hold.line.as_deref(),
        held_at: now,
    };
    reasons.iter().enumerate().map(row).collect()
}

#[derive(QueryableByName)]
struct OrderRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

pub fn held_for(conn: &mut PgConnection, reason: &str, cause: &str) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<OrderRow> = sql_query(
        "select distinct order_id from holds where reason = $1 and ($2 = '' or cause = $2) order by order_id",
    )
    .bind::<Text, _>(reason)
    .bind::<Text, _>(cause)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.order_id).collect())
}

pub fn held_for_any(conn: &mut PgConnection, reasons: &[&str]) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<OrderRow> =
        sql_query("select distinct order_id from holds where reason = any($1) order by order_id")
            .bind::<Array<Text>, _>(reasons)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| row.order_id).collect())
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    orders: i64,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
}

pub fn waiting(conn: &mut PgConnection, reason: &str, cause: &str) -> Result<Vec<Waiting>, DbError> {
    let rows: Vec<WaitingRow> = sql_query(
        "select o.currency::text as currency, count(*) as orders, sum(o.net) as net from orders o
         where o.order_id in (select order_id from holds where reason = $1 and ($2 = '' or cause = $2))
         group by o.currency order by o.currency",
    )
    .bind::<Text, _>(reason)
    .bind::<Text, _>(cause)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting { currency: row.currency, orders: row.orders, net: row.net })
        .collect())
}

pub fn insert_manual_attribution(
    conn: &mut PgConnection,
    order_id: Uuid,
    to: &DistributorId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into manual_attributions (order_id, decision_no, distributor_id, decided_by, decided_at)
         select $1, coalesce(max(decision_no), 0) + 1, $2, $3, $4 from manual_attributions where order_id = $1",
    )
    .bind::<SqlUuid, _>(order_id)
    .bind::<Text, _>(to.as_str())
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
