//! SQL of payees.

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
