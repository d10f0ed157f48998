//! The stores whose own API we may call: addresses, credentials, and how that goes.

mod repo;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use url::Url;

pub use repo::{Connection, connection, list};

use crate::clients::http::Http;
use crate::clients::{self, ApiError, Credentials, Endpoint, Probe, StoreApi};
use crate::clock::Clock;
use crate::core::ids::StoreId;
use crate::db::{DbError, Tx};
use crate::stores::Platform;
use crate::vault::{Vault, VaultError};

#[derive(Debug, thiserror::Error)]
pub enum ConnectionProblem {
    #[error("the store {0:?} is not connected to its API: upline store connect {0}")]
    NotConnected(String),
    #[error("the stored credentials cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the stored credentials cannot be read")]
    Credentials(#[from] serde_json::Error),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

pub struct NewConnection<'a> {
    pub store: StoreId,
    pub base: &'a Url,
    pub allow_private: bool,
    pub credentials: &'a Credentials,
    pub zone: Tz,
    pub facts: &'a Probe,
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
    let credentials: Credentials = serde_json::from_slice(&vault.open_sealed(&connection.credentials)?)?;
    let endpoint = connection.endpoint()?;
    let http = Http::network(endpoint.allow_private, clock.clone());
    Ok(clients::open(&endpoint, &credentials, http)?)
}

/// A call of the store's API succeeded, or failed for good.
pub fn note_outcome(
    tx: &mut Tx<'_>,
    store: StoreId,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    repo::note_outcome(tx.conn, store, problem, now)
}

impl Connection {
    pub fn endpoint(&self) -> Result<Endpoint, ConnectionProblem> {
        let platform: Platform =
            self.platform.parse().map_err(|_| DbError::Damaged(format!("platform of {}", self.slug)))?;
        let base =
            Url::parse(&self.base_url).map_err(|_| DbError::Damaged(format!("address of {}", self.slug)))?;
        Ok(Endpoint { platform, base, allow_private: self.allow_private })
    }

    /// Where the store's days begin.
    pub fn tz(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }
}
