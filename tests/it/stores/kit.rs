//! The three platforms, each with what a run needs to know of it.

use chrono::{DateTime, Utc};
use fastrand::Rng;
use upline::clients::{Credentials, Endpoint};
use upline::stores::Platform;

use super::books::Style;
use super::sim::dialect::Dialect;
use super::sim::life::{Habits, Life};
use super::sim::shop::{Id, Shop};
use super::sim::shopify::Shopify;
use super::sim::woocommerce::WooCommerce;

pub struct Kit {
    pub platform: Platform,
    pub zone: &'static str,
    /// As large as the platform's ids are.
    pub first_id: Id,
    pub habits: fn() -> Habits,
    pub style: Style,
    pub credentials: fn() -> Credentials,
    pub dialect: fn() -> Box<dyn Dialect>,
}

pub const DISTRIBUTORS: usize = 20;

/// What names the distributor `D-{number}`, in any case: WooCommerce tells every coupon in small letters.
pub fn code(number: usize) -> String {
    format!("Friend-{number}")
}

impl Kit {
    pub fn woocommerce() -> Self {
        Self {
            platform: Platform::WooCommerce,
            zone: "Europe/Berlin",
            first_id: 101,
            habits: Habits::woocommerce,
            style: Style { edits_are_refunds: false, cancelled_is_refund: false },
            credentials: || Credentials::WooKeys {
                consumer_key: "ck_sim".to_owned(),
                consumer_secret: "cs_sim".to_owned(),
            },
            dialect: || Box::new(WooCommerce::default()),
        }
    }

    pub fn shopify() -> Self {
        Self {
            platform: Platform::Shopify,
            zone: "America/New_York",
            first_id: 5_000_000_000_001,
            habits: Habits::shopify,
            style: Style { edits_are_refunds: true, cancelled_is_refund: false },
            credentials: || Credentials::ShopifyApp {
                client_id: "sim-client".to_owned(),
                client_secret: "sim-client-secret".to_owned(),
            },
            dialect: || Box::new(Shopify::default()),
        }
    }

    pub fn magento() -> Self {
        super::magento::kit()
    }

    pub fn slug(&self) -> &'static str {
        self.platform.as_str()
    }

    /// A stocked shop and the life that it will have between `from` and `until`.
    pub fn open(
        &self,
        orders: usize,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        rng: &mut Rng,
    ) -> (Shop, Life) {
        let mut shop = Shop::new(self.slug(), "USD", 2, self.first_id, from);
        shop.zone = self.zone.to_owned();
        let codes: Vec<String> = (1..=DISTRIBUTORS).map(code).collect();
        let life = Life::new(&mut shop, (self.habits)(), &codes, orders, until, rng);
        (shop, life)
    }

    pub fn endpoint(&self, base: &str) -> Endpoint {
        Endpoint { platform: self.platform, base: base.parse().expect("an address"), allow_private: true }
    }
}
