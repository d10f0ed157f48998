//! SQL of payees.

pub mod keys;
pub mod tax;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::db::DbError;

#[derive(QueryableByName)]
pub struct HeadRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
    #[diesel(sql_type = Text)]
    pub rail: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Text)]
    pub masked: String,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub held_until: Option<DateTime<Utc>>,
}

/// A version whose key is gone is none.
pub fn heads(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<HeadRow>, DbError> {
    Ok(sql_query(
        "select distinct on (v.distributor_id)
                v.distributor_id, v.version_no, v.rail, v.currency, v.masked, v.recorded_at, v.recorded_by,
                case when v.released_at is null then v.held_until end as held_until
         from payee_versions v join payee_keys k using (distributor_id, key_no)
         where v.distributor_id = any($1)
         order by v.distributor_id, v.version_no desc",
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
    pub rail: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
    #[diesel(sql_type = Integer)]
    pub key_no: i32,
    #[diesel(sql_type = Binary)]
    pub sealed_key: Vec<u8>,
}

pub fn sealed(conn: &mut PgConnection, wanted: &[(&DistributorId, i32)]) -> Result<Vec<SealedRow>, DbError> {
    let (ids, versions): (Vec<&str>, Vec<i32>) = wanted.iter().map(|(id, no)| (id.as_str(), *no)).unzip();
    Ok(sql_query(
        "select v.distributor_id, v.version_no, v.rail, v.currency, v.sealed, k.key_no, k.sealed_key
         from unnest($1, $2) as t(distributor_id, version_no)
         join payee_versions v using (distributor_id, version_no)
         join payee_keys k using (distributor_id, key_no)",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Integer>, _>(versions)
    .load(conn)?)
}

/// Of those who have any, also when they were forgotten.
pub fn last_versions(
    conn: &mut PgConnection,
    ids: &[&DistributorId],
) -> Result<HashMap<String, i32>, DbError> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Text)]
        distributor_id: String,
        #[diesel(sql_type = Integer)]
        version_no: i32,
    }
    let rows: Vec<Last> = sql_query(
        "select distributor_id, max(version_no) as version_no from payee_versions
         where distributor_id = any($1) group by 1",
    )
    .bind::<Array<Text>, _>(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.distributor_id, row.version_no)).collect())
}

pub struct NewVersion {
    pub distributor_id: String,
    pub version_no: i32,
    pub key_no: i32,
    pub rail: &'static str,
    pub currency: String,
    pub sealed: Vec<u8>,
    pub masked: String,
    pub held_until: Option<DateTime<Utc>>,
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
        "insert into payee_versions
           (distributor_id, version_no, key_no, rail, currency, sealed, masked, held_until, recorded_at, recorded_by)
         select t.*, $9, $10 from unnest($1, $2, $3, $4, $5, $6, $7, $8) as t",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.version_no).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.key_no).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.rail).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.currency.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.sealed.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.masked.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|row| row.held_until).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

pub fn release(
    conn: &mut PgConnection,
    id: &DistributorId,
    version_no: i32,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update payee_versions set released_at = $3, released_by = $4
         where distributor_id = $1 and version_no = $2 and released_at is null",
    )
    .bind::<Text, _>(id.as_str())
    .bind::<Integer, _>(version_no)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}

/// One line of what was recorded, as a page shows it.
#[derive(Clone, Debug, QueryableByName, serde::Serialize)]
pub struct Version {
    #[diesel(sql_type = Integer)]
    pub version_no: i32,
    #[diesel(sql_type = Text)]
    pub rail: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// Empty: forgotten.
    #[diesel(sql_type = Text)]
    pub masked: String,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub held_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub released_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub released_by: Option<String>,
}

/// Of one person, the newest first.
pub fn versions(conn: &mut PgConnection, id: &str) -> Result<Vec<Version>, DbError> {
    Ok(sql_query(
        "select version_no, rail, currency, masked, recorded_at, recorded_by, held_until, released_at, released_by
         from payee_versions where distributor_id = $1 order by version_no desc limit 100",
    )
    .bind::<Text, _>(id)
    .load(conn)?)
}
