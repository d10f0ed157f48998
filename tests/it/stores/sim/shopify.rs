//! Shopify as its Admin GraphQL API and its webhooks show a shop, from the platform's documentation and recorded
//! exchanges: tokens of a day, points, keyset cursors over a search, lists that go on, agreements of sales, bulk
//! files. What is answered is what the query selects; a field that a type does not have is an error.
//!
//! An order that is deleted is not listed any more. A lowered quantity is told as a refund without money.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::dialect::{Answer, Call, Dialect, Sent};
use super::shop::{Id, Order, Shop, ShopEvent, Subscription};

mod bulk;
mod node;
mod rest;
mod select;
#[cfg(test)]
mod tests;

use node::{gid, time};
use select::Selection;

pub const VERSION: &str = "2026-10";
const MOST_POINTS: u64 = 1000;
const SHOWN_TO_ALL: TimeDelta = TimeDelta::days(60);

pub struct Shopify {
    pub client_id: String,
    /// Signs webhooks, too.
    pub client_secret: String,
    /// A token that never ends, made in the admin.
    pub pasted: String,
    pub scopes: Vec<&'static str>,
    /// Points that the bucket holds, and that come back with every call.
    pub bucket: (u64, u64),
    /// For so many calls a bulk operation is still running.
    pub bulk_runs: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when, by the shop's clock.
    tokens: BTreeMap<String, DateTime<Utc>>,
    issued: u64,
    /// Taken out of the bucket.
    spent: u64,
    bulk: Vec<bulk::Operation>,
}

impl Default for Shopify {
    fn default() -> Self {
        Self {
            client_id: "sim-client".to_owned(),
            client_secret: "sim-client-secret".to_owned(),
            pasted: "shpat_sim".to_owned(),
            scopes: vec![
                "read_orders",
                "read_all_orders",
                "read_products",
                "read_customers",
                "read_inventory",
            ],
            bucket: (20_000, 10_000),
            bulk_runs: 0,
            state: Mutex::default(),
        }
    }
}

/// An error as GraphQL tells one.
struct Fault {
    code: &'static str,
    message: String,
}

fn fault(code: &'static str, message: impl Into<String>) -> Fault {
    Fault { code, message: message.into() }
}

impl Dialect for Shopify {
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer {
        match (call.method.as_str(), call.path.as_str()) {
            ("POST", "/admin/oauth/access_token") => self.grant(shop, call),
            ("GET", path) if path.starts_with("/bulk-files/") => {
                self.file(call, &path["/bulk-files/".len()..])
            }
            ("POST", path) if path == format!("/admin/api/{VERSION}/graphql.json") => {
                self.graphql(shop, call)
            }
            _ => Answer::json(404, &json!({"errors": "Not Found"})),
        }
    }

    fn webhook(&self, shop: &Shop, event: &ShopEvent, subscription: &Subscription) -> Option<Sent> {
        let told = rest::told(shop, event.what);
        let wanted = |topic: &str| subscription.topic == enumerated(topic) || subscription.topic == topic;
        let (topic, body) = told.into_iter().find(|(topic, _)| wanted(topic))?;
        Some(rest::signed(&self.client_secret, event, topic, subscription.id, &body))
    }
}

/// `orders/create` is `ORDERS_CREATE` in the API.
fn enumerated(topic: &str) -> String {
    topic.replace('/', "_").to_ascii_uppercase()
}

impl Shopify {
    fn grant(&self, shop: &Shop, call: &Call) -> Answer {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(&call.body).into_owned().collect();
        let is = |name: &str, wanted: &str| form.get(name).is_some_and(|given| given == wanted);
        if !is("grant_type", "client_credentials") {
            return Answer::json(400, &json!({"error": "unsupported_grant_type"}));
        }
        if !is("client_id", &self.client_id) || !is("client_secret", &self.client_secret) {
            return Answer::json(400, &json!({"error": "invalid_client"}));
        }
        let mut state = self.state.lock().unwrap();
        state.issued += 1;
        let token = format!("shpat_of_a_day_{}", state.issued);
        state.tokens.insert(token.clone(), shop.now + TimeDelta::hours(24));
        let scope = self.scopes.join(",");
        Answer::json(200, &json!({"access_token": token, "scope": scope, "expires_in": 86399}))
    }

