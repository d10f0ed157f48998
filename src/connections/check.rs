//! Looking at a connection without changing anything at the store.

use super::webhooks::Keeper;
use super::{Checked, Connection, ConnectionProblem, Ensured, Subscription, advice, notes, repo};
use crate::clients::http::Http;
use crate::clients::{self, Probe};
use crate::db::{DbError, Lane};

/// How a connected store answers.
#[derive(Debug)]
pub struct Tested {
    pub facts: Result<Probe, ConnectionProblem>,
    /// What the webhooks would need. `None` when the store did not answer, or none are kept there.
    pub webhooks: Option<Result<Ensured, ConnectionProblem>>,
    pub subscriptions: Vec<Subscription>,
}

impl Tested {
    pub fn is_sound(&self) -> bool {
        let webhooks = self.webhooks.as_ref();
        self.facts.is_ok() && webhooks.is_none_or(|looked| looked.as_ref().is_ok_and(Ensured::is_sound))
    }
}

impl Keeper {
    /// Asks the store who it is and what webhooks it has, and remembers how that went. Blocking.
    pub fn test(&self, connection: &Connection) -> Result<Tested, ConnectionProblem> {
        let endpoint = connection.endpoint()?;
        let credentials = connection.opened(&self.vault)?;
        let facts = self.probe(&endpoint, &credentials);
        let (now, store) = (self.now(), connection.store());
        let problem = match &facts {
            Ok(_) => None,
            Err(ConnectionProblem::Api(error)) => Some(advice::told(endpoint.platform, error)),
            Err(other) => Some(other.to_string()),
        };
        let seen = facts.as_ref().ok().map(serde_json::to_value).transpose()?;
        let subscriptions = self.db.transact(Lane::Admin, |tx| {
            if let Some(seen) = &seen {
                repo::note_facts(tx.conn, store, seen.clone())?;
            }
            notes::note_outcome(tx, store, problem.as_deref(), now)?;
            repo::subscriptions(tx.conn, store)
        })?;
        let webhooks = (facts.is_ok() && connection.webhooks).then(|| {
            let http = Http::network(endpoint.allow_private, self.clock.clone()).hurried();
            let api = clients::open(&endpoint, &credentials, http)?;
            self.look(connection, api.as_ref())
        });
        Ok(Tested { facts, webhooks, subscriptions })
    }

    /// What would be done with the webhooks of a store that was checked and is not saved yet. Blocking.
    pub fn preview(&self, checked: &Checked) -> Result<Ensured, ConnectionProblem> {
        let http = Http::network(checked.endpoint.allow_private, self.clock.clone()).hurried();
        let api = clients::open(&checked.endpoint, &checked.credentials, http)?;
        self.look(&checked.unsaved(self)?, api.as_ref())
    }

    /// From now on we keep the store's webhooks, or leave them alone.
    pub fn keep_webhooks(&self, connection: &Connection, keep: bool) -> Result<(), DbError> {
        self.db.transact(Lane::Admin, |tx| {
            if !keep {
                notes::note_broken(tx, connection, None, self.now())?;
            }
            repo::keep_webhooks(tx.conn, connection.store(), keep)
        })
    }
}

impl Checked {
    /// As it would be saved, for looking only: without credentials.
    fn unsaved(&self, keeper: &Keeper) -> Result<Connection, ConnectionProblem> {
        Ok(Connection {
            // No store has this number.
            store_id: self.store.map_or(0, |store| store.0),
            slug: self.slug.clone(),
            platform: self.endpoint.platform.as_str().to_owned(),
            base_url: self.endpoint.base.to_string(),
            allow_private: self.endpoint.allow_private,
            credentials: vec![],
            zone: self.zone.name().to_owned(),
            facts: serde_json::to_value(&self.facts)?,
            paused: false,
            connected_at: keeper.now(),
            answered_at: None,
            problem: None,
            problem_since: None,
            webhooks: self.webhooks,
            checked_at: None,
            heard_at: None,
            rotating_since: None,
        })
    }
}
