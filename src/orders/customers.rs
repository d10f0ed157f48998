//! Decisions about customers, with what follows for their orders: those that are not calculated yet are assessed
//! again, the others keep what was known when they were.

use chrono::{DateTime, Utc};

use super::record::parse_delivery;
use super::release::request_review;
use super::repo;
use crate::core::customer::Customer;
use crate::core::ids::StoreId;
use crate::customers::{self, EraseProblem, Erased, NewDecision, NewPolicy};
use crate::db::{Db, DbError, Lane, Tx};
use crate::ingest::{Store, StoredDelivery};

/// Records what a store told of its customers; answers as [`customers::record`] does.
pub fn record_customers(
    tx: &mut Tx<'_>,
    store: &Store,
    told: &[Customer],
    now: DateTime<Utc>,
) -> Result<Vec<bool>, DbError> {
    let recorded = customers::record(tx, store, told, now)?;
    if !recorded.decided.is_empty() {
        review(tx, store.id, Some(&recorded.decided), now)?;
    }
    Ok(recorded.stands)
}

/// Returns how many orders are looked at again.
pub fn bind_customers(
    tx: &mut Tx<'_>,
    decisions: &[NewDecision<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    customers::decide(tx, decisions, by, now)?;
    let mut stores: Vec<StoreId> = decisions.iter().map(|decision| decision.store).collect();
    stores.sort();
    stores.dedup();
    let mut reviewed = 0;
    for store in stores {
        let of_store = decisions.iter().filter(|decision| decision.store == store);
        let ids: Vec<String> = of_store.map(|decision| decision.customer.to_owned()).collect();
        reviewed += review(tx, store, Some(&ids), now)?;
    }
    Ok(reviewed)
}

/// Returns whether the store now asks at the place `customer` and did not before, and how many orders are looked at
/// again.
pub fn set_binding_policy(
    tx: &mut Tx<'_>,
    store: StoreId,
    new: &NewPolicy<'_>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(bool, usize), DbError> {
    let listed = customers::set_policy(tx, store, new, by, now)?;
    Ok((listed, review(tx, store, None, now)?))
}

fn review(
    tx: &mut Tx<'_>,
    store: StoreId,
    customers: Option<&[String]>,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let orders = repo::not_calculated(tx.conn, store, customers)?;
    request_review(tx, &orders, now)?;
    Ok(orders.len())
}

/// Takes personal data out of everything that was stored of a customer, and of orders that are named besides.
pub fn forget_customer(
    tx: &mut Tx<'_>,
    store: &Store,
    (customer, orders): (&str, &[String]),
    by: &str,
    now: DateTime<Utc>,
) -> Result<Erased, EraseProblem> {
    let deliveries = customers::deliveries_of(tx.conn, store.id, customer, orders)?;
    if deliveries.is_empty() && customers::held(tx.conn, store.id, customer, orders, now)?.is_none() {
        return Err(EraseProblem::Unknown { store: store.slug.clone(), customer: customer.to_owned() });
    }
    let lines = |delivery: &StoredDelivery| parse_delivery(&store.platform, delivery);
    let reason = format!("customer {customer} is to be forgotten");
    let erased = customers::erase(tx, (store.id, Some(customer)), &deliveries, &lines, (by, &reason), now)?;
    for kind in ["redact", "data_request"] {
        customers::privacy::done_for(tx, store.id, customer, kind, by, now)?;
    }
    Ok(erased)
}

/// The same for all customers of a store, a page of deliveries a database transaction. Blocking.
pub fn forget_store(db: &Db, store: &Store, by: &str, now: DateTime<Utc>) -> Result<Erased, EraseProblem> {
    const PAGE: i64 = 200;
    let lines = |delivery: &StoredDelivery| parse_delivery(&store.platform, delivery);
    let mut all = Erased::default();
    let mut after = None;
    loop {
        let ids = db.read(Lane::Admin, |conn| customers::deliveries_of_store(conn, store.id, after, PAGE))?;
        let mut refused = None;
        let done = db.transact(Lane::Admin, |tx| {
            let reason = (by, "the store's customers are to be forgotten");
            customers::erase(tx, (store.id, None), &ids, &lines, reason, now).map_err(|problem| match problem
            {
                EraseProblem::Db(error) => error,
                other => {
                    let undone = DbError::Invariant(other.to_string());
                    refused = Some(other);
                    undone
                }
            })
        });
        all += done.map_err(|error| refused.take().unwrap_or(EraseProblem::Db(error)))?;
        match ids.last() {
            Some(last) => after = Some(*last),
            None => return Ok(all),
        }
    }
}