    fn graphql(&self, shop: &mut Shop, call: &Call) -> Answer {
        let token = call.header("x-shopify-access-token").unwrap_or_default();
        let live = self.state.lock().unwrap().tokens.get(token).is_some_and(|until| shop.now < *until);
        if token != self.pasted && !live {
            let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return Answer::json(401, &json!({ "errors": message }));
        }
        let asked = call.json();
        let host = call.header("host").unwrap_or("shop.invalid");
        let query = asked["query"].as_str().unwrap_or_default();
        let selections = match select::parse(query) {
            Ok(selections) => selections,
            Err(message) => return self.reply(Err(fault("", message)), 0),
        };
        let variables = &asked["variables"];
        let cost = selections.iter().map(|selection| cost(selection, variables)).sum();
        if cost > MOST_POINTS {
            let message = format!(
                "Query cost is {cost}, which exceeds the single query max cost limit ({MOST_POINTS})."
            );
            return self.reply(Err(fault("MAX_COST_EXCEEDED", message)), cost);
        }
        if !self.pay(cost) {
            return self.reply(Err(fault("THROTTLED", "Throttled")), cost);
        }
        let mut data = Map::new();
        for selection in &selections {
            let Selection::Field { name, arguments, of, .. } = selection else { continue };
            let arguments: Map<String, Value> =
                arguments.iter().map(|(name, value)| (name.clone(), value.value(variables))).collect();
            let found = self.root(shop, host, name, &Value::Object(arguments));
            let found = found.and_then(|found| {
                let root = [selection.clone()];
                let _ = of;
                let mut whole = Map::new();
                whole.insert("__typename".to_owned(), json!("QueryRoot"));
                whole.insert(name.clone(), found);
                select::select(&Value::Object(whole), &root, variables)
                    .map_err(|message| fault("undefinedField", message))
            });
            match found {
                Ok(Value::Object(found)) => data.extend(found),
                Ok(_) => {}
                Err(error) => return self.reply(Err(error), cost),
            }
        }
        self.reply(Ok(Value::Object(data)), cost)
    }

    /// Takes the points, if they are there. Time goes by with every call: points come back, bulk operations go on.
    fn pay(&self, cost: u64) -> bool {
        let (holds, comes) = self.bucket;
        let mut state = self.state.lock().unwrap();
        for operation in &mut state.bulk {
            operation.running = operation.running.saturating_sub(1);
        }
        state.spent = state.spent.saturating_sub(comes);
        if state.spent + cost > holds {
            return false;
        }
        state.spent += cost;
        true
    }

    fn reply(&self, done: Result<Value, Fault>, cost: u64) -> Answer {
        let (holds, comes) = self.bucket;
        let left = holds - self.state.lock().unwrap().spent;
        let status = json!({"maximumAvailable": holds, "currentlyAvailable": left, "restoreRate": comes});
        let actual = done.is_ok().then_some(cost);
        let cost = json!({"requestedQueryCost": cost, "actualQueryCost": actual, "throttleStatus": status});
        let extensions = json!({ "cost": cost });
        let body = match done {
            Ok(data) => json!({"data": data, "extensions": extensions}),
            Err(Fault { code, message }) => {
                let error = json!({"message": message, "extensions": {"code": code}});
                json!({"errors": [error], "extensions": extensions})
            }
        };
        Answer::json(200, &body).with("X-Shopify-API-Version", VERSION)
    }

