//! The read API's view of orders, deliveries, the ledger and distributors.

use diesel::sql_types::BigInt;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::db::DbError;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many orders wait for a person.
pub fn held_orders(conn: &mut PgConnection) -> Result<i64, DbError> {
    let held: Count = sql_query("select count(distinct order_id) as count from holds").get_result(conn)?;
    Ok(held.count)
}
