//! What a client reads of a whole shop, without a network and without a database: every order once, whole, with
//! the truth's net of every line, although pages break and the shop lives on while it is read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fastrand::Rng;
use rust_decimal::Decimal;
use upline::clients::{self, PulledOrder, StoreApi, Window, WindowBy};
use upline::core::net;
use upline::core::order::{OrderSnapshot, Payment, Report};
use upline::stores::{self, DeliveryMeta, PULLED_ORDER, Platform};

use super::books::{self, Style};
use super::kit::Kit;
use super::sim::chaos::Odds;
use super::sim::shop::Order;
use super::sim::wire::Wire;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Every page of a window, the newest telling of each order.
fn read_all(api: &dyn StoreApi, by: WindowBy) -> BTreeMap<String, PulledOrder> {
    let window = Window { by, from: time("2026-08-01T00:00:00Z"), to: time("2026-09-01T00:00:00Z") };
    let mut read = BTreeMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = match api.orders(&window, cursor.as_deref()) {
            Ok(page) => page,
            // The next round of a worker: from the same cursor.
            Err(error) if error.is_temporary() => continue,
            Err(error) => panic!("{error}"),
        };
        for order in page.items {
            read.insert(order.external_id.clone(), order);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return read,
        }
    }
}

fn snapshot(platform: Platform, pulled: &PulledOrder) -> OrderSnapshot {
    let meta = DeliveryMeta {
        topic: Some(PULLED_ORDER.to_owned()),
        triggered_at: Some(pulled.read_at),
        ..DeliveryMeta::default()
    };
    let reports = stores::parse(platform, &meta, &pulled.body).expect("a body that can be read");
    match reports.into_iter().next() {
        Some(Report::Snapshot(snapshot)) => *snapshot,
        other => panic!("{other:?}"),
    }
}

/// Where what was read differs from the truth.
fn differences(order: &Order, told: &OrderSnapshot, style: Style) -> Vec<String> {
    let mut found = vec![];
    let mut differs = |what: &str, truth: String, told: String| {
        if truth != told {
            found.push(format!("order {}: {what} is {truth}, read was {told}", order.id));
        }
    };
    differs("problems", "[]".to_owned(), format!("{:?}", told.problems));
    let open: Vec<_> = told.closings.iter().filter(|closing| !closing.difference().is_zero()).collect();
    differs("open sums", "[]".to_owned(), format!("{open:?}"));
    differs("made at", order.created_at.to_string(), told.ordered_at.to_string());
    differs("changed at", order.changed_at.to_string(), told.updated_at.to_string());
    differs("paid", order.paid_at.is_some().to_string(), (told.payment == Payment::Paid).to_string());
    differs("cancelled", order.cancelled_at.is_some().to_string(), told.cancelled.to_string());
    differs("test", order.test.to_string(), told.test.to_string());
    let named = order.referral.as_ref().map(|referral| &referral.code);
    differs(
        "named",
        named.is_some().to_string(),
        // Coupons lose their capitals at some platforms, and codes count without them.
        told.places
            .iter()
            .any(|place| named.is_some_and(|code| code.eq_ignore_ascii_case(&place.value)))
            .to_string(),
    );
    if order.cancelled_at.is_some() && style.cancelled_is_refund {
        return found;
    }
    let refunds: Vec<_> = told.refunds.iter().collect();
    let lines = net::commissionable(told, &refunds).lines;
    let nets: BTreeMap<String, Decimal> = lines
        .iter()
        .filter(|line| !line.net().is_zero())
        .map(|line| (line.line.clone(), line.net().normalize()))
        .collect();
    differs("net by line", format!("{:?}", books::nets(order)), format!("{nets:?}"));
    let refunds: BTreeMap<String, Decimal> =
        refunds.iter().map(|refund| (refund.external_id.clone(), refund.amount.normalize())).collect();
    differs("refunds", format!("{:?}", books::refunds(order, style)), format!("{refunds:?}"));
    found
}

#[test]
fn a_shopify_shop_is_read_whole() {
    for seed in 1..=3 {
        whole_shop(&Kit::shopify(), seed, 300);
    }
}

pub fn whole_shop(kit: &Kit, seed: u64, orders: usize) {
    let mut rng = Rng::with_seed(seed);
    let until = time("2026-08-20T00:00:00Z");
    let (mut shop, mut life) = kit.open(orders, time("2026-08-16T00:00:00Z"), until, &mut rng);
    life.hurried = false;
    // A tenth is still to come while the shop is read.
    while life.placed() * 10 < orders * 9 {
        life.step(&mut shop, &mut rng);
    }
    let wire = Wire::new(shop, (kit.dialect)(), seed);
    let api = clients::open(&kit.endpoint("http://shop.test/"), &(kit.credentials)(), wire.http()).unwrap();
    let before: Vec<String> = wire.shop().listed().map(|order| order.id.to_string()).collect();
    wire.chaos().odds = Odds::bad_day();
    wire.chaos().meanwhile = Some(Box::new(move |shop, rng| life.step(shop, rng)));
    for by in [WindowBy::Changed, WindowBy::Ordered] {
        let read = read_all(&*api, by);
        let shop = wire.shop();
        // Whatever was there before is there, unless it went away meanwhile.
        let lost: Vec<&String> = before
            .iter()
            .filter(|id| !read.contains_key(*id) && !shop.order(id.parse().unwrap()).trashed)
            .collect();
        assert!(lost.is_empty(), "{} {by:?} seed {seed}: {lost:?} were left out", kit.slug());
        // Newest telling, where nothing happened since it was read.
        let mut found = vec![];
        for (id, pulled) in &read {
            let order = shop.order(id.parse().unwrap());
            if order.changed_at == pulled.changed_at && !order.trashed && !changed_silently(order) {
                found.extend(differences(order, &snapshot(kit.platform, pulled), kit.style));
            }
        }
        assert!(found.is_empty(), "{} {by:?} seed {seed}: {found:#?}", kit.slug());
    }
    wire.chaos().odds = Odds::default();
    let (changed, ordered) = (read_all(&*api, WindowBy::Changed), read_all(&*api, WindowBy::Ordered));
    let shop = wire.shop();
    let listed: Vec<String> = shop.listed().map(|order| order.id.to_string()).collect();
    for mut read in [changed, ordered] {
        // What is in the trash may be told as such.
        read.retain(|id, pulled| {
            let trashed = shop.order(id.parse().unwrap()).trashed;
            assert!(!trashed || snapshot(kit.platform, pulled).cancelled, "{id} is in the trash");
            !trashed
        });
        let ids: Vec<&String> = read.keys().collect();
        let mut expected: Vec<&String> = listed.iter().collect();
        expected.sort();
        assert_eq!(ids, expected, "{} seed {seed}", kit.slug());
        let each = read.values().map(|pulled| {
            let order = shop.order(pulled.external_id.parse().unwrap());
            assert_eq!((pulled.ordered_at, pulled.changed_at), (order.created_at, order.changed_at));
            differences(order, &snapshot(kit.platform, pulled), kit.style)
        });
        let found: Vec<String> = each.flatten().collect();
        assert!(found.is_empty(), "{} seed {seed}: {found:#?}", kit.slug());
    }
}

/// A refund that was taken back may have gone without a trace in `changed_at`.
fn changed_silently(order: &Order) -> bool {
    order.refunds.iter().any(|refund| refund.taken_back.is_some_and(|at| at >= order.changed_at))
}