    fn root(&self, shop: &mut Shop, host: &str, name: &str, arguments: &Value) -> Result<Value, Fault> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        Ok(match name {
            "shop" => json!({"__typename": "Shop", "name": shop.name, "currencyCode": shop.currency,
                "ianaTimezone": shop.zone}),
            "currentAppInstallation" => {
                let scope = |handle: &&str| json!({"__typename": "AccessScope", "handle": handle});
                let scopes: Vec<Value> = self.scopes.iter().map(scope).collect();
                json!({"__typename": "AppInstallation", "accessScopes": scopes})
            }
            "orders" => json!({ "$nodes": self.orders(shop, arguments)? }),
            "ordersCount" => json!({"__typename": "Count", "precision": "EXACT",
                "count": self.found(shop, arguments)?.len()}),
            "order" => self.node(shop, &text("id"))?,
            "node" => self.node(shop, &text("id"))?,
            "products" => {
                self.allowed("products", "read_products")?;
                let all = shop.products.values().filter(|product| !product.deleted).map(node::product);
                json!({ "$nodes": changed_since(all, arguments)? })
            }
            "customers" => {
                self.allowed("customers", "read_customers")?;
                json!({ "$nodes": changed_since(shop.customers.values().map(node::customer), arguments)? })
            }
            "webhookSubscriptions" => {
                json!({ "$nodes": shop.subscriptions.values().map(subscription).collect::<Vec<_>>() })
            }
            "webhookSubscriptionCreate" => self.subscribe(shop, arguments),
            "webhookSubscriptionUpdate" => resubscribe(shop, arguments),
            "webhookSubscriptionDelete" => unsubscribe(shop, arguments),
            "bulkOperationRunQuery" => self.run_bulk(shop, arguments)?,
            "bulkOperation" => self.bulk_state(&text("id"), host),
            other => {
                return Err(fault(
                    "undefinedField",
                    format!("Field '{other}' doesn't exist on type 'QueryRoot'"),
                ));
            }
        })
    }

    fn allowed(&self, field: &str, scope: &str) -> Result<(), Fault> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let message = format!("Access denied for {field} field. Required access: `{scope}` access scope.");
        Err(fault("ACCESS_DENIED", message))
    }

    /// Whatever the search finds, in its order; older ones only for those who may see all.
    fn found<'s>(&self, shop: &'s Shop, arguments: &Value) -> Result<Vec<&'s Order>, Fault> {
        self.allowed("orders", "read_orders")?;
        let all = self.scopes.contains(&"read_all_orders");
        let shown = |created_at: DateTime<Utc>| all || shop.now - created_at <= SHOWN_TO_ALL;
        let search = Search::parse(arguments["query"].as_str().unwrap_or_default())?;
        let found = shop.listed().filter(|order| shown(order.created_at));
        let found = found.filter(|order| {
            search.finds(|field| match field {
                "updated_at" => time(order.changed_at),
                _ => time(order.created_at),
            })
        });
        Ok(found.collect())
    }

    /// Only the page that is asked for, and one more that shows whether there is another, is written out.
    fn orders(&self, shop: &Shop, arguments: &Value) -> Result<Vec<Value>, Fault> {
        let (field, key): (_, fn(&Order) -> String) = match arguments["sortKey"].as_str() {
            Some("UPDATED_AT") => ("updatedAt", |order| time(order.changed_at)),
            Some("PROCESSED_AT") => ("processedAt", |order| time(order.created_at)),
            Some("CREATED_AT") => ("createdAt", |order| time(order.created_at)),
            Some(other) => return Err(fault("argumentLiteralsIncompatible", format!("no sort key {other}"))),
            None => ("id", |_| String::new()),
        };
        let after = arguments["after"].as_str().unwrap_or_default();
        let found = self.found(shop, arguments)?.into_iter();
        let found = found.map(|order| (cursor(&key(order), order.id), order));
        let mut found: Vec<(String, &Order)> = found.filter(|(cursor, _)| cursor.as_str() > after).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(first) = arguments["first"].as_u64() {
            found.truncate(usize::try_from(first).unwrap() + 1);
        }
        Ok(sorted(found.into_iter().map(|(_, order)| node::order(shop, order)), field))
    }

    fn node(&self, shop: &Shop, id: &str) -> Result<Value, Fault> {
        let (kind, number) = id.trim_start_matches("gid://shopify/").split_once('/').unwrap_or_default();
        let Ok(number) = number.parse::<Id>() else {
            return Err(fault("argumentLiteralsIncompatible", format!("Invalid global id '{id}'")));
        };
        Ok(match kind {
            "Order" => {
                self.allowed("order", "read_orders")?;
                let order = shop.orders.get(&number).filter(|order| !order.trashed);
                order.map_or(Value::Null, |order| node::order(shop, order))
            }
            "Refund" => node::refund(shop, number).unwrap_or(Value::Null),
            "Product" => shop.products.get(&number).map_or(Value::Null, node::product),
            "Customer" => shop.customers.get(&number).map_or(Value::Null, node::customer),
            _ => Value::Null,
        })
    }

    fn subscribe(&self, shop: &mut Shop, arguments: &Value) -> Value {
        let uri = arguments["webhookSubscription"]["uri"].as_str().unwrap_or_default();
        let topic = arguments["topic"].as_str().unwrap_or_default();
        let wrong = |field: &[&str], message: &str| {
            let error = json!({"__typename": "UserError", "field": field, "message": message});
            json!({"__typename": "Payload", "webhookSubscription": null, "userErrors": [error]})
        };
        if !uri.starts_with("https://") {
            return wrong(&["webhookSubscription", "uri"], "Address protocol http:// is not supported");
        }
        if shop.subscriptions.values().any(|known| known.topic == topic && known.address == uri) {
            let message = "Address for this topic has already been taken";
            return wrong(&["webhookSubscription", "callbackUrl"], message);
        }
        let id = shop.subscribe(topic, uri, &self.client_secret);
        made(&shop.subscriptions[&id])
    }

    fn run_bulk(&self, shop: &Shop, arguments: &Value) -> Result<Value, Fault> {
        let refused = |code: &str, message: &str| {
            let error = json!({"__typename": "BulkOperationUserError", "field": null, "message": message,
                "code": code});
            json!({"__typename": "Payload", "bulkOperation": null, "userErrors": [error]})
        };
        if self.state.lock().unwrap().bulk.iter().filter(|operation| operation.running > 0).count() >= 5 {
            let message = "A bulk query operation for this app and shop is already in progress";
            return Ok(refused("OPERATION_IN_PROGRESS", message));
        }
        let selections = match bulk::accept(arguments["query"].as_str().unwrap_or_default()) {
            Ok(selections) => selections,
            Err(message) => return Ok(refused("INVALID", &message)),
        };
        let Some(Selection::Field { arguments, of, .. }) = selections.first() else {
            return Ok(refused("INVALID", "no field"));
        };
        let arguments: Map<String, Value> =
            arguments.iter().map(|(name, value)| (name.clone(), value.value(&json!({})))).collect();
        let orders = self.orders(shop, &Value::Object(arguments))?;
        let mut file = String::new();
        if let Err(message) = bulk::lines(&orders, bulk::node_of(of), None, &mut file) {
            return Ok(refused("INVALID", &message));
        }
        let mut state = self.state.lock().unwrap();
        let id = gid("BulkOperation", u64::try_from(state.bulk.len()).unwrap() + 1);
        let running = self.bulk_runs;
        state.bulk.push(bulk::Operation { id: id.clone(), file, roots: orders.len(), running });
        let operation = json!({"__typename": "BulkOperation", "id": id, "status": "CREATED"});
        Ok(json!({"__typename": "Payload", "bulkOperation": operation, "userErrors": []}))
    }

    fn bulk_state(&self, id: &str, host: &str) -> Value {
        let state = self.state.lock().unwrap();
        state.bulk.iter().find(|known| known.id == id).map_or(Value::Null, |known| known.state(host))
    }

    /// From another host, signed in its address: whoever sends a token there gives it away.
    fn file(&self, call: &Call, number: &str) -> Answer {
        if call.header("x-shopify-access-token").is_some() || call.param("signature") != Some("x") {
            return Answer::text(400, "<Error>InvalidArgument</Error>".to_owned());
        }
        let state = self.state.lock().unwrap();
        let id = format!("gid://shopify/BulkOperation/{number}");
        let Some(operation) = state.bulk.iter().find(|known| known.id == id) else {
            return Answer::text(404, "<Error>NoSuchKey</Error>".to_owned());
        };
        let file = operation.file.as_bytes();
        let range = call.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let Some((from, to)) = range else { return Answer::text(200, operation.file.clone()) };
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap_or(usize::MAX));
        if from >= file.len() {
            return Answer::text(416, String::new()).with("Content-Range", format!("bytes */{}", file.len()));
        }
        let to = to.min(file.len() - 1);
        let range = format!("bytes {from}-{to}/{}", file.len());
        Answer { status: 206, headers: vec![], body: file[from..=to].to_vec() }.with("Content-Range", range)
    }
}

