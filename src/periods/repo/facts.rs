//! Facts of a period, page by page: the last one of each order up to a cut-off.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::super::scope::Scope;
use crate::db::DbError;

#[derive(Clone, Debug, QueryableByName)]
pub struct Fact {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// Of the order's first fact.
    #[diesel(sql_type = BigInt)]
    pub first_seq: i64,
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(sql_type = Integer)]
    pub calculation_no: i32,
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Timestamptz)]
    pub ordered_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Bool)]
    pub own: bool,
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// JSON: see [`Line`](super::super::facts::Line).
    #[diesel(sql_type = Text)]
    pub lines: String,
}

const COLUMNS: &str =
    "f.seq, f.first_seq, f.order_id, f.calculation_no, f.store_id, f.ordered_at, f.distributor_id, f.own,
                       f.currency::text as currency, f.lines::text as lines";
const IS_LAST: &str = "not exists (select from volume_facts n
                                   where n.order_id = f.order_id and n.seq > n.first_seq and n.seq > f.seq
                                     and n.seq <= $1)";

/// The next orders of the period's own time, by time.
pub fn in_time(
    conn: &mut PgConnection,
    scope: &Scope,
    after: (DateTime<Utc>, i64),
    limit: i64,
) -> Result<Vec<Fact>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from volume_facts f
         where f.ordered_at >= $2 and f.ordered_at < $3 and (f.ordered_at, f.seq) > ($4, $5)
           and f.seq <= $1 and f.first_seq <= $6 and f.lines <> '[]' and {IS_LAST}
         order by f.ordered_at, f.seq limit $7"
    ))
    .bind::<BigInt, _>(scope.cutoff)
    .bind::<Timestamptz, _>(scope.starts_at)
    .bind::<Timestamptz, _>(scope.ends_at)
    .bind::<Timestamptz, _>(after.0)
    .bind::<BigInt, _>(after.1)
    .bind::<BigInt, _>(scope.late)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// The next orders of an earlier time that were told too late for it, by when they were first told.
pub fn late(conn: &mut PgConnection, scope: &Scope, after: i64, limit: i64) -> Result<Vec<Fact>, DbError> {
    Ok(sql_query(format!(
        "select {COLUMNS} from volume_facts f
         where f.first_seq > greatest($4, $5) and f.first_seq <= least($1, $3) and f.seq <= $1 and f.ordered_at < $2
           and f.lines <> '[]' and {IS_LAST}
         order by f.first_seq, f.seq limit $6"
    ))
    .bind::<BigInt, _>(scope.cutoff)
    .bind::<Timestamptz, _>(scope.starts_at)
    .bind::<BigInt, _>(scope.late)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(scope.late_before)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// About how many there are: late ones and repeats make a small difference, and it is only for progress.
pub fn about(conn: &mut PgConnection, scope: &Scope) -> Result<i64, DbError> {
    let count: Count = sql_query(
        "select count(*) as count from volume_facts where ordered_at >= $1 and ordered_at < $2 and seq <= $3",
    )
    .bind::<Timestamptz, _>(scope.starts_at)
    .bind::<Timestamptz, _>(scope.ends_at)
    .bind::<BigInt, _>(scope.cutoff)
    .get_result(conn)?;
    Ok(count.count)
}

/// What orders were paid at once.
#[derive(Clone, Debug, QueryableByName)]
pub struct Emitted {
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

/// Of the given orders, up to a calculation each, in sum.
pub fn emitted(conn: &mut PgConnection, orders: &[(Uuid, i32)]) -> Result<Vec<Emitted>, DbError> {
    let (ids, numbers): (Vec<Uuid>, Vec<i32>) = orders.iter().copied().unzip();
    Ok(sql_query(
        "select e.bonus, e.distributor_id, sum(e.amount) as amount
         from unnest($1, $2) as t(order_id, calculation_no)
         join commission_events e on e.order_id = t.order_id and e.calculation_no <= t.calculation_no
         group by e.bonus, e.distributor_id having sum(e.amount) <> 0",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Integer>, _>(numbers)
    .load(conn)?)
}
