use serde_json::json;

use crate::core::order::{Absorbed, LineKind, OrderSnapshot, OrderState, Payment, Report};
use crate::stores::testing::*;
use crate::stores::{DeliveryMeta, PULLED_ORDER, ParseError, Platform, parse};

fn order(changes: &[(&str, serde_json::Value)]) -> OrderSnapshot {
    snapshot(Platform::WooCommerce, "order.updated", &changed(WOO_ORDER, changes))
}

fn told(topic: &str, body: &str) -> Report {
    reports(Platform::WooCommerce, topic, body).unwrap().remove(0)
}

#[test]
fn net_is_the_sum_of_line_totals() {
    let order = snapshot(Platform::WooCommerce, "order.updated", WOO_ORDER);
    assert_eq!(nets(&order).0, dec("275.21"));
    assert!(closes(&order) && order.problems.is_empty(), "{order:?}");
    assert_eq!((order.external_id.as_str(), order.number.as_deref()), ("21", None));
    assert_eq!((order.total, order.payment), (dec("330.82"), Payment::Paid));
    assert_eq!(order.ordered_at.to_rfc3339(), "2026-11-21T12:20:30+00:00");
    assert_eq!(order.updated_at.to_rfc3339(), "2026-11-21T12:20:36+00:00");
    assert_eq!(order.lines.iter().filter(|line| line.kind == LineKind::Other).count(), 2);
    let shirt = &order.lines[1].product;
    assert_eq!(
        (shirt.product_id.as_deref(), shirt.variant_id.as_deref(), shirt.sku.as_deref()),
        (Some("16"), Some("18"), Some("TS-M"))
    );
    assert_eq!((order.lines[3].product.sku.as_deref(), order.customer_id), (None, None));
}

#[test]
fn a_refund_header_is_money_for_everything() {
    let order = snapshot(Platform::WooCommerce, "order.updated", WOO_ORDER);
    assert_eq!((order.refunds[0].external_id.as_str(), order.refunds[0].unallocated), ("22", dec("26.67")));
    // 26.67 x 275.21 / 330.82
    assert_eq!(nets(&order).1, dec("275.21") - dec("22.19"));
    let all = self::order(&[
        ("/refunds", json!([{"id": 27, "reason": "", "total": "-330.82"}])),
        ("/status", json!("refunded")),
    ]);
    assert_eq!((all.refunds.len(), nets(&all).1), (1, dec("0")));
}

#[test]
fn a_status_of_refunded_without_a_refund_leaves_nothing() {
    let order = order(&[("/status", json!("refunded")), ("/refunds", json!([]))]);
    assert_eq!(
        order.refunds.iter().map(|refund| refund.amount).sum::<rust_decimal::Decimal>(),
        dec("330.82")
    );
    assert_eq!(nets(&order).1, dec("0"));
}

