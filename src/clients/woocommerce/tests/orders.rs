//! Every order is whole, and what the trash holds is told.

use super::*;
use crate::core::order::OrderSnapshot;
use crate::stores::{DeliveryMeta, PULLED_ORDER, parse};

const FROM: &str = "2026-11-01T00:00:00Z";
const TO: &str = "2026-11-02T00:00:00Z";
const NOON: &str = "2026-11-01T12:00:00Z";

fn snapshot(order: &PulledOrder) -> OrderSnapshot {
    let meta = DeliveryMeta {
        topic: Some(PULLED_ORDER.to_owned()),
        triggered_at: Some(order.read_at),
        ..DeliveryMeta::default()
    };
    match parse(Platform::WooCommerce, &meta, &order.body).unwrap().remove(0) {
        crate::core::order::Report::Snapshot(snapshot) => *snapshot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_orders_that_were_refunded_are_asked_for_refunds() {
    let mut shop = Shop::default();
    shop.order(1, at(NOON));
    shop.order(2, at(NOON)).refunds = vec![(20, "3.00"), (21, "1.00")];
    let (client, fake) = open(shop, quiet);
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    let paths: Vec<String> =
        fake.asked.lock().unwrap().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(
        paths,
        ["/shop/wp-json/wc/v3/orders", "/shop/wp-json/wc/v3/orders/2/refunds", "/shop/wp-json/wc/v3/orders"]
    );
    let snapshot = snapshot(&orders[1]);
    assert!(snapshot.problems.is_empty(), "{:?}", snapshot.problems);
    assert_eq!(snapshot.refunds.len(), 2);
    assert_eq!((orders[1].ordered_at, orders[1].changed_at), (at(NOON), at(NOON)));
}

#[test]
fn a_body_keeps_the_shops_own_text() {
    let (client, _) = open(Shop::default(), |_, request, _| {
        let trash = request.url.query().unwrap().contains("trash");
        let body = r#"[{"id":9,"status":"processing","date_created_gmt":"2026-11-01T12:00:00","price":0.2996666666666667,"total":"1.10","u":"\u00e9\/"}]"#;
        let mut one = answer(200, &json!([]));
        one.headers.push(("x-wp-total".into(), if trash { "0" } else { "1" }.into()));
        if !trash {
            one.body = body.into();
        }
        Some(one)
    });
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    let body = String::from_utf8(orders[0].body.clone()).unwrap();
    assert!(body.starts_with(r#"{"order":{"id":9,"#) && body.ends_with(r#"},"refunds":[]}"#), "{body}");
    assert!(body.contains(r#""price":0.2996666666666667,"total":"1.10","u":"\u00e9\/""#), "{body}");
}

#[test]
fn an_order_that_is_refunded_while_it_is_read_is_read_again() {
    let mut shop = Shop::default();
    let row = shop.order(1, at(NOON));
    row.refunds = vec![(20, "3.00")];
    let (client, fake) = open(shop, |call, _, shop| {
        if call == 2 {
            shop.orders.get_mut(&1).unwrap().refunds.push((21, "2.00"));
        }
        None
    });
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    assert_eq!(snapshot(&orders[0]).refunds.len(), 2);
    assert!(snapshot(&orders[0]).problems.is_empty());
    assert_eq!(fake.asked.lock().unwrap().len(), 5, "page, refunds, the order again, its refunds, the trash");
}

#[test]
fn an_order_that_never_agrees_with_its_refunds_is_told_with_that_problem() {
    let mut shop = Shop::default();
    let row = shop.order(1, at(NOON));
    row.refunds = vec![(20, "3.00")];
    row.headers = Some(vec![(20, "3.00"), (21, "1.00")]);
    let (client, _) = open(shop, quiet);
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    let problems = snapshot(&orders[0]).problems;
    assert!(problems[0].message.contains("lists refund 21, which is not among those read"), "{problems:?}");
}

#[test]
fn an_order_that_is_deleted_while_it_is_read_is_none() {
    let mut shop = Shop::default();
    shop.order(1, at(NOON)).refunds = vec![(20, "3.00")];
    shop.order(2, at(NOON));
    let (client, _) = open(shop, |call, _, shop| {
        if call == 2 {
            shop.orders.remove(&1);
        }
        None
    });
    assert_eq!(ids(&read(&client, &changed(FROM, TO)).unwrap()), [2]);
}

#[test]
fn the_trash_is_told_as_cancelled_in_the_list_and_alone() {
    let mut shop = Shop::default();
    shop.order(1, at(NOON));
    let trashed = shop.order(2, at(NOON));
    (trashed.status, trashed.refunds) = ("trash", vec![(20, "3.00")]);
    let (client, fake) = open(shop, quiet);
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    assert_eq!(fake.asked.lock().unwrap().len(), 2, "refunds of what counts for nothing are not read");
    let known: Vec<bool> = orders.iter().map(|order| snapshot(order).cancelled).collect();
    assert_eq!(known, [false, true]);
    assert!(snapshot(&orders[1]).problems.is_empty());
    assert_eq!(client.order("2").unwrap().unwrap().body, orders[1].body);
    assert_eq!(client.order("3").unwrap(), None);
    assert_eq!(client.order("../customers").unwrap(), None);
    assert_eq!(client.order("1").unwrap().unwrap().external_id, "1");
}

#[test]
fn the_trash_is_paged_like_the_rest() {
    let mut shop = Shop::default();
    for id in 1..=230 {
        shop.order(id, seconds(at(NOON), i64::try_from(id).unwrap())).status = "trash";
    }
    let (client, _) = open(shop, quiet);
    assert_eq!(ids(&read(&client, &changed(FROM, TO)).unwrap()).len(), 230);
}

#[test]
fn carts_and_subscriptions_are_no_orders() {
    let mut shop = Shop::default();
    shop.order(1, at(NOON)).status = "checkout-draft";
    shop.order(2, at(NOON)).status = "auto-draft";
    shop.order(3, at(NOON));
    let (client, _) = open(shop, quiet);
    assert_eq!(ids(&read(&client, &changed(FROM, TO)).unwrap()), [3]);
    assert_eq!(client.order("1").unwrap(), None);
}

#[test]
fn an_error_in_the_place_of_an_order_is_no_absence() {
    let (client, fake) = open(Shop::default(), |_, _, _| Some(answer(200, &error("internal_error", 500))));
    let error = client.order("5").unwrap_err();
    assert!(matches!(&error, ApiError::Unreadable(why) if why.contains("internal_error")), "{error}");
    assert!(fake.paused.lock().unwrap().len() > 1, "it is tried again");
    let (client, _) = open(Shop::default(), |_, _, _| Some(html(404)));
    assert!(matches!(client.order("5"), Err(ApiError::NotFound(_))), "another server's page is no absence");
    let (client, _) = open(Shop::default(), |_, _, _| {
        Some(answer(403, &super::error("woocommerce_rest_cannot_view", 403)))
    });
    assert!(matches!(client.order("5"), Err(ApiError::Forbidden(_))));
}

#[test]
fn an_order_is_as_old_as_its_first_question() {
    let mut shop = Shop::default();
    shop.order(1, at(NOON)).refunds = vec![(20, "3.00")];
    let before = Clock::system().now();
    let (client, _) = open(shop, quiet);
    let orders = read(&client, &changed(FROM, TO)).unwrap();
    assert!(orders[0].read_at >= before && orders[0].read_at <= Clock::system().now());
}
