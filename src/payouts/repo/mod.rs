//! SQL of payouts.

pub mod answers;
pub mod batches;
pub mod changes;
pub mod items;

use diesel::sql_types::BigInt;
use diesel::{PgConnection, RunQueryDsl, sql_query};

use crate::db::DbError;

/// "payouts" as a number: whoever prepares a batch holds it, one at a time.
const LOCK: i64 = 0x70_6179_6f75_7473;

/// Until the database transaction ends.
pub fn lock(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("select pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
    Ok(())
}
