//! The client against answers that were written down: no network, and pauses only move a clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Shopify;
use crate::clients::http::{Http, Request, Response, Transport};
use crate::clients::{ApiError, Credentials, Endpoint, Window, WindowBy};
use crate::clock::Clock;
use crate::stores::Platform;

mod bulk;
mod calls;
mod lists;
mod orders;
mod webhooks;

/// Answers in this order, and what was asked.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Response>>>,
    asked: Arc<Mutex<Vec<Request>>>,
    now: Arc<Mutex<DateTime<Utc>>>,
    pauses: Arc<Mutex<Vec<Duration>>>,
}

impl Transport for Script {
    fn send(&self, request: &Request) -> Result<Response, ApiError> {
        self.asked.lock().unwrap().push(request.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        Ok(answer.unwrap_or_else(|| panic!("nobody expected {}", body(request))))
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(request.body.as_deref().unwrap_or_default()).unwrap_or_default()
}

impl Script {
    fn new(answers: Vec<Response>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into())),
            asked: Arc::default(),
            now: Arc::new(Mutex::new(at("2026-11-01T12:00:00.5Z"))),
            pauses: Arc::default(),
        }
    }

    fn http(&self) -> Http {
        let (now, waited, paused) = (self.now.clone(), self.now.clone(), self.pauses.clone());
        let clock = Clock::told_by(move || *now.lock().unwrap());
        Http::new(Arc::new(self.clone()), clock, move |pause| {
            paused.lock().unwrap().push(pause);
            *waited.lock().unwrap() += TimeDelta::from_std(pause).unwrap();
        })
    }

    fn client(&self, credentials: &Credentials) -> Shopify {
        let base = "https://shop.example/".parse().unwrap();
        let endpoint = Endpoint { platform: Platform::Shopify, base, allow_private: false };
        Shopify::new(&endpoint, credentials, self.http())
    }

    /// With a token that was pasted.
    fn shop(&self) -> Shopify {
        self.client(&Credentials::ShopifyToken { token: "shpat_1".into(), client_secret: "s".into() })
    }

    fn app(&self) -> Shopify {
        self.client(&Credentials::ShopifyApp { client_id: "id".into(), client_secret: "s&cret".into() })
    }

    fn answer(&self, answers: impl IntoIterator<Item = Response>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn later(&self, by: TimeDelta) {
        *self.now.lock().unwrap() += by;
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The operations so far.
    fn operations(&self) -> Vec<String> {
        let name = |request: &Request| body(request)["operationName"].as_str().map(str::to_owned);
        self.asked()
            .iter()
            .map(|request| name(request).unwrap_or_else(|| request.url.path().into()))
            .collect()
    }

    fn variables(&self, call: usize) -> Value {
        body(&self.asked()[call])["variables"].clone()
    }

    fn pauses(&self) -> Vec<u128> {
        self.pauses.lock().unwrap().iter().map(Duration::as_millis).collect()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn said(status: u16, text: &str) -> Response {
    let headers = vec![("X-Shopify-API-Version".to_owned(), "2026-10".to_owned())];
    Response { status, headers, body: text.as_bytes().to_vec() }
}

/// With the bucket as it was after the call.
fn costing(data: Value, cost: u64, left: u64) -> Response {
    let throttle = json!({"maximumAvailable": 2000.0, "currentlyAvailable": left, "restoreRate": 100.0});
    let cost = json!({"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": throttle});
    said(200, &json!({"data": data, "extensions": {"cost": cost}}).to_string())
}

fn data(data: Value) -> Response {
    said(200, &json!({ "data": data }).to_string())
}

fn failed(code: &str, message: &str) -> Response {
    let error = json!({"message": message, "extensions": {"code": code}});
    said(200, &json!({ "errors": [error] }).to_string())
}

fn granted(token: &str) -> Response {
    said(200, &json!({"access_token": token, "scope": "read_orders", "expires_in": 86399}).to_string())
}

fn list(nodes: Vec<Value>, next: Option<&str>) -> Value {
    json!({"nodes": nodes, "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}})
}

/// An order of one line at 9.5, written by hand: its numbers must arrive as they stand here.
fn order(id: u64, updated_at: &str) -> Value {
    let money = json!({"shopMoney": {"amount": "9.50", "currencyCode": "USD"}});
    let line = json!({"id": format!("gid://shopify/LineItem/{id}1"), "title": "Tea", "sku": "TEA", "quantity": 1,
        "currentQuantity": 1, "originalUnitPriceSet": money, "discountAllocations": [], "taxLines": []});
    let sale = json!({"__typename": "ProductSale", "id": format!("gid://shopify/ProductSale/{id}2"),
        "actionType": "ORDER", "lineType": "PRODUCT", "quantity": 1, "totalAmount": money,
        "totalTaxAmount": {"shopMoney": {"amount": "0.0", "currencyCode": "USD"}},
        "lineItem": {"id": format!("gid://shopify/LineItem/{id}1")}});
    let agreement = json!({"__typename": "OrderAgreement", "id": format!("gid://shopify/OrderAgreement/{id}3"),
        "happenedAt": "2026-10-30T10:00:00Z", "sales": list(vec![sale], None)});
    json!({"id": format!("gid://shopify/Order/{id}"), "name": format!("#{id}"), "currencyCode": "USD",
        "createdAt": "2026-10-30T10:00:00Z", "processedAt": "2026-10-30T10:00:00Z", "updatedAt": updated_at,
        "displayFinancialStatus": "PAID", "taxesIncluded": false, "subtotalPriceSet": money,
        "currentSubtotalPriceSet": money, "totalPriceSet": money, "currentTotalPriceSet": money,
        "lineItems": list(vec![line], None), "shippingLines": list(vec![], None), "refunds": [],
        "agreements": {"edges": [{"cursor": "a1", "node": agreement}],
            "pageInfo": {"hasNextPage": false, "endCursor": "a1"}}})
}

fn orders(orders: Vec<Value>, next: Option<&str>, count: u64) -> Value {
    json!({"orders": list(orders, next), "ordersCount": {"count": count, "precision": "EXACT"}})
}

fn changed(from: &str, to: &str) -> Window {
    Window { by: WindowBy::Changed, from: at(from), to: at(to) }
}

fn october() -> Window {
    changed("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
}

fn shop(scopes: &[&str]) -> Value {
    let scopes: Vec<Value> = scopes.iter().map(|scope| json!({ "handle": scope })).collect();
    json!({"shop": {"name": "Tea", "currencyCode": "USD", "ianaTimezone": "America/Toronto"},
        "currentAppInstallation": {"accessScopes": scopes}})
}
