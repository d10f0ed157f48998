//! What a request's headers say about a delivery. Evidence only: no header decides what is stored twice.
//!
//! Runs at the webhook edge and again whenever a stored delivery is read. Never keeps a credential.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Platform, body};
use crate::core::money::Currency;

/// Captured request headers, looked up without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.into()))
                .collect(),
        )
    }
}

impl Headers {
    /// The first header of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name)).map(str::to_owned)
    }
}

/// What the platform says about a delivery beside its body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryMeta {
    pub topic: Option<String>,
    /// The platform's id of this delivery. Repeats and rotates; see [`super::dedupe_key`].
    pub delivery_key: Option<String>,
    /// The platform's id of what happened, shared by deliveries that tell the same.
    pub event_key: Option<String>,
    pub triggered_at: Option<DateTime<Utc>>,
    pub api_version: Option<String>,
    pub test: bool,
    /// What the amounts of a direct order are in when its body does not say; decided when it was received.
    pub currency: Option<Currency>,
}

/// Added to a direct order's evidence by the API, so that every replay reads the body in the same currency.
pub const DEFAULT_CURRENCY_HEADER: &str = "x-upline-default-currency";

pub fn describe(platform: Platform, headers: &Headers) -> DeliveryMeta {
    match platform {
        // The preview of Shopify's next delivery format drops the `X-`.
        Platform::Shopify => DeliveryMeta {
            topic: headers.first(&["x-shopify-topic", "shopify-topic"]),
            delivery_key: headers.first(&["x-shopify-webhook-id", "shopify-webhook-id"]),
            event_key: headers.first(&["x-shopify-event-id", "shopify-event-id"]),
            triggered_at: headers
                .first(&["x-shopify-triggered-at", "shopify-triggered-at"])
                .and_then(|text| body::instant(&text)),
            api_version: headers.first(&["x-shopify-api-version", "shopify-api-version"]),
            test: headers.get("x-shopify-test").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            currency: None,
        },
        Platform::WooCommerce => DeliveryMeta {
            topic: headers.first(&["x-wc-webhook-topic"]),
            delivery_key: headers.first(&["x-wc-webhook-delivery-id"]),
            ..DeliveryMeta::default()
        },
        Platform::Magento => DeliveryMeta {
            topic: headers.first(&["x-adobe-event-code", "x-magento-topic"]),
            delivery_key: headers.first(&["x-adobe-event-id", "x-magento-delivery-id"]),
            ..DeliveryMeta::default()
        },
        Platform::Direct => DeliveryMeta {
            delivery_key: headers.first(&["idempotency-key"]),
            currency: headers.get(DEFAULT_CURRENCY_HEADER).and_then(Currency::parse),
            ..DeliveryMeta::default()
        },
    }
}

/// The headers that are kept with a stored delivery, by lower-case name. An allow list: whatever is not known
/// to be harmless (credentials, cookies, shared secrets, client addresses) is left out.
pub fn evidence_headers(headers: &Headers) -> BTreeMap<String, String> {
    const PREFIXES: [&str; 6] = ["x-shopify-", "shopify-", "x-wc-", "x-adobe-", "x-magento-", "x-upline-"];
    const NAMES: [&str; 3] = ["content-type", "user-agent", "idempotency-key"];
    const SECRET_WORDS: [&str; 5] = ["secret", "token", "authorization", "cookie", "password"];
    let kept = |name: &str| {
        let known = NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        known && !SECRET_WORDS.iter().any(|word| name.contains(word))
    };
    headers.0.iter().filter(|(name, _)| kept(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_ignores_case() {
        let headers: Headers = [("X-Shopify-TOPIC", "orders/create")].into_iter().collect();
        assert_eq!(headers.get("x-shopify-topic"), Some("orders/create"));
        assert_eq!(headers.get("x-shopify"), None);
    }

    #[test]
    fn shopify_headers_are_described() {
        let headers: Headers = [
            ("x-shopify-topic", "orders/paid"),
            ("x-shopify-webhook-id", "w-1"),
            ("x-shopify-event-id", "e-1"),
            ("x-shopify-triggered-at", "2026-04-01T10:00:00.123456789Z"),
            ("x-shopify-api-version", "2026-04"),
            ("x-shopify-test", "true"),
        ]
        .into_iter()
        .collect();
        let meta = describe(Platform::Shopify, &headers);
        assert_eq!(meta.topic.as_deref(), Some("orders/paid"));
        assert_eq!(meta.delivery_key.as_deref(), Some("w-1"));
        assert_eq!(meta.event_key.as_deref(), Some("e-1"));
        assert_eq!(meta.triggered_at.unwrap().timestamp(), 1_775_037_600);
        assert!(meta.test);
    }

    #[test]
    fn credentials_are_never_kept() {
        let headers: Headers = [
            ("Authorization", "Bearer s3cret"),
            ("Cookie", "a=b"),
            ("X-Upline-Secret", "s3cret"),
            ("X-Magento-Access-Token", "s3cret"),
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-WC-Webhook-Topic", "order.created"),
            ("Content-Type", "application/json"),
        ]
        .into_iter()
        .collect();
        let kept = evidence_headers(&headers);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["content-type", "x-wc-webhook-topic"]);
    }
}
