//! Magento Open Source and Adobe Commerce: REST V1 orders, as a merchant's module or an I/O Event pushes them.
//!
//! [`parse`] goes by shape, because no sender names its topics alike; a product is told by its SKU and type. Only an order is taken as an order: an
//! invoice or a credit memo tells a part of one, so it is a hint to read the order again; the order's own items
//! say what was refunded. [`pulled`] is an order that was read with all of its invoices and credit memos.

use serde::Deserialize;

use super::body::{self, ParseError, Scalar};
use super::reader::required_id;
use super::{DeliveryMeta, ignored};
use crate::core::order::{OrderSnapshot, Report};

mod documents;
mod items;
mod model;
mod order;
mod product;
mod refund;
pub mod signature;

use documents::Documents;

pub fn parse(meta: &DeliveryMeta, body: &[u8]) -> Result<Vec<Report>, ParseError> {
    by_shape(meta, body::text(body)?)
}

/// `{"order": ..., "invoices": [...], "creditmemos": [...]}`, as [`crate::clients`] reads them.
pub fn pulled(meta: &DeliveryMeta, body: &[u8]) -> Result<OrderSnapshot, ParseError> {
    #[derive(Deserialize)]
    struct Pulled<'a> {
        #[serde(borrow)]
        order: Scalar<'a>,
        #[serde(borrow)]
        invoices: Scalar<'a>,
        #[serde(borrow)]
        creditmemos: Scalar<'a>,
    }
    let told: Pulled<'_> = body::read(body::text(body)?)?;
    let order = told.order.literal().ok_or(ParseError::Missing { field: "order" })?;
    let invoices = told.invoices.literal().ok_or(ParseError::Missing { field: "invoices" })?;
    let creditmemos = told.creditmemos.literal().ok_or(ParseError::Missing { field: "creditmemos" })?;
    let documents = Documents { invoices: body::read(invoices)?, creditmemos: body::read(creditmemos)? };
    order::snapshot(meta, &body::read(order)?, Some(&documents))
}

/// What a body is, by its outermost keys.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape<'a> {
    #[serde(borrow)]
    entity_id: Scalar<'a>,
    increment_id: Scalar<'a>,
    order_id: Scalar<'a>,
    base_grand_total: Scalar<'a>,
    grand_total: Scalar<'a>,
    items: Scalar<'a>,
    total_count: Scalar<'a>,
    search_criteria: Scalar<'a>,
    sku: Scalar<'a>,
    type_id: Scalar<'a>,
    order: Scalar<'a>,
    event: Scalar<'a>,
    data: Scalar<'a>,
    value: Scalar<'a>,
}

/// Every wrapping is a level of its own, so the depth is bounded by the body's.
fn by_shape(meta: &DeliveryMeta, text: &str) -> Result<Vec<Report>, ParseError> {
    if text.trim_start().starts_with('[') {
        return each(meta, text);
    }
    let shape: Shape<'_> = body::read(text)?;
    let wrapped = [shape.order, shape.event, shape.data, shape.value];
    if let Some(inner) = wrapped.iter().filter_map(Scalar::literal).find(|inner| inner.starts_with('{')) {
        return by_shape(meta, inner);
    }
    if shape.search_criteria.literal().is_some() || shape.total_count.literal().is_some() {
        return each(meta, shape.items.literal().unwrap_or("[]"));
    }
    if shape.sku.literal().is_some() && shape.type_id.literal().is_some() {
        return Ok(vec![product::product(text)?]);
    }
    let is_money = shape.base_grand_total.literal().or(shape.grand_total.literal()).is_some();
    if !is_money || shape.entity_id.literal().or(shape.increment_id.literal()).is_none() {
        return Ok(ignored("the payload is not about an order"));
    }
    if shape.order_id.literal().is_some() {
        let order = required_id("order_id", shape.order_id)?;
        return Ok(vec![Report::Hint {
            order,
            what: "an invoice or a credit memo of the order was made".to_owned(),
        }]);
    }
    if shape.items.literal().is_none() {
        let order = required_id("entity_id", shape.entity_id)?;
        return Ok(vec![Report::Hint { order, what: "the order was told without its items".to_owned() }]);
    }
    Ok(vec![Report::Snapshot(Box::new(order::snapshot(meta, &body::read(text)?, None)?))])
}

fn each(meta: &DeliveryMeta, text: &str) -> Result<Vec<Report>, ParseError> {
    let items: Vec<Scalar<'_>> = body::read(text)?;
    let mut reports = Vec::new();
    for item in items.iter().filter_map(Scalar::literal) {
        reports.extend(by_shape(meta, item)?);
    }
    Ok(reports)
}

#[cfg(test)]
mod pulled_tests;
#[cfg(test)]
mod tests;
