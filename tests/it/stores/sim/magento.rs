//! Magento's REST V1 as it is documented: lists by search criteria, OAuth 1.0a or a bearer token, errors in its words.
//!
//! It sends nothing by itself. A subscription stands for a merchant's webhook module, which posts the order as the API
//! gives it, with the secret in a header of our own.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::dialect::{Answer, Call, Dialect, Sent};
use super::shop::{Id, Shop, ShopEvent, Subscription, What};

mod auth;
mod search;
mod told;

use auth::Refused;
use search::Table;

/// The four values of an integration.
pub const CONSUMER_KEY: &str = "ck5yu8v1q2w3e4r5t6y7u8i9o0p1a2s3";
pub const CONSUMER_SECRET: &str = "cs9o8i7u6y5t4r3e2w1q0p9a8s7d6f5g";
pub const ACCESS_TOKEN: &str = "at1q2w3e4r5t6y7u8i9o0p1a2s3d4f5g";
pub const ACCESS_TOKEN_SECRET: &str = "as0p9o8i7u6y5t4r3e2w1qa2s3d4f5g6";

pub struct Magento {
    /// Of versions before 2.4.4: HMAC-SHA1 and nothing else.
    pub sha1_only: bool,
    /// `oauth/consumer/enable_integration_as_bearer`.
    pub bearer: bool,
    /// The inventory modules were removed.
    pub without_inventory: bool,
    /// Those that were taken.
    pub nonces: Mutex<HashSet<String>>,
}

impl Magento {
    pub fn new() -> Self {
        Self { sha1_only: false, bearer: false, without_inventory: false, nonces: Mutex::default() }
    }

    fn route(&self, shop: &Shop, path: &str, call: &Call) -> Option<Answer> {
        Some(match path {
            "orders" => search::list(call, &orders(shop)),
            "invoices" => search::list(call, &invoices(shop)),
            "creditmemos" => search::list(call, &memos(shop)),
            "products" => search::list(call, &products(shop)),
            "customers/search" => search::list(call, &customers(shop)),
            "inventory/source-items" if !self.without_inventory => search::list(call, &sources(shop)),
            "store/storeConfigs" => Answer::json(200, &told::configs(shop)),
            _ => {
                let id: Id = path.strip_prefix("orders/")?.parse().ok()?;
                match shop.orders.get(&id).filter(|order| !order.trashed) {
                    Some(order) => Answer::json(200, &told::order(shop, order)),
                    None => failed(
                        404,
                        "The entity that was requested doesn't exist. Verify the entity and try again.",
                    ),
                }
            }
        })
    }
}

fn is_signed(call: &Call) -> bool {
    call.header("authorization").is_some_and(|given| given.starts_with("OAuth "))
}

fn failed(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}

/// `/sub/rest/all/V1/orders` to `orders`: below the installation, of one store view, of all, or of the default.
fn below(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/rest/")?;
    let (view, path) = rest.split_once("V1/")?;
    ["", "all/", "default/"].contains(&view).then_some(path)
}

impl Dialect for Magento {
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer {
        let Some(path) = below(&call.path) else {
            return Answer::text(404, "<html><h1>404 Not Found</h1></html>".to_owned());
        };
        // What the stores are is open to everybody; a wrong signature is refused all the same.
        let anonymous = path == "store/storeConfigs" && !is_signed(call);
        match self.authorised(call) {
            _ if anonymous => {}
            Ok(()) => {}
            Err(Refused { status, message }) => return failed(status, &message),
        }
        if call.method != "GET" {
            return failed(404, "Request does not match any route.");
        }
        self.route(shop, path, call).unwrap_or_else(|| failed(404, "Request does not match any route."))
    }

    fn webhook(&self, shop: &Shop, event: &ShopEvent, subscription: &Subscription) -> Option<Sent> {
        let id = match event.what {
            What::OrderPlaced(id) | What::OrderPaid(id) | What::OrderTouched(id) => id,
            What::OrderCancelled(id) => id,
            What::RefundMade { order, .. } | What::RefundTakenBack { order, .. } => order,
            _ => return None,
        };
        let headers = [("content-type", "application/json"), ("x-upline-secret", &*subscription.secret)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Some(Sent { headers, body: told::order(shop, shop.order(id)).to_string().into_bytes() })
    }

    /// A module tries once and goes on.
    fn failures_until_disabled(&self) -> Option<u32> {
        Some(u32::MAX)
    }
}

fn orders(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("entity_id", &["entity_id", "created_at", "updated_at", "increment_id"]);
    for order in shop.listed() {
        let keys = [
            search::number(order.id),
            search::time(order.created_at),
            search::time(order.changed_at),
            told::number(order),
        ];
        table.add(keys, move || told::order(shop, order));
    }
    table
}

fn invoices(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("entity_id", &["entity_id", "created_at", "order_id"]);
    for order in shop.listed() {
        if let Some(paid_at) = order.paid_at {
            let keys = [search::number(order.id), search::time(paid_at), search::number(order.id)];
            table.add(keys, move || told::invoice(order));
        }
    }
    table
}

fn memos(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("entity_id", &["entity_id", "created_at", "order_id"]);
    for order in shop.listed() {
        for refund in &order.refunds {
            let keys = [search::number(refund.id), search::time(refund.at), search::number(order.id)];
            table.add(keys, move || told::memo(order, refund));
        }
    }
    table
}

fn products(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("entity_id", &["entity_id", "sku", "created_at", "updated_at"]);
    for product in shop.products.values().filter(|product| !product.deleted) {
        let times = [search::time(product.created_at), search::time(product.changed_at)];
        let keys =
            |id: Id, sku: &str| [search::number(id), sku.to_owned(), times[0].clone(), times[1].clone()];
        if !product.simple {
            table.add(keys(product.id, &told::parent_sku(product.id)), move || told::configurable(product));
        }
        for variant in &product.variants {
            table.add(keys(variant.id, &variant.sku), move || told::simple(product, variant));
        }
    }
    table
}

fn customers(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("entity_id", &["entity_id", "created_at", "updated_at"]);
    for customer in shop.customers.values() {
        let keys = [
            search::number(customer.id),
            search::time(customer.created_at),
            search::time(customer.changed_at),
        ];
        table.add(keys, move || told::customer(customer));
    }
    table
}

fn sources(shop: &Shop) -> Table<'_> {
    let mut table = Table::new("source_item_id", &["source_item_id", "sku"]);
    let variants = shop.products.values().filter(|product| !product.deleted).flat_map(|p| &p.variants);
    for variant in variants {
        let keys = [search::number(variant.inventory), variant.sku.clone()];
        table.add(keys, move || {
            json!({"sku": variant.sku, "source_code": "default", "quantity": variant.stock, "status": 1})
        });
    }
    table
}

/// Only what `fields` names: `items[id,custom_attributes[value]],total_count`.
fn pruned(value: &Value, fields: &str) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| pruned(item, fields)).collect(),
        Value::Object(object) => {
            let mut kept = serde_json::Map::new();
            for (name, inner) in search::fields(fields) {
                if let Some(value) = object.get(name) {
                    kept.insert(
                        name.to_owned(),
                        if inner.is_empty() { value.clone() } else { pruned(value, inner) },
                    );
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}
