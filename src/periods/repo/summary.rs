//! What a review shows beside a run's own result.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::scope::Scope;
use crate::db::DbError;

/// Orders of the period that wait for a person, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Held {
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    #[diesel(sql_type = Numeric)]
    pub net: Decimal,
}

pub fn held(conn: &mut PgConnection, scope: &Scope) -> Result<Vec<Held>, DbError> {
    Ok(sql_query(
        "select currency::text as currency, count(*) as orders, trim_scale(sum(net)) as net from orders
         where status = 'held' and ordered_at >= $1 and ordered_at < $2 group by currency order by currency",
    )
    .bind::<Timestamptz, _>(scope.starts_at)
    .bind::<Timestamptz, _>(scope.ends_at)
    .load(conn)?)
}

/// A posted run of an earlier period.
#[derive(Clone, Debug, QueryableByName)]
pub struct Earlier {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub summary: Option<Value>,
}

/// The official runs of the periods that began before an instant, the last one first.
pub fn earlier(conn: &mut PgConnection, before: DateTime<Utc>, limit: i64) -> Result<Vec<Earlier>, DbError> {
    Ok(sql_query(
        "select r.run_id, p.name as period, r.summary from periods p join runs r on r.run_id = p.run_id
         where p.starts_at < $1 order by p.starts_at desc limit $2",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// Somebody who earns much more or much less than in the period before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Mover {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Numeric)]
    pub before: Decimal,
    #[diesel(sql_type = Numeric)]
    pub now: Decimal,
}

/// The largest differences between two runs, by distributor.
pub fn movers(
    conn: &mut PgConnection,
    run_id: Uuid,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Mover>, DbError> {
    Ok(sql_query(
        "with n as (select distributor_id, sum(amount) as amount from run_awards where run_id = $1 group by 1),
              b as (select distributor_id, sum(amount) as amount from run_awards where run_id = $2 group by 1)
         select distributor_id, trim_scale(coalesce(b.amount, 0)) as before, trim_scale(coalesce(n.amount, 0)) as now
         from n full join b using (distributor_id)
         where coalesce(n.amount, 0) <> coalesce(b.amount, 0)
         order by abs(coalesce(n.amount, 0) - coalesce(b.amount, 0)) desc, distributor_id limit $3",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<SqlUuid, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}
