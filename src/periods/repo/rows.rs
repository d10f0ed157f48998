//! Writes what a run has calculated, many rows at a time, and reads it again.

use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::super::rows::{AwardRow, CutRow, PoolRow, StandingRow};
use crate::core::fixed::Fixed;
use crate::core::period::Lot;
use crate::db::DbError;

/// Removes what the run had written before.
pub fn clear(conn: &mut PgConnection, run_id: Uuid) -> Result<(), DbError> {
    for table in ["run_awards", "run_cuts", "run_pools", "run_standings", "run_lots"] {
        sql_query(format!("delete from {table} where run_id = $1"))
            .bind::<SqlUuid, _>(run_id)
            .execute(conn)?;
    }
    Ok(())
}

fn decimals<T>(rows: &[T], of: fn(&T) -> Fixed) -> Vec<Decimal> {
    rows.iter().map(|row| of(row).decimal()).collect()
}

/// `first` is the number of the first of them.
pub fn insert_awards(
    conn: &mut PgConnection,
    run_id: Uuid,
    first: i32,
    rows: &[AwardRow],
) -> Result<(), DbError> {
    sql_query(
        "insert into run_awards
           (run_id, award_no, period_id, bonus, distributor_id, position, base, earned, amount, kind)
         select $1, $2 + no::int - 1, period_id, bonus, distributor_id, position, base, earned, amount, kind
         from unnest($3, $4, $5, $6, $7, $8, $9, $10) with ordinality
           as t(period_id, bonus, distributor_id, position, base, earned, amount, kind, no)",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Integer, _>(first)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.period_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.bonus.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.distributor.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.position.as_str()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.base))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.earned))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.amount))
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.kind.map(|k| k.name())).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

pub fn insert_cuts(conn: &mut PgConnection, run_id: Uuid, rows: &[CutRow]) -> Result<(), DbError> {
    sql_query("insert into run_cuts (run_id, award_no, cut_by, amount) select $1, * from unnest($2, $3, $4)")
        .bind::<SqlUuid, _>(run_id)
        .bind::<Array<Integer>, _>(rows.iter().map(|r| r.award_no).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.by.as_str()).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(decimals(rows, |r| r.amount))
        .execute(conn)?;
    Ok(())
}

pub fn insert_pools(conn: &mut PgConnection, run_id: Uuid, rows: &[PoolRow]) -> Result<(), DbError> {
    sql_query(
        "insert into run_pools (run_id, period_id, bonus, pool, paid, breakage, rounding)
         select $1, * from unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.period_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.bonus.as_str()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.pool))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.paid))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.breakage))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.rounding))
    .execute(conn)?;
    Ok(())
}

pub fn insert_standings(conn: &mut PgConnection, run_id: Uuid, rows: &[StandingRow]) -> Result<(), DbError> {
    let texts = |of: fn(&StandingRow) -> Option<&str>| rows.iter().map(of).collect::<Vec<_>>();
    let carried = rows.iter().map(|r| serde_json::to_value(&r.carried)).collect::<Result<Vec<Value>, _>>()?;
    sql_query(
        "insert into run_standings
           (run_id, period_id, distributor_id, active, pv, gv, pgv, achieved, paid_as, title, carried)
         select $1, * from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.period_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.distributor.as_str()).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(rows.iter().map(|r| r.active).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.pv))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.gv))
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.pgv))
    .bind::<Array<Nullable<Text>>, _>(texts(|r| r.achieved.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|r| r.paid_as.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|r| r.title.as_deref()))
    .bind::<Array<Jsonb>, _>(carried)
    .execute(conn)?;
    Ok(())
}

/// `first` is the number of the first of them.
pub fn insert_lots(
    conn: &mut PgConnection,
    run_id: Uuid,
    first: i32,
    rows: &[(Uuid, Lot)],
) -> Result<(), DbError> {
    let small = |number: u16| {
        i16::try_from(number)
            .map_err(|_| DbError::Invariant("a side or an age of a lot is over 32767".into()))
    };
    let sides = rows.iter().map(|(_, lot)| small(lot.side)).collect::<Result<Vec<_>, _>>()?;
    let ages = rows.iter().map(|(_, lot)| small(lot.age)).collect::<Result<Vec<_>, _>>()?;
    sql_query(
        "insert into run_lots (run_id, period_id, lot_no, bonus, position, side, age, period, volume)
         select $1, period_id, $2 + no::int - 1, bonus, position, side, age, period, volume
         from unnest($3, $4, $5, $6, $7, $8, $9) with ordinality
           as t(period_id, bonus, position, side, age, period, volume, no)",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Integer, _>(first)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.1.bonus.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.1.position.as_str()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(sides)
    .bind::<Array<SmallInt>, _>(ages)
    .bind::<Array<Text>, _>(rows.iter().map(|r| r.1.period.as_str()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(decimals(rows, |r| r.1.volume))
    .execute(conn)?;
    Ok(())
}

/// An award as it is stored.
#[derive(Clone, Debug, QueryableByName)]
pub struct StoredAward {
    #[diesel(sql_type = Integer)]
    pub award_no: i32,
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub position: String,
    #[diesel(sql_type = Numeric)]
    pub base: Decimal,
    #[diesel(sql_type = Numeric)]
    pub earned: Decimal,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    pub kind: Option<String>,
}

const AWARD: &str = "select award_no, period_id, bonus, distributor_id, position, base, earned, amount, kind
    from run_awards";

/// The next awards of a run after a number.
pub fn awards(
    conn: &mut PgConnection,
    run_id: Uuid,
    after: i32,
    limit: i64,
) -> Result<Vec<StoredAward>, DbError> {
    Ok(sql_query(format!("{AWARD} where run_id = $1 and award_no > $2 order by award_no limit $3"))
        .bind::<SqlUuid, _>(run_id)
        .bind::<Integer, _>(after)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

pub fn award_like(
    conn: &mut PgConnection,
    run_id: Uuid,
    award: &StoredAward,
) -> Result<Option<StoredAward>, DbError> {
    let found: Vec<StoredAward> = sql_query(format!(
        "{AWARD} where run_id = $1 and period_id = $2 and bonus = $3 and distributor_id = $4 and position = $5"
    ))
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(award.period_id)
    .bind::<Text, _>(&award.bonus)
    .bind::<Text, _>(&award.distributor_id)
    .bind::<Text, _>(&award.position)
    .load(conn)?;
    Ok(found.into_iter().next())
}

/// A pool as it is stored.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct StoredPool {
    #[diesel(sql_type = SqlUuid)]
    pub period_id: Uuid,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Numeric)]
    pub pool: Decimal,
    #[diesel(sql_type = Numeric)]
    pub paid: Decimal,
    #[diesel(sql_type = Numeric)]
    pub breakage: Decimal,
    #[diesel(sql_type = Numeric)]
    pub rounding: Decimal,
}

pub fn pools(conn: &mut PgConnection, run_id: Uuid) -> Result<Vec<StoredPool>, DbError> {
    Ok(sql_query(
        "select period_id, bonus, pool, paid, breakage, rounding from run_pools
         where run_id = $1 order by period_id, bonus",
    )
    .bind::<SqlUuid, _>(run_id)
    .load(conn)?)
}
