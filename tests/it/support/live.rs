//! The pipeline inside the test's own process, without HTTP: intake, the consumers, a database of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use upline::clock::Clock;
use upline::commissions::{CommissionConsumer, FactConsumer};
use upline::db::{Db, Lane};
use upline::demo::{Company, DemoDelivery, set_up};
use upline::events::{self, Bus, Instance, Relay};
use upline::ingest::{self, Accepted, NewDelivery, StoreDirectory};
use upline::orders::{Books, DeliveryConsumer, ReviewConsumer};
use upline::stores::{self, Headers, Verified};
use upline::vault::Vault;

use super::cluster::{Database, fresh_database};
use super::wait;

pub struct Pipeline {
    pub db: Db,
    pub company: Company,
    clock: Clock,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    _database: Database,
}

impl Pipeline {
    /// With the sample company in it and nothing else.
    pub fn start(company: Company) -> Self {
        let database = fresh_database(|url| {
            upline::db::migrate(url).expect("migrate the template");
        });
        let bus = Arc::new(Bus::default());
        let db = Db::new(database.url(), bus.clone());
        let clock = Clock::system();
        let dir = std::env::temp_dir().join(format!("upline-test-vault-{}", std::process::id()));
        let vault = Vault::open(&dir, Some(&"5e".repeat(32))).expect("a vault");
        db.transact(Lane::Admin, |tx| {
            set_up(tx, &vault, &company, clock.now()).expect("set up");
            Ok(())
        })
        .expect("write the company");
        let runtime = Runtime::new().expect("a runtime");
        let (stop, stopped) = watch::channel(false);
        let instance = Arc::new(Instance::register(database.url()).expect("an instance"));
        let books = Books {
            stores: Arc::new(StoreDirectory::new(vault)),
            mappings: Arc::default(),
            networks: Arc::default(),
            plans: Arc::default(),
        };
        let relay = |consumer: Relay| runtime.spawn(consumer.run(stopped.clone()));
        let deliveries = DeliveryConsumer { books: books.clone(), clock: clock.clone() };
        relay(Relay::new(db.clone(), bus.clone(), instance.clone(), deliveries));
        let reviews = ReviewConsumer { books: books.clone(), clock: clock.clone() };
        relay(Relay::new(db.clone(), bus.clone(), instance.clone(), reviews));
        let commissions = CommissionConsumer {
            networks: books.networks.clone(),
            plans: books.plans.clone(),
            clock: clock.clone(),
            posted: Arc::new(|_| ()),
        };
        relay(Relay::new(db.clone(), bus.clone(), instance.clone(), commissions));
        relay(Relay::new(db.clone(), bus.clone(), instance, FactConsumer));
        Self { db, company, clock, runtime: Some(runtime), stop, _database: database }
    }

    /// Verifies and stores deliveries in batches of `batch`, as the edge does. Returns how many were new.
    pub fn accept(&self, deliveries: &[DemoDelivery], batch: usize) -> usize {
        let known = self.db.read(Lane::Admin, ingest::list_stores).expect("stores");
        let read = |delivery: &DemoDelivery| {
            let store =
                self.company.stores.iter().find(|store| store.slug == delivery.store).expect("a store");
            let id = known.iter().find(|known| known.slug == delivery.store).expect("a known store").id;
            let headers: Headers = delivery.headers.iter().cloned().collect();
            let secrets = [store.secret.as_bytes()];
            match stores::verify(store.platform, &secrets, &headers, &delivery.body).expect("signed") {
                Verified::Ping => None,
                Verified::Delivery => Some((store.platform, id, headers)),
            }
        };
        let mut fresh = 0;
        for batch in deliveries.chunks(batch) {
            let now = self.clock.now();
            let ready: Vec<NewDelivery> = batch
                .iter()
                .filter_map(|delivery| {
                    let (platform, store, headers) = read(delivery)?;
                    let meta = stores::describe(platform, &headers);
                    Some(NewDelivery {
                        store,
                        dedupe_key: stores::dedupe_key(platform, &meta, &delivery.body),
                        topic: meta.topic.unwrap_or_default(),
                        delivery_key: meta.delivery_key,
                        event_key: meta.event_key,
                        triggered_at: meta.triggered_at,
                        headers: stores::evidence_headers(&headers),
                        body: ingest::compress(&delivery.body),
                        body_bytes: delivery.body.len(),
                        body_sha256: ingest::sha256(&delivery.body),
                        received_at: now,
                    })
                })
                .collect();
            let accepted = self.db.transact(Lane::Ingest, |tx| ingest::accept(tx, &ready)).expect("store");
            fresh += accepted.iter().filter(|answer| matches!(answer, Accepted::New(_))).count();
        }
        fresh
    }

    /// Until the last consequence is committed; nothing may have been parked.
    pub fn drain(&self) {
        wait::until("an empty outbox", Duration::from_secs(60), || {
            let backlog = self.db.read(Lane::Admin, events::backlog).expect("the backlog");
            assert!(backlog.iter().all(|topic| topic.parked == 0), "parked: {backlog:?}");
            backlog.iter().all(|topic| topic.waiting == 0).then_some(())
        });
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }
}
