//! SQL of calculations and commission events.

mod facts;
pub mod moves;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::consumer::Totals;
use super::snapshot::CalcSnapshot;
use super::target::Standings;
use crate::core::engine::PostedAward;
use crate::core::ids::DistributorId;
use crate::db::DbError;

pub use facts::{append, lock_sequence, newest_seq, waiting};

/// A calculation without its snapshot.
#[derive(Clone, Debug, QueryableByName)]
pub struct StoredCalculation {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Binary)]
    pub plan_hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub pool: Decimal,
    #[diesel(sql_type = Numeric)]
    pub paid: Decimal,
    #[diesel(sql_type = Numeric)]
    pub breakage: Decimal,
    #[diesel(sql_type = Numeric)]
    pub rounding: Decimal,
    #[diesel(sql_type = Numeric)]
    pub pv: Decimal,
    #[diesel(sql_type = Numeric)]
    pub cv: Decimal,
    #[diesel(sql_type = Timestamptz)]
    pub calculated_at: DateTime<Utc>,
}

impl StoredCalculation {
    fn totals(&self) -> Totals {
        Totals {
            pool: self.pool,
            paid: self.paid,
            breakage: self.breakage,
            rounding: self.rounding,
            pv: self.pv,
            cv: self.cv,
        }
    }
}

#[derive(Clone, Debug, QueryableByName)]
pub struct StoredEvent {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Text)]
    pub line: String,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = SmallInt)]
    pub level: i16,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

const CALCULATION: &str = "order_id, calculation_no, plan_hash, currency::text as currency, distributor_id, pool, \
                           paid, breakage, rounding, pv, cv, calculated_at";
const EVENT: &str = "order_id, event_id, calculation_no, line, bonus, level, distributor_id, amount, \
                     currency::text as currency, kind, created_at";

/// How an order stood before.
#[derive(Default)]
pub struct Before {
    pub snapshot: Option<CalcSnapshot>,
    pub totals: Totals,
    pub awards: Vec<PostedAward>,
}

/// The latest calculation and everything posted of each order. Where a move has given the order another context,
/// that one is in the snapshot.
pub fn before(conn: &mut PgConnection, orders: &[Uuid]) -> Result<HashMap<Uuid, Before>, DbError> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let mut before: HashMap<Uuid, Before> = HashMap::new();
    // By number, so that the latest is what stays.
    for (calculation, snapshot) in calculations(conn, orders)? {
        let known = before.entry(calculation.order_id).or_default();
        known.totals = calculation.totals();
        known.snapshot = Some(serde_json::from_value(snapshot)?);
    }
    for (order, context) in moves::contexts(conn, orders)? {
        if let Some(snapshot) = before.get_mut(&order).and_then(|known| known.snapshot.as_mut()) {
            snapshot.context = context;
        }
    }
    for event in events_of(conn, orders)? {
        let award = event.award()?;
        before.entry(event.order_id).or_default().awards.push(award);
    }
    Ok(before)
}

impl StoredEvent {
    pub fn award(&self) -> Result<PostedAward, DbError> {
        Ok(PostedAward {
            line: self.line.clone(),
            bonus: self.bonus.clone(),
            level: u16::try_from(self.level)
                .map_err(|_| DbError::Damaged(format!("level of commission event {}", self.event_id)))?,
            distributor: DistributorId::new(self.distributor_id.as_str()),
            amount: self.amount,
        })
    }
}

#[derive(QueryableByName)]
struct WithSnapshot {
    #[diesel(embed)]
    calculation: StoredCalculation,
    #[diesel(sql_type = Jsonb)]
    calc_snapshot_json: Value,
}

/// All calculations of the given orders, by order and number.
pub fn calculations(
    conn: &mut PgConnection,
    orders: &[Uuid],
) -> Result<Vec<(StoredCalculation, Value)>, DbError> {
    let rows: Vec<WithSnapshot> = sql_query(format!(
        "select {CALCULATION}, calc_snapshot_json from calculations
         where order_id = any($1) order by order_id, calculation_no"
    ))
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.calculation, row.calc_snapshot_json)).collect())
}

/// All commission events of the given orders, in the order in which they were made.
pub fn events_of(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<StoredEvent>, DbError> {
    Ok(sql_query(format!(
        "select {EVENT} from commission_events where order_id = any($1) order by order_id, event_id"
    ))
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?)
}

/// The calculations of the given sources and numbers.
pub fn calculations_at(
    conn: &mut PgConnection,
    keys: &[(Uuid, i32)],
) -> Result<Vec<(StoredCalculation, Value)>, DbError> {
    let (sources, numbers): (Vec<Uuid>, Vec<i32>) = keys.iter().copied().unzip();
    let rows: Vec<WithSnapshot> = sql_query(format!(
        "select {CALCULATION}, calc_snapshot_json from calculations
         join unnest($1, $2) as k(order_id, calculation_no) using (order_id, calculation_no)"
    ))
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Array<Integer>, _>(numbers)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.calculation, row.calc_snapshot_json)).collect())
}

