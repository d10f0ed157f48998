//! Recording evidence: lock the orders, read what was known, fold, assess, write the difference.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Books;
use super::assessor::{Assessor, Grounds};
use super::circle::{self, Circle};
use super::repo::{self, Head};
use crate::core::ids::{DeliveryId, OrderId, StoreId};
use crate::core::order::{Absorbed, OrderState, Report};
use crate::db::{DbError, Tx};
use crate::events::{self, Topic};
use crate::ingest::{DIRECT_TOPIC, StoredDelivery};
use crate::stores::{self, DeliveryMeta, Headers, ParseError, Platform};

/// An order by its store's own id.
pub type OrderKey = (StoreId, String);

/// One report of one delivery about one order.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub delivery: DeliveryId,
    pub report: Report,
    pub received_at: DateTime<Utc>,
}

/// What a delivery did to an order.
pub struct Told {
    pub delivery: DeliveryId,
    pub order_id: OrderId,
    pub absorbed: Absorbed,
}

/// Orders of the direct API are read as such, whatever store they belong to.
pub fn platform_of(store_platform: &str, topic: &str) -> Option<Platform> {
    if topic == DIRECT_TOPIC { Some(Platform::Direct) } else { store_platform.parse().ok() }
}

/// The same reports for the same stored bytes, always: replay calls this too.
pub fn parse_delivery(store_platform: &str, delivery: &StoredDelivery) -> Result<Vec<Report>, ParseError> {
    let Some(platform) = platform_of(store_platform, &delivery.topic) else { return Ok(vec![]) };
    let headers: Headers = delivery.headers.iter().map(|(name, value)| (name, value.clone())).collect();
    let told = stores::describe(platform, &headers);
    let meta = DeliveryMeta {
        topic: Some(delivery.topic.clone()),
        triggered_at: match platform {
            // The API has no header for it: an order without a time of its own happened when it was told.
            Platform::Direct => Some(delivery.received_at),
            _ => delivery.triggered_at,
        },
        ..told
    };
    stores::parse(platform, &meta, &delivery.body)
}

/// The external id of the order that a report is about.
pub fn order_of(report: &Report) -> Option<&str> {
    match report {
        Report::Snapshot(snapshot) => Some(&snapshot.external_id),
        Report::Refund { order, .. }
        | Report::Deleted { order, .. }
        | Report::Restored { order }
        | Report::Hint { order, .. } => Some(order),
        Report::Product(_)
        | Report::ProductGone { .. }
        | Report::Stock(_)
        | Report::Customer(_)
        | Report::CustomerGone { .. }
        | Report::Privacy(_)
        | Report::Ignored { .. } => None,
    }
}

/// Records a batch of evidence. Safe to run again: what is known already changes nothing.
pub fn record(
    tx: &mut Tx<'_>,
    books: &Books,
    evidence: BTreeMap<OrderKey, Vec<Evidence>>,
    now: DateTime<Utc>,
) -> Result<Vec<Told>, DbError> {
    if evidence.is_empty() {
        return Ok(vec![]);
    }
    // lock
    let firsts: Vec<(&OrderKey, DeliveryId)> =
        evidence.iter().filter_map(|(key, told)| Some((key, told.first()?.delivery))).collect();
    let heads = repo::lock_or_insert(tx.conn, &firsts, now)?;
    // read
    let mut states = repo::states(tx.conn, &heads)?;
    // compute
    let mut told = vec![];
    let mut revisions = vec![];
    let mut changed: Vec<(Head, OrderState)> = vec![];
    let mut evidence = evidence;
    for mut head in heads {
        let mut state = states.remove(&head.order_id).unwrap_or_default();
        let reports = evidence.remove(&head.key()).unwrap_or_default();
        let before = head.revisions;
        for Evidence { delivery, report, received_at } in reports {
            let absorbed = state.absorb(report.clone(), received_at);
            told.push(Told { delivery, order_id: OrderId(head.order_id), absorbed });
            if absorbed == Absorbed::Unchanged {
                continue;
            }
            head.add_revision(&report, absorbed);
            if absorbed == Absorbed::Applied {
                head.received_at = head.received_at.max(received_at);
            }
            revisions.push(repo::Revision::new(&head, delivery, report, absorbed, received_at, now));
        }
        if head.revisions > before {
            changed.push((head, state));
        }
    }
    // write
    repo::insert_revisions(tx.conn, &revisions)?;
    assess_and_write(tx, books, changed, None, now)?;
    Ok(told)
}

/// Assesses known orders again.
pub fn review(tx: &mut Tx<'_>, books: &Books, order_ids: &[Uuid], now: DateTime<Utc>) -> Result<(), DbError> {
    let heads = repo::lock(tx.conn, order_ids)?;
    let mut states = repo::states(tx.conn, &heads)?;
    let orders = heads
        .into_iter()
        .map(|head| {
            let state = states.remove(&head.order_id).unwrap_or_default();
            (head, state)
        })
        .collect();
    assess_and_write(tx, books, orders, Some(now), now)
}

/// `cause`: when it was asked for, if no delivery did.
fn assess_and_write(
    tx: &mut Tx<'_>,
    books: &Books,
    orders: Vec<(Head, OrderState)>,
    cause: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let assessor = Assessor::open(tx.conn, books)?;
    let mut circle = Circle::open(tx, &assessor.binding_stores(), &orders, now)?;
    let moved = tell_the_circle(&mut circle, &assessor, &orders)?;
    let mut assessed = Vec::with_capacity(orders.len());
    let mut to_calculate = vec![];
    for (mut head, state) in orders {
        let locked = head.locked_classes();
        let customer = circle::customer_of(&head, &state);
        let book = circle.book(customer.as_ref());
        let seen = head.seen_of(customer.as_ref().map(|(_, customer)| customer.as_str()));
        let grounds = Grounds { manual: circle.manual(head.order_id), locked: &locked, book, seen };
        let assessment = assessor.assess(head.store_id, &state, &grounds)?;
        if head.calculation_no > 0 || assessment.is_commissionable() {
            to_calculate.push((head.order_id, cause.unwrap_or(head.received_at)));
        }
        head.seen = match seen {
            Some(seen) => seen,
            None => assessor.newest(head.store_id, book)?,
        };
        assessed.push((head, state, assessment));
    }
    repo::update_heads(tx.conn, &assessed, now)?;
    repo::replace_holds(tx.conn, &assessed, now)?;
    events::publish(tx, Topic::OrderRecorded, &to_calculate)?;
    let moved: Vec<(Uuid, DateTime<Utc>)> = moved.into_iter().map(|order| (order, now)).collect();
    events::publish(tx, Topic::OrderReview, &moved)
}

/// Before any order is assessed, all know whom the orders of the batch bind their customers to.
fn tell_the_circle(
    circle: &mut Circle,
    assessor: &Assessor,
    orders: &[(Head, OrderState)],
) -> Result<Vec<Uuid>, DbError> {
    let binding = assessor.binding_stores();
    let mut told = vec![];
    for (head, state) in orders.iter().filter(|(head, _)| binding.contains(&head.store_id)) {
        let Some(order) = &state.snapshot else { continue };
        let customer = circle::customer_of(head, state);
        let grounds = Grounds {
            manual: circle.manual(head.order_id),
            locked: &[],
            book: circle.book(customer.as_ref()),
            seen: head.seen_of(order.customer_id.as_deref()),
        };
        told.push((head, order, assessor.binds_to(head.store_id, state, &grounds)?));
    }
    Ok(circle.tell(&told, |store, seen, at| assessor.policy(store, seen, at)))
}
