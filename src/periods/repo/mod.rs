//! SQL of periods and runs.

pub mod carried;
pub mod changed;
pub mod facts;
pub mod periods;
pub mod posted;
pub mod rows;
pub mod runs;
pub mod summary;
pub mod words;

use diesel::sql_types::BigInt;
use diesel::{PgConnection, RunQueryDsl, sql_query};

use crate::db::DbError;

/// "periods" as a number: whoever changes the life of a period holds it, one at a time.
const LOCK: i64 = 0x70_6572_696f_6473;

/// Until the database transaction ends.
pub fn lock(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("select pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
    Ok(())
}
