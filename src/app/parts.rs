//! The parts between the database and the web server: intake, caches, consumers and their relays.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Backend;
use super::backend::Opening;
use crate::access::{TokenDirectory, Tokens};
use crate::catalog::Mappings;
use crate::chain;
use crate::clock::Clock;
use crate::commissions::{CommissionConsumer, FactConsumer};
use crate::connections::{self, Connection};
use crate::core::money::Currency;
use crate::db::{Db, DbError, Lane, Tx};
use crate::distributors::Networks;
use crate::events::{Consumer, Event, Instance, Relay, Topic};
use crate::ingest::{self, Intake, NewStore, Receiver, StoreDirectory, StoreProblem};
use crate::orders::{Books, DeliveryConsumer, Forgetter, ReviewConsumer};
use crate::periods::Worker;
use crate::plans::{Plans, Published};
use crate::pulls;
use crate::reconcile::{self, Reconciler};
use crate::settings::{self, Settings};
use crate::settlements;
use crate::stores::{Platform, usual_places};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use crate::web::AppState;
use crate::web::api::orders::DIRECT_STORE;
use crate::web::fresh::Fresh;
use crate::web::referral::Referrals;

pub struct Parts {
    pub backend: Backend,
    pub clock: Clock,
    pub metrics: Metrics,
    pub books: Books,
    pub receivers: Arc<Fresh<HashMap<String, Receiver>>>,
    pub tokens: Arc<Fresh<Tokens>>,
    pub published: Arc<Fresh<Published>>,
    pub referrals: Arc<Fresh<Referrals>>,
    pub default_currency: Currency,
    pub pulls: settings::Pulls,
    reconcile: settings::Reconcile,
    pub intake: Intake,
    schedule: connections::Schedule,
    data_dir: PathBuf,
    writer: thread::JoinHandle<()>,
    instance: Arc<Instance>,
}

impl Parts {
    /// Blocking.
    pub fn open(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        let default_currency = settings.currency()?;
        let schedule = connections::Schedule {
            every: TimeDelta::minutes(settings.pulls.webhooks_minutes.into()),
            silent: TimeDelta::hours(settings.pulls.silent_hours.into()),
        };
        let backend = Backend::open(&settings, Opening::Ready)?;
        let db = backend.db.clone();
        ensure_direct_store(&db, &backend.vault, &clock)?;
        let instance = Arc::new(Instance::register(db.url())?);
        let stores = Arc::new(StoreDirectory::new(backend.vault.clone()));
        let books = Books {
            stores: stores.clone(),
            mappings: Arc::new(Mappings::default()),
            networks: Arc::new(Networks::default()),
            plans: Arc::new(Plans::default()),
        };
        let receivers = Fresh::new(db.clone(), move |db| {
            db.read(Lane::Admin, |conn| Ok(Arc::new(stores.receivers(conn)?)))
        })?;
        let directory = TokenDirectory::default();
        let tokens = Fresh::new(db.clone(), move |db| db.read(Lane::Admin, |conn| directory.get(conn)))?;
        let plans = books.plans.clone();
        let published = Fresh::new(db.clone(), move |db| db.read(Lane::Admin, |conn| plans.get(conn)))?;
        let (networks, stores) = (books.networks.clone(), books.stores.clone());
        let referrals = Fresh::new(db.clone(), move |db| {
            db.read(Lane::Admin, |conn| Ok(Arc::new(Referrals::new(networks.get(conn)?, &stores.all(conn)?))))
        })?;
        let (intake, writer) = Intake::start(db)?;
        let metrics = Metrics::build()?;
        Ok(Self {
            backend,
            clock,
            metrics,
            books,
            receivers,
            tokens,
            published,
            referrals,
            default_currency,
            pulls: settings.pulls,
            reconcile: settings.reconcile,
            intake,
            schedule,
            data_dir: settings.data_dir,
            writer,
            instance,
        })
    }

