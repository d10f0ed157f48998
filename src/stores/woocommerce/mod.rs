//! WooCommerce (REST v3 bodies in webhooks).
//!
//! [`parse`] picks by topic, or by shape where there is none. The body of a delivery is built when it is sent,
//! as the webhook's owner: an order that is gone or hidden gives a validly signed error instead of an order.

use serde::Deserialize;

use super::body::{self, ParseError, Scalar};
use super::reader::{Reader, required_id};
use super::{DeliveryMeta, ignored};
use crate::core::order::{OrderSnapshot, Report};

mod catalogue;
mod customer;
mod model;
mod order;
mod product;
mod refund;
pub mod signature;

pub use catalogue::{customer, product, variant};
use model::Order;

/// What the checkout page saves before anybody has ordered.
pub const DRAFT: &str = "checkout-draft";

pub fn parse(meta: &DeliveryMeta, body: &[u8]) -> Result<Vec<Report>, ParseError> {
    let text = body::text(body)?;
    if signature::is_ping_body(body) {
        return Ok(ignored("a ping"));
    }
    let topic = meta.topic.as_deref().unwrap_or_default();
    match topic.split_once('.') {
        None | Some(("order", _)) => of_order(topic, &body::read(text)?),
        Some(("product", event)) => product::parse(event, text),
        Some(("customer", event)) => customer::parse(event, text),
        Some(("action", action)) => Ok(of_action(action, &body::read(text)?)),
        Some(_) => Ok(ignored(format!("{topic} is not about an order, a product or a customer"))),
    }
}

fn of_order(topic: &str, order: &Order<'_>) -> Result<Vec<Report>, ParseError> {
    if let (Some(code), None) = (order.code.text(), order.id.literal()) {
        return Ok(ignored(format!("the shop could not show the order: {code}")));
    }
    let id = required_id("id", order.id)?;
    if topic == "order.deleted" {
        return Ok(vec![Report::Deleted { order: id, at: None }]);
    }
    if order.billing_period.literal().is_some() {
        return Ok(ignored("a subscription: its renewals come as orders of their own"));
    }
    if order.status.text().as_deref() == Some(DRAFT) {
        return Ok(ignored("a cart at the checkout, which may never become an order"));
    }
    if order.line_items.is_none() {
        return Err(ParseError::Missing { field: "line_items" });
    }
    let snapshot = Report::Snapshot(Box::new(order::snapshot(order)?));
    match topic {
        "order.restored" => Ok(vec![Report::Restored { order: id }, snapshot]),
        _ => Ok(vec![snapshot]),
    }
}

/// What every body says of what it is about, or why there is nothing about it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    /// Only where the shop could not show it.
    code: Scalar<'a>,
}

impl Shape<'_> {
    fn refused(&self) -> Option<String> {
        self.code.text().filter(|_| self.id.literal().is_none())
    }
}

/// `{"order": ..., "refunds": [...]}`: an order of REST v3 and its refunds, read one after the other.
///
/// An order in the trash is one that was cancelled: it counts for nothing, and its refunds are not read.
pub fn pulled(body: &[u8]) -> Result<OrderSnapshot, ParseError> {
    #[derive(Deserialize)]
    struct Pulled<'a> {
        #[serde(borrow)]
        order: Scalar<'a>,
        #[serde(borrow)]
        refunds: Scalar<'a>,
    }
    let told: Pulled<'_> = body::read(body::text(body)?)?;
    let order = told.order.literal().ok_or(ParseError::Missing { field: "order" })?;
    let refunds = told.refunds.literal().ok_or(ParseError::Missing { field: "refunds" })?;
    let order: Order<'_> = body::read(order)?;
    if order.line_items.is_none() {
        return Err(ParseError::Missing { field: "line_items" });
    }
    let snapshot = order::snapshot(&order)?;
    let status = order.status.text().unwrap_or_default();
    if status == "trash" {
        return Ok(snapshot);
    }
    let mut reader = Reader { problems: snapshot.problems };
    let mut told = refund::full(&mut reader, refunds)?;
    refund::agree(&mut reader, &order, &told);
    told.extend(refund::by_status(&status, snapshot.total, &told));
    Ok(OrderSnapshot { refunds: told, problems: reader.problems, ..snapshot })
}

#[derive(Deserialize)]
struct Action<'a> {
    #[serde(borrow, default)]
    arg: Scalar<'a>,
}

/// Custom topics send the name of a WordPress action and its first argument: an order id where it is about one.
fn of_action(action: &str, told: &Action<'_>) -> Vec<Report> {
    let about_order = action.contains("order") || action.contains("payment_complete");
    match told.arg.id() {
        Ok(Some(order)) if about_order => {
            vec![Report::Hint { order, what: format!("the shop ran {action}") }]
        }
        _ => ignored(format!("the action {action} names no order")),
    }
}

#[cfg(test)]
mod tests;
