//! What Shopify asks for by law: a customer's data, or that a customer or a whole shop is forgotten.
//!
//! The payloads name the customer's address and telephone; only ids are taken.

use serde::Deserialize;

use super::short_id;
use crate::core::customer::{PrivacyKind, PrivacyRequest};
use crate::core::order::Report;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    customer: Option<Named<'a>>,
    orders_requested: Option<Vec<Scalar<'a>>>,
    orders_to_redact: Option<Vec<Scalar<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
}

pub fn kind(topic: &str) -> Option<PrivacyKind> {
    match topic {
        "customers/data_request" => Some(PrivacyKind::DataRequest),
        "customers/redact" => Some(PrivacyKind::Redact),
        "shop/redact" => Some(PrivacyKind::ShopRedact),
        _ => None,
    }
}

pub fn request(kind: PrivacyKind, text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    let mut reader = Reader::default();
    let customer = match kind {
        PrivacyKind::ShopRedact => None,
        PrivacyKind::DataRequest | PrivacyKind::Redact => {
            let named = told.customer.unwrap_or_default();
            Some(short_id(required_id("customer.id", named.id)?))
        }
    };
    let listed = told.orders_requested.iter().chain(&told.orders_to_redact).flatten();
    let orders = listed.filter_map(|id| reader.id("orders", *id)).map(short_id).collect();
    reader.finish()?;
    Ok(Report::Privacy(PrivacyRequest { kind, customer, orders }))
}
