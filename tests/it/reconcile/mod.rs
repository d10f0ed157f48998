//! Days of a store against what is held of them: a store whose answers are written down, a real database.

mod commands;
mod faults;
mod pages;
mod reading;
mod schedule;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, Utc};
use upline::clients::{ApiError, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window};
use upline::clock::Clock;
use upline::core::customer::Customer;
use upline::core::ids::StoreId;
use upline::core::product::Product;
use upline::core::reconcile::{Difference, Kind, Seam, State};
use upline::reconcile::{Asked, Cause, Heal, Patience, Reconciler, Report, Source};
use upline::vault::Vault;

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

pub const STORE: StoreId = StoreId(1);

/// The day on which the orders of [`Order::default`] are made.
pub fn the_day() -> NaiveDate {
    "2026-11-01".parse().unwrap()
}

/// A store that answers what it was told to.
#[derive(Default)]
pub struct Script {
    orders: Mutex<Vec<PulledOrder>>,
    /// The page from which on the list does not answer any more.
    pub breaks_at: Option<usize>,
    /// Orders on a page; 0 is two.
    pub page: usize,
    /// Orders that the list leaves out although they are there.
    pub unlisted: Vec<String>,
    pub pages_read: AtomicUsize,
    pub singles_read: AtomicUsize,
}

fn gmt(text: &str) -> DateTime<Utc> {
    format!("{text}Z").parse().unwrap()
}

impl Script {
    pub fn of(bodies: &[String]) -> Self {
        let script = Self::default();
        script.orders.lock().unwrap().extend(bodies.iter().map(|body| pulled(body)));
        script
    }

    /// A later order of an id replaces the earlier one.
    pub fn put(&self, body: &str) {
        let pulled = pulled(body);
        let mut orders = self.orders.lock().unwrap();
        orders.retain(|known| known.external_id != pulled.external_id);
        orders.push(pulled);
        orders.sort_by_key(|order| (order.ordered_at, order.external_id.clone()));
    }

    pub fn remove(&self, id: u64) {
        self.orders.lock().unwrap().retain(|known| known.external_id != id.to_string());
    }
}

/// As `GET orders` and `GET orders/{id}/refunds` have it.
fn pulled(body: &str) -> PulledOrder {
    let order: serde_json::Value = serde_json::from_str(body).unwrap();
    let refund = |refund: &serde_json::Value| {
        let amount = refund["total"].as_str().unwrap().trim_start_matches('-');
        serde_json::json!({"id": refund["id"], "amount": amount, "line_items": [],
            "date_created_gmt": order["date_modified_gmt"]})
    };
    let refunds: Vec<serde_json::Value> = order["refunds"].as_array().unwrap().iter().map(refund).collect();
    PulledOrder {
        external_id: order["id"].to_string(),
        ordered_at: gmt(order["date_created_gmt"].as_str().unwrap()),
        changed_at: gmt(order["date_modified_gmt"].as_str().unwrap()),
        read_at: now(),
        body: format!(r#"{{"order":{body},"refunds":{}}}"#, serde_json::Value::from(refunds)).into_bytes(),
    }
}

impl StoreApi for Script {
    fn probe(&self) -> Result<Probe, ApiError> {
        Ok(Probe::default())
    }

    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        let at: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        self.pages_read.fetch_add(1, Ordering::Relaxed);
        let size = if self.page == 0 { 2 } else { self.page };
        if self.breaks_at.is_some_and(|page| at >= page * size) {
            return Err(ApiError::Unavailable("502 Bad Gateway".into()));
        }
        let orders = self.orders.lock().unwrap();
        let shown = |order: &&PulledOrder| {
            window.contains(order.ordered_at) && !self.unlisted.contains(&order.external_id)
        };
        let all: Vec<&PulledOrder> = orders.iter().filter(shown).collect();
        let items: Vec<PulledOrder> = all.iter().skip(at).take(size).map(|order| (*order).clone()).collect();
        let next = (at + size < all.len()).then(|| (at + size).to_string());
        Ok(Page { items, next, remaining: Some((all.len() - at.min(all.len())) as u64), wait: None })
    }

    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        self.singles_read.fetch_add(1, Ordering::Relaxed);
        Ok(self.orders.lock().unwrap().iter().find(|order| order.external_id == external_id).cloned())
    }

    fn products(&self, _: Option<DateTime<Utc>>, _: Option<&str>) -> Result<Page<Product>, ApiError> {
        unreachable!("reconciling reads no products")
    }

    fn customers(&self, _: Option<DateTime<Utc>>, _: Option<&str>) -> Result<Page<Customer>, ApiError> {
        unreachable!("reconciling reads no customers")
    }

    fn topics(&self) -> &'static [&'static str] {
        &[]
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        Ok(vec![])
    }

    fn create_webhook(&self, _: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        unreachable!("reconciling makes no webhooks")
    }

    fn mend_webhook(&self, _: &str, _: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        unreachable!("reconciling makes no webhooks")
    }

    fn delete_webhook(&self, _: &str) -> Result<(), ApiError> {
        unreachable!("reconciling makes no webhooks")
    }
}

pub fn vault() -> Vault {
    Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap()
}

/// Whose waiting is the work of the pipeline itself.
pub fn reconciler(pipeline: &Arc<Pipeline>) -> Reconciler {
    let worked = pipeline.clone();
    Reconciler {
        patience: Patience { looks: 3, pause: Arc::new(move || worked.drain()) },
        ..Reconciler::new(pipeline.db.clone(), vault(), pipeline.books.clone(), Clock::fixed(now()))
    }
}

pub fn reconcile(pipeline: &Arc<Pipeline>, source: Source<'_>, heal: Heal) -> Report {
    let asked = Asked { heal, cause: Cause::Manual, by: "test" };
    reconciler(pipeline).day_of(source, chrono_tz::Tz::UTC, "main", the_day(), &asked).unwrap()
}

/// A company to which the store has told the given orders by webhooks, all of them worked on.
pub fn told(bodies: &[String]) -> Arc<Pipeline> {
    let pipeline = Arc::new(Pipeline::with_company());
    pipeline.accept(STORE, bodies);
    pipeline.drain();
    pipeline
}

pub fn order(id: u64) -> String {
    Order { id, ..Order::default() }.body()
}

/// Seam, kind, order and part of what is left.
pub fn found(differences: &[Difference]) -> Vec<(Seam, Kind, String, Option<String>)> {
    let part = |found: &Difference| found.part.as_ref().map(ToString::to_string);
    differences.iter().map(|found| (found.seam, found.kind, found.order.clone(), part(found))).collect()
}

#[track_caller]
pub fn one(report: &Report) -> &Difference {
    let [one] = &report.differences[..] else { panic!("{:#?}", report.differences) };
    one
}

#[track_caller]
pub fn is_clean(pipeline: &Pipeline, report: &Report, state: State) {
    assert_eq!((report.state, report.incomplete.as_deref()), (state, None), "{report:#?}");
    assert!(report.differences.is_empty() && report.drift().is_empty(), "{report:#?}");
    let (verified, replayed) = (pipeline.verify(), pipeline.replay());
    assert!(verified.is_clean() && replayed.is_clean(), "{verified:?} {replayed:?}");
}
