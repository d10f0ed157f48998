//! What customers and stores ask for by law, and until when it has to be done.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::repo::requests as repo;
use crate::clock::new_id;
use crate::core::customer::PrivacyRequest;
use crate::core::ids::{DeliveryId, StoreId};
use crate::db::{DbError, Tx};
use crate::ingest::Store;
use crate::notices::{self, Notice, Severity};

pub use repo::{Request, list, request, waiting_for};

/// Until then a request has to be answered.
const DAYS: TimeDelta = TimeDelta::days(30);

pub fn notice_key(request: Uuid) -> String {
    format!("privacy-due:{request}")
}

/// Records a request once, whatever often its delivery is processed.
pub fn record(
    tx: &mut Tx<'_>,
    store: &Store,
    delivery: DeliveryId,
    asked: &PrivacyRequest,
    received_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let request = new_id();
    let due_at = received_at + DAYS;
    if !repo::insert(tx.conn, request, store.id, delivery, asked, (received_at, due_at))? {
        return Ok(false);
    }
    let due = due_at.format("%Y-%m-%d");
    let whom = asked.customer.as_ref().map_or("all customers".to_owned(), |id| format!("customer {id}"));
    let subject = format!("Privacy request of store {}: {} ({whom})", store.slug, words(asked));
    let body = format!(
        "The store asks for it by law. It has to be done by {due}: open Customers, Privacy, or use `upline customer`."
    );
    let notice = Notice {
        key: &notice_key(request),
        severity: Severity::Warning,
        subject: &subject,
        body: &body,
        store: Some(store.id),
    };
    notices::raise(tx, &notice, now)?;
    Ok(true)
}

fn words(asked: &PrivacyRequest) -> &'static str {
    use crate::core::customer::PrivacyKind::{DataRequest, Redact, ShopRedact};
    match asked.kind {
        DataRequest => "tell what is held",
        Redact => "forget the customer",
        ShopRedact => "forget the store's customers",
    }
}

/// Marks a request as done. Returns whether it was open.
pub fn done(
    tx: &mut Tx<'_>,
    request: Uuid,
    by: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    notices::resolve(tx, &notice_key(request), now)?;
    repo::done(tx.conn, request, by, detail, now)
}

/// Open requests of one kind about one customer are done together.
pub fn done_for(
    tx: &mut Tx<'_>,
    store: StoreId,
    customer: &str,
    kind: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let open = waiting_for(tx.conn, store, customer, kind)?;
    for request in &open {
        done(tx, *request, by, "", now)?;
    }
    Ok(open.len())
}

/// Every open request that forgetting all customers of a store answers.
pub fn done_for_store(tx: &mut Tx<'_>, store: StoreId, by: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    for open in repo::open_of_store(tx.conn, store)? {
        done(tx, open, by, "", now)?;
    }
    Ok(())
}
