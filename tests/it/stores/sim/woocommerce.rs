//! WooCommerce 11 as a shop on plain HTTP speaks it: REST v3 with signed keys, lists in WordPress' manner, webhooks
//! in PHP's JSON. Shapes and habits are those of captured deliveries and of the platform's documentation.
//!
//! What it keeps to itself: a refund that is deleted, and an order that comes back from the trash by its status. A
//! delivery is built when it leaves, sent once, and its id is that of its second. The seventh failure in a row
//! disables a webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::dialect::{Answer, Call, Dialect, Sent};
use super::shop::{Id, Shop, ShopEvent, Subscription, What};

mod auth;
mod bodies;
mod lists;

use auth::Keys;
use lists::Kind;

pub struct WooCommerce {
    pub keys: Keys,
    /// `/` or a sub-directory with both its slashes.
    pub home: &'static str,
    /// Permalinks are other than plain: without them there is no `/wp-json/`.
    pub pretty: bool,
    /// Sorts and filters by change, as versions since 5.8.
    pub by_change: bool,
}

impl Default for WooCommerce {
    fn default() -> Self {
        Self { keys: Keys::new("ck_sim", "cs_sim"), home: "/", pretty: true, by_change: true }
    }
}

impl Dialect for WooCommerce {
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer {
        let route = call.path.strip_prefix(self.home).filter(|_| self.pretty);
        let Some(route) = route.and_then(|route| route.strip_prefix("wp-json")) else { return not_found() };
        if matches!(route, "" | "/") {
            return Answer::json(200, &bodies::index(shop)).fields(call);
        }
        let Some(path) = route.strip_prefix("/wc/v3/") else {
            return error(404, "rest_no_route", "No route was found matching the URL and request method.");
        };
        if let Err(refused) = self.keys.check(call) {
            return refused;
        }
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let found = match (call.method.as_str(), parts.as_slice()) {
            ("GET", _) => self.read(shop, call, &parts),
            ("POST", ["webhooks", "batch"]) => Some(Answer::json(200, &json!({}))),
            ("POST", ["webhooks"]) => Some(subscribe(shop, call)),
            ("PUT", ["webhooks", id]) => Some(change(shop, call, id)),
            ("DELETE", ["webhooks", id]) => Some(unsubscribe(shop, call, id)),
            _ => None,
        };
        found.unwrap_or_else(|| {
            error(404, "rest_no_route", "No route was found matching the URL and request method.")
        })
    }

    fn webhook(&self, shop: &Shop, event: &ShopEvent, subscription: &Subscription) -> Option<Sent> {
        let (topic, body) = told(shop, event.what)?;
        (topic == subscription.topic).then(|| signed(shop, subscription, &bodies::php(&body)))
    }

    fn built_when_sent(&self) -> bool {
        true
    }

    fn failures_until_disabled(&self) -> Option<u32> {
        Some(7)
    }
}

impl WooCommerce {
    fn read(&self, shop: &Shop, call: &Call, parts: &[&str]) -> Option<Answer> {
        let id = |text: &str| text.parse::<Id>().ok();
        let list = |kind: Kind, rows| Some(lists::answer(shop, call, kind, rows, self.by_change));
        match *parts {
            ["orders"] => list(Kind::Orders, lists::orders(shop)),
            ["orders", order] => {
                let known = id(order).and_then(|id| shop.orders.get(&id));
                Some(one(call, known.map(|order| bodies::order(shop, order)), "shop_order"))
            }
            ["orders", order, "refunds"] => list(Kind::Posts, lists::refunds(shop, id(order)?)),
            ["products"] => list(Kind::Posts, lists::products(shop)),
            ["products", product] => {
                let known = id(product).and_then(|id| shop.products.get(&id)).filter(|known| !known.deleted);
                Some(one(call, known.map(|product| bodies::product(shop, product)), "product"))
            }
            ["products", product, "variations"] => list(Kind::Posts, lists::variations(shop, id(product)?)),
            ["customers"] => list(Kind::Users, lists::customers(shop)),
            ["webhooks"] => list(Kind::Webhooks, lists::webhooks(shop)),
            ["webhooks", webhook] => {
                let known = id(webhook).and_then(|id| shop.subscriptions.get(&id));
                Some(one(call, known.map(bodies::webhook), "shop_webhook"))
            }
            ["system_status"] => Some(Answer::json(200, &bodies::status(shop)).fields(call)),
            ["settings", "general", "woocommerce_currency"] => {
                let setting = json!({"id": "woocommerce_currency", "value": shop.currency, "type": "select"});
                Some(Answer::json(200, &setting))
            }
            _ => None,
        }
    }
}

