//! Releasing held orders: fix a cause once, and every order that waited for it is assessed again.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::repo;
use crate::core::assess::Hold;
use crate::core::ids::{DistributorId, OrderId};
use crate::db::{Conn, DbError, Tx};
use crate::events::{self, Topic};

/// How much waits for one cause, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub currency: Option<String>,
    pub orders: i64,
    pub net: Decimal,
}

/// What [`release`] would send through assessment again: the preview. An empty cause means all of the reason.
pub fn waiting(conn: &mut Conn, reason: Hold, cause: &str) -> Result<Vec<Waiting>, DbError> {
    repo::waiting(conn, reason.name(), cause)
}

/// Sends every order held for a cause through assessment again. Returns how many orders that are.
pub fn release(tx: &mut Tx<'_>, reason: Hold, cause: &str, now: DateTime<Utc>) -> Result<usize, DbError> {
    let orders = repo::held_for(tx.conn, reason.name(), cause)?;
    request_review(tx, &orders, now)?;
    Ok(orders.len())
}

/// The same for every order held for any of the reasons, whatever the cause: after an import or a publication.
pub fn review_all_of(tx: &mut Tx<'_>, reasons: &[Hold], now: DateTime<Utc>) -> Result<usize, DbError> {
    let names: Vec<&str> = reasons.iter().map(|reason| reason.name()).collect();
    let orders = repo::held_for_any(tx.conn, &names)?;
    request_review(tx, &orders, now)?;
    Ok(orders.len())
}

/// An admin decides who earns on an order, whatever the payload says.
pub fn attribute_manually(
    tx: &mut Tx<'_>,
    order: OrderId,
    to: &DistributorId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    repo::insert_manual_attribution(tx.conn, order.0, to, by, now)?;
    request_review(tx, &[order.0], now)
}

pub(super) fn request_review(tx: &mut Tx<'_>, orders: &[Uuid], now: DateTime<Utc>) -> Result<(), DbError> {
    let asked: Vec<(Uuid, DateTime<Utc>)> = orders.iter().map(|order| (*order, now)).collect();
    events::publish(tx, Topic::OrderReview, &asked)
}
