//! The secret that a store's subscriptions sign with: one of the store's live secrets, always.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{Connection, ConnectionProblem, repo};
use crate::clients::Credentials;
use crate::db::{DbError, Tx};
use crate::ingest::{self, Store};
use crate::stores::Platform;
use crate::vault::{Vault, random};

pub struct Signing {
    /// Its number among the store's secrets.
    pub no: i32,
    pub value: SecretString,
}

/// Whether the platform signs with what we say.
pub fn we_choose(platform: Platform) -> bool {
    platform == Platform::WooCommerce
}

/// What subscriptions should sign with now. It is live when this returns and the transaction commits: a delivery
/// that is signed with it is never refused.
///
/// Shopify signs with the app's client secret. WooCommerce signs with what it is told: the newest secret of the
/// store that survives WordPress, or one that is made here.
pub fn signing(
    tx: &mut Tx<'_>,
    vault: &Vault,
    connection: &Connection,
    now: DateTime<Utc>,
) -> Result<Signing, ConnectionProblem> {
    let store = store(tx, connection)?;
    let platform = connection.platform()?;
    let own = match connection.opened(vault)? {
        Credentials::ShopifyApp { client_secret, .. } | Credentials::ShopifyToken { client_secret, .. } => {
            Some(client_secret)
        }
        _ => None,
    };
    for secret in &store.secrets {
        let opened = String::from_utf8(vault.open_sealed(&secret.sealed)?);
        let Ok(value) = opened else { continue };
        let fits = match &own {
            Some(own) => value == *own,
            None => we_choose(platform) && survives(&value),
        };
        if fits {
            return Ok(Signing { no: secret.secret_no, value: value.into() });
        }
    }
    let value = match own {
        Some(own) => own,
        None => hex::encode(random::<32>()?),
    };
    add(tx, vault, connection, &store, &value, now)
}

/// Another secret of ours, live beside the one before it.
pub fn fresh(
    tx: &mut Tx<'_>,
    vault: &Vault,
    connection: &Connection,
    now: DateTime<Utc>,
) -> Result<Signing, ConnectionProblem> {
    let store = store(tx, connection)?;
    add(tx, vault, connection, &store, &hex::encode(random::<32>()?), now)
}

fn add(
    tx: &mut Tx<'_>,
    vault: &Vault,
    connection: &Connection,
    store: &Store,
    value: &str,
    now: DateTime<Utc>,
) -> Result<Signing, ConnectionProblem> {
    ingest::add_secret(tx, vault, &connection.slug, value, now)?;
    let after = self::store(tx, connection)?;
    let newest = after.secrets.first().map(|secret| secret.secret_no);
    let no = newest.ok_or_else(|| DbError::Invariant(format!("{} has no secret", connection.slug)))?;
    // A secret that none of our subscriptions signs with may be of webhooks that were made by hand: it ends when a
    // person says so.
    let signs = |row: &repo::Subscription| store.secrets.iter().any(|live| live.secret_no == row.secret_no);
    if repo::subscriptions(tx.conn, connection.store())?.iter().any(signs) {
        repo::set_rotating(tx.conn, connection.store(), Some(now))?;
    }
    Ok(Signing { no, value: value.into() })
}

pub fn store(tx: &mut Tx<'_>, connection: &Connection) -> Result<Store, DbError> {
    let known = ingest::list_stores(tx.conn)?.into_iter().find(|store| store.id == connection.store());
    known.ok_or_else(|| DbError::Damaged(format!("store {}", connection.slug)))
}

/// WordPress rewrites characters such as `&` and `<` before it signs with them.
fn survives(secret: &str) -> bool {
    secret.len() >= 16 && secret.chars().all(|letter| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wordpress_changes_is_not_used() {
        assert!(survives(&"0f".repeat(32)));
        for secret in ["s3cret{;~<&s3cret{;~<&", "short", "", "with space with space"] {
            assert!(!survives(secret), "{secret}");
        }
    }
}
