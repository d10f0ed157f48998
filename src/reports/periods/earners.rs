//! Who earns what in a run, from key to key.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::db::DbError;
use crate::reports::{Conn, Page, limit};

/// All that a run pays one distributor.
#[derive(Clone, Debug, QueryableByName)]
pub struct Earner {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub paid_as: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub awards: i64,
    #[diesel(sql_type = Numeric)]
    pub earned: Decimal,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

/// By id, after `after`. `q` is the beginning of an id or of a name.
pub fn list(conn: &mut Conn, run: Uuid, q: &str, after: &str) -> Result<Page<Earner, String>, DbError> {
    let q = q.trim();
    let condition = match q.is_empty() {
        true => "$3 = ''",
        false => {
            "a.distributor_id in (select d.distributor_id from distributors d
               where starts_with(d.distributor_id, $3) or starts_with(lower(d.name), lower($3)))"
        }
    };
    let rows: Vec<Earner> = sql_query(format!(
        "with page as (
           select a.distributor_id, count(*) as awards, sum(a.earned) as earned, sum(a.amount) as amount
           from run_awards a where a.run_id = $1 and a.distributor_id > $2 and {condition}
           group by a.distributor_id order by a.distributor_id limit $4)
         select page.*, d.name, s.paid_as
         from page left join distributors d using (distributor_id)
         left join run_standings s on s.run_id = $1 and s.distributor_id = page.distributor_id
           and s.period_id = (select period_id from runs where run_id = $1)
         order by page.distributor_id"
    ))
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(after)
    .bind::<Text, _>(q)
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| row.distributor_id.clone()))
}

/// One award of a run.
#[derive(Clone, Debug, QueryableByName)]
pub struct Award {
    #[diesel(sql_type = Integer)]
    pub award_no: i32,
    /// Of an adjustment: the closed period that it corrects.
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub position: String,
    #[diesel(sql_type = Numeric)]
    pub base: Decimal,
    #[diesel(sql_type = Numeric)]
    pub earned: Decimal,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

const AWARD: &str =
    "select a.award_no, p.name as period, a.bonus, a.distributor_id, a.position, a.base, a.earned,
        a.amount
    from run_awards a join periods p using (period_id)";

/// By number, after `after`.
pub fn awards(conn: &mut Conn, run: Uuid, after: i32, most: i64) -> Result<Vec<Award>, DbError> {
    Ok(sql_query(format!("{AWARD} where a.run_id = $1 and a.award_no > $2 order by a.award_no limit $3"))
        .bind::<SqlUuid, _>(run)
        .bind::<Integer, _>(after)
        .bind::<BigInt, _>(most)
        .load(conn)?)
}

pub fn awards_of(conn: &mut Conn, run: Uuid, distributor: &str) -> Result<Vec<Award>, DbError> {
    Ok(sql_query(format!(
        "{AWARD} where a.run_id = $1 and a.distributor_id = $2 order by p.starts_at, a.award_no limit 1000"
    ))
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(distributor)
    .load(conn)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Cut {
    #[diesel(sql_type = Integer)]
    pub award_no: i32,
    #[diesel(sql_type = Text)]
    pub cut_by: String,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

pub fn cuts(conn: &mut Conn, run: Uuid, awards: &[i32]) -> Result<Vec<Cut>, DbError> {
    Ok(sql_query(
        "select award_no, cut_by, amount from run_cuts where run_id = $1 and award_no = any($2)
         order by award_no, cut_by",
    )
    .bind::<SqlUuid, _>(run)
    .bind::<Array<Integer>, _>(awards)
    .load(conn)?)
}

/// How a distributor stands in a run.
#[derive(Clone, Debug, QueryableByName)]
pub struct Standing {
    #[diesel(sql_type = Bool)]
    pub active: bool,
    #[diesel(sql_type = Numeric)]
    pub pv: Decimal,
    #[diesel(sql_type = Numeric)]
    pub gv: Decimal,
    #[diesel(sql_type = Numeric)]
    pub pgv: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    pub achieved: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub paid_as: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub title: Option<String>,
}

pub fn standing(conn: &mut Conn, run: Uuid, distributor: &str) -> Result<Option<Standing>, DbError> {
    let found = sql_query(
        "select active, pv, gv, pgv, achieved, paid_as, title from run_standings
         where run_id = $1 and distributor_id = $2 and period_id = (select period_id from runs where run_id = $1)",
    );
    let found = found.bind::<SqlUuid, _>(run).bind::<Text, _>(distributor);
    Ok(found.get_result(conn).optional()?)
}

/// Volume of a position that was not matched yet.
#[derive(Clone, Debug, QueryableByName)]
pub struct Lot {
    #[diesel(sql_type = Text)]
    pub bonus: String,
    #[diesel(sql_type = Text)]
    pub position: String,
    #[diesel(sql_type = SmallInt)]
    pub side: i16,
    #[diesel(sql_type = SmallInt)]
    pub age: i16,
    #[diesel(sql_type = Text)]
    pub period: String,
    #[diesel(sql_type = Numeric)]
    pub volume: Decimal,
}

/// What a run leaves to the next one on the positions of a distributor, the oldest first.
pub fn lots(conn: &mut Conn, run: Uuid, distributor: &str) -> Result<Vec<Lot>, DbError> {
    Ok(sql_query(
        "select l.bonus, l.position, l.side, l.age, l.period, l.volume from run_lots l
         where l.run_id = $1 and (l.position = $2 or l.position in (
           select v.position_id from placement_versions v where v.distributor_id = $2))
         order by l.bonus, l.position, l.side, l.age desc, l.period limit 500",
    )
    .bind::<SqlUuid, _>(run)
    .bind::<Text, _>(distributor)
    .load(conn)?)
}
