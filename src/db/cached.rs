//! A table kept in memory, reloaded when its version number in `cache_versions` has moved.
//!
//! Writers call [`bump`] in the database transaction of their change; readers ask once per batch, in theirs,
//! so a batch never works with older values than the database transaction can see.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::{DbError, Tx};

pub struct Cached<T> {
    name: &'static str,
    load: fn(&mut PgConnection) -> Result<T, DbError>,
    held: Mutex<Option<(i64, Arc<T>)>>,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl<T> Cached<T> {
    pub const fn new(name: &'static str, load: fn(&mut PgConnection) -> Result<T, DbError>) -> Self {
        Self { name, load, held: Mutex::new(None) }
    }

    pub fn get(&self, conn: &mut PgConnection) -> Result<Arc<T>, DbError> {
        let now: Version = sql_query("select version from cache_versions where name = $1")
            .bind::<Text, _>(self.name)
            .get_result(conn)?;
        if let Some((version, value)) = &*self.held.lock().unwrap_or_else(PoisonError::into_inner)
            && *version == now.version
        {
            return Ok(value.clone());
        }
        // The version was read first: a change in between is loaded now and once more next time, never missed.
        let value = Arc::new((self.load)(conn)?);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((now.version, value.clone()));
        Ok(value)
    }
}

/// Tells every process that the named tables have changed, from this commit on.
pub fn bump(tx: &mut Tx<'_>, name: &'static str) -> Result<(), DbError> {
    sql_query("update cache_versions set version = version + 1 where name = $1")
        .bind::<Text, _>(name)
        .execute(tx.conn)?;
    Ok(())
}
