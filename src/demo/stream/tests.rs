use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-08-28T00:00:00Z".parse().unwrap()
}

fn sample(orders: u32) -> Vec<DemoDelivery> {
    stream(&Company::sample(42), 42, orders, now())
}

/// The order bodies of one store, each with the decimals of its amounts.
fn orders(store: &str) -> Vec<Value> {
    let of_store = sample(600).into_iter().filter(|delivery| delivery.store == store);
    let bodies = of_store.filter_map(|delivery| serde_json::from_slice::<Value>(&delivery.body).ok());
    bodies.filter(|body| body.get("line_items").or(body.get("items")).is_some()).collect()
}

fn money(value: &Value) -> Decimal {
    match value {
        Value::String(text) => text.parse().unwrap(),
        Value::Number(number) => number.to_string().parse().unwrap(),
        Value::Null => Decimal::ZERO,
        other => panic!("{other} is no amount"),
    }
}

fn sum<'a>(rows: &'a Value, amount: impl Fn(&'a Value) -> Decimal) -> Decimal {
    rows.as_array().unwrap().iter().map(amount).sum()
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    assert_eq!(sample(300), sample(300));
    let other = stream(&Company::sample(43), 43, 300, now());
    assert_ne!(sample(300), other);
}

#[test]
fn each_order_makes_almost_two_deliveries() {
    let count = sample(2_000).len();
    assert!((3_200..=4_000).contains(&count), "{count}");
}

#[test]
fn a_short_run_shows_every_case() {
    let sent = sample(40);
    let bodies: Vec<String> = sent.iter().map(|d| String::from_utf8_lossy(&d.body).into_owned()).collect();
    let has = |text: &str| bodies.iter().any(|body| body.contains(text));
    for text in [
        "SUPP-TRIAL-14",
        "GHOST-",
        "\"gift_card\":true",
        "\"test\":true",
        "webhook_id=1",
        "\"taxes_included\":true",
        "woocommerce_rest_shop_order_invalid_id",
        "\"kind\":\"refund_discrepancy\"",
        "status\":\"refunded\"",
    ] {
        assert!(has(text), "{text}");
    }
    let topics: BTreeSet<&str> = sent.iter().map(|delivery| delivery.topic.as_str()).collect();
    for topic in
        ["orders/cancelled", "refunds/create", "order.deleted", "orders/paid", "sales_order_place_after"]
    {
        assert!(topics.contains(topic), "{topic}");
    }
    let distinct: BTreeSet<&Vec<u8>> = sent.iter().map(|delivery| &delivery.body).collect();
    assert!(distinct.len() < sent.len(), "some come twice");
}

#[test]
fn the_example_orders_are_told_with_buyer_and_referrer() {
    let sent = sample(10);
    for (id, sku, buyer, referrer) in [(301, "SUPP001", 11_200, "11043"), (302, "BEAUTY02", 11_150, "10090")]
    {
        let bodies = sent.iter().filter_map(|delivery| serde_json::from_slice::<Value>(&delivery.body).ok());
        let told: Vec<Value> = bodies.filter(|body| body["id"] == id).collect();
        assert!(told.len() >= 2, "created and paid");
        for body in told {
            assert_eq!(body["line_items"][0]["sku"], sku);
            assert_eq!(*body.pointer("/customer/id").or(body.get("customer_id")).unwrap(), buyer);
            assert!(body.to_string().contains(referrer));
        }
    }
}

#[test]
fn ages_differ_within_an_order_except_where_two_share_a_second() {
    let mut seen: BTreeMap<(String, String), BTreeSet<Vec<u8>>> = BTreeMap::new();
    for delivery in sample(1_000) {
        let Ok(body) = serde_json::from_slice::<Value>(&delivery.body) else { continue };
        let Some(at) = body.get("date_modified_gmt").or(body.get("updated_at")).and_then(Value::as_str)
        else {
            continue;
        };
        let id = body.get("id").or(body.get("entity_id")).unwrap().to_string();
        seen.entry((format!("{}/{id}", delivery.store), at.to_owned())).or_default().insert(delivery.body);
    }
    let ties = seen.values().filter(|bodies| bodies.len() > 1).count();
    assert!(ties > 5 && ties < 100, "{ties}");
    assert!(seen.values().all(|bodies| bodies.len() <= 2));
    assert!(seen.keys().all(|(_, at)| at.as_str() < "2026-08-28"), "nothing comes from the future");
}

#[test]
fn shopify_orders_close() {
    let told = orders("demo-us");
    assert!(told.len() > 300);
    for order in told {
        let goods = |line: &Value| line.get("tip").is_none();
        let gross = |line: &Value| {
            if goods(line) { money(&line["price"]) * money(&line["quantity"]) } else { Decimal::ZERO }
        };
        let off = |line: &Value| sum(&line["discount_allocations"], |part| money(&part["amount"]));
        let subtotal = sum(&order["line_items"], |line| gross(line) - off(line));
        assert_eq!(subtotal, money(&order["subtotal_price"]), "{}", order["id"]);
        let on_top = if order["taxes_included"] == true { Decimal::ZERO } else { money(&order["total_tax"]) };
        let shipping = money(&order["total_shipping_price_set"]["shop_money"]["amount"]);
        let tip = money(&order["total_tip_received"]);
        assert_eq!(subtotal + shipping + tip + on_top, money(&order["total_price"]), "{}", order["id"]);
        let back =
            sum(&order["refunds"], |refund| sum(&refund["transactions"], |paid| money(&paid["amount"])));
        assert!(back <= money(&order["total_price"]));
        assert_eq!(
            order["financial_status"] == "refunded",
            back == money(&order["total_price"]) && !back.is_zero()
        );
    }
}

#[test]
fn woocommerce_orders_close() {
    let told = orders("demo-eu");
    assert!(told.len() > 100);
    for order in told {
        let goods = sum(&order["line_items"], |line| money(&line["total"]));
        let before = sum(&order["line_items"], |line| money(&line["subtotal"]));
        assert_eq!(before - goods, money(&order["discount_total"]), "{}", order["id"]);
        assert_eq!(sum(&order["line_items"], |line| money(&line["total_tax"])), money(&order["cart_tax"]));
        let fees = sum(&order["fee_lines"], |line| money(&line["total"]));
        let total = goods + fees + money(&order["shipping_total"]) + money(&order["total_tax"]);
        assert_eq!(total, money(&order["total"]), "{}", order["id"]);
        assert!(-sum(&order["refunds"], |refund| money(&refund["total"])) <= total);
    }
}

#[test]
fn magento_orders_close() {
    let told = orders("demo-uk");
    assert!(told.len() > 50);
    for order in told {
        let goods = sum(&order["items"], |item| {
            if item.get("parent_item_id").is_some() {
                return Decimal::ZERO;
            }
            money(&item["price"]) * money(&item["qty_ordered"])
        });
        assert_eq!(goods, money(&order["subtotal"]), "{}", order["entity_id"]);
        let discount = sum(&order["items"], |item| money(&item["discount_amount"]));
        assert_eq!(-discount, money(&order["discount_amount"]));
        let total = goods - discount + money(&order["shipping_amount"]) + money(&order["tax_amount"]);
        assert_eq!(total, money(&order["grand_total"]), "{}", order["entity_id"]);
    }
}
