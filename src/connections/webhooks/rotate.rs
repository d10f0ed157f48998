//! Exchanging the secret that webhooks are signed with, without refusing a delivery.
//!
//! The new secret is live before the first subscription signs with it; the old one ends a day after the last
//! subscription changed over, and only when nothing comes any more that it alone fits. An end in the middle leaves
//! both live, and the next look at the webhooks goes on.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde_json::json;

use super::super::credentials::Given;
use super::super::repo::{self, Subscription};
use super::super::{Connection, ConnectionProblem, Witness, notes, secrets};
use super::{Ensured, Keeper};
use crate::clients::Credentials;
use crate::db::{Lane, Tx};
use crate::ingest::{self, Store, StoredDelivery};
use crate::stores::{self, Headers, Platform, Verified};

/// How long the old secret goes on: deliveries may be on their way, and Shopify tries for hours.
const GRACE: TimeDelta = TimeDelta::hours(24);
/// Deliveries of the last day, looked at together to see what they are signed with.
const PAGE: i64 = 200;

#[derive(Debug)]
pub enum Rotation {
    /// Everything signs with the newest secret, apart from what the store refused.
    Done(Ensured),
    /// It is done; the old secret ends then.
    Ending { at: DateTime<Utc> },
}

impl Keeper {
    /// `given`: the new client secret, for platforms that have a secret of their own. Blocking, asks the network.
    pub fn rotate(
        &self,
        slug: &str,
        given: Given,
        witness: &Witness<'_>,
    ) -> Result<Rotation, ConnectionProblem> {
        let connection = self.connection(slug)?;
        match connection.platform()? {
            Platform::WooCommerce if given.is_empty() => {}
            Platform::Shopify if !given.is_empty() => {
                self.exchange(&connection, given, witness)?;
                return Ok(Rotation::Done(self.tend(&self.connection(slug)?)?));
            }
            platform => return Err(cannot(platform, slug)),
        }
        let ending = self.db.transact_or(Lane::Admin, |tx| {
            // Nobody else begins one meanwhile.
            let store = locked(tx, &connection)?;
            let current = repo::connection(tx.conn, slug)?.unwrap_or_else(|| connection.clone());
            if current.rotating_since.is_some() && store.secrets.len() > 1 {
                return changed_over(&store, &repo::subscriptions(tx.conn, connection.store())?);
            }
            secrets::fresh(tx, &self.vault, &connection, self.now())?;
            repo::set_rotating(tx.conn, connection.store(), Some(self.now()))?;
            witness(tx, "store.rotate", json!({}))?;
            Ok::<_, ConnectionProblem>(None)
        })?;
        if let Some(since) = ending {
            return Ok(Rotation::Ending { at: since + GRACE });
        }
        Ok(Rotation::Done(self.tend(&self.connection(slug)?)?))
    }

    /// Other credentials, with another client secret: tested before the stored ones are replaced.
    fn exchange(
        &self,
        connection: &Connection,
        given: Given,
        witness: &Witness<'_>,
    ) -> Result<(), ConnectionProblem> {
        let stored = connection.opened(&self.vault)?;
        let credentials = given.or(&stored).credentials(connection.platform()?)?;
        if credentials == stored {
            let same =
                "these are the credentials that are stored already: paste the new client secret".to_owned();
            return Err(ConnectionProblem::CannotRotate(same));
        }
        self.probe(&connection.endpoint()?, &credentials)?;
        let sealed = self.vault.seal(&serde_json::to_vec(&credentials)?)?;
        self.db.transact_or(Lane::Admin, |tx| {
            repo::set_credentials(tx.conn, connection.store(), &sealed)?;
            let exchanged = Connection { credentials: sealed.clone(), ..connection.clone() };
            secrets::signing(tx, &self.vault, &exchanged, self.now())?;
            let kind = match credentials {
                Credentials::ShopifyApp { .. } => "app",
                _ => "token",
            };
            Ok(witness(tx, "store.rotate", json!({"credentials": kind}))?)
        })
    }

