//! SQL of backups.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::db::DbError;

#[derive(QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = Text)]
    pub schema: String,
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
    #[diesel(sql_type = BigInt)]
    pub deliveries: i64,
}

pub fn counts(conn: &mut PgConnection) -> Result<Counts, DbError> {
    Ok(sql_query(
        "select (select max(version) from __diesel_schema_migrations) as schema,
                (select count(*) from journal_entries) as entries,
                (select count(*) from deliveries) as deliveries",
    )
    .get_result(conn)?)
}

#[derive(QueryableByName)]
struct Is {
    #[diesel(sql_type = Bool)]
    is: bool,
}

/// Whether there are tables at all.
pub fn is_empty(conn: &mut PgConnection) -> Result<bool, DbError> {
    let is: Is = sql_query(
        "select not exists (select from information_schema.tables
                            where table_schema not in ('pg_catalog', 'information_schema')) as is",
    )
    .get_result(conn)?;
    Ok(is.is)
}

/// Whether there is a schema of ours, of whatever age.
pub fn holds_anything(conn: &mut PgConnection) -> Result<bool, DbError> {
    let is: Is = sql_query("select to_regclass('public.deliveries') is not null as is").get_result(conn)?;
    Ok(is.is)
}

/// `name` is made by us, of letters, digits and `_`.
pub fn make_database(conn: &mut PgConnection, name: &str) -> Result<(), DbError> {
    Ok(conn.batch_execute(&format!("create database {name} template template0"))?)
}

pub fn drop_database(conn: &mut PgConnection, name: &str) -> Result<(), DbError> {
    Ok(conn.batch_execute(&format!("drop database if exists {name} with (force)"))?)
}