/// The first delivery that a webhook's address gets: a form, unsigned, without a header of its own.
pub fn ping(subscription: &Subscription) -> Sent {
    let headers = vec![
        ("User-Agent".to_owned(), bodies::AGENT.to_owned()),
        ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    Sent { headers, body: format!("webhook_id={}", subscription.id).into_bytes() }
}

/// The topic under which something is told, and the body as it would be now.
fn told(shop: &Shop, what: What) -> Option<(&'static str, Value)> {
    let order = |id: Id| bodies::order(shop, shop.order(id));
    let product = |id: Id| bodies::product(shop, &shop.products[&id]);
    Some(match what {
        What::OrderPlaced(id) => ("order.created", order(id)),
        What::OrderPaid(id) | What::OrderTouched(id) | What::OrderEdited(id) | What::OrderCancelled(id) => {
            ("order.updated", order(id))
        }
        What::RefundMade { order: id, .. } => ("order.updated", order(id)),
        What::OrderTrashed(id) => ("order.deleted", json!({"id": id})),
        What::OrderRestored(id) => ("order.restored", order(id)),
        What::OrderRevived(_) | What::RefundTakenBack { .. } => return None,
        What::ProductCreated(id) => ("product.created", product(id)),
        What::ProductChanged(id) => ("product.updated", product(id)),
        What::ProductDeleted(id) => ("product.deleted", json!({"id": id})),
        // A variation comes as a product of its own.
        What::StockChanged { product: id, variant } if id != variant => {
            let known = &shop.products[&id];
            let variant = known.variants.iter().find(|known| known.id == variant)?;
            ("product.updated", bodies::variation(shop, known, variant))
        }
        What::StockChanged { product: id, .. } => ("product.updated", product(id)),
        What::CustomerCreated(id) => ("customer.created", bodies::customer(shop, &shop.customers[&id])),
        What::CustomerChanged(id) => ("customer.updated", bodies::customer(shop, &shop.customers[&id])),
    })
}

fn signed(shop: &Shop, subscription: &Subscription, body: &str) -> Sent {
    let (resource, event) = subscription.topic.split_once('.').expect("a topic of two parts");
    let second = format!("{}{}", subscription.id, shop.now.timestamp());
    let delivery = hex::encode(Sha256::digest(second))[..32].to_owned();
    let signature = auth::hmac_sha256(subscription.secret.as_bytes(), body.as_bytes());
    let headers = [
        ("User-Agent", bodies::AGENT.to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("X-WC-Webhook-Source", bodies::HOME.to_owned()),
        ("X-WC-Webhook-Topic", subscription.topic.clone()),
        ("X-WC-Webhook-Resource", resource.to_owned()),
        ("X-WC-Webhook-Event", event.to_owned()),
        ("X-WC-Webhook-Signature", STANDARD.encode(signature)),
        ("X-WC-Webhook-ID", subscription.id.to_string()),
        ("X-WC-Webhook-Delivery-ID", delivery),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Sent { headers, body: body.as_bytes().to_vec() }
}

fn one(call: &Call, body: Option<Value>, kind: &str) -> Answer {
    match body {
        Some(body) => Answer::text(200, bodies::php(&body)).fields(call),
        None => error(404, &format!("woocommerce_rest_{kind}_invalid_id"), "Invalid ID."),
    }
}

const TOPICS: [&str; 3] = ["order", "product", "customer"];
const EVENTS: [&str; 4] = ["created", "updated", "deleted", "restored"];

fn is_topic(topic: &str) -> bool {
    let known = topic
        .split_once('.')
        .is_some_and(|(resource, event)| TOPICS.contains(&resource) && EVENTS.contains(&event));
    known && topic != "customer.restored"
}

fn is_address(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

fn subscribe(shop: &mut Shop, call: &Call) -> Answer {
    let told = call.json();
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let (topic, address, secret) = (text("topic"), text("delivery_url"), text("secret"));
    if !is_topic(&topic) {
        let code = "woocommerce_rest_shop_webhook_invalid_topic";
        return error(400, code, "Webhook topic is required and must be valid.");
    }
    if !is_address(&address) {
        let code = "woocommerce_rest_shop_webhook_invalid_delivery_url";
        return error(
            400,
            code,
            "Webhook delivery URL must be a valid URL starting with http:// or https://.",
        );
    }
    let secret = if secret.is_empty() { "a{;~<&b of its own".to_owned() } else { secret };
    let id = shop.subscribe(&topic, &address, &secret);
    Answer::text(201, bodies::php(&bodies::webhook(&shop.subscriptions[&id])))
}

fn change(shop: &mut Shop, call: &Call, id: &str) -> Answer {
    let told = call.json();
    let known = id.parse().ok().and_then(|id: Id| shop.subscriptions.get_mut(&id));
    let Some(known) = known else {
        return error(400, "woocommerce_rest_shop_webhook_invalid_id", "ID is invalid.");
    };
    let text = |name: &str| told[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match text("status").as_deref() {
        None => {}
        Some("active") => (known.active, known.failures) = (true, 0),
        Some("paused" | "disabled") => known.active = false,
        Some(_) => {
            let code = "woocommerce_rest_shop_webhook_invalid_status";
            return error(400, code, "Webhook status must be valid.");
        }
    }
    known.topic = text("topic").filter(|topic| is_topic(topic)).unwrap_or(known.topic.clone());
    known.address = text("delivery_url").filter(|url| is_address(url)).unwrap_or(known.address.clone());
    known.secret = text("secret").unwrap_or(known.secret.clone());
    Answer::text(200, bodies::php(&bodies::webhook(known)))
}

fn unsubscribe(shop: &mut Shop, call: &Call, id: &str) -> Answer {
    if !matches!(call.param("force"), Some("true" | "1")) {
        return error(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.");
    }
    match id.parse().ok().and_then(|id: Id| shop.subscriptions.remove(&id)) {
        Some(gone) => Answer::text(200, bodies::php(&bodies::webhook(&gone))),
        None => error(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID."),
    }
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"code": code, "message": message, "data": {"status": status}}))
}

/// The theme's page, as everything outside of the API.
fn not_found() -> Answer {
    let page = "<!doctype html><html><title>Page not found</title></html>";
    let headers = vec![("content-type".to_owned(), "text/html; charset=UTF-8".to_owned())];
    Answer { status: 404, headers, body: page.into() }
}

impl Answer {
    /// Only what `_fields` names.
    fn fields(mut self, call: &Call) -> Self {
        if let Some(fields) = call.param("_fields") {
            let body: Value = serde_json::from_slice(&self.body).expect("our own JSON");
            self.body = bodies::php(&lists::only(body, fields)).into_bytes();
        }
        self
    }
}
