//! The log of everything the stores sent: what was decided about it, its exact bytes, and what it changed.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::code::Code;
use super::desk::{Desk, Nothing, nothing};
use super::format::{self, Link, Pager, Pill, Tone, When};
use super::pulls;
use super::shell::Shell;
use super::words;
use crate::access::{Role, audit};
use crate::connections;
use crate::events::{self, Topic};
use crate::ingest::{self, StoredDelivery};
use crate::reports::deliveries::{self as report, Filter};
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/deliveries.html")]
pub struct DeliveriesPage {
    pub shell: Shell,
    pub filter: Filter,
    /// Slugs to choose from.
    pub stores: Vec<String>,
    /// Value in the URL, and the words for it.
    pub states: Vec<(&'static str, &'static str)>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub id: String,
    pub at: When,
    pub store: Link,
    pub topic: String,
    pub verdict: Pill,
    /// One sentence about the verdict, where it needs one.
    pub why: String,
    pub order: Option<Link>,
    pub size: String,
    pub repeats: String,
}

#[derive(Template)]
#[template(path = "admin/delivery.html")]
pub struct DeliveryPage {
    pub shell: Shell,
    pub id: String,
    pub at: When,
    pub store: Link,
    pub topic: String,
    pub verdict: Pill,
    pub why: String,
    pub facts: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub payload: Code,
    pub size: String,
    pub changes: Vec<Change>,
    pub attempts: Vec<Attempt>,
    pub can_process: bool,
    /// It names an order whose store can be read.
    pub can_pull: bool,
}

/// One thing that this delivery did to an order.
pub struct Change {
    pub pill: Pill,
    pub text: String,
    pub order: Option<Link>,
}

pub struct Attempt {
    pub at: When,
    pub outcome: Pill,
    pub detail: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    store: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    q: String,
    before: Option<Uuid>,
}

pub async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { store, state, q, before } = asked.into_inner();
    let filter = Filter { store, state, q };
    let wanted = filter.clone();
    let (shell, (stores, found)) = desk
        .read(&viewer, "deliveries", move |conn| {
            Ok((ingest::list_stores(conn)?, report::list(conn, &wanted, before)?))
        })
        .await?;
    let here = |before: &str| {
        let Filter { store, state, q } = &filter;
        let pairs = [("store", store.as_str()), ("state", state), ("q", q), ("before", before)];
        words::address("/admin/deliveries", &pairs)
    };
    let page = DeliveriesPage {
        shell,
        stores: stores.into_iter().map(|store| store.slug).collect(),
        states: words::DELIVERY_STATES.to_vec(),
        pager: Pager {
            shown: found.rows.len(),
            first: before.map(|_| here("")),
            next: found.next.map(|id| here(&id.to_string())),
        },
        rows: found.rows.iter().map(row).collect(),
        filter,
    };
    desk.show(&page)
}

fn row(found: &report::Row) -> Row {
    let order = found.order_ids.first().zip(found.order_number.as_ref());
    Row {
        id: found.delivery_id.to_string(),
        at: When(found.received_at),
        store: words::store_link(&found.store),
        topic: found.topic.clone(),
        verdict: words::verdict(found.verdict.as_deref(), found.parked_at.is_some()),
        why: why(found),
        order: order.map(|(id, number)| words::order_link(*id, number)),
        size: words::size(found.body_bytes),
        repeats: match found.repeats {
            0 => String::new(),
            more => format!("told {} times", format::count(more + 1)),
        },
    }
}

/// What the verdict's one word does not say.
fn why(found: &report::Row) -> String {
    if found.parked_at.is_some() {
        return found.last_error.clone().unwrap_or_default();
    }
    match (found.verdict.as_deref(), &found.detail) {
        (_, Some(detail)) => detail.clone(),
        (Some("superseded"), None) => "an older snapshot than the one we have".to_owned(),
        _ => String::new(),
    }
}

