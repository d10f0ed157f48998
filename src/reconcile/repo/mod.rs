//! SQL of reconciliation.

pub mod days;
pub mod orders;
pub mod write;

use diesel::sql_types::{Bool, Integer};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use chrono::{Datelike, NaiveDate};

use crate::core::ids::StoreId;
use crate::db::DbError;

/// "recon" as a number, in the half of the key that is not the day's.
const LOCK: i32 = 0x7265_0000;

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

/// Whether the day of the store is ours until the session ends.
pub fn try_claim(session: &mut PgConnection, store: StoreId, day: NaiveDate) -> Result<bool, DbError> {
    let claim: Got = sql_query("select pg_try_advisory_lock($1, $2) as got")
        .bind::<Integer, _>(LOCK | store.0)
        .bind::<Integer, _>(day.num_days_from_ce())
        .get_result(session)?;
    Ok(claim.got)
}

/// Everything that is read afterwards in this database transaction is of one instant.
pub fn freeze(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("set transaction isolation level repeatable read, read only").execute(conn)?;
    Ok(())
}
