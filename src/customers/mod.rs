//! Who buys: a store's customers, the distributors that they are, and whom they are bound to. No names, no addresses.
//!
//! What a customer's orders say of its binding is read from the orders, never stored beside them; what people,
//! imports and customer records say is a [`crate::core::binding::Decision`], added and never changed. Orders that
//! a decision reaches are assessed again by the orders room, not here.

mod erase;
mod policy;
pub mod privacy;
mod repo;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

pub use erase::{
    EraseProblem, Erased, Lines, deliveries_of, deliveries_of_store, erase, told_since_forgotten,
};
pub use policy::{NewPolicy, set_policy};
pub use repo::export::{Held, held};

use crate::core::binding::{Decision, Terms, What};
use crate::core::customer::Customer;
use crate::core::ids::{DeliveryId, DistributorId, StoreId};
use crate::db::{Conn, DbError, Tx};
use crate::distributors;
use crate::ingest::Store;

/// A customer by its store's own id.
pub type CustomerKey = (StoreId, String);

/// Makes the customers known and holds them for the rest of the database transaction: what is decided of them, and
/// what their orders say, is decided by one after the other. Returns nothing that has to be read.
pub fn hold(tx: &mut Tx<'_>, customers: &[CustomerKey], now: DateTime<Utc>) -> Result<(), DbError> {
    if customers.is_empty() { Ok(()) } else { repo::hold(tx.conn, customers, now) }
}

/// Everything decided of every customer.
pub fn all_decisions(conn: &mut Conn) -> Result<HashMap<CustomerKey, Vec<Decision>>, DbError> {
    let mut all: HashMap<CustomerKey, Vec<Decision>> = HashMap::new();
    for (key, decision) in repo::decisions(conn)? {
        all.entry(key).or_default().push(decision);
    }
    Ok(all)
}

/// What came of customers' records.
#[derive(Debug, Default)]
pub struct Recorded {
    /// In the order of what was told: whether it stands now, or a newer record was known.
    pub stands: Vec<bool>,
    /// Customers whose record now says something else of distributors: their orders have to be looked at again.
    pub decided: Vec<String>,
}

/// Records customers of one store. Of the places only those are kept that the store's policy asks for.
pub fn record(
    tx: &mut Tx<'_>,
    store: &Store,
    customers: &[Customer],
    now: DateTime<Utc>,
) -> Result<Recorded, DbError> {
    if customers.is_empty() {
        return Ok(Recorded::default());
    }
    let mut newest: BTreeMap<&str, (usize, &Customer)> = BTreeMap::new();
    for (at, customer) in customers.iter().enumerate() {
        let known = newest.get(customer.external_id.as_str());
        if known.is_none_or(|(_, known)| known.updated_at <= customer.updated_at) {
            newest.insert(&customer.external_id, (at, customer));
        }
    }
    let terms = store.bindings.iter().max_by_key(|terms| terms.no);
    let rows: Vec<repo::CustomerRow<'_>> = newest
        .values()
        .map(|(_, customer)| repo::CustomerRow::new(customer, &kept(customer, terms), now))
        .collect();
    let standing = repo::record(tx.conn, store.id, &rows, now)?;
    let first: HashMap<&str, bool> = standing.iter().map(|(id, first)| (id.as_str(), *first)).collect();
    let mut stands = vec![false; customers.len()];
    let whoever = whoever(tx, terms, newest.values().map(|(_, customer)| *customer))?;
    let mut said = vec![];
    for (id, (at, customer)) in newest {
        let Some(first) = first.get(id) else { continue };
        if let Some(stands) = stands.get_mut(at) {
            *stands = true;
        }
        let from = if *first { None } else { customer.updated_at.or(Some(now)) };
        said.extend(says(customer, terms, &whoever, from));
    }
    Ok(Recorded { stands, decided: repo::decide_by_records(tx.conn, store.id, &said, now)? })
}

fn kept(customer: &Customer, terms: Option<&Terms>) -> Vec<crate::core::order::PlaceValue> {
    let asked: Vec<&String> =
        terms.into_iter().flat_map(|t| t.own_place.iter().chain(&t.bound_place)).collect();
    customer.places.iter().filter(|told| asked.iter().any(|place| **place == told.place)).cloned().collect()
}

/// Whom the values at the places of the policy name, whatever their standing: an order asks for that at its time.
fn whoever<'c>(
    tx: &mut Tx<'_>,
    terms: Option<&Terms>,
    customers: impl Iterator<Item = &'c Customer>,
) -> Result<HashMap<String, DistributorId>, DbError> {
    let values = customers.flat_map(|customer| kept(customer, terms)).map(|told| told.value);
    let values: BTreeSet<String> = values.collect();
    if values.is_empty() { Ok(HashMap::new()) } else { distributors::whoever(tx.conn, &values) }
}

/// What the record says at the places that the policy names. Values that name nobody, or several, say nobody.
fn says<'c>(
    customer: &'c Customer,
    terms: Option<&Terms>,
    whoever: &HashMap<String, DistributorId>,
    from: Option<DateTime<Utc>>,
) -> Vec<repo::Said<'c>> {
    let Some(terms) = terms else { return vec![] };
    let asked = [(What::Is, &terms.own_place), (What::Bound, &terms.bound_place)];
    let asked = asked.into_iter().filter_map(|(what, place)| Some((what, place.as_ref()?)));
    let said = asked.map(|(what, place)| {
        let values = customer.places.iter().filter(|told| told.place == *place);
        let mut named: Vec<&DistributorId> = values.filter_map(|told| whoever.get(&told.value)).collect();
        named.sort();
        named.dedup();
        let one = if named.len() == 1 { named.pop() } else { None };
        repo::Said {
            customer_id: &customer.external_id,
            kind: what.name(),
            distributor_id: one.map(|id| id.0.clone()),
            effective_from: from,
        }
    });
    said.collect()
}

/// Customers that their store has deleted.
pub fn gone(tx: &mut Tx<'_>, store: StoreId, ids: &[(String, DateTime<Utc>)]) -> Result<(), DbError> {
    if ids.is_empty() { Ok(()) } else { repo::gone(tx.conn, store, ids) }
}

/// Which deliveries are about which customers.
pub fn remember_deliveries(
    tx: &mut Tx<'_>,
    store: StoreId,
    told: &[(String, DeliveryId)],
) -> Result<(), DbError> {
    if told.is_empty() { Ok(()) } else { repo::remember_deliveries(tx.conn, store, told) }
}

/// A decision of a person or an import.
#[derive(Clone, Debug)]
pub struct NewDecision<'a> {
    pub store: StoreId,
    pub customer: &'a str,
    pub what: What,
    /// `None`: nobody from then on.
    pub distributor: Option<&'a DistributorId>,
    /// `None`: has always been so.
    pub from: Option<DateTime<Utc>>,
    /// `manual` or `import`.
    pub source: &'a str,
}

/// Adds decisions. Their orders have to be looked at again.
pub fn decide(
    tx: &mut Tx<'_>,
    decisions: &[NewDecision<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut held: Vec<CustomerKey> =
        decisions.iter().map(|decision| (decision.store, decision.customer.to_owned())).collect();
    held.sort();
    held.dedup();
    hold(tx, &held, now)?;
    repo::decide(tx.conn, decisions, by, now)
}
