//! A platform as seen from outside: its API answers and its webhooks, both made from the shop's truth.

use super::shop::{Shop, ShopEvent, Subscription};

/// An API call as it came in.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Decoded, with its leading slash, without the query.
    pub path: String,
    /// Decoded, in the order of the address.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Path and query as they were written: OAuth 1.0a signs these.
    pub target: String,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, body.to_string())
    }

    /// JSON that was written by hand, as some platforms' escapes and numbers are their own.
    pub fn text(status: u16, body: String) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.into_bytes() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// A webhook delivery, signed.
#[derive(Clone, Debug)]
pub struct Sent {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub trait Dialect: Send + Sync {
    /// One API call, answered from the truth as the platform would, authorisation checked.
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer;

    /// What the platform sends for an event to a subscription, signed with its secret; `None` when it sends
    /// nothing (another topic, or a change that the platform keeps to itself).
    fn webhook(&self, shop: &Shop, event: &ShopEvent, subscription: &Subscription) -> Option<Sent>;

    /// The body shows the shop as it is when the delivery leaves, not as it was at the event (WooCommerce).
    fn built_when_sent(&self) -> bool {
        false
    }

    /// After so many failures in a row the platform stops: `Some(7)` disables (WooCommerce).
    fn failures_until_disabled(&self) -> Option<u32> {
        None
    }
}
