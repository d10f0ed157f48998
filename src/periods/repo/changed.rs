//! Whether anything was told of the orders of a period since it was last calculated.

use diesel::sql_types::{BigInt, Bool, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::scope::Scope;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// After the fact `since`, up to the scope's cut-off. An order that the new fact moves out of the period counts. An
/// order's first fact changes nothing: after a close it is too late for the period.
pub fn is_changed(conn: &mut PgConnection, scope: &Scope, since: i64) -> Result<bool, DbError> {
    let changed: Found = sql_query(
        "select exists (
           select from volume_facts n join volume_facts f on f.order_id = n.order_id and f.seq <= n.seq
           where n.seq > n.first_seq and n.seq > $1 and n.seq <= $2 and f.ordered_at < $4 and f.first_seq <= $5
             and (f.ordered_at >= $3 or f.first_seq > $6)) as found",
    )
    .bind::<BigInt, _>(since)
    .bind::<BigInt, _>(scope.cutoff)
    .bind::<Timestamptz, _>(scope.starts_at)
    .bind::<Timestamptz, _>(scope.ends_at)
    .bind::<BigInt, _>(scope.late)
    .bind::<BigInt, _>(scope.late_before)
    .get_result(conn)?;
    Ok(changed.found)
}
