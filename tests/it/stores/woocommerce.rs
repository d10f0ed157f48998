//! WooCommerce's own ways, between its client and its dialect: keys, an hour that the clocks leave out, old versions,
//! webhooks that are verified and read.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use upline::clients::{self, ApiError, Credentials, NewWebhook, StoreApi, Window, WindowBy};
use upline::core::order::Report;
use upline::stores::{self, Headers, Platform, Verified};

use super::kit::Kit;
use super::sim::dialect::{Dialect, Sent};
use super::sim::shop::{Basket, Carried, Id, Referral, Shop};
use super::sim::wire::Wire;
use super::sim::woocommerce::{WooCommerce, ping};

fn kit() -> Kit {
    Kit::woocommerce()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn shop_at(now: &str) -> (Shop, Id, Id) {
    let mut shop = Shop::new("Zoe's", "EUR", 2, 101, time(now));
    shop.zone = "Europe/Berlin".to_owned();
    let simple = shop.add_product("Vitamin C", &[("VC-1", 1_990)]);
    let varied = shop.add_product("T-Shirt", &[("TS-S", 1_500), ("TS-M", 1_700)]);
    let medium = shop.products[&varied].variants[1].id;
    (shop, simple, medium)
}

fn basket(simple: Id, medium: Id) -> Basket {
    let referral = Some(Referral { code: "D-7".to_owned(), carried: Carried::Meta });
    Basket {
        lines: vec![(simple, 3, 100, 590), (medium, 1, 0, 100)],
        shipping: 500,
        shipping_tax: 50,
        referral,
        ..Basket::default()
    }
}

fn open(shop: Shop, dialect: WooCommerce, base: &str) -> (std::sync::Arc<Wire>, Box<dyn StoreApi>) {
    let wire = Wire::new(shop, Box::new(dialect), 1);
    let api = clients::open(&kit().endpoint(base), &(kit().credentials)(), wire.http()).unwrap();
    (wire, api)
}

fn ids(api: &dyn StoreApi, by: WindowBy, from: &str, to: &str) -> BTreeSet<u64> {
    let window = Window { by, from: time(from), to: time(to) };
    let (mut ids, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = api.orders(&window, cursor.as_deref()).unwrap();
        ids.extend(page.items.iter().map(|order| order.external_id.parse::<u64>().unwrap()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}

#[test]
fn an_hour_that_the_shops_clocks_leave_out_hides_nothing() {
    let (mut shop, simple, _) = shop_at("2026-03-29T01:30:00Z");
    let all: BTreeSet<u64> = (0..500)
        .map(|_| {
            shop.now += TimeDelta::seconds(15);
            shop.place(&Basket { lines: vec![(simple, 1, 0, 0)], ..Basket::default() })
        })
        .collect();
    let (_, api) = open(shop, WooCommerce::default(), "http://shop.test/");
    for by in [WindowBy::Changed, WindowBy::Ordered] {
        assert_eq!(ids(&*api, by, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"), all);
        let some = ids(&*api, by, "2026-03-29T02:15:00Z", "2026-03-29T02:45:00Z");
        assert_eq!(some.len(), 120, "[02:15, 02:45) at four a minute");
    }
}

#[test]
fn an_old_version_in_a_directory_gives_the_same() {
    let (mut shop, simple, medium) = shop_at("2026-08-16T00:00:00Z");
    let mut placed = vec![];
    for _ in 0..250 {
        shop.now += TimeDelta::seconds(40);
        placed.push(shop.place(&basket(simple, medium)));
    }
    shop.now = time("2026-08-17T00:00:00Z");
    shop.touch(placed[3]);
    let dialect = WooCommerce { by_change: false, home: "/my/shop/", ..WooCommerce::default() };
    let (_, api) = open(shop, dialect, "http://shop.test/my/shop");
    let before = ids(&*api, WindowBy::Changed, "2026-08-16T00:00:00Z", "2026-08-17T00:00:00Z");
    assert_eq!(before.len(), 249);
    let after = ids(&*api, WindowBy::Changed, "2026-08-17T00:00:00Z", "2026-08-18T00:00:00Z");
    assert_eq!(after, BTreeSet::from([placed[3]]));
}

#[test]
fn a_shop_says_who_it_is_and_what_the_key_lacks() {
    let (shop, ..) = shop_at("2026-08-16T00:00:00Z");
    let (_, api) = open(shop, WooCommerce::default(), "http://shop.test/");
    let probe = api.probe().unwrap();
    assert_eq!((probe.name.as_str(), probe.zone.as_deref()), ("Zoe's", Some("Europe/Berlin")));
    assert_eq!((probe.currency.as_deref(), probe.version.as_deref()), (Some("EUR"), Some("11.0.1")));
    assert!(probe.missing_scopes.is_empty());

    let (shop, ..) = shop_at("2026-08-16T00:00:00Z");
    let mut reader = WooCommerce::default();
    reader.keys.read_only = true;
    let (_, api) = open(shop, reader, "http://shop.test/");
    assert_eq!(api.probe().unwrap().missing_scopes, ["read_write"]);
    let new = NewWebhook { topic: "order.updated", address: "https://u.example/w", secret: "ab" };
    assert!(matches!(api.create_webhook(&new), Err(ApiError::Forbidden(_))));

    let (shop, ..) = shop_at("2026-08-16T00:00:00Z");
    let (_, api) = open(shop, WooCommerce { pretty: false, ..WooCommerce::default() }, "http://shop.test/");
    assert!(matches!(api.probe(), Err(ApiError::NotFound(why)) if why.contains("Permalinks")));

    let (shop, ..) = shop_at("2026-08-16T00:00:00Z");
    let wire = Wire::new(shop, Box::new(WooCommerce::default()), 1);
    let keys = Credentials::WooKeys { consumer_key: "ck_sim".into(), consumer_secret: "another".into() };
    let api = clients::open(&kit().endpoint("http://shop.test/"), &keys, wire.http()).unwrap();
    assert!(matches!(api.probe(), Err(ApiError::Unauthorized(why)) if why.contains("signature")));
}

#[test]
fn the_catalogue_and_the_customers_are_read() {
    let (mut shop, simple, medium) = shop_at("2026-08-16T00:00:00Z");
    shop.add_customer(Some("D-7"));
    shop.now = time("2026-08-18T00:00:00Z");
    shop.change_product(simple, |product| product.title.push('!'));
    let (_, api) = open(shop, WooCommerce::default(), "http://shop.test/");
    let products = api.products(None, None).unwrap();
    assert_eq!((products.items.len(), products.next), (2, None));
    let variants: Vec<_> = products.items.iter().flat_map(|product| &product.variants).collect();
    assert_eq!(variants.len(), 3);
    assert_eq!((variants[0].external_id.as_deref(), variants[0].sku.as_deref()), (None, Some("VC-1")));
    assert_eq!(variants[2].external_id, Some(medium.to_string()));
    assert!(variants.iter().all(|variant| variant.stock == Some(1_000_000.into())));
    let changed = api.products(Some(time("2026-08-17T00:00:00Z")), None).unwrap();
    assert_eq!(
        changed.items.iter().map(|product| product.title.as_str()).collect::<Vec<_>>(),
        ["Vitamin C!"]
    );
    let customers = api.customers(None, None).unwrap().items;
    assert_eq!(customers[0].places.iter().filter(|place| place.value == "D-7").count(), 1);
}

#[test]
fn webhooks_are_kept_at_the_shop() {
    let (shop, ..) = shop_at("2026-08-16T00:00:00Z");
    let (wire, api) = open(shop, WooCommerce::default(), "http://shop.test/");
    for topic in api.topics() {
        let new = NewWebhook { topic, address: "https://u.example/webhooks/woo", secret: "5ec4e7" };
        assert!(api.create_webhook(&new).unwrap().active);
    }
    let all = api.webhooks().unwrap();
    assert_eq!(all.len(), api.topics().len());
    assert_eq!(all[0].topic, "order.created");
    let id: Id = all[0].external_id.parse().unwrap();
    wire.shop().subscriptions.get_mut(&id).unwrap().active = false;
    assert!(!api.webhooks().unwrap()[0].active);
    let moved =
        NewWebhook { topic: "order.created", address: "https://u.example/webhooks/b", secret: "0ther" };
    let mended = api.mend_webhook(&all[0].external_id, &moved).unwrap();
    assert_eq!((mended.active, mended.address.as_str()), (true, "https://u.example/webhooks/b"));
    assert_eq!(wire.shop().subscriptions[&id].secret, "0ther");
    api.delete_webhook(&all[0].external_id).unwrap();
    api.delete_webhook(&all[0].external_id).unwrap();
    assert_eq!(api.webhooks().unwrap().len(), all.len() - 1);
    assert!(matches!(api.mend_webhook(&all[0].external_id, &moved), Err(ApiError::NotFound(_))));
}

/// What the app makes of a delivery, at its edge and behind it.
fn received(sent: &Sent, secret: &str) -> (Verified, Vec<Report>) {
    let headers: Headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let verified = stores::verify(Platform::WooCommerce, &[secret.as_bytes()], &headers, &sent.body).unwrap();
    let meta = stores::describe(Platform::WooCommerce, &headers);
    (verified, stores::parse(Platform::WooCommerce, &meta, &sent.body).unwrap())
}

#[test]
fn what_it_sends_is_verified_and_read_and_some_things_it_never_sends() {
    let (mut shop, simple, medium) = shop_at("2026-08-16T00:00:00Z");
    let secret = "5ec4e7";
    let topics = ["order.created", "order.updated", "order.deleted", "order.restored"];
    for topic in topics {
        shop.subscribe(topic, "https://u.example/w", secret);
    }
    let (before, begun) = (shop.events.len(), shop.now);
    let order = shop.place(&basket(simple, medium));
    shop.pay(order);
    let line = shop.order(order).lines[0].id;
    let refund = shop.refund(order, &[(line, 1)], false, 0);
    shop.take_refund_back(order, refund, true);
    shop.trash(order);
    shop.restore(order, true);
    shop.trash(order);
    shop.restore(order, false);
    assert_eq!(shop.now, begun);
    let dialect = WooCommerce::default();
    let sent: Vec<Vec<Sent>> = shop.events[before..]
        .iter()
        .map(|event| {
            shop.subscriptions.values().filter_map(|known| dialect.webhook(&shop, event, known)).collect()
        })
        .collect();
    let counts: Vec<usize> = sent.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 1, 1, 0, 1, 0, 1, 1], "a deleted refund and a revival are kept secret");
    let of = |event: usize| received(&sent[event][0], secret);
    assert!(matches!(&of(0).1[..], [Report::Snapshot(told)] if told.external_id == order.to_string()));
    assert_eq!(sent[4][0].body, format!("{{\"id\":{order}}}").into_bytes());
    assert!(matches!(&of(4).1[..], [Report::Deleted { at: None, .. }]));
    assert!(matches!(&of(7).1[..], [Report::Restored { .. }, Report::Snapshot(_)]));
    // Two changes of one second through one webhook share their delivery id.
    let delivery =
        |sent: &Sent| sent.headers.iter().find(|(name, _)| name == "X-WC-Webhook-Delivery-ID").cloned();
    assert_eq!(delivery(&sent[1][0]), delivery(&sent[2][0]));
    assert!(String::from_utf8(sent[0][0].body.clone()).unwrap().contains("Zo\\u00eb"));
    let first = shop.subscriptions.values().next().unwrap();
    assert!(
        matches!(received(&ping(first), secret), (Verified::Ping, reports) if matches!(&reports[..], [Report::Ignored { .. }]))
    );
    assert_eq!((dialect.failures_until_disabled(), dialect.built_when_sent()), (Some(7), true));
}
