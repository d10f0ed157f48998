//! What somebody looks at before a run is approved: where the pools went, who moved most, and two runs side by
//! side.

use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::db::DbError;
use crate::reports::{Conn, Page, limit};

/// `paid + breakage + rounding = pool`.
#[derive(Clone, Debug, QueryableByName)]
pub struct Pool {
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Numeric)]
    pub pool: Decimal,
    #[diesel(sql_type = Numeric)]
    pub paid: Decimal,
    #[diesel(sql_type = Numeric)]
    pub breakage: Decimal,
    #[diesel(sql_type = Numeric)]
    pub rounding: Decimal,
}

pub fn pools(conn: &mut Conn, run: Uuid) -> Result<Vec<Pool>, DbError> {
    Ok(sql_query(
        "select p.name as period, b.bonus, b.pool, b.paid, b.breakage, b.rounding
         from run_pools b join periods p using (period_id) where b.run_id = $1 order by p.starts_at, b.bonus",
    )
    .bind::<SqlUuid, _>(run)
    .load(conn)?)
}

/// One distributor in two runs.
#[derive(Clone, Debug, QueryableByName)]
pub struct Moved {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub before: Decimal,
    #[diesel(sql_type = Numeric)]
    pub now: Decimal,
}

/// The earners whose sum differs most between two runs, the largest difference first.
pub fn movers(conn: &mut Conn, before: Uuid, now: Uuid, most: i64) -> Result<Vec<Moved>, DbError> {
    Ok(sql_query(
        "with was as (select distributor_id, sum(amount) as amount from run_awards where run_id = $1 group by 1),
              is_now as (select distributor_id, sum(amount) as amount from run_awards where run_id = $2 group by 1),
              moved as (
                select distributor_id, coalesce(was.amount, 0) as before, coalesce(is_now.amount, 0) as now
                from was full join is_now using (distributor_id)
                where coalesce(was.amount, 0) <> coalesce(is_now.amount, 0)
                order by abs(coalesce(is_now.amount, 0) - coalesce(was.amount, 0)) desc, distributor_id limit $3)
         select moved.distributor_id, d.name, moved.before, moved.now
         from moved left join distributors d using (distributor_id)
         order by abs(moved.now - moved.before) desc, moved.distributor_id",
    )
    .bind::<SqlUuid, _>(before)
    .bind::<SqlUuid, _>(now)
    .bind::<BigInt, _>(most)
    .load(conn)?)
}

/// Somebody whose paid-as rank is another than in the run before.
#[derive(Clone, Debug, QueryableByName)]
pub struct RankMove {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub was: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub is_now: Option<String>,
}

/// By id, after `after`.
pub fn rank_moves(
    conn: &mut Conn,
    before: Uuid,
    now: Uuid,
    after: &str,
) -> Result<Page<RankMove, String>, DbError> {
    let rows: Vec<RankMove> = sql_query(
        "with moved as (
           select coalesce(w.distributor_id, n.distributor_id) as distributor_id, w.paid_as as was,
                  n.paid_as as is_now
           from (select * from run_standings where run_id = $1 and distributor_id > $3) w
           full join (select * from run_standings where run_id = $2 and distributor_id > $3) n using (distributor_id)
           where w.paid_as is distinct from n.paid_as
           order by 1 limit $4)
         select moved.distributor_id, d.name, moved.was, moved.is_now
         from moved left join distributors d using (distributor_id) order by moved.distributor_id",
    )
    .bind::<SqlUuid, _>(before)
    .bind::<SqlUuid, _>(now)
    .bind::<Text, _>(after)
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.distributor_id.clone()))
}

/// How many changed from which rank to which.
#[derive(Clone, Debug, QueryableByName)]
pub struct RankFlow {
    #[diesel(sql_type = Nullable<Text>)]
    pub was: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub is_now: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub distributors: i64,
}

pub fn rank_flows(conn: &mut Conn, before: Uuid, now: Uuid) -> Result<Vec<RankFlow>, DbError> {
    Ok(sql_query(
        "select w.paid_as as was, n.paid_as as is_now, count(*) as distributors
         from (select distributor_id, paid_as from run_standings where run_id = $1) w
         full join (select distributor_id, paid_as from run_standings where run_id = $2) n using (distributor_id)
         where w.paid_as is distinct from n.paid_as group by 1, 2 order by 3 desc, 1, 2",
    )
    .bind::<SqlUuid, _>(before)
    .bind::<SqlUuid, _>(now)
    .load(conn)?)
}
