//! Our webhooks at a store: exactly one active subscription for each topic, at our address, signed with a live
//! secret.
//!
//! [`Keeper::ensure`] looks at what is there, and does what [`plan`] says. Each act is written down by itself, so
//! that an end in the middle loses nothing: the next look goes on from what the store shows.

pub mod plan;
pub mod rotate;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;

use super::repo::{self, Noted, Subscription};
use super::secrets::{self, Signing};
use super::{Connection, ConnectionProblem, address, advice, notes, open};
use crate::clients::{ApiError, NewWebhook, StoreApi};
use crate::clock::Clock;
use crate::db::{Db, DbError, Lane, connect};
use crate::vault::Vault;
use plan::{Act, Wanted, Why};

/// What connecting stores and keeping their webhooks needs.
#[derive(Clone)]
pub struct Keeper {
    pub db: Db,
    pub vault: Vault,
    pub clock: Clock,
    /// How we are reached from outside.
    pub public: Url,
}

/// What a look at the webhooks did, or would do, topic by topic.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ensured {
    /// Where they lead to.
    pub address: String,
    pub done: Vec<Done>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Done {
    pub topic: String,
    pub deed: Deed,
    pub why: Option<Why>,
    /// Why it could not be done.
    pub problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Kept,
    Created,
    Mended,
    Deleted,
}

impl Done {
    pub fn is_repair(&self) -> bool {
        self.problem.is_none() && self.why.as_ref().is_some_and(Why::is_damage)
    }

    pub fn told(&self) -> String {
        match (&self.problem, &self.why, self.deed) {
            (Some(problem), ..) => problem.clone(),
            (None, Some(why), _) => why.told(),
            (None, None, Deed::Deleted) => "it was one too many".to_owned(),
            (None, None, _) => "as it should be".to_owned(),
        }
    }

    fn of(act: &Act) -> Self {
        let (topic, deed, why) = match act {
            Act::Create { topic, why } => ((*topic).to_owned(), Deed::Created, Some(why.clone())),
            Act::Mend { topic, why, .. } => ((*topic).to_owned(), Deed::Mended, Some(why.clone())),
            Act::Keep { topic, .. } => ((*topic).to_owned(), Deed::Kept, None),
            Act::Delete { topic, .. } => (topic.clone(), Deed::Deleted, None),
        };
        Self { topic, deed, why, problem: None }
    }
}

impl Ensured {
    pub fn broken(&self) -> impl Iterator<Item = (&str, &str)> {
        self.done.iter().filter_map(|done| Some((done.topic.as_str(), done.problem.as_deref()?)))
    }

    /// Nothing had to be done.
    pub fn is_sound(&self) -> bool {
        self.done.iter().all(|done| done.deed == Deed::Kept && done.problem.is_none())
    }
}

/// What a problem of a look at the webhooks begins with, so that the next good look ends it and no other.
const LOOKING: &str = "Its webhooks cannot be looked at: ";

impl Keeper {
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn connection(&self, slug: &str) -> Result<Connection, ConnectionProblem> {
        let found = self.db.read(Lane::Admin, |conn| repo::connection(conn, slug))?;
        found.ok_or_else(|| ConnectionProblem::NotConnected(slug.to_owned()))
    }

    pub fn api(&self, connection: &Connection) -> Result<Box<dyn StoreApi>, ConnectionProblem> {
        open(connection, &self.vault, &self.clock)
    }

    /// Where the store delivers to.
    pub fn address(&self, slug: &str) -> String {
        format!("{}/webhooks/{slug}", self.public.as_str().trim_end_matches('/'))
    }

    /// [`Keeper::ensure`], and everybody hears how it went. Blocking, asks the network.
    pub fn tend(&self, connection: &Connection) -> Result<Ensured, ConnectionProblem> {
        let ensured = self.api(connection).and_then(|api| self.ensure(connection, api.as_ref()));
        self.note(connection, &ensured)?;
        if ensured.is_ok() {
            self.end_rotation(connection)?;
        }
        ensured
    }

