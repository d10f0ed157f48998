use serde_json::json;

use crate::core::order::{LineKind, OrderSnapshot, Payment, Report};
use crate::stores::testing::*;
use crate::stores::{ParseError, Platform};

fn order(changes: &[(&str, serde_json::Value)]) -> OrderSnapshot {
    snapshot(Platform::Magento, "", &changed(MAGENTO_ORDER, changes))
}

fn told(body: &str) -> Vec<Report> {
    reports(Platform::Magento, "", body).unwrap()
}

#[test]
fn every_product_counts_once() {
    let order = order(&[]);
    let lines: Vec<(&str, &str)> = order
        .lines
        .iter()
        .map(|line| (line.external_id.as_str(), line.product.sku.as_deref().unwrap_or_default()))
        .collect();
    let wanted = [
        ("1", "hoodie-xs"),
        ("4", "kit-ball"),
        ("5", "kit-brick"),
        ("6", "kit-strap"),
        ("7", "fixed-set"),
        ("9", "voucher"),
    ];
    assert_eq!(
        lines, wanted,
        "configurable by its child, dynamic bundle by its children, fixed bundle by itself"
    );
    // 139 - 13.90, 68, 40 - 4; the voucher of 20 is a gift card.
    assert_eq!(nets(&order).0, dec("229.1"));
    assert!(closes(&order) && order.problems.is_empty(), "{:?} {:?}", order.closings, order.problems);
    assert_eq!(order.closings.len(), 3);
    let hoodie = &order.lines[0].product;
    assert_eq!((hoodie.product_id.as_deref(), hoodie.variant_id.as_deref()), (Some("1001"), Some("1002")));
    assert_eq!(order.lines[5].kind, LineKind::GiftCard);
}

#[test]
fn a_child_may_know_its_parent_only_by_embedding_it() {
    let embedded = order(&[
        ("/items/1/parent_item_id", json!(null)),
        ("/items/1/parent_item", json!({"item_id": 1, "price": 69.5})),
    ]);
    assert_eq!(embedded, order(&[]));
}

#[test]
fn amounts_are_the_websites_own_currency() {
    let base = order(&[]);
    assert_eq!(
        (base.currency.code(), base.total, base.number.as_deref()),
        ("USD", dec("270"), Some("000000077"))
    );
    assert_eq!(base.ordered_at.to_rfc3339(), "2026-04-24T15:50:17+00:00");
    let plain = order(&[("/base_currency_code", json!(null))]);
    assert_eq!((plain.currency.code(), plain.total), ("EUR", dec("243")));
    assert!(!closes(&plain), "items in another currency than the totals do not close");
}

#[test]
fn a_rewritten_row_total_changes_nothing() {
    let rewritten = order(&[("/items/0/row_total", json!(999)), ("/items/0/base_row_total", json!(1.5))]);
    assert_eq!(nets(&rewritten), nets(&order(&[])));
}

#[test]
fn a_row_is_read_where_the_unit_price_is_only_its_rounding() {
    // 3 x 8.40 for 25.21: the price holds tax and was taken apart by the row. Discount 1.19 with 0.19 of tax in it.
    let item = |row: &str| {
        json!([{"item_id": 1, "product_id": 5, "product_type": "simple", "sku": "TEA", "qty_ordered": 3,
            "base_price": 8.4, "base_row_total": row.parse::<f64>().unwrap(), "base_discount_amount": 1.19,
            "base_discount_tax_compensation_amount": 0.19}])
    };
    for row in ["25.21", "24.02"] {
        let order = order(&[
            ("/items", item(row)),
            ("/base_subtotal", json!(25.21)),
            ("/base_discount_amount", json!(-1.19)),
            ("/base_shipping_discount_amount", json!(0)),
            ("/base_discount_tax_compensation_amount", json!(0.19)),
            ("/base_tax_amount", json!(4.6)),
            ("/base_shipping_amount", json!(0)),
            ("/extension_attributes", json!([])),
            ("/base_grand_total", json!(28.81)),
        ]);
        assert!(closes(&order) && order.problems.is_empty(), "{:?} {:?}", order.closings, order.problems);
        assert_eq!(nets(&order).0, dec("24.21"));
    }
}

#[test]
fn a_bundle_whose_children_repeat_its_price_counts_once() {
    let order = order(&[("/items/7/price", json!(40)), ("/items/7/base_price", json!(40))]);
    // Now both bundles look dynamic: 267 closes with the set's child instead of the set, at the same price.
    assert!(order.closings[0].difference().is_zero());
    let wide = self::order(&[("/items/4/base_price", json!(68)), ("/items/3/base_price", json!(68))]);
    assert!(wide.closings[0].difference().is_zero(), "{:?}", wide.closings);
    assert_eq!(
        wide.lines.iter().map(|line| line.external_id.as_str()).collect::<Vec<_>>(),
        ["1", "3", "7", "9"]
    );
}

#[test]
fn paid_is_what_came_in() {
    for (changes, payment) in [
        (vec![], Payment::Paid),
        (vec![("/base_total_paid", json!(null))], Payment::Unpaid),
        (vec![("/base_total_paid", json!(100))], Payment::Unpaid),
        (vec![("/base_total_paid", json!(250)), ("/base_total_canceled", json!(20))], Payment::Paid),
        (vec![("/state", json!("new")), ("/base_total_paid", json!(0))], Payment::Unpaid),
    ] {
        assert_eq!(order(&changes).payment, payment);
    }
    let cancelled = order(&[("/state", json!("canceled")), ("/base_total_paid", json!(null))]);
    assert!(cancelled.cancelled && !order(&[]).cancelled);
}

