//! Six faults on one day of a store that is otherwise right: each is found and named for its order, nothing else is,
//! and what can be mended is mended.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::connected::{Connected, skus};
use super::kit::Kit;
use super::sim::chaos::Odds;
use super::sim::shop::{Basket, Carried, Id, Referral, Shop};
use crate::support::wait;

/// A clean store: everything was told, everything reconciles.
fn clean(seed: u64, orders: usize) -> Connected {
    let mut shop = Connected::new(Kit::woocommerce(), seed, orders, 1);
    // A store that was just connected is read once; nothing may be read later behind the back of the test.
    wait::until("the first reading to end", Duration::from_secs(120), || shop.was_read().then_some(()));
    shop.live(orders);
    shop.send();
    // Refunds that were taken back are only found by looking.
    shop.reconcile(&[]);
    shop.assert_clean();
    shop.assert_true();
    shop
}

/// Kind and order of every difference that is told under `list`.
fn named(reports: &[Value], list: &str) -> BTreeSet<(String, Id)> {
    let told = reports.iter().flat_map(|report| report[list].as_array().expect("a list"));
    told.map(|found| {
        let order = found["external_id"].as_str().unwrap().parse().unwrap();
        (found["kind"].as_str().unwrap().to_owned(), order)
    })
    .collect()
}

fn basket(variant: Id) -> Basket {
    let referral = Some(Referral { code: super::kit::code(3), carried: Carried::Meta });
    Basket { lines: vec![(variant, 2, 0, 0)], referral, ..Basket::default() }
}

/// Placed and paid; the first line of it.
fn sell(shop: &mut Shop, variant: Id) -> (Id, Id) {
    let order = shop.place(&basket(variant));
    shop.pay(order);
    (order, shop.order(order).lines[0].id)
}

struct Seeded {
    expected: BTreeSet<(String, Id)>,
    unmapped: Id,
}

/// Makes the six, with or without a word about each.
fn seed_faults(shop: &Connected) -> Seeded {
    let variant = shop.sim.look(|shop| shop.products.values().next().unwrap().variants[0].id);
    let sold = || shop.sim.act(|shop| sell(shop, variant));
    let (refunded, doubled, wrong, edited) = (sold(), sold(), sold(), sold());
    let taken_back = shop.sim.act(|shop| shop.refund(doubled.0, &[], false, 150));
    let unmapped = shop.sim.act(|shop| {
        let product = shop.add_product("New", &[("NEW-1", 1_250)]);
        sell(shop, product).0
    });
    shop.send();
    shop.sim.chaos().odds = Odds { dropped: 1000, ..Odds::default() };
    let (missing, _) = sold();
    shop.sim.act(|shop| {
        shop.refund(refunded.0, &[(refunded.1, 1)], false, 0);
        shop.take_refund_back(doubled.0, taken_back, true);
        shop.discount(wrong.0, wrong.1, 37);
        shop.lower(edited.0, edited.1, 1);
    });
    assert_eq!(shop.send().taken, 0, "not a word of it");
    shop.sim.chaos().odds = Odds::default();
    let expected = [
        ("missing_order", missing),
        ("missing_refund", refunded.0),
        ("doubled_refund", doubled.0),
        ("wrong_net", wrong.0),
        ("edited_order", edited.0),
    ];
    let expected = expected.into_iter().map(|(kind, order)| (kind.to_owned(), order)).collect();
    Seeded { expected, unmapped }
}

/// Orders that wait for a mapping, as the reports name them.
fn waiting(reports: &[Value]) -> Vec<(String, Vec<String>)> {
    let sums = reports.iter().flat_map(|report| report["currencies"].as_array().expect("sums"));
    let held = sums.flat_map(|sums| sums["held_by"].as_array().expect("causes"));
    held.map(|held| {
        let examples = held["examples"].as_array().expect("examples").iter();
        let examples = examples.map(|id| id.as_str().unwrap().to_owned()).collect();
        (format!("{} {}", held["reason"].as_str().unwrap(), held["cause"].as_str().unwrap()), examples)
    })
    .collect()
}

#[test]
fn six_faults_are_found_and_named_and_mended() {
    let shop = clean(11, 30);
    let seeded = seed_faults(&shop);
    let held = vec![("unmapped_sku sku:NEW-1".to_owned(), vec![seeded.unmapped.to_string()])];
    for look in 1..=2 {
        let (code, reports) = shop.reconcile(&["--no-heal"]);
        assert_eq!((code, named(&reports, "found")), (Some(3), seeded.expected.clone()), "look {look}");
        assert_eq!(waiting(&reports), held);
    }
    let (code, reports) = shop.reconcile(&[]);
    assert_eq!((code, named(&reports, "mended")), (Some(0), seeded.expected.clone()));
    assert!(named(&reports, "found").is_empty());
    assert_eq!(waiting(&reports), held);
    assert!(reports.iter().any(|report| report["state"] == "explained"));
    let mapping = shop.sim.look(|truth| skus(&shop.kit, truth, |sku| sku == "NEW-1"));
    shop.app.run(&["import", "skus", &shop.app.file("new.csv", &mapping)]).ok();
    shop.app.drain();
    shop.assert_clean();
    shop.assert_true();
}

#[test]
fn a_store_that_does_not_answer_leaves_no_clean_day() {
    let shop = clean(12, 10);
    let variant = shop.sim.look(|shop| shop.products.values().next().unwrap().variants[0].id);
    shop.sim.chaos().odds = Odds { dropped: 1000, ..Odds::default() };
    shop.sim.act(|shop| sell(shop, variant));
    shop.send();
    let incomplete = || {
        let (code, reports) = shop.reconcile(&[]);
        assert_eq!(code, Some(1));
        let broken: Vec<&Value> = reports.iter().filter(|report| !report["incomplete"].is_null()).collect();
        assert!(
            !broken.is_empty() && broken.iter().all(|report| report["state"] == "not_ok"),
            "{reports:#?}"
        );
    };
    // The credentials are refused, which no patience mends.
    shop.sim.chaos().unauthorized = 1000;
    incomplete();
    shop.sim.chaos().unauthorized = 0;
    shop.sim.chaos().down = true;
    incomplete();
    shop.sim.chaos().down = false;
    let (code, reports) = shop.reconcile(&[]);
    assert_eq!(code, Some(0), "{reports:#?}");
    shop.assert_clean();
    shop.assert_true();
}
