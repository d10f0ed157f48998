//! Reading the stores through their own APIs, and keeping our webhooks there.
//!
//! A webhook is a hint; what a client reads is the truth of that instant. [`StoreApi`] is the one shape of all
//! platforms: pages of whole orders, products, customers, and webhook subscriptions. What it reads of an order is
//! kept as bytes ([`PulledOrder::body`]) and parsed by [`crate::stores`] like any delivery. Clients block; they
//! run on threads of their own and never inside a database transaction.
//!
//! [`http`] is the only door to the network: no redirects, no private addresses unless allowed, bounded answers,
//! patience with throttles, and a page that is broken is read again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::core::customer::Customer;
use crate::core::product::Product;
use crate::stores::Platform;

mod error;
mod guard;
pub mod http;
mod magento;
pub mod oauth1;
mod shopify;
mod woocommerce;

pub use error::ApiError;
pub use guard::is_private;
use http::Http;

/// A store's API, authorised.
pub trait StoreApi: Send + Sync {
    /// Who we are talking to, and whether our credentials do. The first call after connecting.
    fn probe(&self) -> Result<Probe, ApiError>;

    /// One page of the orders of a window, oldest first, each whole: with its refunds. `cursor` is the last
    /// page's [`Page::next`]; an order may come twice, none is left out although orders change meanwhile.
    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError>;

    /// The same for long windows, where the platform has a better way.
    fn orders_in_bulk(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        self.orders(window, cursor)
    }

    /// `None`: the store does not know it. One in the trash is told as the list tells it.
    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError>;

    /// One page of the products changed since, or of all.
    fn products(&self, since: Option<DateTime<Utc>>, cursor: Option<&str>)
    -> Result<Page<Product>, ApiError>;

    /// One page of the customers changed since, or of all.
    fn customers(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError>;

    /// The topics that we want told. Empty where the platform sends nothing by itself.
    fn topics(&self) -> &'static [&'static str];

    /// Every subscription that the credentials can see, ours and others'.
    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError>;

    fn create_webhook(&self, new: &NewWebhook<'_>) -> Result<Webhook, ApiError>;

    /// Active again, at this address, signing with this secret.
    fn mend_webhook(&self, external_id: &str, new: &NewWebhook<'_>) -> Result<Webhook, ApiError>;

    fn delete_webhook(&self, external_id: &str) -> Result<(), ApiError>;
}

/// Where a store's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub platform: Platform,
    /// `https://shop.example/`; paths of the platform's API are joined to it.
    pub base: Url,
    /// Addresses of private networks may be called.
    pub allow_private: bool,
}

/// What authorises us. Sealed where it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// An app of the merchant's own: its tokens last a day and are fetched and renewed by us.
    ShopifyApp {
        client_id: String,
        client_secret: String,
    },
    /// A pasted Admin API token (`shpat_...`). `client_secret` signs the webhooks that we create with it.
    ShopifyToken {
        token: String,
        client_secret: String,
    },
    WooKeys {
        consumer_key: String,
        consumer_secret: String,
    },
    MagentoOauth {
        consumer_key: String,
        consumer_secret: String,
        access_token: String,
        access_token_secret: String,
    },
    MagentoBearer {
        token: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Opens a client; nothing is called yet.
pub fn open(
    endpoint: &Endpoint,
    credentials: &Credentials,
    http: Http,
) -> Result<Box<dyn StoreApi>, ApiError> {
    let unsigned = !matches!(credentials, Credentials::WooKeys { .. } | Credentials::MagentoOauth { .. });
    if unsigned && endpoint.base.scheme() == "http" && !endpoint.allow_private {
        let told = "the credentials would travel unprotected over http; give the https address";
        return Err(ApiError::Unsupported(told.to_owned()));
    }
    match (endpoint.platform, credentials) {
        (Platform::Shopify, Credentials::ShopifyApp { .. } | Credentials::ShopifyToken { .. }) => {
            Ok(Box::new(shopify::Shopify::new(endpoint, credentials, http)))
        }
        (Platform::WooCommerce, Credentials::WooKeys { .. }) => {
            Ok(Box::new(woocommerce::WooCommerce::new(endpoint, credentials, http)))
        }
        (Platform::Magento, Credentials::MagentoOauth { .. } | Credentials::MagentoBearer { .. }) => {
            Ok(Box::new(magento::Magento::new(endpoint, credentials, http)))
        }
        (platform, _) => {
            Err(ApiError::Unsupported(format!("these credentials do not open a {platform} store")))
        }
    }
}

/// What a store says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub name: String,
    pub currency: Option<String>,
    /// IANA name: the store's days begin there.
    pub zone: Option<String>,
    /// Of the platform or its API.
    pub version: Option<String>,
    /// What our credentials lack, in the platform's words: `read_orders`. Empty when all is there.
    pub missing_scopes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowBy {
    /// When the store last changed the order.
    Changed,
    /// When the order was made.
    Ordered,
}

/// `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub by: WindowBy,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Window {
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where to read on; `None` at the end, which is only told when nothing is missing.
    pub next: Option<String>,
    /// How many the store says there are from here on, with this page, if it says so.
    pub remaining: Option<u64>,
    /// Ask again only after that (a bulk operation that still runs).
    pub wait: Option<Duration>,
}

/// An order as the store's API gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledOrder {
    pub external_id: String,
    pub ordered_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    /// Before the first byte was asked for.
    pub read_at: DateTime<Utc>,
    /// What `stores::parse` takes under `stores::PULLED_ORDER`.
    pub body: Vec<u8>,
}

/// A subscription as the platform knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub external_id: String,
    pub topic: String,
    pub address: String,
    /// The platform still sends: WooCommerce disables after failures.
    pub active: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct NewWebhook<'a> {
    pub topic: &'a str,
    pub address: &'a str,
    /// What it shall sign with, where the platform lets us choose.
    pub secret: &'a str,
}
