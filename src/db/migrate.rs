//! Schema migrations, embedded in the binary, run by one process at a time.
//!
//! The migration crate takes no lock of its own, so a session lock is held around it: of two instances that
//! start together one migrates and the other waits.

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::DbError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
/// "upline" as a number; any constant would do as long as nobody else uses it.
const LOCK: i64 = 0x7570_6c69_6e65;

#[derive(Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Versions that this call has applied, oldest first.
    pub applied: Vec<String>,
}

/// Brings the schema up to date. Each migration runs in a database transaction of its own, so one that was
/// killed half-way is run again by the next start.
pub fn migrate(url: &str) -> Result<Migrated, DbError> {
    let mut conn = connect(url)?;
    sql_query(format!("select pg_advisory_lock({LOCK})")).execute(&mut conn)?;
    let applied = conn
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(|error| DbError::Damaged(format!("a migration failed: {error}")));
    sql_query(format!("select pg_advisory_unlock({LOCK})")).execute(&mut conn)?;
    Ok(Migrated { applied: applied? })
}

/// Migrations that this binary knows and the database has not seen.
pub fn pending(url: &str) -> Result<Vec<String>, DbError> {
    let mut conn = connect(url)?;
    let pending = conn
        .pending_migrations(MIGRATIONS)
        .map_err(|error| DbError::Damaged(format!("migrations cannot be listed: {error}")))?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

fn connect(url: &str) -> Result<PgConnection, DbError> {
    let mut conn = PgConnection::establish(url).map_err(|error| DbError::Unavailable(Box::new(error)))?;
    sql_query("set client_min_messages = warning").execute(&mut conn)?;
    Ok(conn)
}
