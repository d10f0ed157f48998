//! SQL of distributors and their versions.

pub mod codes;
pub mod knowledge;
pub mod placement;
mod ranks;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::Entry;
use crate::core::genealogy::{DistributorVersion, Status};
use crate::core::ids::DistributorId;
use crate::db::DbError;

pub use ranks::insert_ranks;

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    sponsor_id: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    rank: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    enrolled_at: DateTime<Utc>,
}

/// The version that holds from each instant on: the latest recorded where two start together. `known_at`: only
/// what was recorded by then.
pub fn versions(
    conn: &mut PgConnection,
    known_at: Option<DateTime<Utc>>,
) -> Result<Vec<DistributorVersion>, DbError> {
    sql_query(
        "select distinct on (v.distributor_id, v.effective_from)
                v.distributor_id, v.sponsor_id, v.status, v.rank,
                nullif(v.effective_from, '-infinity') as effective_from, d.created_at as enrolled_at
         from distributor_versions v join distributors d using (distributor_id)
         where $1 is null or v.recorded_at <= $1
         order by v.distributor_id, v.effective_from, v.version_no desc",
    )
    .bind::<Nullable<Timestamptz>, _>(known_at)
    .load::<VersionRow>(conn)?
    .into_iter()
    .map(|row| {
        let status = Status::parse(&row.status)
            .ok_or_else(|| DbError::Damaged(format!("status of distributor {}", row.distributor_id)))?;
        Ok(DistributorVersion {
            id: DistributorId::new(row.distributor_id),
            sponsor: row.sponsor_id.map(DistributorId::new),
            status,
            rank: row.rank,
            from: row.effective_from,
            enrolled_at: Some(row.enrolled_at),
        })
    })
    .collect()
}

/// What is known of a distributor now. Personal data: never log it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Profile {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sponsor_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub rank: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

pub fn profiles(conn: &mut PgConnection, ids: &[String]) -> Result<Vec<Profile>, DbError> {
    Ok(sql_query(
        "select distributor_id, sponsor_id, status, rank, country, name, email, created_at
         from distributors where distributor_id = any($1) order by distributor_id",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?)
}

/// The profile takes every given field; the version is added behind those that exist.
pub fn upsert(
    conn: &mut PgConnection,
    entries: &[Entry],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<&str> = entries.iter().map(|e| e.version.id.as_str()).collect();
    let sponsors: Vec<Option<&str>> =
        entries.iter().map(|e| e.version.sponsor.as_ref().map(DistributorId::as_str)).collect();
    let statuses: Vec<&str> = entries.iter().map(|e| e.version.status.name()).collect();
    let ranks: Vec<Option<&str>> = entries.iter().map(|e| e.version.rank.as_deref()).collect();
    let option = |f: fn(&Entry) -> Option<&str>| entries.iter().map(f).collect::<Vec<_>>();
    sql_query(
        "insert into distributors as d
           (distributor_id, sponsor_id, status, rank, country, name, email, created_at)
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (distributor_id) do update set
           sponsor_id = excluded.sponsor_id, status = excluded.status, rank = excluded.rank,
           country = coalesce(excluded.country, d.country), name = coalesce(excluded.name, d.name), email = coalesce(excluded.email, d.email)",
    )
    .bind::<Array<Text>, _>(&ids)
    .bind::<Array<Nullable<Text>>, _>(&sponsors)
    .bind::<Array<Text>, _>(&statuses)
    .bind::<Array<Nullable<Text>>, _>(&ranks)
    .bind::<Array<Nullable<Text>>, _>(option(|e| e.country.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(option(|e| e.name.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(option(|e| e.email.as_deref()))
    .bind::<Array<Timestamptz>, _>(
        entries.iter().map(|e| e.version.enrolled_at.unwrap_or(DateTime::UNIX_EPOCH)).collect::<Vec<_>>(),
    )
    .execute(conn)?;
    let versions: Vec<&DistributorVersion> = entries.iter().map(|entry| &entry.version).collect();
    insert_versions(conn, &versions, by, now)
}

/// Each behind those that its distributor has. A rank that is only repeated stays a decided one; any other was given
/// by hand.
pub fn insert_versions(
    conn: &mut PgConnection,
    versions: &[&DistributorVersion],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into distributor_versions
           (distributor_id, version_no, sponsor_id, status, rank, effective_from, recorded_at, recorded_by,
            rank_decided)
         select t.distributor_id,
                coalesce((select max(version_no) from distributor_versions v
                          where v.distributor_id = t.distributor_id), 0)
                  + row_number() over (partition by t.distributor_id order by t.effective_from nulls first),
                t.sponsor_id, t.status, t.rank, coalesce(t.effective_from, '-infinity'), $6, $7,
                coalesce((select b.rank_decided and b.rank is not distinct from t.rank from distributor_versions b
                          where b.distributor_id = t.distributor_id
                            and b.effective_from <= coalesce(t.effective_from, '-infinity')
                          order by b.effective_from desc, b.version_no desc limit 1), false)
         from unnest($1, $2, $3, $4, $5) as t(distributor_id, sponsor_id, status, rank, effective_from)",
    )
    .bind::<Array<Text>, _>(versions.iter().map(|v| v.id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        versions.iter().map(|v| v.sponsor.as_ref().map(DistributorId::as_str)).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(versions.iter().map(|v| v.status.name()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(versions.iter().map(|v| v.rank.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(versions.iter().map(|v| v.from).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

/// The profile shows the version that begins last.
pub fn show_last_version(conn: &mut PgConnection, id: &DistributorId) -> Result<(), DbError> {
    sql_query(
        "update distributors d set sponsor_id = v.sponsor_id, status = v.status, rank = v.rank
         from (select * from distributor_versions where distributor_id = $1
               order by effective_from desc, version_no desc limit 1) v
         where d.distributor_id = $1",
    )
    .bind::<Text, _>(id.as_str())
    .execute(conn)?;
    Ok(())
}

/// Which of the ids are distributors.
pub fn known(conn: &mut PgConnection, ids: &[&str]) -> Result<HashSet<String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        distributor_id: String,
    }
    let rows: Vec<Row> = sql_query("select distributor_id from distributors where distributor_id = any($1)")
        .bind::<Array<Text>, _>(ids)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.distributor_id).collect())
}