    /// Everything that goes on beside the requests, until `stopped` says so.
    pub fn spawn_background(&self, state: &AppState, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let mut tasks = vec![
            tokio::spawn(state.receivers.clone().keep(stopped.clone())),
            tokio::spawn(state.tokens.clone().keep(stopped.clone())),
            tokio::spawn(state.published.clone().keep(stopped.clone())),
            tokio::spawn(state.referrals.clone().keep(stopped.clone())),
        ];
        tasks.extend(self.spawn_relays(stopped));
        let runs = Worker::new(self.backend.db.clone(), self.books.plans.clone(), self.clock.clone());
        tasks.push(tokio::spawn(runs.run(stopped.clone())));
        tasks.push(tokio::spawn(self.puller().run(stopped.clone())));
        let connections = connections::Worker::new(state.keeper(), self.metrics.clone(), self.schedule);
        tasks.push(tokio::spawn(connections.run(stopped.clone())));
        let days = reconcile::Worker::new(self.reconciler(), self.reconcile.clone());
        tasks.push(tokio::spawn(days.run(stopped.clone())));
        let forgetter = Forgetter::new(self.backend.db.clone(), self.clock.clone());
        tasks.push(tokio::spawn(forgetter.run(stopped.clone())));
        let settlements = settlements::Worker::new(self.backend.db.clone(), self.clock.clone());
        tasks.push(tokio::spawn(settlements.run(stopped.clone())));
        let chain = chain::Worker::new(self.backend.db.clone(), self.clock.clone(), self.data_dir.clone());
        tasks.push(tokio::spawn(chain.run(stopped.clone())));
        tasks
    }

    /// What turns deliveries into orders and commissions, until `stopped` says so.
    pub fn spawn_relays(&self, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let metrics = self.metrics.clone();
        let commissions = CommissionConsumer {
            networks: self.books.networks.clone(),
            plans: self.books.plans.clone(),
            clock: self.clock.clone(),
            posted: Arc::new(move |after: TimeDelta| metrics.posted(after)),
        };
        let deliveries = DeliveryConsumer { books: self.books.clone(), clock: self.clock.clone() };
        let reviews = ReviewConsumer { books: self.books.clone(), clock: self.clock.clone() };
        let relays =
            [self.relay(deliveries), self.relay(reviews), self.relay(commissions), self.relay(FactConsumer)];
        relays.map(|relay| tokio::spawn(relay.run(stopped.clone()))).into()
    }

    fn reconciler(&self) -> Reconciler {
        let (db, vault) = (self.backend.db.clone(), self.backend.vault.clone());
        Reconciler::new(db, vault, self.books.clone(), self.clock.clone())
    }

    fn puller(&self) -> pulls::Worker {
        let (vault, clock) = (self.backend.vault.clone(), self.clock.clone());
        let open = move |connection: &Connection| connections::open(connection, &vault, &clock);
        let db = self.backend.db.clone();
        pulls::Worker::new(db, self.clock.clone(), self.pulls.clone(), Arc::new(open), self.metrics.clone())
    }

    fn relay(&self, consumer: impl Consumer) -> Relay {
        let measured = Measured { consumer, metrics: self.metrics.clone() };
        Relay::new(self.backend.db.clone(), self.backend.bus.clone(), self.instance.clone(), measured)
    }

    /// Lets the intake empty its queue, then closes the database. Blocking.
    pub fn close(self) {
        let Self { backend, clock, data_dir, intake, writer, receivers, tokens, published, .. } = self;
        let (referrals, instance) = (self.referrals, self.instance);
        drop(intake);
        if writer.join().is_err() {
            tracing::error!("the intake's writer panicked");
        }
        backend.chain_up(&data_dir, &clock);
        drop((receivers, tokens, published, referrals, instance));
        backend.close();
    }
}

/// Tells how large the batches are that a consumer gets.
struct Measured<C> {
    consumer: C,
    metrics: Metrics,
}

impl<C: Consumer> Consumer for Measured<C> {
    fn topic(&self) -> Topic {
        self.consumer.topic()
    }

    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
        let size = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.metrics.batches.with_label_values(&[self.topic().name()]).observe(f64::from(size));
        self.consumer.handle(tx, events)
    }
}

/// The store of orders that come over the API with a token of no store.
fn ensure_direct_store(db: &Db, vault: &Vault, clock: &Clock) -> anyhow::Result<()> {
    let known = db.read(Lane::Admin, ingest::list_stores)?;
    if known.iter().any(|store| store.slug == DIRECT_STORE) {
        return Ok(());
    }
    let places = usual_places(Platform::Direct);
    let store = NewStore {
        slug: DIRECT_STORE,
        platform: Platform::Direct.as_str(),
        name: "Direct API",
        attribution: &places,
        secret: None,
    };
    let now = clock.now();
    let made = db.transact(Lane::Admin, |tx| match ingest::add_store(tx, vault, &store, now) {
        // Another instance that started at the same time was quicker.
        Ok(_) | Err(StoreProblem::SlugTaken(_)) => Ok(()),
        Err(StoreProblem::Db(error)) => Err(error),
        Err(other) => Err(DbError::Invariant(other.to_string())),
    });
    Ok(made?)
}
