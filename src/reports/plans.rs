//! One stored plan document.

use diesel::sql_types::Binary;
use diesel::{OptionalExtension, RunQueryDsl, sql_query};

use super::Conn;
use crate::core::plan::PlanHash;
use crate::db::DbError;
use crate::plans::StoredPlan;

pub fn one(conn: &mut Conn, hash: PlanHash) -> Result<Option<StoredPlan>, DbError> {
    Ok(sql_query("select plan_hash, name, document, created_at, created_by from plans where plan_hash = $1")
        .bind::<Binary, _>(hash.0.to_vec())
        .get_result(conn)
        .optional()?)
}