    /// Ends the old secret once nothing needs it any more.
    pub(in super::super) fn end_rotation(&self, connection: &Connection) -> Result<(), ConnectionProblem> {
        let now = self.now();
        let Some(current) = self.db.read(Lane::Pipeline, |conn| repo::connection(conn, &connection.slug))?
        else {
            return Ok(());
        };
        if current.rotating_since.is_none() {
            return Ok(());
        }
        self.db.transact_or(Lane::Pipeline, |tx| {
            let store = locked(tx, &current)?;
            if store.secrets.len() < 2 {
                repo::set_rotating(tx.conn, current.store(), None)?;
                return Ok(notes::note_old_secret(tx, &current, false, now)?);
            }
            let rows = repo::subscriptions(tx.conn, current.store())?;
            let Some(since) = changed_over(&store, &rows)? else { return Ok(()) };
            if now - since < GRACE {
                return Ok(());
            }
            let used = self.old_is_used(tx, &current, &store, now - GRACE)?;
            // Shopify signs with the old secret for as long as it is not revoked there; only its deliveries tell.
            let is_needed = used.unwrap_or(current.platform()? == Platform::Shopify);
            if is_needed {
                return Ok(notes::note_old_secret(tx, &current, used == Some(true), now)?);
            }
            ingest::retire_secrets(tx, &current.slug, now)?;
            repo::set_rotating(tx.conn, current.store(), None)?;
            tracing::info!(store = current.slug, "the old secret has ended");
            Ok::<_, ConnectionProblem>(notes::note_old_secret(tx, &current, false, now)?)
        })
    }

    /// Whether anything since then needed the old secret; `None`: nothing came.
    fn old_is_used(
        &self,
        tx: &mut Tx<'_>,
        connection: &Connection,
        store: &Store,
        since: DateTime<Utc>,
    ) -> Result<Option<bool>, ConnectionProblem> {
        let mut before = None;
        loop {
            let ids = repo::latest(tx.conn, connection.store(), None, since, before, PAGE)?;
            let Some(earliest) = ids.last() else { return Ok(before.map(|_| false)) };
            if self.signed_by_old(connection, store, &ingest::load(tx.conn, &ids)?)? {
                return Ok(Some(true));
            }
            before = Some(*earliest);
        }
    }

    /// Whether any of these deliveries is signed with another secret than the newest.
    fn signed_by_old(
        &self,
        connection: &Connection,
        store: &Store,
        lately: &[StoredDelivery],
    ) -> Result<bool, ConnectionProblem> {
        let Some(newest) = store.secrets.first() else { return Ok(false) };
        let newest = secrecy::SecretSlice::from(self.vault.open_sealed(&newest.sealed)?);
        let platform = connection.platform()?;
        Ok(lately.iter().filter(|delivery| delivery.topic != ingest::DIRECT_TOPIC).any(|delivery| {
            let headers: Headers =
                delivery.headers.iter().map(|(name, value)| (name, value.clone())).collect();
            let verified = stores::verify(platform, &[newest.expose_secret()], &headers, &delivery.body);
            !matches!(verified, Ok(Verified::Delivery | Verified::Ping))
        }))
    }
}

/// Since when every subscription signs with the store's newest secret; `None` while one does not.
fn changed_over(store: &Store, rows: &[Subscription]) -> Result<Option<DateTime<Utc>>, ConnectionProblem> {
    let newest = store.secrets.first().map(|secret| secret.secret_no);
    let all = rows.iter().all(|row| Some(row.secret_no) == newest && row.problem.is_none());
    Ok(rows.iter().map(|row| row.secret_since).max().filter(|_| all))
}

fn locked(tx: &mut Tx<'_>, connection: &Connection) -> Result<Store, ConnectionProblem> {
    repo::lock(tx.conn, connection.store())?;
    Ok(secrets::store(tx, connection)?)
}

fn cannot(platform: Platform, slug: &str) -> ConnectionProblem {
    ConnectionProblem::CannotRotate(match platform {
        Platform::Shopify => "Shopify signs with the app's client secret: make another one in the Dev Dashboard \
                              (Settings > Secret > Rotate), give it here, and revoke the old one there afterwards"
            .to_owned(),
        Platform::WooCommerce => format!(
            "the secret of WooCommerce's webhooks is made here; to change the API keys: upline store connect {slug}"
        ),
        Platform::Magento => format!(
            "Magento sends nothing by itself. For a module that does: upline store secret add {slug}, change it in \
             the module, upline store secret retire {slug}"
        ),
        Platform::Direct => "a direct store has no secret: its tokens are changed under Settings".to_owned(),
    })
}
