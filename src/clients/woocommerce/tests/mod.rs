//! A shop in memory that answers as WooCommerce does, and changes between two calls when a test wants it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::WooCommerce;
use crate::clients::http::{Http, Request, Response, Transport};
use crate::clients::{ApiError, Credentials, Endpoint, PulledOrder, StoreApi, Window, WindowBy};
use crate::clock::Clock;
use crate::stores::Platform;

mod auth;
mod catalogue;
mod orders;
mod paging;

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn seconds(from: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    from + TimeDelta::seconds(seconds)
}

#[derive(Clone, Debug)]
pub struct Row {
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    pub status: &'static str,
    pub refunds: Vec<(u64, &'static str)>,
    /// What the order lists, where that is not yet what its refunds are.
    pub headers: Option<Vec<(u64, &'static str)>>,
}

#[derive(Default)]
pub struct Shop {
    pub orders: BTreeMap<u64, Row>,
    pub other: BTreeMap<String, Value>,
    /// Does not sort by change, as old versions.
    pub old: bool,
}

impl Shop {
    pub fn order(&mut self, id: u64, modified: DateTime<Utc>) -> &mut Row {
        let row = Row { created: modified, modified, status: "processing", refunds: vec![], headers: None };
        self.orders.insert(id, row);
        self.orders.get_mut(&id).unwrap()
    }

    fn answer(&self, path: &str, query: &BTreeMap<String, String>) -> Response {
        let mut parts = path.split('/').skip_while(|part| *part != "orders").skip(1);
        let id = parts.next().and_then(|id| id.parse::<u64>().ok());
        match (id, parts.next()) {
            _ if !path.contains("/orders") => self.list_of_other(path, query),
            (None, _) => self.list(query),
            (Some(id), None) => match self.orders.get(&id) {
                Some(row) => answer(200, &order(id, row)),
                None => answer(404, &error("woocommerce_rest_shop_order_invalid_id", 404)),
            },
            (Some(id), Some(_)) => {
                let refunds = self.orders.get(&id).map(|row| row.refunds.clone()).unwrap_or_default();
                let all = refunds.iter().map(|(id, amount)| refund(*id, amount)).collect();
                page(all, query)
            }
        }
    }

    fn list_of_other(&self, path: &str, query: &BTreeMap<String, String>) -> Response {
        match self.other.get(path.trim_start_matches("/shop").trim_start_matches("/wp-json/wc/v3/")) {
            Some(Value::Array(rows)) => page(rows.clone(), query),
            Some(one) => answer(200, one),
            None => answer(404, &error("rest_no_route", 404)),
        }
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Response {
        let sorted = query.get("orderby").map_or("date", String::as_str);
        if self.old && sorted == "modified" {
            return answer(400, &error("rest_invalid_param", 400));
        }
        let time = |name: &str| query.get(name).map(|time| at(&format!("{time}Z")));
        let wanted = query.get("status").map_or("any", String::as_str);
        let mut rows: Vec<(&u64, &Row)> = self
            .orders
            .iter()
            .filter(|(_, row)| (row.status == "trash") == (wanted == "trash"))
            .filter(|(_, row)| time("modified_after").is_none_or(|after| self.old || row.modified > after))
            .filter(|(_, row)| time("modified_before").is_none_or(|to| self.old || row.modified < to))
            .filter(|(_, row)| time("after").is_none_or(|after| row.created > after))
            .filter(|(_, row)| time("before").is_none_or(|to| row.created < to))
            .collect();
        match sorted {
            "modified" => rows.sort_by_key(|(id, row)| (row.modified, **id)),
            "date" => rows.sort_by_key(|(id, row)| (row.created, **id)),
            _ => {}
        }
        page(rows.into_iter().map(|(id, row)| order(*id, row)).collect(), query)
    }
}

fn order(id: u64, row: &Row) -> Value {
    let gmt = |time: DateTime<Utc>| time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let headers = row.headers.as_ref().unwrap_or(&row.refunds);
    let refunds: Vec<Value> = headers
        .iter()
        .map(|(id, amount)| json!({"id": id, "reason": "", "total": format!("-{amount}")}))
        .collect();
    json!({
        "id": id, "status": row.status, "currency": "EUR", "total": "10.00", "total_tax": "0.00",
        "date_created_gmt": gmt(row.created), "date_modified_gmt": gmt(row.modified),
        "date_paid_gmt": gmt(row.created), "customer_id": 0, "refunds": refunds,
        "line_items": [{"id": 1, "product_id": 7, "variation_id": 0, "quantity": 1, "subtotal": "10.00", "total": "10.00"}],
    })
}

fn refund(id: u64, amount: &str) -> Value {
    json!({"id": id, "amount": amount, "date_created_gmt": "2026-11-21T12:20:36", "line_items": []})
}

fn page(all: Vec<Value>, query: &BTreeMap<String, String>) -> Response {
    let number = |name: &str| query.get(name).and_then(|n| n.parse::<usize>().ok());
    let per_page = number("per_page").unwrap_or(10);
    let offset = number("offset").unwrap_or_else(|| (number("page").unwrap_or(1) - 1) * per_page);
    let total = all.len();
    let rows: Vec<Value> = all.into_iter().skip(offset).take(per_page).collect();
    let mut answer = answer(200, &Value::Array(rows));
    answer.headers.push(("X-WP-Total".into(), total.to_string()));
    answer
}

pub fn answer(status: u16, body: &Value) -> Response {
    Response { status, headers: vec![], body: body.to_string().into_bytes() }
}

pub fn html(status: u16) -> Response {
    Response { status, headers: vec![], body: b"<!doctype html><title>Not found</title>".to_vec() }
}

pub fn error(code: &str, status: u16) -> Value {
    json!({"code": code, "message": "No.", "data": {"status": status}})
}

type Hook = Box<dyn FnMut(usize, &Request, &mut Shop) -> Option<Response> + Send>;

/// The shop behind a transport. The hook sees every call first and may play the shop on, or answer in its place.
pub struct Fake {
    pub shop: Mutex<Shop>,
    hook: Mutex<Hook>,
    pub asked: Mutex<Vec<Request>>,
    pub paused: Mutex<Vec<Duration>>,
}

impl Transport for Fake {
    fn send(&self, request: &Request) -> Result<Response, ApiError> {
        let mut shop = self.shop.lock().unwrap();
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.clone());
        assert!(asked.len() < 3_000, "it does not end");
        if let Some(answer) = (self.hook.lock().unwrap())(asked.len(), request, &mut shop) {
            return Ok(answer);
        }
        let query = request.url.query_pairs().into_owned().collect();
        Ok(shop.answer(request.url.path(), &query))
    }
}

pub fn open_at(
    base: &str,
    shop: Shop,
    hook: impl FnMut(usize, &Request, &mut Shop) -> Option<Response> + Send + 'static,
) -> (WooCommerce, Arc<Fake>) {
    let fake = Arc::new(Fake {
        shop: Mutex::new(shop),
        hook: Mutex::new(Box::new(hook)),
        asked: Mutex::default(),
        paused: Mutex::default(),
    });
    let pauses = fake.clone();
    let http =
        Http::new(fake.clone(), Clock::system(), move |pause| pauses.paused.lock().unwrap().push(pause));
    let endpoint =
        Endpoint { platform: Platform::WooCommerce, base: base.parse().unwrap(), allow_private: false };
    let credentials = Credentials::WooKeys { consumer_key: "ck_1".into(), consumer_secret: "cs_2".into() };
    (WooCommerce::new(&endpoint, &credentials, http), fake)
}

pub fn open(
    shop: Shop,
    hook: impl FnMut(usize, &Request, &mut Shop) -> Option<Response> + Send + 'static,
) -> (WooCommerce, Arc<Fake>) {
    open_at("https://x.example/shop/", shop, hook)
}

pub fn quiet(_: usize, _: &Request, _: &mut Shop) -> Option<Response> {
    None
}

pub fn changed(from: &str, to: &str) -> Window {
    Window { by: WindowBy::Changed, from: at(from), to: at(to) }
}

/// All pages of a window, each by a client of its own as after a restart would be, in the order in which they came.
pub fn read(client: &WooCommerce, window: &Window) -> Result<Vec<PulledOrder>, ApiError> {
    let mut all = vec![];
    let mut cursor = None;
    loop {
        let page = client.orders(window, cursor.as_deref())?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

pub fn ids(orders: &[PulledOrder]) -> Vec<u64> {
    let mut ids: Vec<u64> = orders.iter().map(|order| order.external_id.parse().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

pub fn asked(fake: &Fake, name: &str) -> Vec<String> {
    let asked = fake.asked.lock().unwrap();
    let value = |request: &Request| {
        let found = request.url.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    asked.iter().map(value).collect()
}
