//! What participants of a year earned.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Numeric, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use crate::db::DbError;

#[derive(QueryableByName)]
pub struct IncomeRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub rank: String,
    #[diesel(sql_type = Numeric)]
    pub gross: Decimal,
    #[diesel(sql_type = Numeric)]
    pub taken_back: Decimal,
    #[diesel(sql_type = Numeric)]
    pub fees: Decimal,
    /// Earned in other currencies only.
    #[diesel(sql_type = Bool)]
    pub elsewhere: bool,
}

/// Who was active or suspended at any time of the year, and who earned anything in it. Ranks as they were at its end.
pub const QUERY: &str = "with spans as (
  select distributor_id, status, effective_from,
         lead(effective_from) over (partition by distributor_id order by effective_from, version_no) as until
  from distributor_versions),
took_part as (
  select distinct s.distributor_id
  from spans s join distributors d using (distributor_id)
  where d.created_at < $2 and s.status in ('active', 'suspended') and s.effective_from < $2
    and (s.until is null or (s.until > $1 and s.until > s.effective_from))),
ranked as (
  select distinct on (distributor_id) distributor_id, rank
  from distributor_versions where effective_from < $2
  order by distributor_id, effective_from desc, version_no desc),
moved as (
  select p.distributor_id, e.currency::text as currency,
         -coalesce(sum(p.amount) filter (where p.account = 2100 and p.amount < 0), 0) as gross,
         coalesce(sum(p.amount) filter (where p.account = 2100 and p.amount > 0), 0) as taken_back,
         -coalesce(sum(p.amount) filter (where p.account = 4200), 0) as fees
  from journal_entries e join postings p using (source_id, entry_no)
  where e.posted_at >= $1 and e.posted_at < $2 and p.distributor_id is not null
    and (p.account = 2100 and e.kind in ('commission', 'period', 'adjustment', 'manual')
         or p.account = 4200 and e.kind in ('payout', 'payout_cancelled', 'payout_returned'))
  group by 1, 2)
select d.distributor_id, coalesce(r.rank, '') as rank, coalesce(m.gross, 0) as gross,
       coalesce(m.taken_back, 0) as taken_back, coalesce(m.fees, 0) as fees,
       m.distributor_id is null and d.distributor_id in (select distributor_id from moved) as elsewhere
from distributors d
left join ranked r on r.distributor_id = d.distributor_id
left join moved m on m.distributor_id = d.distributor_id and m.currency = $3
where (d.distributor_id in (select distributor_id from took_part)
       or d.distributor_id in (select distributor_id from moved))
  and ($4 = '' or upper(d.country) = $4)
order by d.distributor_id";

pub fn of_year(
    conn: &mut PgConnection,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    currency: &str,
    country: &str,
) -> Result<Vec<IncomeRow>, DbError> {
    Ok(sql_query(QUERY)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(until)
        .bind::<Text, _>(currency)
        .bind::<Text, _>(country)
        .load(conn)?)
}

#[derive(QueryableByName)]
struct Code {
    #[diesel(sql_type = Text)]
    currency: String,
}

pub fn currencies(
    conn: &mut PgConnection,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<String>, DbError> {
    let rows: Vec<Code> = sql_query(
        "select distinct currency::text as currency from journal_entries
         where posted_at >= $1 and posted_at < $2 and kind in ('commission', 'period', 'adjustment', 'manual')
         order by 1",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(until)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.currency).collect())
}
