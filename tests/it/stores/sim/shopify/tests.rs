//! The dialect and our client, each written from the platform's documents: through a whole life of a shop, what
//! one tells the other reads.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use rust_decimal::Decimal;
use upline::clients::{
    self, ApiError, Credentials, Endpoint, NewWebhook, PulledOrder, StoreApi, Window, WindowBy,
};
use upline::core::net::commissionable;
use upline::core::order::{OrderSnapshot, OrderState, Report};
use upline::stores::{self, DeliveryMeta, Headers, PULLED_ORDER, Platform};

use super::super::chaos::Odds;
use super::super::dialect::Dialect;
use super::super::life::{Habits, Life};
use super::super::shop::{Basket, Order, Shop, What};
use super::super::wire::Wire;
use super::Shopify;

const FROM: &str = "2026-11-01T00:00:00Z";

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn app() -> Credentials {
    let dialect = Shopify::default();
    Credentials::ShopifyApp { client_id: dialect.client_id, client_secret: dialect.client_secret }
}

fn open(wire: &std::sync::Arc<Wire>, credentials: &Credentials) -> Box<dyn StoreApi> {
    let base = "http://shop.test/".parse().unwrap();
    let endpoint = Endpoint { platform: Platform::Shopify, base, allow_private: true };
    clients::open(&endpoint, credentials, wire.http()).unwrap()
}

fn window(by: WindowBy) -> Window {
    Window { by, from: time(FROM), to: time("2026-12-01T00:00:00Z") }
}

/// A shop that lived for four days.
fn lived(orders: usize, seed: u64) -> (Shop, Life) {
    let mut rng = Rng::with_seed(seed);
    let mut shop = Shop::new("Tea", "USD", 2, 5_000_000_000_001, time(FROM));
    let codes = ["D-1".to_owned(), "D-2".to_owned()];
    let until = time(FROM) + TimeDelta::days(4);
    let mut life = Life::new(&mut shop, Habits::shopify(), &codes, orders, until, &mut rng);
    while life.placed() < orders {
        life.step(&mut shop, &mut rng);
    }
    (shop, life)
}

