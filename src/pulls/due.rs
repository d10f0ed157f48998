//! How reading stands, as the rhythm wants to know it.

use chrono::{DateTime, Utc};

use super::repo::{marks, windows};
use super::rhythm::Known;
use super::sink::sink;
use super::{Cause, Kind, Mark, Pull};
use crate::connections::{self, Connection};
use crate::core::ids::StoreId;
use crate::db::{Conn, DbError};
use crate::ingest::{self, Store};

/// The causes of the worker's own windows.
pub const OWN: [Cause; 2] = [Cause::Schedule, Cause::Daily];

/// Those that somebody takes.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| sink(*kind).is_some())
}

pub fn known_now(conn: &mut Conn, connection: &Connection, kind: Kind) -> Result<Known, DbError> {
    let store = StoreId(connection.store_id);
    let (marks, unfinished) =
        (marks::marks(conn, Some(store))?, windows::unfinished(conn, Some(store), &OWN)?);
    Ok(known(connection, kind, &marks, &unfinished))
}

pub fn known(connection: &Connection, kind: Kind, marks: &[Mark], unfinished: &[Pull]) -> Known {
    let store = StoreId(connection.store_id);
    let mark = marks.iter().find(|mark| mark.store == store && mark.kind == kind);
    let begun = unfinished.iter().find(|pull| pull.store_id == store && pull.kind == kind);
    Known {
        connected_at: connection.connected_at,
        pulled_until: mark.and_then(|mark| mark.pulled_until),
        daily_at: mark.and_then(|mark| mark.daily_at),
        failures: mark.map_or(0, |mark| mark.failures),
        next_try_at: mark.and_then(|mark| mark.next_try_at),
        unfinished: begun.map(|pull| (pull.cause, pull.span)),
    }
}

/// A store that can be read, by its slug; also one that is paused.
pub fn connected(conn: &mut Conn, slug: &str) -> Result<Option<(Connection, Store)>, DbError> {
    let Some(connection) = connections::connection(conn, slug)? else { return Ok(None) };
    let store = ingest::list_stores(conn)?.into_iter().find(|store| store.id.0 == connection.store_id);
    Ok(store.map(|store| (connection, store)))
}

/// Since when a kind of a store was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// Slug.
    pub store: String,
    pub kind: Kind,
    /// The end of the last complete window; before the first one, when the store was connected.
    pub since: DateTime<Utc>,
}

/// Of every store that should be read, for those who watch.
pub fn ages(conn: &mut Conn) -> Result<Vec<Age>, DbError> {
    let connections: Vec<Connection> =
        connections::list(conn)?.into_iter().filter(|connection| !connection.paused).collect();
    let marks = marks::marks(conn, None)?;
    let age = |connection: &Connection, kind: Kind| {
        let known = known(connection, kind, &marks, &[]);
        let since = known.pulled_until.unwrap_or(known.connected_at);
        Age { store: connection.slug.clone(), kind, since }
    };
    Ok(connections.iter().flat_map(|connection| kinds().map(move |kind| age(connection, kind))).collect())
}