/// An order as the client reads it, at a fixed time.
fn pulled(order: &str, refunds: &str) -> Result<OrderSnapshot, ParseError> {
    let meta = DeliveryMeta {
        topic: Some(PULLED_ORDER.to_owned()),
        triggered_at: Some("2026-11-01T12:00:00Z".parse().unwrap()),
        ..DeliveryMeta::default()
    };
    let body = format!("{{\"order\":{order},\"refunds\":{refunds}}}");
    match parse(Platform::WooCommerce, &meta, body.as_bytes())?.remove(0) {
        Report::Snapshot(snapshot) => Ok(*snapshot),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pulled_order_names_the_goods_that_its_refunds_took_back() {
    let told = snapshot(Platform::WooCommerce, "order.updated", &refunded_twice());
    let pulled_order = pulled(&refunded_twice(), WOO_REFUNDS).unwrap();
    assert!(pulled_order.problems.is_empty(), "{:?}", pulled_order.problems);
    let mut state = OrderState::default();
    state.absorb(Report::Snapshot(Box::new(pulled_order.clone())), told.updated_at);
    // The webhook of the same second says the same with less, and may come later.
    let late = state.absorb(Report::Snapshot(Box::new(told)), pulled_order.updated_at);
    assert_eq!(late, Absorbed::Superseded);
    let known = state.refunds();
    assert_eq!(known.len(), 2);
    assert_eq!(
        (known[0].lines[0].line.as_str(), known[0].lines[0].net, known[0].unallocated),
        ("1", dec("22.41"), dec("0"))
    );
    // 16.89 less shipping of 5.89 and fees of 2.00 - 1.00
    assert_eq!(
        (known[1].lines.len(), known[1].unallocated, known[1].amount),
        (0, dec("10.00"), dec("16.89"))
    );
    let net = crate::core::net::commissionable(&pulled_order, &known);
    // The goodwill is for everything: 10.00 x 275.21 / 330.82 of it is for goods.
    assert_eq!(net.net(), dec("275.21") - dec("22.41") - dec("8.32"));
}

/// Newest first, as the shop lists them.
fn refunded_twice() -> String {
    let headers = json!([{"id": 23, "total": "-16.89"}, {"id": 22, "total": "-26.67"}]);
    changed(WOO_ORDER, &[("/refunds", headers)])
}

#[test]
fn a_webhook_and_a_pull_of_one_order_sell_the_same() {
    let told = snapshot(Platform::WooCommerce, "order.updated", &refunded_twice());
    let read = pulled(&refunded_twice(), WOO_REFUNDS).unwrap();
    assert_eq!((&told.lines, told.total, &told.places), (&read.lines, read.total, &read.places));
    assert_eq!(
        (told.payment, &told.closings, &told.customer_id),
        (read.payment, &read.closings, &read.customer_id)
    );
    let amounts = |order: &OrderSnapshot| {
        let mut all: Vec<_> = order.refunds.iter().map(|r| (r.external_id.clone(), r.amount)).collect();
        all.sort();
        all
    };
    assert_eq!(amounts(&told), amounts(&read));
    let plain = changed(WOO_ORDER, &[("/refunds", json!([]))]);
    let told = snapshot(Platform::WooCommerce, "order.updated", &plain);
    assert!(pulled(&plain, "[]").unwrap().says_the_same_as(&told));
}

#[test]
fn refunds_that_do_not_fit_their_order_hold_it() {
    let problems = |order: &str, refunds: &str| -> Vec<String> {
        let problems = pulled(order, refunds).unwrap().problems;
        problems.into_iter().map(|problem| format!("{} {}", problem.field, problem.message)).collect()
    };
    let one = changed(WOO_ORDER, &[("/refunds", json!([{"id": 22, "total": "-26.67"}]))]);
    assert_eq!(problems(&one, WOO_REFUNDS), ["refunds does not list refund 23, which was read"]);
    assert_eq!(problems(&one, "[]"), ["refunds lists refund 22, which is not among those read"]);
    assert_eq!(
        problems(&one, r#"[{"id":22,"amount":"20.00"}]"#),
        ["refunds says 26.67 of refund 22, which says 20 itself"]
    );
    assert_eq!(
        problems(&one, r#"[{"id":22}]"#),
        ["read_refunds[0].amount is missing", "refunds says 26.67 of refund 22, which says 0 itself"]
    );
    let nameless = r#"[{"id":22,"amount":"26.67","line_items":[{"total":"-26.67","quantity":-1}]}]"#;
    assert!(problems(&one, nameless)[0].contains("_refunded_item_id"));
    assert!(pulled(&one, r#"{"code":"x"}"#).is_err() && pulled("{}", "[]").is_err());
}

#[test]
fn a_deleted_refund_is_none_once_the_order_is_read() {
    let told = snapshot(Platform::WooCommerce, "order.updated", &refunded_twice());
    let mut state = OrderState::default();
    state.absorb(Report::Snapshot(Box::new(told.clone())), told.updated_at);
    let one = changed(WOO_ORDER, &[("/refunds", json!([{"id": 22, "total": "-26.67"}]))]);
    let kept: serde_json::Value = serde_json::from_str(WOO_REFUNDS).unwrap();
    let read = pulled(&one, &json!([kept[0]]).to_string()).unwrap();
    assert_eq!(state.absorb(Report::Snapshot(Box::new(read)), told.updated_at), Absorbed::Applied);
    assert_eq!(state.refunds().iter().map(|r| r.external_id.as_str()).collect::<Vec<_>>(), ["22"]);
}

#[test]
fn a_pulled_status_says_what_a_told_one_says() {
    let given_back = changed(WOO_ORDER, &[("/status", json!("refunded")), ("/refunds", json!([]))]);
    let read = pulled(&given_back, "[]").unwrap();
    assert_eq!((read.refunds.len(), nets(&read).1), (1, dec("0")));
    let trashed = changed(WOO_ORDER, &[("/status", json!("trash"))]);
    let read = pulled(&trashed, "[]").unwrap();
    assert!(read.cancelled && read.problems.is_empty());
    assert_eq!(read.refunds.len(), 1, "the order's own word, as nothing was asked beyond it");
}

#[test]
fn products_and_customers_are_read_as_webhooks_and_lists_show_them() {
    let simple = r#"{"id":11,"parent_id":0,"name":"Vitamin C","type":"simple","sku":" VC-1 ","manage_stock":true,
        "stock_quantity":492,"variations":[],"date_modified_gmt":"2026-11-21T12:26:37"}"#;
    let simple = super::product(simple).unwrap();
    assert_eq!(
        (simple.external_id.as_str(), simple.partial, simple.title.as_str()),
        ("11", false, "Vitamin C")
    );
    let only = &simple.variants[0];
    assert_eq!((&only.external_id, only.sku.as_deref(), only.stock), (&None, Some("VC-1"), Some(dec("492"))));
    let varied = r#"{"id":16,"name":"T-Shirt","type":"variable","variations":[18],"manage_stock":true,"stock_quantity":3}"#;
    let read = super::product(varied).unwrap();
    assert!(read.partial && read.variants.is_empty(), "its variations are told elsewhere");
    let variation = r#"{"id":18,"parent_id":16,"name":"T-Shirt - M","type":"variation","sku":"TS-M","manage_stock":"parent",
        "attributes":[{"name":"Size","option":"M"}],"date_modified_gmt":"2026-11-21T12:22:00"}"#;
    let read = super::product(variation).unwrap();
    assert_eq!((read.external_id.as_str(), read.partial, read.variants.len()), ("16", true, 1));
    assert_eq!((read.variants[0].external_id.as_deref(), read.variants[0].title.as_str()), (Some("18"), "M"));
    assert_eq!(super::variant(variation, varied).unwrap().stock, Some(dec("3")));
    let customer = r#"{"id":4,"date_created_gmt":"2026-11-21T12:26:37","date_modified_gmt":null,"email":"zoe@example.test",
        "meta_data":[{"key":"distributor_code","value":417},{"key":"_billing_x","value":"y"},{"key":"o","value":{}}]}"#;
    let read = super::customer(customer).unwrap();
    assert_eq!((read.external_id.as_str(), read.updated_at, read.created_at.is_some()), ("4", None, true));
    assert_eq!(read.places.len(), 1);
    assert_eq!(values(&read.places, "customer_meta:distributor_code"), ["417"]);
    assert!(
        super::product("{}").is_err() && super::customer(r#"{"id":"x","date_created_gmt":"no"}"#).is_err()
    );
}

#[test]
fn paid_is_a_time_of_payment_not_a_status() {
    for (status, paid, payment, cancelled) in [
        ("processing", json!("2026-11-21T12:20:31"), Payment::Paid, false),
        ("processing", json!(null), Payment::Unpaid, false),
        ("completed", json!(null), Payment::Unpaid, false),
        ("on-hold", json!(null), Payment::Unpaid, false),
        ("my-own-status", json!("2026-11-21T12:20:31"), Payment::Paid, false),
        ("failed", json!(null), Payment::Voided, false),
        ("cancelled", json!("2026-11-21T12:20:31"), Payment::Paid, true),
        ("trash", json!(null), Payment::Unpaid, true),
    ] {
        let order = order(&[("/status", json!(status)), ("/date_paid_gmt", paid)]);
        assert_eq!((order.payment, order.cancelled), (payment, cancelled), "{status}");
    }
}

#[test]
fn distributors_are_looked_for_everywhere() {
    let order = order(&[
        ("/meta_data/0/value", json!(417)),
        ("/customer_id", json!(9)),
        ("/line_items/0/meta_data", json!([{"id": 5, "key": "ref", "value": "D-2"}])),
    ]);
    let all = &order.places;
    assert!(all.iter().all(|place| !place.value.contains("hidden") || place.place == "order_meta:_private"));
    assert!(values(all, "order_meta:nested").is_empty(), "structures name nobody");
    assert_eq!(values(all, "discount_code"), ["dist-10"]);
    assert_eq!(values(all, "customer"), ["9"]);
    assert_eq!(values(&order.lines[0].places, "line_property:ref"), ["D-2"]);
    let tracked = snapshot(
        Platform::WooCommerce,
        "order.created",
        &changed(
            WOO_STOREFRONT,
            &[(
                "/meta_data",
                json!([
                    {"id": 1, "key": "_wc_order_attribution_session_entry", "value": "http://shop.test/?ref=D-00417&x=1"},
                    {"id": 2, "key": "_wc_order_attribution_utm_source", "value": "newsletter"},
                    {"id": 3, "key": "_billing_address_index", "value": "Zoe Main Street 1"},
                    {"id": 4, "key": "distributor_code", "value": "D-1"},
                ]),
            )],
        ),
    );
    assert_eq!(values(&tracked.places, "landing_url:ref"), ["D-00417"]);
    assert_eq!(values(&tracked.places, "order_meta:_wc_order_attribution_utm_source"), ["newsletter"]);
    assert_eq!(values(&tracked.places, "order_meta:distributor_code"), ["D-1"]);
    assert!(tracked.places.iter().all(|place| !place.value.contains("Street")));
}

#[test]
fn gift_cards_lower_the_total_and_not_the_net() {
    let order = order(&[
        ("/total", json!("306.82")),
        ("/gift_cards", json!([{"id": 1, "code": "x", "amount": "24.00"}])),
    ]);
    assert!(closes(&order), "{:?}", order.closings);
    assert_eq!(nets(&order).0, dec("275.21"));
}

#[test]
fn parts_of_a_shop_that_rounds_late_may_miss_by_their_rounding() {
    let off = order(&[("/total", json!("330.83"))]);
    assert_eq!(off.closings[0].difference(), dec("0.01"));
    let late = order(&[("/total", json!("330.83")), ("/line_items/0/taxes/0/total", json!("8.515966"))]);
    assert!(late.closings.is_empty(), "explained by half a unit for each part");
    let wrong = order(&[("/total", json!("330.92")), ("/line_items/0/taxes/0/total", json!("8.515966"))]);
    assert_eq!(wrong.closings[0].difference(), dec("0.10"));
}

#[test]
fn a_total_above_the_price_is_no_negative_discount() {
    let order = order(&[("/line_items/0/total", json!("60.00")), ("/total", json!("346.00"))]);
    assert_eq!((order.lines[0].gross, order.lines[0].discount), (dec("60"), dec("0")));
    assert!(closes(&order), "{:?}", order.closings);
}

#[test]
fn deletions_restorations_and_strangers() {
    assert!(
        matches!(told("order.deleted", r#"{"id":25}"#), Report::Deleted { order, at: None } if order == "25")
    );
    let restored = reports(Platform::WooCommerce, "order.restored", WOO_ORDER).unwrap();
    assert!(matches!(&restored[..], [Report::Restored { order }, Report::Snapshot(_)] if order == "21"));
    let gone =
        r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;
    for topic in ["order.created", "order.updated", "order.restored", ""] {
        assert!(matches!(told(topic, gone), Report::Ignored { .. }), "{topic}");
    }
    for topic in ["coupon.updated", "subscription.created"] {
        assert!(matches!(told(topic, WOO_ORDER), Report::Ignored { .. }), "{topic}");
    }
    let subscription = changed(WOO_ORDER, &[("/billing_period", json!("month"))]);
    assert!(matches!(told("order.updated", &subscription), Report::Ignored { .. }));
    let cart = changed(WOO_ORDER, &[("/status", json!("checkout-draft"))]);
    assert!(matches!(told("order.created", &cart), Report::Ignored { .. }));
    let action = r#"{"action":"woocommerce_order_status_changed","arg":38}"#;
    assert!(
        matches!(told("action.woocommerce_order_status_changed", action), Report::Hint { order, .. } if order == "38")
    );
    assert!(matches!(
        told("action.wp_login", r#"{"action":"wp_login","arg":"zoe"}"#),
        Report::Ignored { .. }
    ));
    assert!(matches!(told("", "webhook_id=1"), Report::Ignored { .. }));
    assert!(matches!(told("", WOO_ORDER), Report::Snapshot(_)), "without a topic the shape decides");
}

#[test]
fn unusable_payloads_are_errors_and_unusable_fields_are_problems() {
    let error = |body: &str| reports(Platform::WooCommerce, "order.created", body).unwrap_err();
    assert_eq!(error(r#"{"id":1}"#), ParseError::Missing { field: "line_items" });
    assert_eq!(error("{}"), ParseError::Missing { field: "id" });
    assert!(matches!(error(r#"{"id":1,"line_items":{}}"#), ParseError::Json { .. }));
    for (pointer, value, field) in [
        ("/line_items/0/total", json!("-1.00"), "line_items[0].total"),
        ("/line_items/0/quantity", json!(-2), "line_items[0].quantity"),
        ("/total", json!("1e400"), "total"),
        ("/refunds/0/total", json!("lots"), "refunds[0].total"),
        ("/fee_lines/0/total", json!([]), "fee_lines[0].total"),
    ] {
        assert_eq!(order(&[(pointer, value)]).problems[0].field, field);
    }
    let half = order(&[("/line_items/0/quantity", json!(1.5))]);
    assert_eq!((half.lines[0].quantity, half.problems.len()), (dec("1.5"), 0));
}
