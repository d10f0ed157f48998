//! Reading stores' APIs, on a real database. The store is scripted: what it holds and when it fails is said by
//! the test, and its pages come by keyset as the clients' do.

mod commands;
mod engine;
mod pages;
mod take;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use upline::clients::{
    ApiError, Credentials, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window, WindowBy,
};
use upline::clock::Clock;
use upline::connections::{self, Connection, NewConnection};
use upline::core::customer::Customer;
use upline::core::ids::StoreId;
use upline::core::product::Product;
use upline::db::{Db, DbError, Lane};
use upline::ingest::{self, Store};
use upline::vault::Vault;

use super::support::payload::Order;
use super::support::pipeline::Pipeline;

pub fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-{text}Z").parse().unwrap()
}

/// An order as the shop's own, before it is asked for.
#[derive(Clone, Debug)]
pub struct Held {
    pub changed_at: DateTime<Utc>,
    pub ordered_at: DateTime<Utc>,
    pub body: String,
}

/// What a scripted store holds.
#[derive(Default)]
pub struct Shop {
    pub orders: Mutex<BTreeMap<String, Held>>,
    /// Before each answer: an error instead of it.
    failures: Mutex<VecDeque<Option<ApiError>>>,
    pub calls: AtomicUsize,
    pub page: usize,
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Shop {
    pub fn of_pages(page: usize) -> Arc<Self> {
        Arc::new(Self { page, ..Self::default() })
    }

    /// Each page waits until the gate is open.
    pub fn gated(page: usize) -> Arc<Self> {
        Arc::new(Self { page, closed: Mutex::new(true), ..Self::default() })
    }

    pub fn open_gate(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    /// Puts an order, or its newer state, into the shop.
    pub fn put(&self, order: &Order<'_>) {
        self.put_with_refunds(order, "[]");
    }

    pub fn put_with_refunds(&self, order: &Order<'_>, refunds: &str) {
        let time = |text: &str| format!("{text}Z").parse().unwrap();
        let held = Held {
            changed_at: time(order.modified),
            ordered_at: time(order.created),
            body: format!(r#"{{"order":{},"refunds":{refunds}}}"#, order.body()),
        };
        self.orders.lock().unwrap().insert(order.id.to_string(), held);
    }

    /// So many orders, one each minute from nine o'clock on of the first of November.
    pub fn fill(&self, orders: u64) {
        for i in 0..orders {
            let made = at("01T09:00:00") + TimeDelta::minutes(i64::try_from(i).unwrap());
            let made = made.format("%Y-%m-%dT%H:%M:%S").to_string();
            self.put(&Order { id: 1000 + i, created: &made, modified: &made, ..Order::default() });
        }
    }

    pub fn put_raw(&self, id: &str, changed_at: DateTime<Utc>, body: &str) {
        let held = Held { changed_at, ordered_at: changed_at, body: body.to_owned() };
        self.orders.lock().unwrap().insert(id.to_owned(), held);
    }

    pub fn remove(&self, id: &str) {
        self.orders.lock().unwrap().remove(id);
    }

    /// The next calls answer as told, `None` as usual.
    pub fn fail(&self, next: impl IntoIterator<Item = Option<ApiError>>) {
        self.failures.lock().unwrap().extend(next);
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn api(self: &Arc<Self>, now: DateTime<Utc>) -> Scripted {
        Scripted { shop: self.clone(), clock: Clock::fixed(now) }
    }
}

/// A shop's API at a fixed time.
pub struct Scripted {
    shop: Arc<Shop>,
    clock: Clock,
}

impl Scripted {
    fn call(&self) -> Result<(), ApiError> {
        self.shop.calls.fetch_add(1, Ordering::SeqCst);
        let closed = self.shop.closed.lock().unwrap();
        drop(self.shop.opened.wait_while(closed, |closed| *closed).unwrap());
        self.shop.failures.lock().unwrap().pop_front().flatten().map_or(Ok(()), Err)
    }

    fn pulled(&self, id: &str, held: &Held) -> PulledOrder {
        PulledOrder {
            external_id: id.to_owned(),
            ordered_at: held.ordered_at,
            changed_at: held.changed_at,
            read_at: self.clock.now(),
            body: held.body.clone().into_bytes(),
        }
    }
}

impl StoreApi for Scripted {
    fn probe(&self) -> Result<Probe, ApiError> {
        Ok(Probe::default())
    }

    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        self.call()?;
        let after: Option<(DateTime<Utc>, String)> = cursor.map(|text| serde_json::from_str(text).unwrap());
        let orders = self.shop.orders.lock().unwrap();
        let time = |held: &Held| match window.by {
            WindowBy::Changed => held.changed_at,
            WindowBy::Ordered => held.ordered_at,
        };
        let mut rows: Vec<_> = orders.iter().map(|(id, held)| (time(held), id, held)).collect();
        rows.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        rows.retain(|(at, id, _)| {
            window.contains(*at) && after.as_ref().is_none_or(|after| (*at, (*id).clone()) > *after)
        });
        let remaining = rows.len();
        rows.truncate(self.shop.page);
        let last = rows.last().map(|(at, id, _)| serde_json::to_string(&(at, id)).unwrap());
        Ok(Page {
            items: rows.iter().map(|(_, id, held)| self.pulled(id, held)).collect(),
            next: last.filter(|_| remaining > rows.len()),
            remaining: Some(u64::try_from(remaining).unwrap()),
            wait: None,
        })
    }

    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        self.call()?;
        let orders = self.shop.orders.lock().unwrap();
        Ok(orders.get(external_id).map(|held| self.pulled(external_id, held)))
    }

    fn products(&self, _: Option<DateTime<Utc>>, _: Option<&str>) -> Result<Page<Product>, ApiError> {
        Ok(Page { items: vec![], next: None, remaining: Some(0), wait: None })
    }

    fn customers(&self, _: Option<DateTime<Utc>>, _: Option<&str>) -> Result<Page<Customer>, ApiError> {
        Ok(Page { items: vec![], next: None, remaining: Some(0), wait: None })
    }

    fn topics(&self) -> &'static [&'static str] {
        &[]
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        Ok(vec![])
    }

    fn create_webhook(&self, _: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        Err(ApiError::Unsupported("not scripted".into()))
    }

    fn mend_webhook(&self, _: &str, _: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        Err(ApiError::Unsupported("not scripted".into()))
    }

    fn delete_webhook(&self, _: &str) -> Result<(), ApiError> {
        Err(ApiError::Unsupported("not scripted".into()))
    }
}

pub fn vault() -> Vault {
    Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap()
}

/// The store's row of connections, as if it had been connected then.
pub fn connect(db: &Db, store: StoreId, slug: &str, when: DateTime<Utc>) -> Connection {
    let credentials = Credentials::WooKeys { consumer_key: "ck".into(), consumer_secret: "cs".into() };
    let base = "https://shop.example/".parse().unwrap();
    let new = NewConnection {
        store,
        base: &base,
        allow_private: false,
        credentials: &credentials,
        zone: chrono_tz::Tz::UTC,
        facts: &Probe::default(),
    };
    db.transact(Lane::Admin, |tx| {
        connections::save(tx, &vault(), &new, when).map_err(|e| DbError::Invariant(e.to_string()))
    })
    .unwrap();
    db.read(Lane::Admin, |conn| connections::connection(conn, slug)).unwrap().unwrap()
}

pub fn store(db: &Db, slug: &str) -> Store {
    let stores = db.read(Lane::Admin, ingest::list_stores).unwrap();
    stores.into_iter().find(|store| store.slug == slug).unwrap()
}

/// A company with the connected store `main`.
pub fn company(connected: DateTime<Utc>) -> (Pipeline, Store, Connection) {
    let pipeline = Pipeline::with_company();
    let store = store(&pipeline.db, "main");
    let connection = connect(&pipeline.db, store.id, "main", connected);
    (pipeline, store, connection)
}
