//! Ranks that a period has decided become versions of the distributors.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz};
use diesel::{PgConnection, RunQueryDsl, sql_query};

use crate::db::DbError;

/// How many distributors are compared at once.
const BATCH: usize = 20_000;

/// Adds a version from `from` on for each whose rank is another by then, and again each later version that had
/// only repeated the rank that is replaced: what somebody has decided for `from` or later stands. What an earlier
/// close has decided for `from` is replaced. `recorded_at` is when that is known, and the profile shows what holds
/// `now`.
pub fn insert_ranks(
    conn: &mut PgConnection,
    decided: &[(String, Option<String>)],
    (from, known_at): (DateTime<Utc>, DateTime<Utc>),
    by: &str,
    (recorded_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<usize, DbError> {
    let mut changed = 0;
    for batch in decided.chunks(BATCH) {
        let ids: Vec<&str> = batch.iter().map(|(id, _)| id.as_str()).collect();
        let ranks: Vec<Option<&str>> = batch.iter().map(|(_, rank)| rank.as_deref()).collect();
        changed += sql_query(
            "with decided as (select * from unnest($1, $2) as t(distributor_id, rank)),
             -- what holds from each instant on
             held as (
               select distinct on (v.distributor_id, v.effective_from) v.distributor_id, v.sponsor_id, v.status,
                      v.rank, v.rank_decided, v.effective_from, d.rank as new_rank
               from decided d join distributor_versions v using (distributor_id)
               order by v.distributor_id, v.effective_from, v.version_no desc),
             standing as (
               select distinct on (distributor_id) * from held
               where effective_from < $3 or (effective_from = $3 and rank_decided)
               order by distributor_id, effective_from desc),
             changed as (
               select * from standing s
               where s.rank is distinct from s.new_rank
                 and exists (select from distributor_versions k
                             where k.distributor_id = s.distributor_id and k.recorded_at <= $4)),
             later as (
               select h.distributor_id, h.sponsor_id, h.status, h.rank, c.rank as old_rank, h.new_rank,
                      h.effective_from
               from changed c join held h using (distributor_id)
               where h.effective_from >= $3 and h.effective_from > c.effective_from),
             added as (
               select distributor_id, sponsor_id, status, new_rank, $3::timestamptz as effective_from
               from changed c where not exists (
                 select from later l where l.distributor_id = c.distributor_id and l.effective_from = $3)
               union all
               select distributor_id, sponsor_id, status, new_rank, effective_from from later
               where rank is not distinct from old_rank)
             insert into distributor_versions
               (distributor_id, version_no, sponsor_id, status, rank, effective_from, recorded_at, recorded_by,
                rank_decided)
             select a.distributor_id,
                    (select max(version_no) from distributor_versions m where m.distributor_id = a.distributor_id)
                      + row_number() over (partition by a.distributor_id order by a.effective_from),
                    a.sponsor_id, a.status, a.new_rank, a.effective_from, $5, $6, true
             from added a",
        )
        .bind::<Array<Text>, _>(&ids)
        .bind::<Array<Nullable<Text>>, _>(&ranks)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(known_at)
        .bind::<Timestamptz, _>(recorded_at)
        .bind::<Text, _>(by)
        .execute(conn)?;
        sql_query(
            "update distributors d set rank = n.rank
             from (select distinct on (distributor_id) distributor_id, rank from distributor_versions
                   where distributor_id = any($1) and effective_from <= $2
                   order by distributor_id, effective_from desc, version_no desc) n
             where n.distributor_id = d.distributor_id and d.rank is distinct from n.rank",
        )
        .bind::<Array<Text>, _>(&ids)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    }
    Ok(changed)
}