/// The commission events of the given sources and numbers, in the order in which they were made.
pub fn events_at(conn: &mut PgConnection, keys: &[(Uuid, i32)]) -> Result<Vec<StoredEvent>, DbError> {
    let (sources, numbers): (Vec<Uuid>, Vec<i32>) = keys.iter().copied().unzip();
    Ok(sql_query(format!(
        "select {EVENT} from commission_events
         join unnest($1, $2) as k(order_id, calculation_no) using (order_id, calculation_no)
         order by order_id, event_id"
    ))
    .bind::<Array<SqlUuid>, _>(sources)
    .bind::<Array<Integer>, _>(numbers)
    .load(conn)?)
}

pub fn event(conn: &mut PgConnection, event_id: Uuid) -> Result<Option<StoredEvent>, DbError> {
    let found: Vec<StoredEvent> =
        sql_query(format!("select {EVENT} from commission_events where event_id = $1"))
            .bind::<SqlUuid, _>(event_id)
            .load(conn)?;
    Ok(found.into_iter().next())
}

pub fn insert_calculations(
    conn: &mut PgConnection,
    rows: &[(StoredCalculation, Value)],
) -> Result<(), DbError> {
    let decimals = |f: fn(&StoredCalculation) -> Decimal| rows.iter().map(|(c, _)| f(c)).collect::<Vec<_>>();
    sql_query(
        "insert into calculations (order_id, calculation_no, plan_hash, currency, distributor_id, pool, paid,
                                   breakage, rounding, pv, cv, calc_snapshot_json, calculated_at)
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(c, _)| c.order_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|(c, _)| c.calculation_no).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|(c, _)| c.plan_hash.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|(c, _)| c.currency.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows.iter().map(|(c, _)| c.distributor_id.as_deref()).collect::<Vec<_>>(),
    )
    .bind::<Array<Numeric>, _>(decimals(|c| c.pool))
    .bind::<Array<Numeric>, _>(decimals(|c| c.paid))
    .bind::<Array<Numeric>, _>(decimals(|c| c.breakage))
    .bind::<Array<Numeric>, _>(decimals(|c| c.rounding))
    .bind::<Array<Numeric>, _>(decimals(|c| c.pv))
    .bind::<Array<Numeric>, _>(decimals(|c| c.cv))
    .bind::<Array<Jsonb>, _>(rows.iter().map(|(_, snapshot)| snapshot).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|(c, _)| c.calculated_at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

pub fn insert_events(conn: &mut PgConnection, rows: &[StoredEvent]) -> Result<(), DbError> {
    let texts = |f: fn(&StoredEvent) -> &str| rows.iter().map(f).collect::<Vec<_>>();
    sql_query(
        "insert into commission_events (order_id, event_id, calculation_no, line, bonus, level, distributor_id,
                                        amount, currency, kind, created_at)
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|e| e.order_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|e| e.event_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|e| e.calculation_no).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts(|e| &e.line))
    .bind::<Array<Text>, _>(texts(|e| &e.bonus))
    .bind::<Array<SmallInt>, _>(rows.iter().map(|e| e.level).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts(|e| &e.distributor_id))
    .bind::<Array<Numeric>, _>(rows.iter().map(|e| e.amount).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts(|e| &e.currency))
    .bind::<Array<Text>, _>(texts(|e| &e.kind))
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|e| e.created_at).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct VolumeRow {
    #[diesel(sql_type = BigInt)]
    asked: i64,
    #[diesel(sql_type = Numeric)]
    pv: Decimal,
}

/// Personal volume of a distributor from an instant up to (not including) another, for each that is asked:
/// `(order, distributor, since, until)`. Summed over the latest calculation of each order.
pub fn personal_volumes(
    conn: &mut PgConnection,
    asked: &[(Uuid, String, DateTime<Utc>, DateTime<Utc>)],
) -> Result<HashMap<Uuid, Standings>, DbError> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<VolumeRow> = sql_query(
        "select a.no - 1 as asked, sum(c.pv) as pv
         from unnest($1, $2, $3) with ordinality as a(distributor_id, since, until, no)
         join orders o on o.distributor_id = a.distributor_id and o.ordered_at >= a.since and o.ordered_at < a.until
         join calculations c on c.order_id = o.order_id and c.calculation_no = o.calculation_no
         group by a.no",
    )
    .bind::<Array<Text>, _>(asked.iter().map(|a| a.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(asked.iter().map(|a| a.2).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(asked.iter().map(|a| a.3).collect::<Vec<_>>())
    .load(conn)?;
    let mut volumes: HashMap<Uuid, Standings> = HashMap::new();
    for row in rows {
        let Some((order, distributor, ..)) = usize::try_from(row.asked).ok().and_then(|i| asked.get(i))
        else {
            continue;
        };
        volumes.entry(*order).or_default().insert(DistributorId::new(distributor.as_str()), row.pv);
    }
    Ok(volumes)
}
