//! SQL of volume facts.

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::db::DbError;

/// "facts" as a number; whoever holds it gives out the next numbers.
const LOCK: i64 = 0x66_6163_7473;

/// Until the database transaction ends. A statement after it sees what the last holder has written.
pub fn lock_sequence(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("select pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
    Ok(())
}

/// Adds the facts of all calculations of the given orders that have none yet, by order and number.
pub fn append(conn: &mut PgConnection, orders: &[Uuid]) -> Result<(), DbError> {
    if orders.is_empty() {
        return Ok(());
    }
    sql_query(
        "with missing as (
           select c.order_id, c.calculation_no, c.currency, c.calc_snapshot_json as snapshot
           from calculations c where c.order_id = any($1)
             and not exists (select from volume_facts f
                             where f.order_id = c.order_id and f.calculation_no = c.calculation_no)),
         numbered as (
           select m.*, coalesce((select max(seq) from volume_facts), 0)
                       + row_number() over (order by order_id, calculation_no) as seq
           from missing m)
         insert into volume_facts
           (seq, order_id, calculation_no, first_seq, store_id, ordered_at, distributor_id, own, currency, lines)
         select n.seq, n.order_id, n.calculation_no,
                coalesce((select f.first_seq from volume_facts f where f.order_id = n.order_id limit 1),
                         min(n.seq) over (partition by n.order_id)),
                o.store_id, (n.snapshot #>> '{context,ordered_at}')::timestamptz,
                n.snapshot #>> '{context,attributed,distributor}',
                coalesce((n.snapshot #>> '{context,attributed,own}')::boolean, false), n.currency,
                volume_lines(n.snapshot)
         from numbered n join orders o using (order_id)",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = SqlUuid)]
    key: Uuid,
}

/// The orders for which there is still an event of the topic.
pub fn waiting(conn: &mut PgConnection, topic: &str) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Key> =
        sql_query("select distinct key from outbox where topic = $1").bind::<Text, _>(topic).load(conn)?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

pub fn newest_seq(conn: &mut PgConnection) -> Result<i64, DbError> {
    let newest: Newest =
        sql_query("select coalesce(max(seq), 0) as seq from volume_facts").get_result(conn)?;
    Ok(newest.seq)
}
