//! Everything that knows a store platform: signatures, headers, payloads. Bytes in, [`crate::core::order`] out.
//!
//! [`verify`] runs at the webhook edge on the bytes as they came, before anything reads them; [`parse`] runs
//! later, on the stored delivery, and again on every replay. Nothing in here does I/O or reads a clock, and
//! nothing in here knows what an order earns.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::core::order::{OrderSnapshot, Report};

#[cfg(test)]
mod beside_tests;
mod body;
pub mod direct;
mod headers;
pub mod magento;
mod places;
mod reader;
pub mod shopify;
mod signature;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod woocommerce;

pub use body::ParseError;
pub use headers::{DEFAULT_CURRENCY_HEADER, DeliveryMeta, Headers, describe, evidence_headers};
pub use places::{is_customer_place, is_place, known_places, usual_places};
pub use signature::{SignatureError, Verified};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Shopify,
    WooCommerce,
    Magento,
    /// Orders posted to our own API by the operator's systems.
    Direct,
}

impl Platform {
    pub const ALL: [Self; 4] = [Self::Shopify, Self::WooCommerce, Self::Magento, Self::Direct];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
            Self::Magento => "magento",
            Self::Direct => "direct",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a platform; use shopify, woocommerce, magento or direct")]
pub struct UnknownPlatform(String);

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        let known =
            Self::ALL.into_iter().find(|platform| platform.as_str().eq_ignore_ascii_case(text.trim()));
        known.ok_or_else(|| UnknownPlatform(text.to_owned()))
    }
}

/// Checks a delivery's signature over the bytes as they came. `secrets` are all that are live for the store,
/// so that one can be exchanged without losing a delivery; any of them may match.
pub fn verify(
    platform: Platform,
    secrets: &[&[u8]],
    headers: &Headers,
    body: &[u8],
) -> Result<Verified, SignatureError> {
    let secrets: Vec<&[u8]> = secrets.iter().copied().filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    match platform {
        Platform::Shopify => shopify::signature::verify(&secrets, headers, body),
        Platform::WooCommerce => woocommerce::signature::verify(&secrets, headers, body),
        Platform::Magento => magento::signature::verify(&secrets, headers, body),
        Platform::Direct => signature::bearer(&secrets, headers),
    }
}

/// What makes two deliveries of one store the same: SHA-256 over topic and body.
///
/// The platforms' own ids cannot be the key: WooCommerce gives one id to every delivery of a second, Shopify
/// gives several ids to one change. A body tells its own time of change, so the same topic and bytes are the
/// same fact. The exceptions are payloads that are nothing but an id (a deletion, a custom action): deleted,
/// restored and deleted again gives the same bytes twice and is two facts, so there the delivery id counts too.
pub fn dedupe_key(platform: Platform, meta: &DeliveryMeta, body: &[u8]) -> [u8; 32] {
    let topic = meta.topic.as_deref().unwrap_or_default();
    let timeless = topic.ends_with("/delete") || topic.ends_with(".deleted") || topic.starts_with("action.");
    let delivery = meta.delivery_key.as_deref().filter(|_| timeless).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [platform.as_str().as_bytes(), topic.as_bytes(), delivery.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Topics of what we read at the store ourselves. The body is the client's ([`crate::clients`]), the time of
/// reading stands where a webhook's time does.
pub const PULLED_ORDER: &str = "pull.order";
/// The store does not know the order any more; the body is `{"id": ...}`.
pub const PULLED_ABSENCE: &str = "pull.absence";

/// The key of a pulled order: reading the same again later is another fact, as it may undo what came between.
pub fn pulled_key(topic: &str, read_at: DateTime<Utc>, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(topic);
    hash.update(read_at.timestamp_micros().to_be_bytes());
    hash.update(body);
    hash.finalize().into()
}

/// What a verified delivery tells. The same bytes give the same reports, always.
pub fn parse(platform: Platform, meta: &DeliveryMeta, body: &[u8]) -> Result<Vec<Report>, ParseError> {
    // A delivery that was stored without a topic is read by its shape.
    let topic = meta.topic.clone().filter(|topic| !topic.is_empty());
    let meta = &DeliveryMeta { topic, ..meta.clone() };
    match meta.topic.as_deref() {
        Some(PULLED_ORDER) => return Ok(vec![Report::Snapshot(Box::new(pulled(platform, meta, body)?))]),
        Some(PULLED_ABSENCE) => {
            return Ok(vec![Report::Deleted { order: absent(body)?, at: meta.triggered_at }]);
        }
        _ => {}
    }
    match platform {
        Platform::Shopify => shopify::parse(meta, body),
        Platform::WooCommerce => woocommerce::parse(meta, body),
        Platform::Magento => magento::parse(meta, body),
        Platform::Direct => {
            let defaults = direct::DirectDefaults { currency: meta.currency, received_at: meta.triggered_at };
            let order = direct::parse(body, &defaults)?;
            Ok(vec![Report::Snapshot(Box::new(order.snapshot))])
        }
    }
}

/// An order as a client read it: complete, as of the time of reading.
fn pulled(platform: Platform, meta: &DeliveryMeta, body: &[u8]) -> Result<OrderSnapshot, ParseError> {
    let snapshot = match platform {
        Platform::Shopify => shopify::pulled(meta, body)?,
        Platform::WooCommerce => woocommerce::pulled(body)?,
        Platform::Magento => magento::pulled(meta, body)?,
        Platform::Direct => return Err(ParseError::Missing { field: "store that can be read" }),
    };
    Ok(OrderSnapshot { read_at: meta.triggered_at, ..snapshot })
}

fn absent(body: &[u8]) -> Result<String, ParseError> {
    #[derive(Deserialize)]
    struct Absent<'a> {
        #[serde(borrow)]
        id: body::Scalar<'a>,
    }
    let absent: Absent<'_> = body::read(body::text(body)?)?;
    reader::required_id("id", absent.id)
}

fn ignored(why: impl Into<String>) -> Vec<Report> {
    vec![Report::Ignored { why: why.into() }]
}
