//! The stores that may deliver: slug, platform, secrets, places of attribution.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretSlice};
use url::Url;

use super::repo;
use crate::core::binding::Terms;
use crate::core::ids::StoreId;
use crate::db::{Cached, Conn, DbError, Tx, bump};
use crate::vault::Vault;

#[derive(Clone, Debug)]
pub struct Store {
    pub id: StoreId,
    pub slug: String,
    pub platform: String,
    pub name: String,
    /// Ordered places where a distributor may be named.
    pub attribution: Vec<String>,
    /// Every version of how long an order binds its customer.
    pub bindings: Vec<Terms>,
    pub active: bool,
    /// Where visitors begin; referral links lead there.
    pub storefront: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Sealed; the live ones, newest first.
    pub secrets: Vec<SealedSecret>,
}

#[derive(Clone, Debug)]
pub struct SealedSecret {
    pub secret_no: i32,
    pub sealed: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

/// What can be wrong with a new store or secret; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum StoreProblem {
    #[error("a store with the slug {0:?} exists already")]
    SlugTaken(String),
    #[error("{0:?} is no slug: use 1 to 63 lower-case letters, digits and hyphens, such as main or shop-eu")]
    BadSlug(String),
    #[error("there is no store {0:?}")]
    Unknown(String),
    #[error("the secret is empty: a webhook that anybody can sign proves nothing")]
    EmptySecret,
    #[error("two secrets are live already: retire the old one first")]
    TwoLive,
    #[error("the secret could not be sealed")]
    Vault(#[from] crate::vault::VaultError),
    #[error("the store could not be saved")]
    Db(#[from] DbError),
}

pub struct NewStore<'a> {
    pub slug: &'a str,
    pub platform: &'a str,
    pub name: &'a str,
    pub attribution: &'a [String],
    pub secret: Option<&'a str>,
}

/// Lower-case letters, digits and hyphens, as the schema has it: a slug is part of an address.
pub fn is_slug(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=63).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-')
}

/// Returns the id of the store.
pub fn add_store(
    tx: &mut Tx<'_>,
    vault: &Vault,
    new: &NewStore<'_>,
    now: DateTime<Utc>,
) -> Result<StoreId, StoreProblem> {
    let added = repo::insert_store(tx.conn, new, now).map_err(|error| {
        if error.is_constraint("stores_slug_check") {
            StoreProblem::BadSlug(new.slug.to_owned())
        } else {
            error.into()
        }
    })?;
    let store = added.ok_or_else(|| StoreProblem::SlugTaken(new.slug.to_owned()))?;
    if let Some(secret) = new.secret {
        add_secret(tx, vault, new.slug, secret, now)?;
    }
    bump(tx, "stores")?;
    Ok(store)
}

/// A second live secret beside the first, so that a store can change over without a gap.
pub fn add_secret(
    tx: &mut Tx<'_>,
    vault: &Vault,
    slug: &str,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreProblem> {
    if secret.is_empty() {
        return Err(StoreProblem::EmptySecret);
    }
    let secrets = lock_secrets(tx, slug)?;
    if secrets.live >= 2 {
        return Err(StoreProblem::TwoLive);
    }
    repo::insert_secret(tx.conn, &secrets, &vault.seal(secret.as_bytes())?, now)?;
    Ok(bump(tx, "stores")?)
}

/// Ends every live secret but the newest. Returns how many that were.
pub fn retire_secrets(tx: &mut Tx<'_>, slug: &str, now: DateTime<Utc>) -> Result<usize, StoreProblem> {
    let secrets = lock_secrets(tx, slug)?;
    let retired = repo::retire_secrets(tx.conn, &secrets, now)?;
    bump(tx, "stores")?;
    Ok(retired)
}

/// Seals every secret with `new` that `old` has sealed. Returns how many those were.
pub fn seal_again(tx: &mut Tx<'_>, old: &Vault, new: &Vault) -> Result<usize, StoreProblem> {
    let mut again = vec![];
    for mut secret in repo::sealed_secrets(tx.conn)? {
        if let Some(sealed) = new.seal_again(old, &secret.sealed)? {
            secret.sealed = sealed;
            again.push(secret);
        }
    }
    repo::exchange_sealed(tx.conn, &again)?;
    bump(tx, "stores")?;
    Ok(again.len())
}

/// `None`: referral links do not lead to the store any more.
pub fn set_storefront(tx: &mut Tx<'_>, slug: &str, storefront: Option<&Url>) -> Result<(), StoreProblem> {
    match repo::set_storefront(tx.conn, slug, storefront.map(Url::as_str))? {
        true => Ok(bump(tx, "stores")?),
        false => Err(StoreProblem::Unknown(slug.to_owned())),
    }
}

/// Where distributors may be named from now on; what was posted stays as it is.
pub fn set_attribution(tx: &mut Tx<'_>, slug: &str, places: &[String]) -> Result<(), StoreProblem> {
    if repo::set_attribution(tx.conn, slug, places)? == 0 {
        return Err(StoreProblem::Unknown(slug.to_owned()));
    }
    Ok(bump(tx, "stores")?)
}

fn lock_secrets(tx: &mut Tx<'_>, slug: &str) -> Result<repo::Secrets, StoreProblem> {
    repo::lock_secrets(tx.conn, slug)?.ok_or_else(|| StoreProblem::Unknown(slug.to_owned()))
}

/// All stores in memory with their opened secrets, as fresh as the asking database transaction.
pub struct StoreDirectory {
    vault: Vault,
    stores: Cached<Vec<Store>>,
}

/// What verifying a delivery needs.
#[derive(Clone)]
pub struct Receiver {
    pub store: Arc<Store>,
    pub secrets: Vec<Arc<SecretSlice<u8>>>,
}

impl StoreDirectory {
    pub fn new(vault: Vault) -> Self {
        Self { vault, stores: Cached::new("stores", repo::list_stores) }
    }

    pub fn all(&self, conn: &mut Conn) -> Result<Arc<Vec<Store>>, DbError> {
        self.stores.get(conn)
    }

    /// Every active store ready to receive, by slug.
    pub fn receivers(&self, conn: &mut Conn) -> Result<HashMap<String, Receiver>, DbError> {
        let stores = self.all(conn)?;
        Ok(stores.iter().filter(|s| s.active).map(|s| (s.slug.clone(), self.receiver(s))).collect())
    }

    fn receiver(&self, store: &Store) -> Receiver {
        let opened = store.secrets.iter().filter_map(|secret| match self.vault.open_sealed(&secret.sealed) {
            Ok(bytes) => Some(Arc::new(SecretSlice::from(bytes))),
            Err(error) => {
                tracing::error!(store = store.slug, secret_no = secret.secret_no, %error, "secret unusable");
                None
            }
        });
        Receiver { secrets: opened.collect(), store: Arc::new(store.clone()) }
    }
}

impl Receiver {
    /// The live secrets' bytes, for as long as the receiver is borrowed.
    pub fn secret_bytes(&self) -> Vec<&[u8]> {
        self.secrets.iter().map(|secret| secret.expose_secret()).collect()
    }
}
