//! Orders that the operator's own systems post to `POST /api/mlm/orders`, in either of its two shapes.
//!
//! [`parse`] names every unusable field at once, so that the API can answer with all of them. The short shape is
//! one sale of one product by a referrer; the long one is an order with items and a total.

use chrono::{DateTime, Utc};

use super::Platform;
use super::body::{self, ParseError, Scalar};
use super::places::Places;
use super::reader::Reader;
use crate::core::money::Currency;
use crate::core::order::{OrderSnapshot, Payment, PlaceValue};
use model::Order;

mod lines;
mod model;

/// What a body may leave out, from the request and the store it came for.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectDefaults {
    pub currency: Option<Currency>,
    pub received_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DirectOrder {
    /// The platform that the order was made on; `direct` where the body names none.
    pub platform: Platform,
    pub snapshot: OrderSnapshot,
}

pub fn parse(body: &[u8], defaults: &DirectDefaults) -> Result<DirectOrder, ParseError> {
    let order: Order<'_> = body::read(body::text(body)?)?;
    let mut reader = Reader::default();
    let (platform, external_id) = identity(&mut reader, &order);
    let currency = currency(&mut reader, &order, defaults);
    let ordered_at = reader.optional("order_ts", order.order_ts.instant()).or(defaults.received_at);
    if ordered_at.is_none() {
        reader.problem("order_ts", "is missing");
    }
    let updated_at = reader.optional("updated_at", order.updated_at.instant()).or(ordered_at);
    let (payment, cancelled) = status(&mut reader, order.status);
    let (lines, total) = lines::read(&mut reader, &order, currency);
    let customer_id = reader.id("customer_id", order.customer_id);
    let places = places(&order, customer_id.clone());
    reader.finish()?;
    let (Some(currency), Some(ordered_at), Some(updated_at)) = (currency, ordered_at, updated_at) else {
        return Err(ParseError::Missing { field: "order_ts" });
    };
    let refunds = lines::refunds(order.status, total);
    Ok(DirectOrder {
        platform,
        snapshot: OrderSnapshot {
            external_id,
            number: None,
            currency,
            ordered_at,
            updated_at,
            read_at: None,
            payment,
            cancelled,
            test: order.test.is_true(),
            customer_id,
            lines,
            total,
            refunds,
            places,
            closings: Vec::new(),
            problems: Vec::new(),
        },
    })
}

/// `platform` with `platform_order_id`, or one of the `<platform>_order_id` keys.
fn identity(reader: &mut Reader, order: &Order<'_>) -> (Platform, String) {
    let keys = [
        (Platform::Shopify, "shopify_order_id", order.shopify_order_id),
        (Platform::WooCommerce, "woocommerce_order_id", order.woocommerce_order_id),
        (Platform::Magento, "magento_order_id", order.magento_order_id),
    ];
    let named = order
        .platform
        .text()
        .and_then(|name| name.parse::<Platform>().map_err(|error| reader.problem("platform", error)).ok());
    let (platform, field, id) = keys.into_iter().find(|(_, _, id)| id.literal().is_some()).unwrap_or((
        named.unwrap_or(Platform::Direct),
        "platform_order_id",
        order.platform_order_id,
    ));
    if named.is_some_and(|named| named != platform) {
        reader.problem("platform", format_args!("contradicts {field}"));
    }
    let read = reader.id(field, id);
    if id.literal().is_none() {
        reader.problem(field, "is missing");
    }
    (platform, read.unwrap_or_default())
}

fn currency(reader: &mut Reader, order: &Order<'_>, defaults: &DirectDefaults) -> Option<Currency> {
    if order.currency.literal().is_none() {
        if defaults.currency.is_none() {
            reader.problem("currency", "is missing");
        }
        return defaults.currency;
    }
    let code = order.currency.text().unwrap_or_default();
    let known = Currency::parse(&code).filter(|currency| currency.exponent().is_some());
    if known.is_none() {
        reader.problem("currency", "is not a currency of ISO 4217");
    }
    known
}

/// Without a status the order is a sale that happened: whoever posts a sale has been paid.
fn status(reader: &mut Reader, status: Scalar<'_>) -> (Payment, bool) {
    let text = status.text().map(|text| text.trim().to_ascii_lowercase());
    match text.as_deref() {
        None | Some("paid" | "completed" | "complete" | "refunded") => (Payment::Paid, false),
        Some("pending" | "unpaid" | "authorized" | "processing" | "on-hold" | "open") => {
            (Payment::Unpaid, false)
        }
        Some("voided" | "failed") => (Payment::Voided, false),
        Some("cancelled" | "canceled") => (Payment::Unpaid, true),
        Some(_) => {
            reader.problem("status", "is unknown; use paid, pending, voided, cancelled or refunded");
            (Payment::Unpaid, false)
        }
    }
}

fn places(order: &Order<'_>, customer: Option<String>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    places.add("distributor_ref", order.distributor_ref.text());
    places.add("referrer_id", order.referrer_id.text());
    places.add("discount_code", order.discount_code.text());
    places.add("customer", customer);
    places.into_inner()
}

#[cfg(test)]
mod tests;
