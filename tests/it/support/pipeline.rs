//! The whole pipeline behind the HTTP edge, on a database of its own, driven by hand: nothing runs in the
//! background, so a test says when work is done.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use upline::catalog::{self, NewMapping};
use upline::clock::Clock;
use upline::commissions::{CommissionConsumer, FactConsumer};
use upline::core::genealogy::{DistributorVersion, Status};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::sku::KeyKind;
use upline::db::{Db, Lane, migrate};
use upline::distributors::{self, Entry};
use upline::events::{Bus, Instance, Relay, backlog};
use upline::ingest::{self, Accepted, NewDelivery, NewStore};
use upline::orders::{Books, DeliveryConsumer, ReviewConsumer};
use upline::plans;
use upline::proof::{self, Replayed, Verified};
use upline::vault::Vault;

use super::cluster::{Database, fresh_database};

pub struct Pipeline {
    pub db: Db,
    pub books: Books,
    relays: [Relay; 4],
    _database: Database,
}

pub fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

impl Pipeline {
    pub fn new() -> Self {
        let database = fresh_database(|url| drop(migrate(url).expect("migrate the template")));
        let bus = Arc::new(Bus::default());
        let db = Db::new(database.url(), bus.clone());
        let instance = Arc::new(Instance::register(database.url()).unwrap());
        let clock = Clock::fixed(now());
        let vault = Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap();
        let books = Books {
            stores: Arc::new(upline::ingest::StoreDirectory::new(vault)),
            mappings: Arc::default(),
            networks: Arc::default(),
            plans: Arc::default(),
        };
        let deliveries = DeliveryConsumer { books: books.clone(), clock: clock.clone() };
        let reviews = ReviewConsumer { books: books.clone(), clock: clock.clone() };
        let commissions = CommissionConsumer {
            networks: books.networks.clone(),
            plans: books.plans.clone(),
            clock: clock.clone(),
            posted: Arc::new(|_| {}),
        };
        let relays = [
            Relay::new(db.clone(), bus.clone(), instance.clone(), deliveries),
            Relay::new(db.clone(), bus.clone(), instance.clone(), reviews),
            Relay::new(db.clone(), bus.clone(), instance.clone(), commissions),
            Relay::new(db.clone(), bus, instance, FactConsumer),
        ];
        Self { db, books, relays, _database: database }
    }

    /// A WooCommerce store `main`, a plan (15 % direct on `supplement`, 5 % to each of two levels above), SKU
    /// A1 as supplement, and the line 1 <- 2 <- 3 <- 4 of active distributors.
    pub fn with_company() -> Self {
        let pipeline = Self::new();
        pipeline.add_store("main");
        pipeline.publish(PLAN, "2020-01-01T00:00:00Z");
        pipeline.map("A1", "supplement");
        for (id, sponsor) in [("1", None), ("2", Some("1")), ("3", Some("2")), ("4", Some("3"))] {
            pipeline.enroll(id, sponsor);
        }
        pipeline
    }

    pub fn add_store(&self, slug: &str) -> StoreId {
        let vault = Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap();
        let places = ["order_meta:distributor".to_owned()];
        let store = NewStore {
            slug,
            platform: "woocommerce",
            name: slug,
            attribution: &places,
            secret: Some("00112233445566778899aabbccddeeff"),
        };
        self.db
            .transact(Lane::Admin, |tx| {
                ingest::add_store(tx, &vault, &store, now())
                    .map_err(|e| upline::db::DbError::Invariant(e.to_string()))
            })
            .unwrap()
    }

    pub fn publish(&self, document: &str, from: &str) {
        let from = from.parse().unwrap();
        self.db
            .transact(Lane::Admin, |tx| {
                plans::publish(tx, document, from, "test", now())
                    .map(drop)
                    .map_err(|e| upline::db::DbError::Invariant(format!("{e:?}")))
            })
            .unwrap();
    }

