//! SQL of what a move of the sponsor tree reaches: orders of periods that are still open, and their contexts.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::super::snapshot::Context;
use crate::db::DbError;

/// Nobody calculates from here to the end of the database transaction, and whoever was at it is done: every
/// calculation locks its orders first. Deliveries are stored meanwhile.
pub fn hold_calculations(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("lock table orders in exclusive mode").execute(conn)?;
    Ok(())
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Reached {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    /// The store's slug.
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Timestamptz)]
    pub ordered_at: DateTime<Utc>,
    /// Of a period that is frozen or closed.
    #[diesel(sql_type = Bool)]
    pub is_closed: bool,
}

/// Calculated orders from an instant on of any of the distributors.
pub fn orders_since(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
    distributors: &[&str],
) -> Result<Vec<Reached>, DbError> {
    Ok(sql_query(
        "select o.order_id, o.calculation_no, s.slug as store, o.distributor_id, o.ordered_at,
                exists (select 1 from periods p
                        where p.status in ('frozen', 'closed') and o.ordered_at < p.ends_at
                          -- one that came later, or has no fact yet, counts in a later period
                          and coalesce((select min(f.first_seq) from volume_facts f
                                        where f.order_id = o.order_id) <= p.late_after_seq, false)) as is_closed
         from orders o join stores s using (store_id)
         where o.calculation_no > 0 and o.ordered_at >= $1 and o.distributor_id = any($2)
         order by o.order_id",
    )
    .bind::<Timestamptz, _>(since)
    .bind::<Array<Text>, _>(distributors)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct ContextRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Jsonb)]
    context: serde_json::Value,
}

/// The contexts that hold instead of those that the orders' latest calculations were made with.
pub fn contexts(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<(Uuid, Context)>, DbError> {
    let rows: Vec<ContextRow> = sql_query(
        "select distinct on (x.order_id) x.order_id, x.context
         from order_contexts x
         where x.order_id = any($1)
           and x.calculation_no = (select max(c.calculation_no) from calculations c where c.order_id = x.order_id)
         order by x.order_id, x.context_no desc",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .load(conn)?;
    rows.into_iter().map(|row| Ok((row.order_id, serde_json::from_value(row.context)?))).collect()
}

/// One for each order, behind those that it has.
pub fn insert_contexts(
    conn: &mut PgConnection,
    contexts: &[(Uuid, i32, &Context)],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let json = contexts.iter().map(|(_, _, context)| serde_json::to_value(context));
    let json: Vec<serde_json::Value> = json.collect::<Result<_, _>>()?;
    sql_query(
        "insert into order_contexts (order_id, context_no, calculation_no, context, decided_by, decided_at)
         select t.order_id,
                1 + coalesce((select max(context_no) from order_contexts x where x.order_id = t.order_id), 0),
                t.calculation_no, t.context, $4, $5
         from unnest($1, $2, $3) as t(order_id, calculation_no, context)",
    )
    .bind::<Array<SqlUuid>, _>(contexts.iter().map(|(order, ..)| *order).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(contexts.iter().map(|(_, number, _)| *number).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(json)
    .bind::<Text, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
