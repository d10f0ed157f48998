//! Writing reports and requests.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::super::report::{Deliveries, Report};
use crate::core::ids::StoreId;
use crate::core::reconcile::{Difference, Part, Sums};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    unique_ones: i64,
    #[diesel(sql_type = BigInt)]
    pulled: i64,
    #[diesel(sql_type = BigInt)]
    repeats: i64,
    #[diesel(sql_type = BigInt)]
    unreadable: i64,
}

/// Deliveries of a store that came in during `[from, to)`.
pub fn deliveries(
    conn: &mut PgConnection,
    store: StoreId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Deliveries, DbError> {
    let counts: Counts = sql_query(
        "with came as (select delivery_id, topic like 'pull.%' as pulled from deliveries
                       where received_at >= $2 and received_at < $3 and store_id = $1)
         select count(*) filter (where not pulled) as unique_ones, count(*) filter (where pulled) as pulled,
                (select count(*) from delivery_repeats r join came using (delivery_id)) as repeats,
                (select count(*) from came c where 'unreadable' = (
                   select o.verdict from delivery_outcomes o where o.delivery_id = c.delivery_id
                   order by o.outcome_no desc limit 1)) as unreadable
         from came",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .get_result(conn)?;
    let Counts { unique_ones, pulled, repeats, unreadable } = counts;
    Ok(Deliveries { unique: unique_ones, pulled, repeats, unreadable })
}

#[derive(Serialize)]
struct SumsRow<'a> {
    store_id: i32,
    day: NaiveDate,
    report_no: i32,
    currency: &'a str,
    orders: u64,
    due: Decimal,
    ledger: Decimal,
    drift: Decimal,
    off: Decimal,
    worth: Decimal,
    explained: Decimal,
    sums: &'a Sums,
}

#[derive(Serialize)]
struct DifferenceRow<'a> {
    store_id: i32,
    day: NaiveDate,
    report_no: i32,
    difference_no: usize,
    healed: bool,
    kind: &'static str,
    seam: &'static str,
    external_id: &'a str,
    number: Option<&'a str>,
    order_id: Option<Uuid>,
    line: Option<&'a str>,
    refund: Option<&'a str>,
    currency: &'a str,
    should: Option<Decimal>,
    is_now: Option<Decimal>,
    what: &'a str,
    fix: &'a str,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    report_no: i32,
}

