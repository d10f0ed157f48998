//! WooCommerce (REST v3 bodies in webhooks).
//!
//! [`parse`] picks by topic, or by shape where there is none. The body of a delivery is built when it is sent,
//! as the webhook's owner: an order that is gone or hidden gives a validly signed error instead of an order.

use serde::Deserialize;

use super::body::{self, ParseError, Scalar, required_id};
use super::{DeliveryMeta, ignored};
use crate::core::order::Report;

mod model;
mod order;
mod refund;
pub mod signature;

pub use refund::refunds;

pub fn parse(meta: &DeliveryMeta, body: &[u8]) -> Result<Vec<Report>, ParseError> {
    let text = body::text(body)?;
    if signature::is_ping_body(body) {
        return Ok(ignored("a ping"));
    }
    let topic = meta.topic.as_deref().unwrap_or_default();
    let shape: Shape<'_> = body::read(text)?;
    if let Some(code) = shape.code.text()
        && shape.id.literal().is_none()
    {
        return Ok(ignored(format!("the shop could not show the order: {code}")));
    }
    match topic.split_once('.') {
        None | Some(("order", _)) => of_order(topic, &shape, text),
        Some(("action", action)) => Ok(of_action(action, &shape)),
        Some(_) => Ok(ignored(format!("{topic} is not about an order"))),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    code: Scalar<'a>,
    arg: Scalar<'a>,
    line_items: Scalar<'a>,
    billing_period: Scalar<'a>,
}

fn of_order(topic: &str, shape: &Shape<'_>, text: &str) -> Result<Vec<Report>, ParseError> {
    let id = required_id("id", shape.id)?;
    if topic == "order.deleted" {
        return Ok(vec![Report::Deleted { order: id, at: None }]);
    }
    if shape.billing_period.literal().is_some() {
        return Ok(ignored("a subscription: its renewals come as orders of their own"));
    }
    if shape.line_items.literal().is_none() {
        return Err(ParseError::Missing { field: "line_items" });
    }
    let snapshot = Report::Snapshot(Box::new(order::snapshot(&body::read(text)?)?));
    match topic {
        "order.restored" => Ok(vec![Report::Restored { order: id }, snapshot]),
        _ => Ok(vec![snapshot]),
    }
}

/// Custom topics send the name of a WordPress action and its first argument: an order id where it is about one.
fn of_action(action: &str, shape: &Shape<'_>) -> Vec<Report> {
    let about_order = action.contains("order") || action.contains("payment_complete");
    match shape.arg.id() {
        Ok(Some(order)) if about_order => {
            vec![Report::Hint { order, what: format!("the shop ran {action}") }]
        }
        _ => ignored(format!("the action {action} names no order")),
    }
}
