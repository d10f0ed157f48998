//! We are away until the platform gives up on us: it disables or deletes the subscriptions, and nothing of that time
//! is ever told. The subscriptions come back, and the time is read.

use super::connected::Connected;
use super::kit::Kit;
use super::sim::shop::Subscription;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/";

fn active(shop: &Connected) -> usize {
    shop.sim.look(|shop| shop.subscriptions.values().filter(|known: &&Subscription| known.active).count())
}

fn away_for_too_long(kit: Kit) {
    const ORDERS: usize = 60;
    let mut shop = Connected::new(kit, 21, ORDERS, 2);
    let topics = active(&shop);
    assert!(topics > 3, "{topics} subscriptions");
    shop.live(ORDERS / 3);
    assert_eq!(shop.send().refused, 0);
    shop.live(2 * ORDERS / 3);
    let lost = shop.sim.send(NOWHERE, 1);
    assert!(lost.taken == 0 && active(&shop) < topics, "{lost:?}: the platform has given up");
    let looked = shop.app.run(&["store", "webhooks", shop.kit.slug()]);
    assert_eq!(looked.code, Some(1), "{}", looked.out);
    shop.app.run(&["store", "webhooks", shop.kit.slug(), "--ensure"]).ok();
    assert_eq!(active(&shop), topics);
    shop.live(ORDERS);
    let told = shop.send();
    assert!(told.taken > 0 && told.refused == 0, "{told:?}");
    let found = shop.sim.look(|truth| shop.books().differences(truth, shop.kit.style));
    assert!(!found.is_empty(), "what happened meanwhile is unknown");
    let (code, reports) = shop.reconcile(&["--no-heal"]);
    assert_eq!(code, Some(3), "{reports:#?}");
    let (code, reports) = shop.reconcile(&[]);
    assert_eq!(code, Some(0), "{reports:#?}");
    shop.assert_clean();
    shop.assert_true();
}

#[test]
fn woocommerce_disables_webhooks_and_nothing_is_lost() {
    away_for_too_long(Kit::woocommerce());
}

#[test]
fn shopify_deletes_subscriptions_and_nothing_is_lost() {
    away_for_too_long(Kit::shopify());
}