fn cost(selection: &Selection, variables: &Value) -> u64 {
    let Selection::Field { name, arguments, .. } = selection else { return 0 };
    let first = arguments.iter().find(|(name, _)| name == "first");
    let first = first.and_then(|(_, first)| first.value(variables).as_u64());
    let each = match name.as_str() {
        "orders" => 12,
        "products" => 4,
        _ => 2,
    };
    first.map_or(10, |first| 2 + first * each)
}

/// `updated_at:>='2026-10-01T00:00:00Z' updated_at:<'2026-10-02T00:00:00Z'`: all terms have to fit.
struct Search(Vec<(String, &'static str, String)>);

impl Search {
    fn parse(query: &str) -> Result<Self, Fault> {
        let term = |term: &str| {
            let (field, test) = term.split_once(':')?;
            let known = ["updated_at", "created_at", "processed_at"].contains(&field);
            let operator = [">=", "<=", ">", "<"].into_iter().find(|operator| test.starts_with(operator))?;
            let value = test[operator.len()..].trim_matches('\'').to_owned();
            let value = DateTime::parse_from_rfc3339(&value).ok()?.to_utc();
            known.then(|| (field.to_owned(), operator, time(value)))
        };
        // The platform ignores what it does not understand, and finds everything; a test had better hear of it.
        let terms = query.split_whitespace().map(|text| term(text).ok_or_else(|| fault("search", text)));
        terms.collect::<Result<_, _>>().map(Self)
    }

    fn finds(&self, field: impl Fn(&str) -> String) -> bool {
        self.0.iter().all(|(name, operator, value)| {
            let found = field(name);
            match *operator {
                ">=" => found >= *value,
                "<=" => found <= *value,
                ">" => found > *value,
                _ => found < *value,
            }
        })
    }
}

fn changed_since(all: impl Iterator<Item = Value>, arguments: &Value) -> Result<Vec<Value>, Fault> {
    let search = Search::parse(arguments["query"].as_str().unwrap_or_default())?;
    let found = all.filter(|row| search.finds(|_| row["updatedAt"].as_str().unwrap_or_default().to_owned()));
    Ok(sorted(found, "updatedAt"))
}

/// By a time and the id.
fn cursor(time: &str, id: Id) -> String {
    format!("{time}|{id:020}")
}

fn sorted(rows: impl Iterator<Item = Value>, field: &str) -> Vec<Value> {
    let keyed = rows.map(|mut row| {
        let (value, id) = (row[field].as_str().unwrap_or_default(), row["id"].as_str().unwrap_or_default());
        let id: Id = id.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or(0);
        row["$cursor"] = json!(cursor(if field == "id" { "" } else { value }, id));
        row
    });
    let mut rows: Vec<Value> = keyed.collect();
    rows.sort_by(|a, b| a["$cursor"].as_str().cmp(&b["$cursor"].as_str()));
    rows
}

fn subscription(known: &Subscription) -> Value {
    json!({"__typename": "WebhookSubscription", "id": gid("WebhookSubscription", known.id),
        "topic": known.topic, "uri": known.address})
}

fn made(known: &Subscription) -> Value {
    json!({"__typename": "Payload", "webhookSubscription": subscription(known), "userErrors": []})
}

fn known_id(shop: &Shop, arguments: &Value) -> Option<Id> {
    let id = arguments["id"].as_str()?.strip_prefix("gid://shopify/WebhookSubscription/")?.parse().ok()?;
    shop.subscriptions.contains_key(&id).then_some(id)
}

fn gone(field: &str) -> Value {
    let message = "Webhook subscription does not exist";
    let error = json!({"__typename": "UserError", "field": ["id"], "message": message});
    json!({"__typename": "Payload", field: null, "userErrors": [error]})
}

fn resubscribe(shop: &mut Shop, arguments: &Value) -> Value {
    let Some(id) = known_id(shop, arguments) else { return gone("webhookSubscription") };
    let known = shop.subscriptions.get_mut(&id).expect("a subscription");
    if let Some(uri) = arguments["webhookSubscription"]["uri"].as_str() {
        known.address = uri.to_owned();
    }
    made(known)
}

fn unsubscribe(shop: &mut Shop, arguments: &Value) -> Value {
    let Some(id) = known_id(shop, arguments) else { return gone("deletedWebhookSubscriptionId") };
    shop.subscriptions.remove(&id);
    json!({"__typename": "Payload", "deletedWebhookSubscriptionId": gid("WebhookSubscription", id),
        "userErrors": []})
}