    pub fn map(&self, sku: &str, class: &str) {
        let mapping = NewMapping {
            store: None,
            platform: "woocommerce".into(),
            kind: KeyKind::Sku,
            key: sku.into(),
            sku_id: sku.into(),
            name: String::new(),
            category: String::new(),
            commission_class: class.into(),
            from: None,
        };
        self.db
            .transact(Lane::Admin, |tx| {
                catalog::record(tx, std::slice::from_ref(&mapping), None, "test", now())
            })
            .unwrap();
    }

    pub fn enroll(&self, id: &str, sponsor: Option<&str>) {
        let version = DistributorVersion {
            id: DistributorId::new(id),
            sponsor: sponsor.map(DistributorId::new),
            status: Status::Active,
            rank: None,
            from: None,
            enrolled_at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        };
        let entry = Entry { version, country: None, tax_id: None, name: None, email: None };
        self.db
            .transact(Lane::Admin, |tx| {
                distributors::record(tx, std::slice::from_ref(&entry), "test", now())
                    .map_err(|e| upline::db::DbError::Invariant(format!("{e:?}")))
            })
            .unwrap();
    }

    /// Stores deliveries of the store as one batch; nothing is processed yet.
    pub fn accept(&self, store: StoreId, bodies: &[String]) -> Vec<Accepted> {
        self.accept_as(store, "order.updated", bodies)
    }

    /// The same under another topic.
    pub fn accept_as(&self, store: StoreId, topic: &str, bodies: &[String]) -> Vec<Accepted> {
        let deliveries: Vec<NewDelivery> = bodies.iter().map(|body| delivery(store, topic, body)).collect();
        self.db.transact(Lane::Ingest, |tx| ingest::accept(tx, &deliveries)).unwrap()
    }

    /// Works until nothing is left to do; the outbox is empty but for parked events.
    pub fn drain(&self) {
        while self.relays.iter().any(|relay| relay.work_once().unwrap()) {}
        let waiting: i64 = self.db.read(Lane::Admin, backlog).unwrap().iter().map(|b| b.waiting).sum();
        assert_eq!(waiting, 0, "work is left in the outbox");
    }

    pub fn verify(&self) -> Verified {
        self.db.read(Lane::Admin, |conn| proof::verify(conn, &[], |_| {})).unwrap()
    }

    pub fn replay(&self) -> Replayed {
        self.db.read(Lane::Admin, |conn| proof::replay(conn, &self.books, |_| {})).unwrap()
    }

    /// As a superuser who knows how to get past the triggers.
    pub fn tamper(&self, sql: &str) {
        let change =
            format!("set session_replication_role = replica; {sql}; set session_replication_role = default");
        self.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(&change)?)).unwrap();
    }

    /// The first column of the first row, as text.
    pub fn ask(&self, sql: &str) -> String {
        self.db
            .read(Lane::Admin, |conn| {
                Ok(sql_query(format!("select ({sql})::text as text")).get_result::<Answer>(conn)?.text)
            })
            .unwrap()
            .unwrap_or_default()
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    text: Option<String>,
}

fn delivery(store: StoreId, topic: &str, body: &str) -> NewDelivery {
    NewDelivery {
        store,
        topic: topic.into(),
        dedupe_key: ingest::sha256(body.as_bytes()),
        delivery_key: None,
        event_key: None,
        triggered_at: None,
        headers: BTreeMap::new(),
        body: ingest::compress(body.as_bytes()),
        body_bytes: body.len(),
        body_sha256: ingest::sha256(body.as_bytes()),
        received_at: now(),
    }
}

const PLAN: &str = r#"
[plan]
id = "test"
name = "Test"
currency = "USD"

[rounding]
mode = "half_up"
stage = "line"

[period]
cadence = "month"
zone = "UTC"

[active]
statuses = ["active"]

[standing]
default_rank = "member"

[[rank]]
id = "member"

[[class]]
id = "supplement"
cv = { of_net = "1" }

[[bonus]]
id = "direct"
family = "direct"
base = "net"

[bonus.rates]
supplement = "0.15"

[[bonus]]
id = "unilevel"
family = "unilevel"
base = "cv"
start_level = 1
compression = "none"

[bonus.rates]
member = ["0.05", "0.05"]
"#;