    fn note(
        &self,
        connection: &Connection,
        ensured: &Result<Ensured, ConnectionProblem>,
    ) -> Result<(), DbError> {
        let (now, store, platform) = (self.now(), connection.store(), connection.platform()?);
        let problem = match ensured {
            Err(ConnectionProblem::Api(error)) => Some(advice::told(platform, error)),
            Err(other) => Some(other.to_string()),
            Ok(_) => None,
        };
        self.db.transact(Lane::Pipeline, |tx| match (ensured, &problem) {
            (Ok(ensured), _) => {
                notes::note_ensured(tx, connection, ensured, now)?;
                let ours = connection.problem.as_ref().is_some_and(|problem| problem.starts_with(LOOKING));
                if ours {
                    notes::note_outcome(tx, store, None, now)?;
                }
                repo::note_checked(tx.conn, store, now)
            }
            (Err(ConnectionProblem::Busy(_) | ConnectionProblem::Db(_)), _) => Ok(()),
            // The store answers, and does not let us do this.
            (Err(ConnectionProblem::Api(ApiError::Forbidden(_) | ApiError::Refused(_))), problem) => {
                notes::note_broken(tx, connection, problem.as_deref(), now)
            }
            (Err(ConnectionProblem::Api(_) | ConnectionProblem::Vault(_)), problem) => {
                let problem = problem.as_ref().map(|problem| format!("{LOOKING}{problem}"));
                notes::note_outcome(tx, store, problem.as_deref(), now)
            }
            (Err(_), problem) => notes::note_broken(tx, connection, problem.as_deref(), now),
        })
    }

    /// What [`Keeper::ensure`] would do.
    pub fn look(&self, connection: &Connection, api: &dyn StoreApi) -> Result<Ensured, ConnectionProblem> {
        let address = self.address(&connection.slug);
        if api.topics().is_empty() {
            return Ok(Ensured { address, done: vec![] });
        }
        self.refuse_out_of_reach(connection)?;
        let known = self.known(connection)?;
        let secret_no = known.iter().map(|row| row.secret_no).max().unwrap_or(0);
        let wanted = Wanted {
            topics: api.topics(),
            address: &address,
            secret_no,
            we_choose: secrets::we_choose(connection.platform()?),
        };
        let acts = plan::plan(&api.webhooks()?, &known, &wanted);
        Ok(Ensured { done: acts.iter().map(Done::of).collect(), address })
    }

    /// Exactly one active subscription for each topic. Safe to repeat, and to be interrupted.
    pub fn ensure(&self, connection: &Connection, api: &dyn StoreApi) -> Result<Ensured, ConnectionProblem> {
        let address = self.address(&connection.slug);
        if api.topics().is_empty() {
            return Ok(Ensured { address, done: vec![] });
        }
        self.refuse_out_of_reach(connection)?;
        let _held = self.hold(connection)?;
        // Live before any subscription signs with it.
        let signing = self
            .db
            .transact_or(Lane::Pipeline, |tx| secrets::signing(tx, &self.vault, connection, self.now()))?;
        let known = self.known(connection)?;
        let we_choose = secrets::we_choose(connection.platform()?);
        let wanted = Wanted { topics: api.topics(), address: &address, secret_no: signing.no, we_choose };
        let acts = plan::plan(&api.webhooks()?, &known, &wanted);
        let mut done = Vec::with_capacity(acts.len());
        for act in &acts {
            done.push(self.act(connection, api, act, &address, &signing)?);
        }
        Ok(Ensured { address, done })
    }