#[test]
fn items_tell_what_went_back() {
    let refunded = order(&[
        ("/items/0/qty_refunded", json!(1)),
        ("/items/8/qty_refunded", json!(1)),
        ("/base_total_refunded", json!(95)),
        ("/base_adjustment_positive", json!(5)),
        ("/state", json!("complete")),
    ]);
    let refund = &refunded.refunds[0];
    assert_eq!((refund.amount, refund.unallocated, refund.lines[0].net), (dec("95"), dec("5"), dec("62.55")));
    let cancelled = order(&[("/items/3/qty_canceled", json!(1))]);
    assert_eq!((cancelled.refunds[0].amount, nets(&cancelled).1), (dec("0"), dec("202.1")));
    let untold = order(&[("/base_total_refunded", json!(27))]);
    assert_eq!(untold.refunds[0].unallocated, dec("27"));
}

#[test]
fn embedded_credit_memos_are_refunds_of_their_own() {
    let memo = json!([{"entity_id": 4, "created_at": "2026-05-01 10:00:00", "base_grand_total": 65, "base_adjustment_positive": 2.45, "items": [
        {"order_item_id": 1, "qty": 1, "base_price": 69.5, "base_discount_amount": 6.95},
        {"order_item_id": 2, "qty": 1, "base_price": 0}]}]);
    let order = order(&[
        ("/creditmemos", memo),
        ("/items/0/qty_refunded", json!(1)),
        ("/base_total_refunded", json!(65)),
    ]);
    assert_eq!(order.refunds.len(), 1);
    let refund = &order.refunds[0];
    assert_eq!(
        (refund.external_id.as_str(), refund.lines.len(), refund.lines[0].net),
        ("4", 1, dec("62.55"))
    );
    assert_eq!((refund.unallocated, refund.amount), (dec("2.45"), dec("65")));
}

#[test]
fn distributors_are_looked_for_everywhere() {
    let order = order(&[]);
    assert_eq!(values(&order.places, "discount_code"), ["DIST-1", "DIST-2"]);
    for (place, value) in
        [("order_meta:distributor_code", "D-1"), ("order_meta:sponsor", "D-2"), ("customer", "3")]
    {
        assert_eq!(values(&order.places, place), [value]);
    }
    assert!(order.places.iter().all(|place| !place.value.contains('@')));
}

#[test]
fn an_order_is_found_in_every_wrapping() {
    for wrapped in [
        format!("{{\"order\":{MAGENTO_ORDER}}}"),
        format!(
            "{{\"event\":{{\"data\":{{\"value\":{MAGENTO_ORDER},\"_metadata\":{{}}}}}},\"event_id\":\"x\"}}"
        ),
        format!("{{\"items\":[{MAGENTO_ORDER}],\"search_criteria\":{{}},\"total_count\":1}}"),
        format!("[{MAGENTO_ORDER}]"),
    ] {
        assert_eq!(snapshot(Platform::Magento, "", &wrapped), order(&[]));
    }
    // I/O Events send every number as a string.
    let strings = order(&[
        ("/entity_id", json!("77")),
        ("/base_grand_total", json!("270.0000")),
        ("/items/0/qty_ordered", json!("2.0000")),
    ]);
    assert!(closes(&strings));
}

#[test]
fn parts_of_orders_are_hints_and_the_rest_is_ignored() {
    assert!(matches!(&told(MAGENTO_INVOICE)[..], [Report::Hint { order, .. }] if order == "77"));
    let bare = r#"{"entity_id":"77","increment_id":"000000077","grand_total":"1.0000","state":"new"}"#;
    assert!(matches!(&told(bare)[..], [Report::Hint { order, .. }] if order == "77"));
    assert!(matches!(
        &told(r#"{"event":{"data":{"value":{"sku":"x","price":"1"}}}}"#)[..],
        [Report::Ignored { .. }]
    ));
    assert!(told(r#"{"items":[],"total_count":0}"#).is_empty());
}

#[test]
fn unusable_payloads_are_errors_and_unusable_fields_are_problems() {
    let error = |body: &str| reports(Platform::Magento, "", body).unwrap_err();
    let body = changed(MAGENTO_ORDER, &[("/created_at", json!(null)), ("/updated_at", json!(null))]);
    let order_without_time = snapshot(Platform::Magento, "", &body);
    assert_eq!(order_without_time.problems[0].field, "created_at");
    assert_eq!(
        error(&changed(MAGENTO_ORDER, &[("/entity_id", json!(null))])),
        ParseError::Missing { field: "entity_id" }
    );
    assert_eq!(
        fields(error(&changed(MAGENTO_ORDER, &[("/base_currency_code", json!("$"))]))),
        ["base_currency_code"]
    );
    for (pointer, value, field) in [
        ("/items/0/base_price", json!("NaN"), "items[1].price"),
        ("/items/0/qty_ordered", json!(-1), "items[1].qty_ordered"),
        ("/items/1/parent_item_id", json!(99), "items[1].parent_item_id"),
        ("/base_tax_amount", json!("1e400"), "tax_amount"),
    ] {
        let problems = order(&[(pointer, value)]).problems;
        assert!(problems.iter().any(|problem| problem.field == field), "{field}: {problems:?}");
    }
}