/// The next report of its day. Whoever writes it holds the day's lock.
pub fn insert(conn: &mut PgConnection, store: StoreId, report: &Report) -> Result<i32, DbError> {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let number: Number = sql_query(
        "insert into reconciliations (store_id, day, report_no, starts_at, ends_at, zone, state, asked, incomplete,
                                      healing, cause, asked_by, differences, healed, in_flight, oldest_unexplained,
                                      told, started_at, finished_at)
         select $1, $2, coalesce(max(report_no), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                $16, $17, $18
         from reconciliations where store_id = $1 and day = $2 returning report_no",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Date, _>(report.day)
    .bind::<Timestamptz, _>(report.starts_at)
    .bind::<Timestamptz, _>(report.ends_at)
    .bind::<Text, _>(&report.zone)
    .bind::<Text, _>(report.state.name())
    .bind::<Bool, _>(report.asked)
    .bind::<Nullable<Text>, _>(&report.incomplete)
    .bind::<Bool, _>(report.healing)
    .bind::<Text, _>(report.cause.name())
    .bind::<Text, _>(&report.asked_by)
    .bind::<Integer, _>(count(report.differences.len()))
    .bind::<Integer, _>(count(report.healed.len()))
    .bind::<BigInt, _>(i64::try_from(report.told.in_flight.all).unwrap_or(i64::MAX))
    .bind::<Nullable<Timestamptz>, _>(report.oldest_unexplained)
    .bind::<Jsonb, _>(serde_json::to_value(&report.told)?)
    .bind::<Timestamptz, _>(report.started_at)
    .bind::<Timestamptz, _>(report.finished_at)
    .get_result(conn)?;
    insert_sums(conn, store, report, number.report_no)?;
    insert_differences(conn, store, report, number.report_no)?;
    Ok(number.report_no)
}

fn insert_sums(
    conn: &mut PgConnection,
    store: StoreId,
    report: &Report,
    report_no: i32,
) -> Result<(), DbError> {
    let rows: Vec<SumsRow<'_>> = report
        .sums
        .iter()
        .map(|(currency, sums)| SumsRow {
            store_id: store.0,
            day: report.day,
            report_no,
            currency: currency.code(),
            orders: sums.store.orders,
            due: sums.due.net,
            ledger: sums.ledger.net,
            drift: sums.drift,
            off: sums.off,
            worth: sums.worth,
            explained: sums.explained,
            sums,
        })
        .collect();
    sql_query(
        "insert into reconciliation_sums
         select * from json_populate_recordset(null::reconciliation_sums, $1::json)",
    )
    .bind::<Text, _>(serde_json::to_string(&rows)?)
    .execute(conn)?;
    Ok(())
}

/// Differences in one statement.
const BATCH: usize = 5000;

fn insert_differences(
    conn: &mut PgConnection,
    store: StoreId,
    report: &Report,
    report_no: i32,
) -> Result<(), DbError> {
    let left = report.differences.iter().map(|found| (false, found));
    let healed = report.healed.iter().map(|found| (true, found));
    let rows: Vec<DifferenceRow<'_>> = left
        .chain(healed)
        .enumerate()
        .map(|(i, (healed, found))| row((store, report.day, report_no, i + 1), healed, found))
        .collect();
    for batch in rows.chunks(BATCH) {
        sql_query(
            "insert into reconciliation_differences
             select * from json_populate_recordset(null::reconciliation_differences, $1::json)",
        )
        .bind::<Text, _>(serde_json::to_string(batch)?)
        .execute(conn)?;
    }
    Ok(())
}

fn row(
    (store, day, report_no, difference_no): (StoreId, NaiveDate, i32, usize),
    healed: bool,
    found: &Difference,
) -> DifferenceRow<'_> {
    let (line, refund) = match &found.part {
        Some(Part::Line(line)) => (Some(line.as_str()), None),
        Some(Part::Refund(refund)) => (None, Some(refund.as_str())),
        None => (None, None),
    };
    DifferenceRow {
        store_id: store.0,
        day,
        report_no,
        difference_no,
        healed,
        kind: found.kind.name(),
        seam: found.seam.name(),
        external_id: &found.order,
        number: found.number.as_deref(),
        order_id: found.order_id.map(|id| id.0),
        line,
        refund,
        currency: found.currency.code(),
        should: found.should,
        is_now: found.is,
        what: &found.what,
        fix: &found.fix,
    }
}

pub fn request(
    conn: &mut PgConnection,
    store: StoreId,
    day: NaiveDate,
    healing: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into reconciliation_requests (store_id, day, healing, asked_by, asked_at)
         values ($1, $2, $3, $4, $5)
         on conflict (store_id, day) do update set
           healing = excluded.healing, asked_by = excluded.asked_by, asked_at = excluded.asked_at",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Date, _>(day)
    .bind::<Bool, _>(healing)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// What was asked for before the report was begun is answered by it, unless it did not heal and was asked to.
pub fn done(conn: &mut PgConnection, store: StoreId, report: &Report) -> Result<(), DbError> {
    sql_query(
        "delete from reconciliation_requests
         where store_id = $1 and day = $2 and asked_at <= $3 and (not healing or $4)",
    )
    .bind::<Integer, _>(store.0)
    .bind::<Date, _>(report.day)
    .bind::<Timestamptz, _>(report.started_at)
    .bind::<Bool, _>(report.healing)
    .execute(conn)?;
    Ok(())
}
