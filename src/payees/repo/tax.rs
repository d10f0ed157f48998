//! SQL of tax data.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::db::DbError;

#[derive(QueryableByName)]
pub struct HeadRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<String>,
    /// 0: nothing is recorded, or it was forgotten.
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Text)]
    pub masked: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub recorded_by: Option<String>,
}

/// Of every distributor that there is.
pub fn heads(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<HeadRow>, DbError> {
    Ok(sql_query(
        "select distinct on (d.distributor_id)
                d.distributor_id, d.country, coalesce(v.version_no, 0) as version_no,
                coalesce(v.kind, 'unknown') as kind, coalesce(v.status, 'none') as status,
                coalesce(v.masked, '') as masked, v.recorded_at, v.recorded_by
         from distributors d
         left join (payee_tax_versions v join payee_keys k using (distributor_id, key_no)) using (distributor_id)
         where d.distributor_id = any($1)
         order by d.distributor_id, v.version_no desc nulls last",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?)
}

#[derive(QueryableByName)]
pub struct SealedRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
    #[diesel(sql_type = Integer)]
    pub key_no: i32,
    #[diesel(sql_type = Binary)]
    pub sealed_key: Vec<u8>,
}

/// The newest of each that can be opened.
pub fn sealed(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<SealedRow>, DbError> {
    Ok(sql_query(
        "select distinct on (v.distributor_id)
                v.distributor_id, v.version_no, v.kind, v.status, v.sealed, k.key_no, k.sealed_key
         from payee_tax_versions v join payee_keys k using (distributor_id, key_no)
         where v.distributor_id = any($1) order by v.distributor_id, v.version_no desc",
    )
    .bind::<Array<Text>, _>(ids)
    .load(conn)?)
}

#[derive(QueryableByName)]
pub struct Last {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
}

/// Of those who have any, also when they were forgotten.
pub fn last_versions(conn: &mut PgConnection, ids: &[&DistributorId]) -> Result<Vec<Last>, DbError> {
    Ok(sql_query(
        "select distributor_id, max(version_no) as version_no from payee_tax_versions
         where distributor_id = any($1) group by 1",
    )
    .bind::<Array<Text>, _>(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>())
    .load(conn)?)
}

pub struct NewVersion {
    pub distributor_id: String,
    pub version_no: i32,
    pub key_no: i32,
    pub kind: &'static str,
    pub status: &'static str,
    pub sealed: Vec<u8>,
    pub masked: String,
}

pub fn insert(
    conn: &mut PgConnection,
    rows: &[NewVersion],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into payee_tax_versions
           (distributor_id, version_no, key_no, kind, status, sealed, masked, recorded_at, recorded_by)
         select t.*, $8, $9 from unnest($1, $2, $3, $4, $5, $6, $7) as t",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.version_no).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.key_no).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.status).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.sealed.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.masked.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub struct Clear {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Text)]
    pub tax_id: String,
}

/// The next distributors whose number is in the clear, held for the rest of the database transaction.
pub fn clear(conn: &mut PgConnection, limit: i64) -> Result<Vec<Clear>, DbError> {
    Ok(sql_query(
        "select distributor_id, tax_id from distributors where tax_id is not null
         order by distributor_id limit $1 for no key update",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn has_clear(conn: &mut PgConnection) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let row: Found = sql_query("select exists (select from distributors where tax_id is not null) as found")
        .get_result(conn)?;
    Ok(row.found)
}

pub fn forget_clear(conn: &mut PgConnection, ids: &[&str]) -> Result<(), DbError> {
    sql_query("update distributors set tax_id = null where distributor_id = any($1) and tax_id is not null")
        .bind::<Array<Text>, _>(ids)
        .execute(conn)?;
    Ok(())
}
