//! Connecting a store: tested first, saved only when the store let us in.

use chrono_tz::Tz;
use serde_json::json;

use super::address::{self, AddressProblem};
use super::credentials::Given;
use super::webhooks::Keeper;
use super::{Connection, ConnectionProblem, NewConnection, Witness, notes, repo, save, secrets};
use crate::clients::http::Http;
use crate::clients::{self, Credentials, Endpoint, Probe};
use crate::core::ids::StoreId;
use crate::db::{DbError, Lane};
use crate::ingest::{self, NewStore, Store, StoreProblem};
use crate::stores::{Platform, usual_places};

/// What somebody wants connected. Of a store that is connected already, what is empty stays as it is.
#[derive(Clone, Default)]
pub struct Wanted {
    pub slug: String,
    /// Needed for a store that does not exist yet.
    pub platform: Option<Platform>,
    /// For people; of a new store.
    pub name: Option<String>,
    pub base: String,
    pub given: Given,
    pub allow_private: Option<bool>,
    /// Instead of the zone that the store says it is in.
    pub zone: Option<Tz>,
    /// Whether we keep subscriptions there. We do, unless they are made by hand, or not wanted.
    pub webhooks: Option<bool>,
}

/// The store let us in.
pub struct Checked {
    pub slug: String,
    pub name: Option<String>,
    pub endpoint: Endpoint,
    pub zone: Tz,
    pub facts: Probe,
    pub(super) credentials: Credentials,
    /// The store exists already.
    pub(super) store: Option<StoreId>,
    /// We shall keep subscriptions there.
    pub webhooks: bool,
}

/// What became of the subscriptions of a store that was disconnected.
#[derive(Debug)]
pub enum Disconnected {
    Deleted(usize),
    /// They are still there: delete them in the store.
    Left(ConnectionProblem),
}

impl Keeper {
    /// Asks the store itself; nothing is written. Blocking.
    pub fn check(&self, wanted: &Wanted) -> Result<Checked, ConnectionProblem> {
        let (store, before) = self.known_as(&wanted.slug)?;
        let platform = platform(wanted, store.as_ref())?;
        let base = match (wanted.base.trim(), &before) {
            ("", Some(before)) => before.endpoint()?.base,
            (text, _) => address::base_url(platform, text)?,
        };
        let given = wanted.given.clone();
        let given = match &before {
            // Where stored credentials are sent is not changed behind their back.
            Some(before) if before.endpoint()?.base == base => given.or(&before.opened(&self.vault)?),
            Some(before) if given.is_empty() => {
                return Err(ConnectionProblem::OtherAddress(before.base_url.clone()));
            }
            _ => given,
        };
        let credentials = given.credentials(platform)?;
        let before = before.as_ref();
        let allow_private = wanted.allow_private.or(before.map(|before| before.allow_private));
        let endpoint = Endpoint { platform, base, allow_private: allow_private.unwrap_or(false) };
        let facts = self.probe(&endpoint, &credentials)?;
        let told = facts.zone.as_deref().and_then(|zone| zone.parse().ok());
        let zone = wanted.zone.or(before.map(Connection::tz)).or(told);
        Ok(Checked {
            slug: wanted.slug.clone(),
            name: wanted.name.clone(),
            zone: zone.unwrap_or(Tz::UTC),
            endpoint,
            facts,
            credentials,
            store: store.map(|store| store.id),
            webhooks: wanted.webhooks.or(before.map(|before| before.webhooks)).unwrap_or(true),
        })
    }

    /// What the store says of itself to these credentials, or that they are not enough.
    pub(super) fn probe(
        &self,
        endpoint: &Endpoint,
        credentials: &Credentials,
    ) -> Result<Probe, ConnectionProblem> {
        let http = Http::network(endpoint.allow_private, self.clock.clone()).hurried();
        let facts = clients::open(endpoint, credentials, http)?.probe()?;
        let needed: Vec<String> =
            facts.missing_scopes.iter().filter(|scope| is_needed(scope)).cloned().collect();
        if needed.is_empty() { Ok(facts) } else { Err(ConnectionProblem::Scopes(needed)) }
    }

