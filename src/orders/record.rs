//! Recording evidence: lock the orders, read what was known, fold, assess, write the difference.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Books;
use super::repo::{self, Head};
use crate::core::assess::{Assessment, Knowledge, LockedClass, PlanTerms, StoreTerms, assess};
use crate::core::ids::{DeliveryId, DistributorId, OrderId, StoreId};
use crate::core::order::{Absorbed, OrderState, Report};
use crate::core::plan::PlanHash;
use crate::core::sku::Catalog;
use crate::db::{Conn, DbError, Tx};
use crate::distributors::Network;
use crate::events::{self, Topic};
use crate::ingest::{DIRECT_TOPIC, Store, StoredDelivery};
use crate::plans::Published;
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
        Report::Ignored { .. } => None,
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
    let manual = repo::manual_attributions(
        tx.conn,
        &orders.iter().map(|(head, _)| head.order_id).collect::<Vec<_>>(),
    )?;
    let assessor = Assessor::open(tx.conn, books)?;
    let mut assessed = Vec::with_capacity(orders.len());
    let mut to_calculate = vec![];
    for (head, state) in orders {
        let locked = head.locked_classes();
        let assessment = assessor.assess(head.store_id, &state, manual.get(&head.order_id), &locked)?;
        if head.calculation_no > 0 || assessment.is_commissionable() {
            to_calculate.push((head.order_id, cause.unwrap_or(head.received_at)));
        }
        assessed.push((head, state, assessment));
    }
    repo::update_heads(tx.conn, &assessed, now)?;
    repo::replace_holds(tx.conn, &assessed, now)?;
    events::publish(tx, Topic::OrderRecorded, &to_calculate)
}

/// The books, opened at one database transaction's view of them.
pub struct Assessor {
    /// Each store with the places where it is asked for a distributor.
    stores: Vec<(Store, Vec<String>)>,
    catalog: Arc<Catalog>,
    network: Arc<Network>,
    published: Arc<Published>,
    /// By the plan's hash, so that the classes are listed once per plan and not once per order.
    classes: HashMap<PlanHash, Vec<String>>,
}

impl Assessor {
    pub fn open(conn: &mut Conn, books: &Books) -> Result<Self, DbError> {
        let stores = books.stores.all(conn)?;
        let published = books.plans.get(conn)?;
        let classes = published.all().map(|plan| (plan.hash(), plan.class_ids())).collect();
        Ok(Self {
            stores: stores.iter().map(|store| (store.clone(), explicit_first(&store.attribution))).collect(),
            catalog: books.mappings.get(conn)?,
            network: books.networks.get(conn)?,
            published,
            classes,
        })
    }

    pub fn assess(
        &self,
        store_id: StoreId,
        state: &OrderState,
        manual: Option<&DistributorId>,
        locked: &[LockedClass],
    ) -> Result<Assessment, DbError> {
        let (store, places) = self
            .stores
            .iter()
            .find(|(store, _)| store.id == store_id)
            .ok_or_else(|| DbError::Damaged(format!("store {} of an order", store_id.0)))?;
        let plan = state.snapshot.as_ref().and_then(|order| self.published.at(order.ordered_at));
        let terms = plan.and_then(|plan| {
            Some(PlanTerms { currency: plan.currency(), classes: self.classes.get(&plan.hash())? })
        });
        let named = |reference: &str, at: DateTime<Utc>| self.network.named(reference, at);
        let known = Knowledge {
            store: StoreTerms { store: store.id, platform: &store.platform, places },
            catalog: &self.catalog,
            plan: terms,
            named: &named,
            manual,
            locked,
        };
        Ok(assess(state, &known))
    }
}

/// Only orders of the direct API have these places, and there they are the caller's word: no list needs them.
const EXPLICIT: [&str; 2] = ["distributor_ref", "referrer_id"];

fn explicit_first(places: &[String]) -> Vec<String> {
    let listed = places.iter().map(String::as_str).filter(|place| !EXPLICIT.contains(place));
    EXPLICIT.into_iter().chain(listed).map(str::to_owned).collect()
}
