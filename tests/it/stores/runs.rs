//! Shops that live for days while everything between them and us goes wrong: webhooks are lost, doubled and
//! overtaken, the API throttles, fails and ends in the middle, orders change while they are read. In the end every
//! day reconciles without drift, and our books are the shop's truth, order by order and line by line.
//!
//! `UPLINE_STORES=full` lives through 100,000 orders, over the three platforms and several seeds, and tells how
//! long everything took; `UPLINE_STORES=2000` through so many of each platform.

use std::time::Instant;

use super::connected::Connected;
use super::kit::Kit;
use super::sim::chaos::Odds;

struct Scale {
    orders: usize,
    seeds: Vec<u64>,
}

impl Scale {
    fn chosen() -> Self {
        match std::env::var("UPLINE_STORES").as_deref() {
            Ok("full") => Self { orders: 8_334, seeds: vec![1, 2, 3, 4] },
            // So many orders of each platform.
            Ok(orders) => {
                Self { orders: orders.parse().expect("full, or a number of orders"), seeds: vec![1] }
            }
            Err(_) => Self { orders: 250, seeds: vec![1] },
        }
    }
}

/// Parts of the way after which webhooks leave.
const ROUNDS: usize = 5;

#[test]
fn a_woocommerce_shop_on_bad_days_ends_at_its_truth() {
    run(Kit::woocommerce);
}

#[test]
fn a_shopify_shop_on_bad_days_ends_at_its_truth() {
    run(Kit::shopify);
}

#[test]
fn a_magento_shop_on_bad_days_ends_at_its_truth() {
    run(Kit::magento);
}

fn run(kit: fn() -> Kit) {
    let scale = Scale::chosen();
    for seed in &scale.seeds {
        live_through(kit(), *seed, scale.orders);
    }
}

fn live_through(kit: Kit, seed: u64, orders: usize) {
    let begun = Instant::now();
    let mut shop = Connected::new(kit, seed, orders, 4);
    shop.sim.chaos().odds = Odds::bad_day();
    let mut sent = 0;
    // The last tenth happens while the shop is read.
    for round in 1..=ROUNDS {
        shop.live(orders * 9 * round / (10 * ROUNDS));
        sent += shop.send().taken;
    }
    shop.live_on();
    shop.timed("reading everything", |shop| shop.backfill());
    shop.timed("reconciling while it lives on", |shop| shop.reconcile(&[]));
    shop.live(orders);
    sent += shop.send().taken;
    // The weather stays, but the shop is closed: what is read now stays true.
    shop.sim.chaos().meanwhile = None;
    let (code, reports) = shop.timed("reconciling again", |shop| shop.reconcile(&[]));
    assert_eq!(code, Some(0), "one look mends everything: {reports:#?}");
    shop.sim.chaos().odds = Odds::default();
    shop.timed("reconciling on a quiet day", Connected::assert_clean);
    shop.assert_true();
    eprintln!(
        "{} seed {seed}: {} orders, {sent} webhooks taken, {} API calls, {:.1?}",
        shop.kit.slug(),
        shop.books().len(),
        shop.sim.calls(),
        begun.elapsed()
    );
}
