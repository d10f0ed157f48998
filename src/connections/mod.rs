//! The stores whose own API we may call: addresses, credentials, webhooks there, and how all that goes.
//!
//! [`Keeper`] connects a store and keeps its webhooks as they should be; [`Worker`] does that on a schedule and
//! listens for silence. The network is never asked inside a database transaction: what is read there is written
//! afterwards, in small steps that can be interrupted and repeated.

mod address;
mod advice;
mod check;
mod connect;
mod credentials;
mod listen;
mod notes;
mod problem;
mod repo;
mod secrets;
mod webhooks;
mod worker;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use url::Url;

pub use address::{AddressProblem, base_url, is_out_of_reach, unreachable};
pub use advice::{advice, told};
pub use check::Tested;
pub use connect::{Checked, Disconnected, Wanted};
pub use credentials::{Given, GivenProblem};
pub use notes::note_outcome;
pub use problem::ConnectionProblem;
pub use repo::{Connection, Subscription, connection, list};
pub use webhooks::plan::Why;
pub use webhooks::rotate::Rotation;
pub use webhooks::{Deed, Done, Ensured, Keeper};
pub use worker::{Schedule, Worker};

use crate::clients::http::Http;
use crate::clients::{self, Credentials, Endpoint, Probe, StoreApi};
use crate::clock::Clock;
use crate::core::ids::StoreId;
use crate::db::{Conn, DbError, Tx};
use crate::ingest;
use crate::stores::Platform;
use crate::vault::Vault;

pub struct NewConnection<'a> {
    pub store: StoreId,
    pub base: &'a Url,
    pub allow_private: bool,
    pub credentials: &'a Credentials,
    pub zone: Tz,
    pub facts: &'a Probe,
}

/// Writes down who did what, in the database transaction of the deed: its name, and its detail.
pub type Witness<'a> = dyn Fn(&mut Tx<'_>, &str, Value) -> Result<(), DbError> + 'a;

/// Seals the credentials with `new` that `old` has sealed. Returns how many those were.
pub fn seal_again(tx: &mut Tx<'_>, old: &Vault, new: &Vault) -> Result<usize, ConnectionProblem> {
    let mut again = vec![];
    for (store, sealed) in repo::sealed_credentials(tx.conn)? {
        again.extend(new.seal_again(old, &sealed)?.map(|sealed| (store, sealed)));
    }
    repo::exchange_credentials(tx.conn, &again)?;
    Ok(again.len())
}

/// Connects a store, or exchanges everything about its connection.
pub fn save(
    tx: &mut Tx<'_>,
    vault: &Vault,
    new: &NewConnection<'_>,
    now: DateTime<Utc>,
) -> Result<(), ConnectionProblem> {
    let sealed = vault.seal(&serde_json::to_vec(new.credentials)?)?;
    Ok(repo::save(tx.conn, new, &sealed, now)?)
}

/// The client of a connected store.
pub fn open(
    connection: &Connection,
    vault: &Vault,
    clock: &Clock,
) -> Result<Box<dyn StoreApi>, ConnectionProblem> {
    let endpoint = connection.endpoint()?;
    let http = Http::network(endpoint.allow_private, clock.clone());
    Ok(clients::open(&endpoint, &connection.opened(vault)?, http)?)
}

/// Our subscriptions at a store as they were left, by topic.
pub fn subscriptions(conn: &mut Conn, store: StoreId) -> Result<Vec<Subscription>, DbError> {
    repo::subscriptions(conn, store)
}

/// How many of a store's subscriptions sign with another secret than its newest, which therefore may not end.
pub fn signing_with_older(conn: &mut Conn, slug: &str) -> Result<usize, DbError> {
    let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == slug);
    let Some(store) = store else { return Ok(0) };
    let newest = store.secrets.first().map(|secret| secret.secret_no);
    let rows = repo::subscriptions(conn, store.id)?;
    Ok(rows.iter().filter(|row| row.external_id.is_some() && Some(row.secret_no) != newest).count())
}

impl Connection {
    pub fn store(&self) -> StoreId {
        StoreId(self.store_id)
    }

    pub fn platform(&self) -> Result<Platform, DbError> {
        self.platform.parse().map_err(|_| DbError::Damaged(format!("platform of {}", self.slug)))
    }

    pub fn endpoint(&self) -> Result<Endpoint, ConnectionProblem> {
        let base =
            Url::parse(&self.base_url).map_err(|_| DbError::Damaged(format!("address of {}", self.slug)))?;
        Ok(Endpoint { platform: self.platform()?, base, allow_private: self.allow_private })
    }

    /// Where the store's days begin.
    pub fn tz(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }

    /// What the store said of itself when it was connected.
    pub fn probe(&self) -> Probe {
        serde_json::from_value(self.facts.clone()).unwrap_or_default()
    }

    fn opened(&self, vault: &Vault) -> Result<Credentials, ConnectionProblem> {
        Ok(serde_json::from_slice(&vault.open_sealed(&self.credentials)?)?)
    }
}
