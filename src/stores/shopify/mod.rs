//! Shopify: REST webhook payloads and the GraphQL order that a pull reads.
//!
//! [`parse`] picks the reader by topic, or by shape where there is no topic. [`order`] and [`refund`] read REST,
//! [`graphql`] reads the Admin API's node; both end in [`sums`], which knows how Shopify's totals fit together. A node
//! that brings its [`agreements`] is counted by them.
//! [`product`], [`customer`] and [`privacy`] read what else a shop tells.

use serde::Deserialize;

use super::body::{self, ParseError, Scalar};
use super::reader::required_id;
use super::{DeliveryMeta, ignored};
use crate::core::order::{OrderSnapshot, Report};

mod agreements;
mod customer;
mod graphql;
mod model;
mod order;
mod privacy;
mod product;
mod refund;
pub mod signature;
mod sums;

pub fn parse(meta: &DeliveryMeta, body: &[u8]) -> Result<Vec<Report>, ParseError> {
    let text = body::text(body)?;
    match meta.topic.as_deref() {
        Some("orders/delete") => deleted(meta, text),
        Some("orders/edited") => edited(text),
        Some("refunds/create") => by_shape(meta, text, refund::parse),
        Some(topic) if topic.starts_with("orders/") && !is_side_topic(topic) => {
            by_shape(meta, text, order::parse)
        }
        Some("products/create" | "products/update") => Ok(vec![product::product(text)?]),
        Some("products/delete") => Ok(vec![product::gone(meta, text)?]),
        Some("inventory_levels/update" | "inventory_levels/connect") => Ok(vec![product::stock(meta, text)?]),
        Some("customers/create" | "customers/update") => Ok(vec![customer::customer(text)?]),
        Some("customers/delete") => Ok(vec![customer::gone(meta, text)?]),
        Some(topic) => match privacy::kind(topic) {
            Some(kind) => Ok(vec![privacy::request(kind, text)?]),
            None => Ok(ignored(format!("{topic} tells nothing about an order's money"))),
        },
        None => by_shape(meta, text, order::parse),
    }
}

/// The Admin GraphQL API's order node, as [`crate::clients`] reads it.
pub fn pulled(meta: &DeliveryMeta, body: &[u8]) -> Result<OrderSnapshot, ParseError> {
    graphql::parse(meta, body::text(body)?)
}

/// Topics under `orders/` whose body is not an order.
fn is_side_topic(topic: &str) -> bool {
    matches!(
        topic,
        "orders/risk_assessment_changed"
            | "orders/link_requested"
            | "orders/shopify_protect_eligibility_changed"
    )
}

fn deleted(meta: &DeliveryMeta, text: &str) -> Result<Vec<Report>, ParseError> {
    let shape: Shape<'_> = body::read(text)?;
    Ok(vec![Report::Deleted { order: short_id(required_id("id", shape.id)?), at: meta.triggered_at }])
}

/// An edit tells line ids and quantity deltas, no money.
fn edited(text: &str) -> Result<Vec<Report>, ParseError> {
    let shape: Shape<'_> = body::read(text)?;
    let edit = shape.order_edit.ok_or(ParseError::Missing { field: "order_edit" })?;
    let order = short_id(required_id("order_edit.order_id", edit.order_id)?);
    Ok(vec![Report::Hint { order, what: "the order was edited".to_owned() }])
}

/// What a body is, by its outermost keys.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    order: Scalar<'a>,
    refund: Scalar<'a>,
    data: Scalar<'a>,
    order_edit: Option<Edit<'a>>,
}

#[derive(Deserialize)]
struct Edit<'a> {
    #[serde(borrow, default)]
    order_id: Scalar<'a>,
}

/// Bodies come bare (webhooks), as `{"order": ...}` (REST) or as `{"data": {"order": ...}}` (GraphQL).
fn by_shape(
    meta: &DeliveryMeta,
    text: &str,
    rest: fn(&DeliveryMeta, &str) -> Result<Report, ParseError>,
) -> Result<Vec<Report>, ParseError> {
    if meta.topic.is_some() {
        // A webhook's body is nearly always the bare thing: one reading instead of two.
        match rest(meta, text) {
            Err(ParseError::Missing { .. }) => {}
            told => return Ok(vec![told?]),
        }
    }
    let shape: Shape<'_> = body::read(text)?;
    if let Some(data) = shape.data.literal() {
        return by_shape(meta, data, rest);
    }
    if let Some(order) = shape.order.literal() {
        return by_shape(meta, order, order::parse);
    }
    if let Some(refund) = shape.refund.literal() {
        return by_shape(meta, refund, refund::parse);
    }
    let is_node = shape.id.text().is_some_and(|id| id.starts_with("gid://shopify/Order/"));
    if is_node {
        return Ok(vec![Report::Snapshot(Box::new(graphql::parse(meta, text)?))]);
    }
    Ok(vec![rest(meta, text)?])
}

/// `gid://shopify/Order/123?x=y` and `123` are one id.
fn short_id(id: String) -> String {
    match id.strip_prefix("gid://shopify/").and_then(|rest| rest.split_once('/')) {
        Some((_, number)) => number.split('?').next().unwrap_or(number).to_owned(),
        None => id,
    }
}

#[cfg(test)]
mod agreements_tests;
#[cfg(test)]
mod tests;
