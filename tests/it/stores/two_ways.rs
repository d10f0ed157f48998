//! One shop, told only by webhooks and read only through its API: both ways lead to the same books.

use super::connected::Connected;
use super::kit::Kit;
use super::sim::chaos::Odds;

const ORDERS: usize = 120;

/// Nothing is told; everything is read, in bad weather.
fn only_read(kit: Kit, seed: u64) -> Vec<String> {
    let mut shop = Connected::with(kit, seed, ORDERS, 3, &["--no-webhooks"]);
    shop.live(ORDERS);
    shop.sim.chaos().odds = Odds::bad_day();
    shop.backfill().ok();
    assert_eq!(shop.send().taken, 0, "nobody subscribed");
    shop.assert_true();
    shop.books().nets()
}

#[test]
fn a_woocommerce_shop_that_is_only_read_is_known_whole() {
    only_read(Kit::woocommerce(), 5);
}

#[test]
fn a_magento_shop_that_is_only_read_is_known_whole() {
    only_read(Kit::magento(), 5);
}

#[test]
fn a_shopify_shop_that_is_only_read_is_known_whole() {
    only_read(Kit::shopify(), 5);
}
