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

/// Everything is told, twice and shuffled; nothing is read.
fn only_told(kit: Kit, seed: u64) -> Vec<String> {
    let mut shop = Connected::new(kit, seed, ORDERS, 3);
    shop.sim.chaos().odds = Odds { doubled: 1000, shuffled_over: 20, ..Odds::default() };
    shop.live(ORDERS);
    let sent = shop.send();
    assert!(sent.taken > ORDERS && sent.refused == 0, "{sent:?}");
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

/// WooCommerce's webhooks do not tell the lines of a refund and Magento has none: only Shopify's tell everything.
#[test]
fn a_shopify_shop_that_is_only_read_is_the_same_as_one_that_only_tells() {
    let (told, read) = (only_told(Kit::shopify(), 5), only_read(Kit::shopify(), 5));
    // What was deleted before it was read is known to those who were told.
    let earning = |nets: Vec<String>| {
        nets.into_iter().filter(|net| net.contains(" commissionable ")).collect::<Vec<_>>()
    };
    let (told, read) = (earning(told), earning(read));
    assert!(told.len() > ORDERS);
    let apart: Vec<_> = told.iter().zip(&read).filter(|(told, read)| told != read).take(5).collect();
    assert!(told == read, "{apart:#?}");
}