pub async fn one(viewer: Viewer, desk: Desk, id: Path<Uuid>) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let (shell, found) = desk
        .read(&viewer, "deliveries", move |conn| {
            let Some(row) = report::one(conn, id)? else { return Ok(None) };
            let changes = report::changes(conn, id, &row.order_ids)?;
            let connected = connections::connection(conn, &row.store)?.is_some();
            Ok(Some((ingest::load(conn, &[id])?, report::outcomes(conn, id)?, changes, row, connected)))
        })
        .await?;
    let (stored, outcomes, changes, row, connected) = found.ok_or_else(|| nothing("delivery"))?;
    let delivery = stored.into_iter().next().ok_or_else(|| nothing("delivery"))?;
    let page = DeliveryPage {
        id: id.to_string(),
        at: When(row.received_at),
        store: words::store_link(&row.store),
        topic: row.topic.clone(),
        verdict: words::verdict(row.verdict.as_deref(), row.parked_at.is_some()),
        why: why(&row),
        can_pull: connected
            && viewer.role >= Role::Operator
            && !pulls::orders_of(&row.platform, &delivery).is_empty(),
        facts: facts(&delivery, &row),
        payload: Code::json("Payload as lines", &String::from_utf8_lossy(&delivery.body)),
        headers: delivery.headers.into_iter().map(masked).collect(),
        size: words::size(row.body_bytes),
        changes: changes.iter().map(change).collect(),
        attempts: outcomes.iter().map(attempt).collect(),
        can_process: viewer.role >= Role::Operator,
        shell,
    };
    desk.show(&page)
}

fn facts(delivery: &StoredDelivery, row: &report::Row) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![fact("Platform", row.platform.clone())];
    let told =
        [("Platform's delivery id", &delivery.delivery_key), ("Platform's event id", &delivery.event_key)];
    facts.extend(told.into_iter().filter_map(|(name, key)| Some(fact(name, key.clone()?))));
    if let Some(at) = delivery.triggered_at {
        facts.push(fact("Triggered", When(at).utc()));
    }
    facts.push(fact("SHA-256 of the bytes", hex::encode(ingest::sha256(&delivery.body))));
    if row.repeats > 0 {
        facts.push(fact("Told again", format!("{} times, without effect", format::count(row.repeats))));
    }
    facts
}

/// A proof of the secret is nothing to be shown around.
fn masked((name, value): (String, String)) -> (String, String) {
    let secret = ["signature", "hmac", "authorization", "secret", "token", "cookie"];
    let hide = secret.iter().any(|word| name.to_ascii_lowercase().contains(word));
    (name, if hide { "•••".to_owned() } else { value })
}

fn change(found: &report::Change) -> Change {
    let tone = if found.absorbed == "applied" { Tone::Ok } else { Tone::Muted };
    Change {
        pill: Pill::new(tone, found.absorbed.as_str()),
        text: format!("Revision {} of the order: {}", found.revision_no, found.kind),
        order: Some(words::order_link(found.order_id, format!("Order {}", found.number))),
    }
}

fn attempt(found: &report::Outcome) -> Attempt {
    Attempt {
        at: When(found.processed_at),
        outcome: words::verdict(Some(&found.verdict), false),
        detail: found.detail.clone().unwrap_or_default(),
    }
}

/// Frees a parked delivery, or sends one that was processed through once more.
pub async fn process(
    operator: Operator,
    desk: Desk,
    id: Path<Uuid>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (id, now, by) = (id.into_inner(), desk.now(), operator.email.clone());
    desk.write(move |tx| {
        if report::one(tx.conn, id)?.is_none() {
            return Ok(());
        }
        if events::unpark(tx, id)? == 0 {
            events::publish(tx, Topic::DeliveryAccepted, &[(id, now)])?;
        }
        audit::record(tx, &by, "delivery.process", &id.to_string(), json!({}), now)
    })
    .await?;
    Ok(desk.done(&format!("/admin/deliveries/{id}"), "The delivery is processed again."))
}
