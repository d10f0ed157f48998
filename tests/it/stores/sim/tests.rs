//! The simulated shop itself, over real HTTP: what it answers, what it breaks, what it sends.

use std::sync::{Arc, Mutex};

use super::chaos::Odds;
use super::dialect::{Answer, Call, Dialect, Sent};
use super::server::Sim;
use super::shop::{Basket, Shop, ShopEvent, Subscription, What};
use crate::support::app::call;

/// A platform that lists ids and tells them; `tries_again` as Shopify does, otherwise as WooCommerce.
struct Plain {
    tries_again: bool,
}

impl Dialect for Plain {
    fn answer(&self, shop: &mut Shop, call: &Call) -> Answer {
        let ids: Vec<u64> = shop.listed().map(|order| order.id).collect();
        Answer::json(200, &serde_json::json!({ "path": call.path, "q": call.param("q"), "ids": ids }))
    }

    fn webhook(&self, shop: &Shop, event: &ShopEvent, _: &Subscription) -> Option<Sent> {
        let What::OrderPaid(order) = event.what else { return None };
        let body = format!("{order} {}", shop.order(order).cancelled_at.is_some());
        Some(Sent { headers: vec![("x-event".to_owned(), event.seq.to_string())], body: body.into_bytes() })
    }

    fn built_when_sent(&self) -> bool {
        !self.tries_again
    }

    fn failures_until_disabled(&self) -> Option<u32> {
        (!self.tries_again).then_some(7)
    }
}

/// Takes everything down, in the place of the app.
#[derive(Clone, Default)]
struct Taker(Arc<Mutex<Vec<String>>>);

impl Dialect for Taker {
    fn answer(&self, _: &mut Shop, call: &Call) -> Answer {
        let body = String::from_utf8_lossy(&call.body);
        self.0.lock().unwrap().push(format!("{} {} {body}", call.path, call.header("x-event").unwrap()));
        Answer::json(200, &serde_json::json!({}))
    }

    fn webhook(&self, _: &Shop, _: &ShopEvent, _: &Subscription) -> Option<Sent> {
        None
    }
}

fn shop() -> Shop {
    Shop::new("Test", "USD", 2, 1, "2026-08-28T08:00:00Z".parse().unwrap())
}

fn sells(orders: usize) -> impl FnOnce(&mut Shop) {
    move |shop| {
        let product = shop.add_product("A", &[("A-1", 500)]);
        shop.subscribe("orders", "https://upline.example/webhooks/main", "s");
        for _ in 0..orders {
            let basket = Basket { lines: vec![(product, 1, 0, 0)], ..Basket::default() };
            let order = shop.place(&basket);
            shop.pay(order);
        }
    }
}

#[test]
fn calls_are_decoded_and_answered() {
    let sim = Sim::start(shop(), Box::new(Plain { tries_again: true }), 1);
    sim.act(sells(2));
    let answer = call(&format!("{}rest/a%2Fb+c/d?q=x%20y&z=1", sim.base), "GET", &[], None);
    assert_eq!(answer.json()["path"], "/rest/a/b+c/d");
    assert_eq!(answer.json()["q"], "x y");
    assert_eq!((answer.json()["ids"].as_array().unwrap().len(), sim.calls()), (2, 1));
}

#[test]
fn what_shall_go_wrong_does() {
    let sim = Sim::start(shop(), Box::new(Plain { tries_again: true }), 1);
    let status = || call(&sim.base, "GET", &[], None).status;
    sim.chaos().unauthorized = 1;
    assert_eq!([status(), status()], [401, 200]);
    sim.chaos().down = true;
    assert_eq!(status(), 503);
    sim.chaos().down = false;
    sim.chaos().odds.throttled = 1000;
    let answer = call(&sim.base, "GET", &[], None);
    assert!(answer.status == 429 && answer.header("retry-after").is_some());
    sim.chaos().odds = Odds { cut: 1000, ..Odds::default() };
    let config = ureq::Agent::config_builder().proxy(None).build();
    let cut = ureq::Agent::new_with_config(config).get(&sim.base).call();
    assert!(cut.and_then(|mut answer| answer.body_mut().read_to_string()).is_err(), "half an answer is none");
    sim.chaos().odds = Odds { meanwhile: 1000, ..Odds::default() };
    sim.act(sells(0));
    sim.chaos().meanwhile = Some(Box::new(|shop, _| sells(1)(shop)));
    assert_eq!(call(&sim.base, "GET", &[], None).json()["ids"].as_array().unwrap().len(), 1);
    assert_eq!(call(&sim.base, "GET", &[], None).json()["ids"].as_array().unwrap().len(), 2);
}

#[test]
fn webhooks_are_dropped_doubled_and_shuffled() {
    let taker = Taker::default();
    let app = Sim::start(shop(), Box::new(taker.clone()), 1);
    let sim = Sim::start(shop(), Box::new(Plain { tries_again: true }), 1);
    sim.chaos().odds = Odds { dropped: 300, doubled: 300, shuffled_over: 20, ..Odds::default() };
    sim.act(sells(300));
    let sent = sim.send(&app.base, 1);
    let taken = taker.0.lock().unwrap();
    assert_eq!((sent.taken, sent.refused), (taken.len(), 0));
    let each: std::collections::BTreeSet<_> = taken.iter().collect();
    assert!(each.len() < 250 && taken.len() > each.len() + 30, "{} of {}", each.len(), taken.len());
    assert!(!taken.is_sorted() && taken.iter().all(|line| line.starts_with("/webhooks/main ")));
    assert_eq!(sim.send(&app.base, 1).taken, 0, "nothing is told again");
}

#[test]
fn a_body_shows_the_event_or_the_moment_of_sending() {
    for tries_again in [true, false] {
        let taker = Taker::default();
        let app = Sim::start(shop(), Box::new(taker.clone()), 1);
        let sim = Sim::start(shop(), Box::new(Plain { tries_again }), 1);
        sim.act(sells(1));
        sim.act(|shop| {
            shop.orders.keys().copied().collect::<Vec<_>>().into_iter().for_each(|id| shop.cancel(id))
        });
        assert_eq!(sim.send(&app.base, 1).taken, 1);
        let cancelled = if tries_again { "false" } else { "true" };
        assert!(taker.0.lock().unwrap()[0].ends_with(cancelled));
    }
}

#[test]
fn a_receiver_that_fails_loses_its_subscription() {
    let taker = Taker::default();
    let app = Sim::start(shop(), Box::new(taker), 1);
    app.chaos().down = true;
    for tries_again in [true, false] {
        let sim = Sim::start(shop(), Box::new(Plain { tries_again }), 1);
        sim.act(sells(9));
        let sent = sim.send(&app.base, 1);
        let active =
            sim.look(|shop| shop.subscriptions.values().map(|known| known.active).collect::<Vec<_>>());
        match tries_again {
            true => assert_eq!((sent.refused, sent.unsent, active), (8, 8, vec![])),
            false => assert_eq!((sent.refused, sent.unsent, active), (7, 2, vec![false])),
        }
    }
}
