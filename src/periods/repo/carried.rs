//! What a posted run says that its period leaves to the next.

use diesel::sql_types::{BigInt, Jsonb, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::{Carried, Lot};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Jsonb)]
    carried: Value,
}

#[derive(QueryableByName)]
struct LotRow {
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = Text)]
    position: String,
    #[diesel(sql_type = SmallInt)]
    side: i16,
    #[diesel(sql_type = SmallInt)]
    age: i16,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Numeric)]
    volume: Decimal,
}

const PAGE: i64 = 20_000;

pub fn carried(conn: &mut PgConnection, run_id: Uuid, period: Uuid) -> Result<Carried, DbError> {
    let mut carried = Carried::default();
    let mut after = String::new();
    loop {
        let page: Vec<Standing> = sql_query(
            "select distributor_id, carried from run_standings
             where run_id = $1 and period_id = $2 and distributor_id > $3 order by distributor_id limit $4",
        )
        .bind::<SqlUuid, _>(run_id)
        .bind::<SqlUuid, _>(period)
        .bind::<Text, _>(&after)
        .bind::<BigInt, _>(PAGE)
        .load(conn)?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.distributor_id);
        for row in page.into_iter().filter(|row| row.carried.as_object().is_some_and(|kept| !kept.is_empty()))
        {
            carried
                .standings
                .insert(DistributorId::new(row.distributor_id), serde_json::from_value(row.carried)?);
        }
    }
    carried.lots = lots(conn, run_id, period)?;
    Ok(carried)
}

#[derive(QueryableByName)]
struct Ranked {
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    rank: Option<String>,
}

/// The rank with which everybody ends a period.
pub fn ranks(
    conn: &mut PgConnection,
    run_id: Uuid,
    period: Uuid,
) -> Result<Vec<(String, Option<String>)>, DbError> {
    let rows: Vec<Ranked> = sql_query(
        "select distributor_id, carried ->> 'rank' as rank from run_standings where run_id = $1 and period_id = $2
         order by distributor_id",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(period)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.distributor_id, row.rank)).collect())
}

fn lots(conn: &mut PgConnection, run_id: Uuid, period: Uuid) -> Result<Vec<Lot>, DbError> {
    let rows: Vec<LotRow> = sql_query(
        "select bonus, position, side, age, period, volume from run_lots
         where run_id = $1 and period_id = $2 order by lot_no",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(period)
    .load(conn)?;
    rows.into_iter().map(|row| row.lot(run_id)).collect()
}

impl LotRow {
    fn lot(self, run_id: Uuid) -> Result<Lot, DbError> {
        let damaged = || DbError::Damaged(format!("a lot of run {run_id}"));
        Ok(Lot {
            bonus: self.bonus,
            position: self.position,
            side: u16::try_from(self.side).map_err(|_| damaged())?,
            age: u16::try_from(self.age).map_err(|_| damaged())?,
            period: self.period,
            volume: Fixed::of(self.volume).map_err(|_| damaged())?,
        })
    }
}
