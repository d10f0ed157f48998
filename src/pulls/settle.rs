//! Whether what was taken has come to its end: orders recorded, commissions calculated.

use super::repo;
use crate::core::ids::StoreId;
use crate::db::{Conn, DbError};

/// No event about the orders of this store waits. Events that are parked wait for a person and are not counted.
pub fn settled(conn: &mut Conn, store: StoreId) -> Result<bool, DbError> {
    Ok(repo::events::waiting(conn, store, Some(1))? == 0)
}

/// How many events about the orders of this store wait.
pub fn unsettled(conn: &mut Conn, store: StoreId) -> Result<i64, DbError> {
    repo::events::waiting(conn, store, None)
}
