//! The little that the supervisor itself asks of its server: does it answer, is the database there.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::error::EmbeddedError;
use super::place::Place;

pub const SUPERUSER: &str = "upline";
const ADMIN_DATABASE: &str = "postgres";

/// Names the port although it is the usual one: libpq would take another from `PGPORT`. The socket's path
/// needs no quotes, see `place::socket_dir`.
pub fn conninfo(socket: &Path, database: &str) -> String {
    format!("host={} port=5432 user={SUPERUSER} dbname={database}", socket.display())
}

pub fn answers(place: &Place) -> bool {
    connect(place).is_ok()
}

pub fn check_name(name: &str) -> Result<(), EmbeddedError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() < 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(EmbeddedError::Name { name: name.into() })
}

/// Makes the database when it is missing. Two processes may do so at once.
pub fn ensure_database(place: &Place, name: &str) -> Result<(), EmbeddedError> {
    let mut connection = connect(place)?;
    let failed = |source| EmbeddedError::Create { name: name.into(), source };
    if exists(&mut connection, name).map_err(failed)? {
        return Ok(());
    }
    let created = connection.batch_execute(&format!("create database \"{name}\""));
    match created {
        Err(_) if exists(&mut connection, name).map_err(failed)? => Ok(()),
        created => created.map_err(failed),
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn exists(connection: &mut PgConnection, name: &str) -> diesel::QueryResult<bool> {
    let query = sql_query("select count(*) as count from pg_database where datname = $1");
    Ok(query.bind::<Text, _>(name).get_result::<Count>(connection)?.count > 0)
}

fn connect(place: &Place) -> Result<PgConnection, EmbeddedError> {
    PgConnection::establish(&conninfo(&place.socket, ADMIN_DATABASE))
        .map_err(|source| EmbeddedError::Connect { socket: place.socket.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_is_plain() {
        assert!(check_name("upline_2").is_ok());
        for bad in ["", "2x", "Upline", "a b", "a\"b", "a-b", &"x".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
