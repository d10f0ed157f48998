//! SQL of the keys of persons.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::db::DbError;

#[derive(QueryableByName)]
pub struct KeyRow {
    #[diesel(sql_type = Text)]
    pub distributor_id: String,
    #[diesel(sql_type = Integer)]
    pub key_no: i32,
    #[diesel(sql_type = Binary)]
    pub sealed_key: Vec<u8>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    distributor_id: String,
}

fn names<'a>(ids: &[&'a DistributorId]) -> Vec<&'a str> {
    ids.iter().map(|id| id.as_str()).collect()
}

/// Holds the distributors for the rest of the database transaction: changes, releases and forgetting of one person
/// wait for each other. Returns those that exist.
pub fn hold(conn: &mut PgConnection, ids: &[&DistributorId]) -> Result<Vec<String>, DbError> {
    let held: Vec<Id> = sql_query(
        "select distributor_id from distributors where distributor_id = any($1)
         order by distributor_id for no key update",
    )
    .bind::<Array<Text>, _>(names(ids))
    .load(conn)?;
    Ok(held.into_iter().map(|row| row.distributor_id).collect())
}

pub fn load(conn: &mut PgConnection, ids: &[&DistributorId]) -> Result<Vec<KeyRow>, DbError> {
    Ok(sql_query("select distributor_id, key_no, sealed_key from payee_keys where distributor_id = any($1)")
        .bind::<Array<Text>, _>(names(ids))
        .load(conn)?)
}

/// The last key that each had, of those who have forgotten ones.
pub fn last_numbers(
    conn: &mut PgConnection,
    ids: &[&DistributorId],
) -> Result<HashMap<String, i32>, DbError> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Text)]
        distributor_id: String,
        #[diesel(sql_type = Integer)]
        key_no: i32,
    }
    let rows: Vec<Last> = sql_query(
        "select distributor_id, max(key_no) as key_no
         from (select distributor_id, key_no from payee_versions where distributor_id = any($1)
               union all
               select distributor_id, key_no from payee_tax_versions where distributor_id = any($1)) used
         group by 1",
    )
    .bind::<Array<Text>, _>(names(ids))
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.distributor_id, row.key_no)).collect())
}

pub fn insert(
    conn: &mut PgConnection,
    rows: &[KeyRow],
    sealed_under: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "insert into payee_keys (distributor_id, key_no, sealed_key, sealed_under, created_at)
         select t.*, $4, $5 from unnest($1, $2, $3) as t(distributor_id, key_no, sealed_key)",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.key_no).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.sealed_key.as_slice()).collect::<Vec<_>>())
    .bind::<Text, _>(sealed_under)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

pub fn sealed_under_another(
    conn: &mut PgConnection,
    fingerprint: &str,
    limit: i64,
) -> Result<Vec<KeyRow>, DbError> {
    Ok(sql_query(
        "select distributor_id, key_no, sealed_key from payee_keys where sealed_under <> $1
         order by distributor_id limit $2 for update",
    )
    .bind::<Text, _>(fingerprint)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

pub fn count_under_another(conn: &mut PgConnection, fingerprint: &str) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        keys: i64,
    }
    let count: Count = sql_query("select count(*) as keys from payee_keys where sealed_under <> $1")
        .bind::<Text, _>(fingerprint)
        .get_result(conn)?;
    Ok(count.keys)
}

pub fn seal_again(conn: &mut PgConnection, rows: &[KeyRow], sealed_under: &str) -> Result<(), DbError> {
    sql_query(
        "update payee_keys k set sealed_key = t.sealed_key, sealed_under = $3
         from unnest($1, $2) as t(distributor_id, sealed_key) where k.distributor_id = t.distributor_id",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.distributor_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.sealed_key.as_slice()).collect::<Vec<_>>())
    .bind::<Text, _>(sealed_under)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Is {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is: bool,
}

/// Whether a payout is on its way to somebody.
pub fn is_being_paid(conn: &mut PgConnection, id: &DistributorId) -> Result<bool, DbError> {
    let found: Is = sql_query(
        "select exists (select from payout_items where distributor_id = $1
                        and status in ('prepared', 'approved', 'exported', 'sent', 'unknown')) as is",
    )
    .bind::<Text, _>(id.as_str())
    .get_result(conn)?;
    Ok(found.is)
}

/// Whether there was a key.
pub fn destroy(conn: &mut PgConnection, id: &DistributorId) -> Result<bool, DbError> {
    let gone = sql_query("delete from payee_keys where distributor_id = $1")
        .bind::<Text, _>(id.as_str())
        .execute(conn)?;
    Ok(gone > 0)
}

/// Empties what nobody can open any more, so that an older copy of the keys cannot open it either. Returns how many
/// versions of bank and of tax data.
pub fn empty(conn: &mut PgConnection, id: &DistributorId) -> Result<(usize, usize), DbError> {
    let mut emptied = |table: &str| -> Result<usize, DbError> {
        Ok(sql_query(format!(
            "update {table} set sealed = '', masked = '' where distributor_id = $1 and sealed <> ''"
        ))
        .bind::<Text, _>(id.as_str())
        .execute(conn)?)
    };
    Ok((emptied("payee_versions")?, emptied("payee_tax_versions")?))
}
