//! The customers of a batch of orders: what is decided of them, and what their other orders say.
//!
//! One statement holds the customers, one reads everything that people have decided of the orders and customers of
//! the batch. A customer is held from before that until the commit, so two batches about one customer see each
//! other's orders, whichever comes first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::assessor::Assessor;
use super::repo::{self, Head};
use crate::core::binding::{Bound, Claim, Decision, Policy, Timeline};
use crate::core::ids::{DistributorId, StoreId};
use crate::core::order::{OrderSnapshot, OrderState};
use crate::customers::{self, CustomerKey};
use crate::db::{Conn, DbError, Tx};

/// What was known of a store's policy and of the customer when an order was assessed. Once money was calculated on
/// it, a later decision does not reach the order by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub policy_no: i32,
    pub binding_no: i32,
}

/// A customer: what is decided, and which orders name a distributor.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub decisions: Vec<Decision>,
    pub claims: Vec<Claim>,
}

/// Timelines of one customer, made once for each policy.
pub struct Timelines<'b> {
    book: &'b Book,
    made: Vec<((Policy, Option<i32>), Timeline)>,
}

impl<'b> Timelines<'b> {
    pub fn of(book: &'b Book) -> Self {
        Self { book, made: vec![] }
    }

    pub fn bound(
        &mut self,
        (policy, known): (Policy, Option<i32>),
        at: DateTime<Utc>,
        order: &str,
    ) -> Option<Bound> {
        if policy == Policy::None {
            return None;
        }
        let asked = (policy, known);
        let timeline = match self.made.iter().position(|(made, _)| *made == asked) {
            Some(found) => self.made.get(found),
            None => {
                let Book { decisions, claims } = self.book;
                self.made.push((asked, Timeline::build(policy, decisions, known, claims)));
                self.made.last()
            }
        };
        timeline.and_then(|(_, timeline)| timeline.at(at, order).cloned())
    }
}

/// Another order of a customer, as it stands.
struct Other {
    order_id: Uuid,
    external_id: String,
    at: DateTime<Utc>,
    binds_to: Option<DistributorId>,
    /// Set once it is calculated.
    seen: Option<Seen>,
}

impl Other {
    fn claim(&self) -> Option<Claim> {
        let distributor = self.binds_to.clone()?;
        Some(Claim { at: self.at, order: self.external_id.clone(), distributor })
    }
}

#[derive(Default)]
pub struct Circle {
    /// The latest decision for each order that has one.
    manual: HashMap<Uuid, DistributorId>,
    books: HashMap<CustomerKey, Book>,
    others: BTreeMap<CustomerKey, Vec<Other>>,
    nothing: Book,
}

pub fn customer_of(head: &Head, state: &OrderState) -> Option<CustomerKey> {
    let customer = state.snapshot.as_ref()?.customer_id.clone()?;
    Some((head.store_id, customer))
}

impl Circle {
    /// `binding`: the stores whose orders ask for whom a customer is bound to.
    pub fn open(
        tx: &mut Tx<'_>,
        binding: &[StoreId],
        orders: &[(Head, OrderState)],
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        let mut keys: BTreeSet<CustomerKey> = BTreeSet::new();
        for (head, state) in orders {
            keys.extend(customer_of(head, state));
            keys.extend(head.customer_id.clone().map(|customer| (head.store_id, customer)));
        }
        let keys: Vec<CustomerKey> = keys.into_iter().collect();
        customers::hold(tx, &keys, now)?;
        let order_ids: Vec<Uuid> = orders.iter().map(|(head, _)| head.order_id).collect();
        let mut circle = Self::default();
        for row in repo::grounds(tx.conn, &order_ids, &keys, binding)? {
            circle.learn(row)?;
        }
        Ok(circle)
    }

    fn learn(&mut self, row: repo::Ground) -> Result<(), DbError> {
        let distributor = row.distributor_id.clone().map(DistributorId::new);
        let key = row.store_id.map(StoreId).zip(row.customer_id.clone());
        match (row.kind.as_str(), row.order_id, key) {
            ("manual", Some(order), _) => {
                self.manual.extend(distributor.map(|distributor| (order, distributor)));
            }
            ("order", Some(order_id), Some(key)) => {
                let other = Other {
                    order_id,
                    external_id: row.external_id.unwrap_or_default(),
                    at: row.at.unwrap_or_default(),
                    binds_to: distributor,
                    seen: row
                        .calculated
                        .then_some(Seen { policy_no: row.policy_no, binding_no: row.binding_no }),
                };
                self.books.entry(key.clone()).or_default().claims.extend(other.claim());
                self.others.entry(key).or_default().push(other);
            }
            (_, None, Some(key)) => {
                let decision = row.decision()?;
                self.books.entry(key).or_default().decisions.push(decision);
            }
            _ => return Err(DbError::Invariant(format!("a ground of kind {}", row.kind))),
        }
        Ok(())
    }

