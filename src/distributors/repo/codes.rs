//! SQL of the codes that name distributors.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::db::DbError;

#[derive(Debug, QueryableByName)]
pub struct CodeVersion {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub distributor_id: Option<String>,
    /// `None`: from ever.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub effective_from: Option<DateTime<Utc>>,
}

/// All versions, or those of some codes, in the order in which they come to hold.
pub fn versions(conn: &mut PgConnection, of: Option<&[&str]>) -> Result<Vec<CodeVersion>, DbError> {
    Ok(sql_query(
        "select code, version_no, distributor_id, nullif(effective_from, '-infinity') as effective_from
         from distributor_code_versions v where $1 is null or code = any($1)
         order by code, v.effective_from, version_no",
    )
    .bind::<Nullable<Array<Text>>, _>(of)
    .load(conn)?)
}

pub struct NewVersion<'a> {
    pub code: &'a str,
    pub version_no: i32,
    pub to: Option<&'a DistributorId>,
    pub from: Option<DateTime<Utc>>,
}

pub fn insert(
    conn: &mut PgConnection,
    versions: &[NewVersion<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "insert into distributor_code_versions
           (code, version_no, distributor_id, effective_from, recorded_at, recorded_by)
         select code, version_no, distributor_id, coalesce(effective_from, '-infinity'), $5, $6
         from unnest($1, $2, $3, $4) as t(code, version_no, distributor_id, effective_from)",
    )
    .bind::<Array<Text>, _>(versions.iter().map(|v| v.code).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(versions.iter().map(|v| v.version_no).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        versions.iter().map(|v| v.to.map(DistributorId::as_str)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Timestamptz>>, _>(versions.iter().map(|v| v.from).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    distributor_id: String,
}

/// Whom references name now: an id as it is written, or a code in any case.
pub fn whoever(
    conn: &mut PgConnection,
    references: &[&str],
) -> Result<Vec<(String, DistributorId)>, DbError> {
    let rows: Vec<Named> = sql_query(
        "select reference, coalesce(d.distributor_id, c.distributor_id) as distributor_id
         from unnest($1) as t(reference)
         left join distributors d on d.distributor_id = t.reference
         left join distributor_codes c on c.code = lower(btrim(t.reference))
         where coalesce(d.distributor_id, c.distributor_id) is not null",
    )
    .bind::<Array<Text>, _>(references)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.reference, DistributorId::new(row.distributor_id))).collect())
}