fn read_all(api: &dyn StoreApi, window: &Window, bulk: bool) -> BTreeMap<String, PulledOrder> {
    let mut read = BTreeMap::new();
    let mut cursor: Option<String> = None;
    let mut failed = 0;
    loop {
        let page = match bulk {
            true => api.orders_in_bulk(window, cursor.as_deref()),
            false => api.orders(window, cursor.as_deref()),
        };
        let page = match page {
            Ok(page) => page,
            Err(error) if error.is_temporary() && failed < 1000 => {
                failed += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        read.extend(page.items.into_iter().map(|order| (order.external_id.clone(), order)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return read,
        }
    }
}

fn snapshot(pulled: &PulledOrder) -> OrderSnapshot {
    let topic = Some(PULLED_ORDER.to_owned());
    let meta = DeliveryMeta { topic, triggered_at: Some(pulled.read_at), ..DeliveryMeta::default() };
    match stores::parse(Platform::Shopify, &meta, &pulled.body).unwrap().remove(0) {
        Report::Snapshot(snapshot) => *snapshot,
        other => panic!("{other:?}"),
    }
}

fn nets(snapshot: &OrderSnapshot) -> BTreeMap<String, Decimal> {
    let state = OrderState { snapshot: Some(snapshot.clone()), ..OrderState::default() };
    let net = commissionable(snapshot, &state.refunds());
    net.lines.into_iter().map(|line| (line.line.clone(), line.net().normalize())).collect()
}

fn true_nets(order: &Order) -> BTreeMap<String, Decimal> {
    let nets = order.net_by_line().into_iter();
    nets.map(|(line, net)| (line.to_string(), Decimal::new(net.net(), 2).normalize())).collect()
}

fn assert_true(shop: &Shop, read: &BTreeMap<String, PulledOrder>) {
    let listed: Vec<String> = shop.listed().map(|order| order.id.to_string()).collect();
    assert!(read.keys().eq(listed.iter()), "{} of {} orders", read.len(), listed.len());
    for order in shop.listed() {
        let told = snapshot(&read[&order.id.to_string()]);
        assert!(told.problems.is_empty(), "{:?}", told.problems);
        assert!(told.closings.iter().all(|sum| sum.difference().is_zero()), "{:?}", told.closings);
        assert_eq!(told.closings.last().unwrap().field, "agreements");
        assert_eq!(nets(&told), true_nets(order), "order {}", order.id);
        assert_eq!((told.ordered_at, told.updated_at), (order.created_at, order.changed_at));
    }
}

#[test]
fn pages_and_bulk_files_tell_the_truth_on_a_bad_day() {
    for seed in 1..=3 {
        let (shop, _) = lived(400, seed);
        let wire = Wire::new(shop, Box::new(Shopify { bulk_runs: 2, ..Shopify::default() }), seed);
        wire.chaos().odds = Odds { meanwhile: 0, ..Odds::bad_day() };
        let api = open(&wire, &app());
        for by in [WindowBy::Changed, WindowBy::Ordered] {
            for bulk in [false, true] {
                let read = read_all(&*api, &window(by), bulk);
                assert_true(&wire.shop(), &read);
            }
        }
    }
}

#[test]
fn webhooks_and_pulls_come_to_the_same_order() {
    let (mut shop, _) = lived(300, 7);
    let dialect = Shopify::default();
    let id = shop.subscribe("ORDERS_UPDATED", "https://us.example/webhooks/tea", "");
    let subscription = shop.subscriptions[&id].clone();
    let secret = dialect.client_secret.clone();
    let told: Vec<_> =
        shop.events.iter().filter_map(|event| dialect.webhook(&shop, event, &subscription)).collect();
    let wire = Wire::new(shop, Box::new(dialect), 1);
    let read = read_all(&*open(&wire, &app()), &window(WindowBy::Changed), false);
    let shop = wire.shop();
    let mut compared = 0;
    for sent in told {
        let headers: Headers = sent.headers.into_iter().collect();
        stores::verify(Platform::Shopify, &[secret.as_bytes()], &headers, &sent.body).unwrap();
        let meta = stores::describe(Platform::Shopify, &headers);
        assert!(meta.delivery_key.is_some() && meta.event_key.is_some() && meta.triggered_at.is_some());
        let Some(Report::Snapshot(told)) = stores::parse(Platform::Shopify, &meta, &sent.body).unwrap().pop()
        else {
            panic!("an order")
        };
        assert!(told.problems.is_empty() && told.closings.iter().all(|sum| sum.difference().is_zero()));
        let Some(pulled) = read.get(&told.external_id) else { continue };
        let pulled = snapshot(pulled);
        assert_eq!(nets(&told), nets(&pulled), "order {}", told.external_id);
        assert_eq!(nets(&told), true_nets(shop.order(told.external_id.parse().unwrap())));
        let ids = |order: &OrderSnapshot| -> Vec<String> {
            order.refunds.iter().map(|refund| refund.external_id.clone()).collect()
        };
        assert_eq!(ids(&told), ids(&pulled));
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn long_orders_are_read_to_their_end() {
    let mut shop = Shop::new("Tea", "USD", 2, 5_000_000_000_001, time(FROM));
    let product = shop.add_product("Tea", &[("TEA", 250)]);
    let lines = (0..130).map(|_| (product, 2, 0, 10)).collect();
    let id = shop.place(&Basket { lines, shipping: 500, ..Basket::default() });
    shop.pay(id);
    let lines: Vec<u64> = shop.order(id).lines.iter().map(|line| line.id).collect();
    shop.now += TimeDelta::minutes(1);
    let some: Vec<(u64, i64)> = lines.iter().take(120).map(|line| (*line, 1)).collect();
    shop.refund(id, &some, false, 0);
    for line in &lines[120..127] {
        shop.now += TimeDelta::minutes(1);
        shop.lower(id, *line, 1);
    }
    let wire = Wire::new(shop, Box::new(Shopify::default()), 1);
    let api = open(&wire, &app());
    let one = api.order(&id.to_string()).unwrap().unwrap();
    let read = [(one.external_id.clone(), one)].into();
    assert_true(&wire.shop(), &read);
    for bulk in [false, true] {
        // Read before the shop is locked to be looked at.
        let read = read_all(&*api, &window(WindowBy::Changed), bulk);
        assert_true(&wire.shop(), &read);
    }
}

#[test]
fn tokens_last_a_day_and_pasted_ones_for_ever() {
    let (shop, _) = lived(5, 1);
    let wire = Wire::new(shop, Box::new(Shopify::default()), 1);
    let (app, pasted) = (open(&wire, &app()), {
        let token = Shopify::default().pasted;
        open(&wire, &Credentials::ShopifyToken { token, client_secret: "s".to_owned() })
    });
    for api in [&app, &pasted] {
        let probe = api.probe().unwrap();
        assert_eq!((probe.name.as_str(), probe.missing_scopes.len()), ("Tea", 0));
    }
    // The shop's clock runs on, ours does not: the token is refused and exchanged.
    wire.shop().now += TimeDelta::hours(25);
    app.probe().unwrap();
    pasted.probe().unwrap();
    let wrong = Credentials::ShopifyApp { client_id: "sim-client".into(), client_secret: "other".into() };
    assert!(matches!(open(&wire, &wrong).probe(), Err(ApiError::Unauthorized(_))));
    let wrong = Credentials::ShopifyToken { token: "shpat_other".into(), client_secret: "s".into() };
    assert!(matches!(open(&wire, &wrong).probe(), Err(ApiError::Unauthorized(_))));
}

#[test]
fn old_orders_need_a_scope_and_say_so() {
    let (shop, _) = lived(5, 1);
    let scopes = vec!["read_orders", "read_products"];
    let wire = Wire::new(shop, Box::new(Shopify { scopes, ..Shopify::default() }), 1);
    let api = open(&wire, &app());
    assert_eq!(api.probe().unwrap().missing_scopes, ["read_customers", "read_all_orders"]);
    assert!(
        matches!(api.customers(None, None), Err(ApiError::Forbidden(why)) if why.contains("read_customers"))
    );
    let early = Window { from: time("2020-01-01T00:00:00Z"), ..window(WindowBy::Ordered) };
    assert!(
        matches!(api.orders(&early, None), Err(ApiError::Forbidden(why)) if why.contains("read_all_orders"))
    );
}

#[test]
fn a_bucket_that_runs_dry_only_takes_longer() {
    let (shop, _) = lived(300, 3);
    let wire = Wire::new(shop, Box::new(Shopify { bucket: (1000, 120), ..Shopify::default() }), 1);
    let read = read_all(&*open(&wire, &app()), &window(WindowBy::Changed), false);
    assert_true(&wire.shop(), &read);
}

#[test]
fn products_and_customers_are_read() {
    let (mut shop, _) = lived(5, 1);
    let customer = shop.add_customer(Some("D-2"));
    let sizes: Vec<(String, i64)> = (0..130).map(|size| (format!("S-{size}"), 100)).collect();
    let sizes: Vec<(&str, i64)> = sizes.iter().map(|(sku, price)| (sku.as_str(), *price)).collect();
    let product = shop.add_product("Shirt", &sizes);
    let wire = Wire::new(shop, Box::new(Shopify::default()), 1);
    let api = open(&wire, &app());
    let (mut products, mut cursor) = (vec![], None::<String>);
    loop {
        let page = api.products(None, cursor.as_deref()).unwrap();
        products.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(products.len(), wire.shop().products.len());
    let shirt = products.iter().find(|known| known.external_id == product.to_string()).unwrap();
    assert_eq!((shirt.variants.len(), shirt.variants[129].sku.as_deref()), (130, Some("S-129")));
    let since = wire.shop().customers[&customer].changed_at;
    let customers = api.customers(Some(since), None).unwrap().items;
    let known = customers.iter().find(|known| known.external_id == customer.to_string()).unwrap();
    assert!(known.places.iter().any(|place| place.place == "customer_tag" && place.value == "D-2"));
}

#[test]
fn subscriptions_are_kept_by_the_shop() {
    let (shop, _) = lived(1, 1);
    let wire = Wire::new(shop, Box::new(Shopify::default()), 1);
    let api = open(&wire, &app());
    let new = |topic| NewWebhook { topic, address: "https://us.example/webhooks/tea", secret: "s" };
    for topic in api.topics() {
        api.create_webhook(&new(topic)).unwrap();
    }
    let known = api.webhooks().unwrap();
    assert!(known.iter().map(|webhook| webhook.topic.as_str()).eq(api.topics().iter().copied()));
    assert!(
        matches!(api.create_webhook(&new("orders/paid")), Err(ApiError::Refused(why)) if why.contains("taken"))
    );
    let moved = NewWebhook { address: "https://us.example/webhooks/other", ..new("orders/create") };
    assert_eq!(api.mend_webhook(&known[0].external_id, &moved).unwrap().address, moved.address);
    api.delete_webhook(&known[1].external_id).unwrap();
    api.delete_webhook(&known[1].external_id).unwrap();
    assert!(matches!(api.mend_webhook(&known[1].external_id, &moved), Err(ApiError::NotFound(_))));
    assert_eq!(api.webhooks().unwrap().len(), api.topics().len() - 1);
}

#[test]
fn every_event_has_its_topics() {
    let (mut shop, _) = lived(60, 2);
    let dialect = Shopify::default();
    let order = shop.listed().next().unwrap().id;
    shop.trash(order);
    let topics = [
        "ORDERS_CREATE",
        "ORDERS_PAID",
        "ORDERS_DELETE",
        "REFUNDS_CREATE",
        "ORDERS_EDITED",
        "PRODUCTS_CREATE",
    ];
    for topic in topics {
        let id = shop.subscribe(topic, "https://us.example/", "");
        let subscription = shop.subscriptions[&id].clone();
        let sent = shop.events.iter().filter(|event| dialect.webhook(&shop, event, &subscription).is_some());
        assert!(sent.count() > 0, "{topic}");
    }
    let id = shop.subscribe("ORDERS_DELETE", "https://us.example/", "");
    let event = shop.events.iter().find(|event| event.what == What::OrderTrashed(order)).unwrap();
    let sent = dialect.webhook(&shop, event, &shop.subscriptions[&id]).unwrap();
    assert_eq!(sent.body, format!("{{\"id\":{order}}}").into_bytes());
}
