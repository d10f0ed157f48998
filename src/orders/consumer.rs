//! How orders react: to accepted deliveries, and to changes of what they were assessed with.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::beside::Beside;
use super::record::{self, Evidence, OrderKey, Told};
use super::{Books, repo};
use crate::clock::Clock;
use crate::core::ids::DeliveryId;
use crate::core::order::{Absorbed, Report};
use crate::db::{DbError, Tx};
use crate::events::{Consumer, Event, Topic};
use crate::ingest::{self, StoredDelivery};

/// Turns accepted deliveries into orders, and into what is known of products and customers.
pub struct DeliveryConsumer {
    pub books: Books,
    pub clock: Clock,
}

impl Consumer for DeliveryConsumer {
    fn topic(&self) -> Topic {
        Topic::DeliveryAccepted
    }

    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.key).collect();
        let deliveries = ingest::load(tx.conn, &ids)?;
        let stores = self.books.stores.all(tx.conn)?;
        let mut outcomes = Outcomes::default();
        let mut evidence: BTreeMap<OrderKey, Vec<Evidence>> = BTreeMap::new();
        let mut beside = Beside::default();
        for delivery in &deliveries {
            let store = stores.iter().find(|store| store.id == delivery.store);
            match store.map(|store| record::parse_delivery(&store.platform, delivery)) {
                Some(Ok(reports)) => {
                    sort_reports(delivery, reports, &mut evidence, &mut beside, &mut outcomes);
                }
                Some(Err(error)) => outcomes.unreadable(delivery, error.to_string()),
                None => outcomes.unreadable(delivery, "its store is not known any more".into()),
            }
        }
        let told = record::record(tx, &self.books, evidence, self.clock.now())?;
        outcomes.add_orders(told);
        beside.record(tx, &stores, self.clock.now(), &mut outcomes)?;
        repo::insert_outcomes(tx.conn, &outcomes.rows(), self.clock.now())
    }
}

fn sort_reports(
    delivery: &StoredDelivery,
    reports: Vec<Report>,
    evidence: &mut BTreeMap<OrderKey, Vec<Evidence>>,
    beside: &mut Beside,
    outcomes: &mut Outcomes,
) {
    outcomes.open(delivery);
    for report in reports {
        match report {
            Report::Ignored { why } => outcomes.ignored(delivery, why),
            Report::Hint { order, what } => outcomes.ignored(delivery, format!("order {order}: {what}")),
            report => {
                let Some(order) = record::order_of(&report) else {
                    beside.add(delivery, report);
                    continue;
                };
                let key = (delivery.store, order.to_owned());
                let told = Evidence { delivery: delivery.id, report, received_at: delivery.received_at };
                evidence.entry(key).or_default().push(told);
            }
        }
    }
}

/// What came of each delivery of a batch.
#[derive(Default)]
pub(super) struct Outcomes(BTreeMap<Uuid, repo::Outcome>);

impl Outcomes {
    fn open(&mut self, delivery: &StoredDelivery) -> &mut repo::Outcome {
        self.0.entry(delivery.id.0).or_default()
    }

    fn ignored(&mut self, delivery: &StoredDelivery, why: String) {
        self.open(delivery).detail.get_or_insert(why);
    }

    /// What it told beside orders, in words.
    pub(super) fn beside(&mut self, delivery: DeliveryId, absorbed: Absorbed, what: String) {
        let outcome = self.0.entry(delivery.0).or_default();
        outcome.verdict = outcome.verdict.max(verdict(absorbed));
        outcome.detail.get_or_insert(what);
    }

    fn unreadable(&mut self, delivery: &StoredDelivery, why: String) {
        let outcome = self.open(delivery);
        outcome.verdict = repo::Verdict::Unreadable;
        outcome.detail = Some(why);
    }

    /// A delivery that tells several orders shows the strongest effect it had.
    fn add_orders(&mut self, told: Vec<Told>) {
        for Told { delivery, order_id, absorbed } in told {
            let outcome = self.0.entry(delivery.0).or_default();
            outcome.verdict = outcome.verdict.max(verdict(absorbed));
            if !outcome.order_ids.contains(&order_id.0) {
                outcome.order_ids.push(order_id.0);
            }
        }
    }

    fn rows(self) -> Vec<(Uuid, repo::Outcome)> {
        self.0.into_iter().collect()
    }
}

fn verdict(absorbed: Absorbed) -> repo::Verdict {
    match absorbed {
        Absorbed::Applied => repo::Verdict::Applied,
        Absorbed::Superseded => repo::Verdict::Superseded,
        Absorbed::Unchanged => repo::Verdict::Unchanged,
    }
}

/// Assesses orders again, without new evidence.
pub struct ReviewConsumer {
    pub books: Books,
    pub clock: Clock,
}

impl Consumer for ReviewConsumer {
    fn topic(&self) -> Topic {
        Topic::OrderReview
    }

    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.key).collect();
        record::review(tx, &self.books, &ids, self.clock.now())
    }
}
