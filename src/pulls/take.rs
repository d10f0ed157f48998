//! What was read becomes deliveries, as far as it is news.
//!
//! News is what makes an order look different: another content, a refund that is none any more, an order that is
//! there again. Reading the same again, however often and whenever, stores nothing.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::clients::PulledOrder;
use crate::core::ids::StoreId;
use crate::core::order::{OrderSnapshot, OrderState, Refund, Report};
use crate::db::{Conn, DbError, Tx};
use crate::ingest::{self, Accepted, NewDelivery, Store};
use crate::orders;
use crate::stores::{self, DeliveryMeta, Headers, PULLED_ABSENCE, PULLED_ORDER, ParseError, Platform};

/// What came of orders that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Stored, because they say something that was not known.
    pub told: usize,
    /// Known as they are.
    pub same: usize,
    /// Of `told`: orders that nothing was known of.
    pub unknown: usize,
}

/// Stores those orders that say something we did not know.
pub fn take(
    tx: &mut Tx<'_>,
    store: &Store,
    orders: &[PulledOrder],
    now: DateTime<Utc>,
) -> Result<Taken, DbError> {
    let Sorted { mut taken, news, unreadable } = sort(tx.conn, store, orders)?;
    let mut deliveries: Vec<NewDelivery> =
        news.iter().map(|order| delivery(store.id, PULLED_ORDER, order.read_at, &order.body, now)).collect();
    // The same bytes stay unreadable, whenever they were read: stored once.
    deliveries.extend(unreadable.iter().map(|order| NewDelivery {
        dedupe_key: stores::pulled_key(PULLED_ORDER, DateTime::UNIX_EPOCH, &order.body),
        ..delivery(store.id, PULLED_ORDER, order.read_at, &order.body, now)
    }));
    if deliveries.is_empty() {
        return Ok(taken);
    }
    let accepted = ingest::accept(tx, &deliveries)?;
    let repeats = accepted.iter().filter(|accepted| matches!(accepted, Accepted::Repeat(_))).count();
    taken.told -= repeats;
    taken.same += repeats;
    Ok(taken)
}

/// What [`take`] would come to; nothing is stored.
pub fn look(conn: &mut Conn, store: &Store, orders: &[PulledOrder]) -> Result<Taken, DbError> {
    Ok(sort(conn, store, orders)?.taken)
}

/// Tells, of orders that we hold as there, that the store does not know them any more. Returns of how many.
pub fn take_absence(
    tx: &mut Tx<'_>,
    store: &Store,
    external_ids: &[String],
    read_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let ids: Vec<&str> = external_ids.iter().map(String::as_str).collect();
    let mut known = orders::states_of(tx.conn, store.id, &ids)?;
    let mut deliveries = vec![];
    for id in ids {
        // Removed, so that an id that is named twice is told once.
        if known.remove(id).is_some_and(|state| goes(id, state, read_at)) {
            let body = serde_json::to_vec(&json!({ "id": id }))?;
            deliveries.push(delivery(store.id, PULLED_ABSENCE, read_at, &body, now));
        }
    }
    if deliveries.is_empty() {
        return Ok(0);
    }
    let accepted = ingest::accept(tx, &deliveries)?;
    Ok(accepted.iter().filter(|accepted| matches!(accepted, Accepted::New(_))).count())
}

/// Held as there, and deleted once it is known that the store had none of it at that time.
fn goes(id: &str, mut state: OrderState, read_at: DateTime<Utc>) -> bool {
    if state.is_deleted() {
        return false;
    }
    state.absorb(Report::Deleted { order: id.to_owned(), at: Some(read_at) }, read_at);
    state.is_deleted()
}

struct Sorted<'a> {
    taken: Taken,
    news: Vec<&'a PulledOrder>,
    unreadable: Vec<&'a PulledOrder>,
}

fn sort<'a>(conn: &mut Conn, store: &Store, orders: &'a [PulledOrder]) -> Result<Sorted<'a>, DbError> {
    let platform: Platform =
        store.platform.parse().map_err(|_| DbError::Damaged(format!("platform of {}", store.slug)))?;
    let parsed: Vec<(&PulledOrder, Result<OrderSnapshot, ParseError>)> =
        orders.iter().map(|order| (order, parse(platform, order))).collect();
    let ids: Vec<&str> = parsed
        .iter()
        .filter_map(|(_, snapshot)| snapshot.as_ref().ok())
        .map(|snapshot| snapshot.external_id.as_str())
        .collect();
    let states = orders::states_of(conn, store.id, &ids)?;
    Ok(compare(parsed, states))
}

fn compare(
    parsed: Vec<(&PulledOrder, Result<OrderSnapshot, ParseError>)>,
    mut states: HashMap<String, OrderState>,
) -> Sorted<'_> {
    let mut sorted = Sorted { taken: Taken::default(), news: vec![], unreadable: vec![] };
    for (order, snapshot) in parsed {
        let Ok(snapshot) = snapshot else {
            sorted.unreadable.push(order);
            sorted.taken.told += 1;
            continue;
        };
        // Kept, as an order may come twice on one page.
        match states.get_mut(&snapshot.external_id) {
            Some(known) if !is_news(known, &snapshot) => {
                sorted.taken.same += 1;
                continue;
            }
            Some(known) => {
                known.absorb(Report::Snapshot(Box::new(snapshot)), order.read_at);
            }
            None => {
                sorted.taken.unknown += 1;
                let known = OrderState { snapshot: Some(snapshot.clone()), ..OrderState::default() };
                states.insert(snapshot.external_id, known);
            }
        }
        sorted.taken.told += 1;
        sorted.news.push(order);
    }
    sorted
}

/// Whether anybody who looks at the order would see it differently.
fn is_news(known: &OrderState, read: &OrderSnapshot) -> bool {
    let Some(snapshot) = &known.snapshot else { return true };
    let read_at = read.read_at.unwrap_or_default();
    let mut then = known.clone();
    then.absorb(Report::Snapshot(Box::new(read.clone())), read_at);
    let refunds = |state: &OrderState| -> Vec<Refund> { state.refunds().into_iter().cloned().collect() };
    then.snapshot.as_ref().is_none_or(|newest| !newest.says_the_same_as(snapshot))
        || then.is_deleted() != known.is_deleted()
        || refunds(&then) != refunds(known)
}

/// As it is parsed when its delivery is worked on, and on every replay.
fn parse(platform: Platform, order: &PulledOrder) -> Result<OrderSnapshot, ParseError> {
    let meta = DeliveryMeta {
        topic: Some(PULLED_ORDER.to_owned()),
        triggered_at: Some(order.read_at),
        ..stores::describe(platform, &Headers::default())
    };
    let reports = stores::parse(platform, &meta, &order.body)?;
    let snapshot = reports.into_iter().find_map(|report| match report {
        Report::Snapshot(snapshot) => Some(*snapshot),
        _ => None,
    });
    snapshot.ok_or(ParseError::Missing { field: "order" })
}

fn delivery(
    store: StoreId,
    topic: &str,
    read_at: DateTime<Utc>,
    body: &[u8],
    now: DateTime<Utc>,
) -> NewDelivery {
    NewDelivery {
        store,
        topic: topic.to_owned(),
        dedupe_key: stores::pulled_key(topic, read_at, body),
        delivery_key: None,
        event_key: None,
        triggered_at: Some(read_at),
        headers: BTreeMap::new(),
        body: ingest::compress(body),
        body_bytes: body.len(),
        body_sha256: ingest::sha256(body),
        received_at: now,
    }
}

#[cfg(test)]
mod tests;