    /// Saves what was checked: the store if it is new, its credentials sealed, and the secret that its webhooks
    /// will sign with.
    pub fn save(&self, checked: &Checked, witness: &Witness<'_>) -> Result<Connection, ConnectionProblem> {
        let now = self.now();
        let endpoint = &checked.endpoint;
        self.db.transact_or(Lane::Admin, |tx| {
            let store = match checked.store {
                Some(store) => store,
                None => {
                    let places = usual_places(endpoint.platform);
                    let new = NewStore {
                        slug: &checked.slug,
                        platform: endpoint.platform.as_str(),
                        name: checked.name.as_deref().unwrap_or(checked.shown_name()),
                        attribution: &places,
                        secret: None,
                    };
                    let store = ingest::add_store(tx, &self.vault, &new, now)?;
                    witness(tx, "store.add", json!({"platform": new.platform, "attribution": places}))?;
                    store
                }
            };
            let new = NewConnection {
                store,
                base: &endpoint.base,
                allow_private: endpoint.allow_private,
                credentials: &checked.credentials,
                zone: checked.zone,
                facts: &checked.facts,
            };
            save(tx, &self.vault, &new, now)?;
            repo::keep_webhooks(tx.conn, store, checked.webhooks)?;
            let saved = repo::connection(tx.conn, &checked.slug)?;
            let saved = saved.ok_or_else(|| DbError::Invariant(format!("{} was not saved", checked.slug)))?;
            // Magento signs nothing: what a module of it sends with is the operator's choice.
            if endpoint.platform != Platform::Magento {
                secrets::signing(tx, &self.vault, &saved, now)?;
            }
            notes::resolve_all(tx, &checked.slug, now)?;
            let detail =
                json!({"base_url": saved.base_url, "allow_private": saved.allow_private, "zone": saved.zone});
            witness(tx, "store.connect", detail)?;
            Ok(saved)
        })
    }

    /// Takes our webhooks away and forgets the credentials. A store that does not answer is forgotten all the same.
    /// Its deliveries are still taken for as long as it has a live secret.
    pub fn disconnect(&self, slug: &str, witness: &Witness<'_>) -> Result<Disconnected, ConnectionProblem> {
        let connection = self.connection(slug)?;
        let removed = self.api(&connection).and_then(|api| self.remove(&connection, api.as_ref()));
        if let Err(busy @ ConnectionProblem::Busy(_)) = removed {
            return Err(busy);
        }
        let now = self.now();
        self.db.transact(Lane::Admin, |tx| {
            repo::forget(tx.conn, connection.store())?;
            notes::resolve_all(tx, slug, now)?;
            witness(tx, "store.disconnect", json!({"webhooks_deleted": removed.as_ref().ok()}))
        })?;
        Ok(removed.map_or_else(Disconnected::Left, Disconnected::Deleted))
    }

    /// A paused store is neither pulled from nor are its webhooks looked at. Returns whether that changed anything.
    pub fn pause(&self, slug: &str, paused: bool, witness: &Witness<'_>) -> Result<bool, ConnectionProblem> {
        let (connection, now) = (self.connection(slug)?, self.now());
        Ok(self.db.transact(Lane::Admin, |tx| {
            let changed = repo::pause(tx.conn, connection.store(), paused, None, now)? > 0;
            if changed {
                witness(tx, if paused { "store.pause" } else { "store.resume" }, json!({}))?;
            }
            Ok(changed)
        })?)
    }

    fn known_as(&self, slug: &str) -> Result<(Option<Store>, Option<Connection>), DbError> {
        self.db.read(Lane::Admin, |conn| {
            let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == slug);
            Ok((store, repo::connection(conn, slug)?))
        })
    }
}

impl Checked {
    fn shown_name(&self) -> &str {
        if self.facts.name.trim().is_empty() { &self.slug } else { self.facts.name.trim() }
    }
}

/// Without orders nothing works. The rest is lacked where it is used, and shown.
fn is_needed(scope: &str) -> bool {
    scope.starts_with("Magento_Sales::") || (scope.contains("order") && !scope.contains("all_orders"))
}

fn platform(wanted: &Wanted, store: Option<&Store>) -> Result<Platform, ConnectionProblem> {
    let Some(store) = store else {
        if !ingest::is_slug(&wanted.slug) {
            return Err(StoreProblem::BadSlug(wanted.slug.clone()).into());
        }
        if wanted.base.trim().is_empty() {
            return Err(AddressProblem::Empty.into());
        }
        return wanted.platform.ok_or_else(|| ConnectionProblem::NoPlatform(wanted.slug.clone()));
    };
    let known: Platform =
        store.platform.parse().map_err(|_| DbError::Damaged(format!("platform of {}", store.slug)))?;
    match wanted.platform {
        Some(asked) if asked != known => Err(ConnectionProblem::OtherPlatform {
            slug: store.slug.clone(),
            known: known.to_string(),
            asked,
        }),
        _ => Ok(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_works_without_orders() {
        for scope in ["read_orders", "Magento_Sales::actions_view", "Magento_Sales::sales_creditmemo"] {
            assert!(is_needed(scope), "{scope}");
        }
        for scope in ["read_all_orders", "read_products", "read_write", "Magento_Customer::customer"] {
            assert!(!is_needed(scope), "{scope}");
        }
    }
}
