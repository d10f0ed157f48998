//! Events of the pipeline that are about one store.

use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::StoreId;
use crate::db::DbError;
use crate::events::Topic;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
}

/// How many wait, counted up to a limit.
pub fn waiting(conn: &mut PgConnection, store: StoreId, limit: Option<i64>) -> Result<i64, DbError> {
    let of_orders = Topic::ALL.into_iter().filter(|topic| *topic != Topic::DeliveryAccepted);
    let count: Count = sql_query(
        "select count(*) as waiting from (
           select 1 from outbox e join deliveries d on d.delivery_id = e.key
           where e.topic = $1 and e.parked_at is null and d.store_id = $3
           union all
           select 1 from outbox e join orders o on o.order_id = e.key
           where e.topic = any($2) and e.parked_at is null and o.store_id = $3
           limit $4) e",
    )
    .bind::<Text, _>(Topic::DeliveryAccepted.name())
    .bind::<Array<Text>, _>(of_orders.map(Topic::name).collect::<Vec<_>>())
    .bind::<Integer, _>(store.0)
    .bind::<Nullable<BigInt>, _>(limit)
    .get_result(conn)?;
    Ok(count.waiting)
}