    pub fn manual(&self, order: Uuid) -> Option<&DistributorId> {
        self.manual.get(&order)
    }

    pub fn book(&self, customer: Option<&CustomerKey>) -> &Book {
        customer.and_then(|key| self.books.get(key)).unwrap_or(&self.nothing)
    }

    /// Whom the orders of the batch bind their customers to. Answers with the other orders whose customer was bound
    /// to somebody else before: they have to be looked at again.
    pub fn tell(
        &mut self,
        told: &[(&Head, &OrderSnapshot, Option<DistributorId>)],
        policy: impl Fn(StoreId, Option<Seen>, DateTime<Utc>) -> Policy,
    ) -> Vec<Uuid> {
        let mut before: BTreeMap<CustomerKey, Vec<Claim>> = BTreeMap::new();
        let mut after: BTreeMap<CustomerKey, Vec<Claim>> = BTreeMap::new();
        for (head, order, binds_to) in told {
            if let Some((customer, claim)) = head.claim() {
                before.entry((head.store_id, customer)).or_default().push(claim);
            }
            if let (Some(customer), Some(distributor)) = (&order.customer_id, binds_to) {
                let claim = Claim {
                    at: order.ordered_at,
                    order: order.external_id.clone(),
                    distributor: distributor.clone(),
                };
                after.entry((head.store_id, customer.clone())).or_default().push(claim);
            }
        }
        let keys: BTreeSet<CustomerKey> = before.keys().chain(after.keys()).cloned().collect();
        let mut moved = vec![];
        for key in keys {
            let mut was = before.remove(&key).unwrap_or_default();
            let mut is = after.remove(&key).unwrap_or_default();
            was.sort();
            is.sort();
            let book = self.books.entry(key.clone()).or_default();
            let old = Book {
                decisions: book.decisions.clone(),
                claims: book.claims.iter().chain(&was).cloned().collect(),
            };
            book.claims.extend(is.iter().cloned());
            if was == is {
                continue;
            }
            let (mut old, mut new) = (Timelines::of(&old), Timelines::of(book));
            for other in self.others.get(&key).into_iter().flatten() {
                let asked = (policy(key.0, other.seen, other.at), other.seen.map(|seen| seen.binding_no));
                let (at, order) = (other.at, other.external_id.as_str());
                let whose = |bound: Option<Bound>| bound.map(|bound| bound.distributor);
                if whose(old.bound(asked, at, order)) != whose(new.bound(asked, at, order)) {
                    moved.push(other.order_id);
                }
            }
        }
        moved
    }
}

/// Customers as they stand, for whoever assesses orders without recording them.
#[derive(Default)]
pub struct CustomerBooks {
    books: HashMap<CustomerKey, Book>,
    nothing: Book,
}

impl CustomerBooks {
    /// Of the customers of these orders.
    pub fn load(
        conn: &mut Conn,
        assessor: &Assessor,
        store: StoreId,
        orders: &[&OrderState],
    ) -> Result<Self, DbError> {
        let customers = orders.iter().filter_map(|state| state.snapshot.as_ref()?.customer_id.clone());
        let keys: BTreeSet<CustomerKey> = customers.map(|customer| (store, customer)).collect();
        let keys: Vec<CustomerKey> = keys.into_iter().collect();
        let mut circle = Circle::default();
        if !keys.is_empty() {
            for row in repo::grounds(conn, &[], &keys, &assessor.binding_stores())? {
                circle.learn(row)?;
            }
        }
        Ok(Self { books: circle.books, nothing: Book::default() })
    }

    /// Of the order's customer.
    pub fn of(&self, store: StoreId, state: &OrderState) -> &Book {
        let customer = state.snapshot.as_ref().and_then(|order| order.customer_id.clone());
        customer.and_then(|customer| self.books.get(&(store, customer))).unwrap_or(&self.nothing)
    }
}