    /// Does one act and writes it down. What the store refuses is written down as well; what would fail for every
    /// other act, too, ends the look.
    fn act(
        &self,
        connection: &Connection,
        api: &dyn StoreApi,
        act: &Act,
        address: &str,
        signing: &Signing,
    ) -> Result<Done, ConnectionProblem> {
        let asked = match act {
            Act::Keep { external_id, .. } => Ok(external_id.clone()),
            Act::Create { topic, .. } => create(api, topic, address, signing),
            Act::Mend { topic, external_id, .. } => {
                let new = NewWebhook { topic, address, secret: signing.value.expose_secret() };
                match api.mend_webhook(external_id, &new) {
                    Ok(mended) => Ok(mended.external_id),
                    // Deleted since we looked.
                    Err(ApiError::NotFound(_)) => create(api, topic, address, signing),
                    Err(error) => Err(error),
                }
            }
            Act::Delete { external_id, .. } => delete(api, external_id).map(|()| external_id.clone()),
        };
        let (id, problem) = match asked {
            Ok(id) => (Some(id), None),
            Err(error) if error.is_temporary() || matches!(error, ApiError::Unauthorized(_)) => {
                return Err(error.into());
            }
            Err(error) => (None, Some(advice::told(connection.platform()?, &error))),
        };
        let done = Done { problem, ..Done::of(act) };
        self.db.transact(Lane::Pipeline, |tx| {
            if let Act::Delete { external_id, .. } = act {
                return match done.problem {
                    None => repo::forget_subscription(tx.conn, connection.store(), external_id),
                    Some(_) => Ok(()),
                };
            }
            let noted = Noted {
                topic: &done.topic,
                external_id: id.as_deref(),
                address,
                secret_no: signing.no,
                problem: done.problem.as_deref(),
                mended: done.is_repair(),
            };
            repo::note_subscription(tx.conn, connection.store(), &noted, self.now())
        })?;
        Ok(done)
    }

    /// Takes our subscriptions away. Returns how many there were; those of others stay.
    pub fn remove(&self, connection: &Connection, api: &dyn StoreApi) -> Result<usize, ConnectionProblem> {
        if api.topics().is_empty() {
            return Ok(0);
        }
        let _held = self.hold(connection)?;
        let (known, address) = (self.known(connection)?, self.address(&connection.slug));
        let wanted = Wanted { topics: api.topics(), address: &address, secret_no: 0, we_choose: false };
        let there = api.webhooks()?;
        let ours = plan::ours(&there, &known, &wanted);
        for webhook in &ours {
            delete(api, &webhook.external_id)?;
        }
        let deleted = ours.len();
        self.db.transact(Lane::Pipeline, |tx| repo::forget_subscriptions(tx.conn, connection.store()))?;
        Ok(deleted)
    }

    fn known(&self, connection: &Connection) -> Result<Vec<Subscription>, DbError> {
        self.db.read(Lane::Pipeline, |conn| repo::subscriptions(conn, connection.store()))
    }

    fn refuse_out_of_reach(&self, connection: &Connection) -> Result<(), ConnectionProblem> {
        match address::unreachable(connection.platform()?, &self.public, connection.allow_private) {
            Some(why) => Err(ConnectionProblem::OutOfReach(why)),
            None => Ok(()),
        }
    }

    /// Nobody else changes the store's subscriptions while this is held: two who look at once would make each twice.
    fn hold(&self, connection: &Connection) -> Result<crate::db::Conn, ConnectionProblem> {
        let mut session = connect(self.db.url())?;
        match repo::try_lock(&mut session, connection.store())? {
            true => Ok(session),
            false => Err(ConnectionProblem::Busy(connection.slug.clone())),
        }
    }
}

fn create(api: &dyn StoreApi, topic: &str, address: &str, signing: &Signing) -> Result<String, ApiError> {
    let new = NewWebhook { topic, address, secret: signing.value.expose_secret() };
    api.create_webhook(&new).map(|created| created.external_id)
}

/// What is gone already is as good as deleted.
fn delete(api: &dyn StoreApi, external_id: &str) -> Result<(), ApiError> {
    match api.delete_webhook(external_id) {
        Err(ApiError::NotFound(_)) => Ok(()),
        other => other,
    }
}
