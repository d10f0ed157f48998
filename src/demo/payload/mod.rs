//! What the three platforms send: bodies in their genuine shapes and the headers that go with them.
//!
//! One function per platform, from what is told to the message as it goes over the wire. The signature is over
//! the bytes of the body, so a body is written once and never parsed again.

pub mod magento;
pub mod shopify;
pub mod woocommerce;

use chrono::{DateTime, Utc};

use super::company::DemoStore;
use super::sample::{SampleOrder, SampleRefund};
use crate::stores::Platform;

/// What a delivery is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Order(Box<SampleOrder>, Happening),
    /// The last refund of the order, without the order around it.
    Refund(Box<SampleOrder>),
    Deleted(u64),
    /// The platform could not read the order that it was about to tell, and signed that answer.
    Unreadable,
    /// Asks whether anybody is there. Not signed.
    Ping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Created,
    Paid,
    Updated,
    Cancelled,
}

/// A request to a webhook endpoint, without the connection's own headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Told {
    pub fn bare_refund(&self) -> Option<(&SampleOrder, &SampleRefund)> {
        match self {
            Self::Refund(order) => order.refunds.last().map(|refund| (order.as_ref(), refund)),
            _ => None,
        }
    }
}

/// `None` where the platform has no such message. `nonce` makes the platform's own delivery ids.
pub fn message(store: &DemoStore, told: &Told, at: DateTime<Utc>, nonce: u64) -> Option<Message> {
    match store.platform {
        Platform::Shopify => shopify::message(store, told, at, nonce),
        Platform::WooCommerce => woocommerce::message(store, told, at),
        Platform::Magento => magento::message(store, told),
        Platform::Direct => None,
    }
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests;
