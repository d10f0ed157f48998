use serde_json::json;

use crate::core::order::{LineKind, OrderSnapshot, OrderState, Payment, Refund, Report};
use crate::stores::testing::*;
use crate::stores::{DeliveryMeta, ParseError, Platform, parse};

fn order(changes: &[(&str, serde_json::Value)]) -> OrderSnapshot {
    snapshot(Platform::Shopify, "orders/updated", &changed(SHOPIFY_ORDER, changes))
}

fn refund(changes: &[(&str, serde_json::Value)]) -> Refund {
    match reports(Platform::Shopify, "refunds/create", &changed(SHOPIFY_REFUND, changes)).unwrap().remove(0) {
        Report::Refund { order, refund } if order == "820982911946154508" => refund,
        other => panic!("{other:?}"),
    }
}

#[test]
fn net_is_price_less_allocations_of_goods_alone() {
    let order = order(&[]);
    // 2 x 49.95 - 14.99 and 10.01 - 1.01; the gift card and the tip are no goods.
    assert_eq!(nets(&order), (dec("93.91"), dec("93.91")));
    assert!(closes(&order) && order.problems.is_empty(), "{order:?}");
    assert_eq!(order.closings.len(), 2);
    assert_eq!(order.external_id, "820982911946154508");
    assert_eq!(order.number.as_deref(), Some("#1053"));
    assert_eq!(
        (order.total, order.payment, order.test, order.cancelled),
        (dec("136.80"), Payment::Paid, false, false)
    );
    assert_eq!(order.ordered_at.to_rfc3339(), "2026-03-02T15:00:00+00:00");
    let kinds: Vec<LineKind> = order.lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [LineKind::Goods, LineKind::Goods, LineKind::GiftCard, LineKind::Tip]);
    assert_eq!(order.lines[1].product.sku, None);
    assert_eq!(order.lines[0].product.product_id.as_deref(), Some("7700000000001"));
}

#[test]
fn total_discount_is_never_read() {
    let told = order(&[("/line_items/0/total_discount", json!("14.99"))]);
    assert_eq!(nets(&told), nets(&order(&[])));
}

#[test]
fn distributors_are_looked_for_everywhere() {
    let order = order(&[]);
    for (place, value) in [
        ("note_attribute:ref", "D-1"),
        ("discount_code", "Dist 10é"),
        ("landing_url:ref", "D-3"),
        ("landing_url:utm_source", "mail"),
        ("referring_url:via", "D-4"),
        ("customer_tag", "bound:D-6"),
        ("customer", "115310627314723954"),
    ] {
        assert_eq!(values(&order.places, place), [value], "{place}");
    }
    assert_eq!(values(&order.places, "order_tag"), ["vip", "D-5"]);
    assert!(values(&order.places, "note_attribute:gift").is_empty());
    assert_eq!(values(&order.lines[0].places, "line_property:sponsor"), ["D-2"]);
}

#[test]
fn tax_inside_the_price_earns_nothing() {
    let order = order(&[
        ("/taxes_included", json!(true)),
        ("/total_price", json!("126.91")),
        ("/current_total_price", json!("126.91")),
    ]);
    // 84.91 - 8.49 and 9.00 - 0.90
    assert_eq!(nets(&order).0, dec("84.52"));
    assert!(closes(&order), "{:?}", order.closings);
}

#[test]
fn a_sum_that_does_not_close_is_told_with_its_difference() {
    let order = order(&[("/line_items/0/discount_allocations", json!([]))]);
    assert!(!closes(&order));
    assert_eq!(order.closings[0].field, "subtotal_price");
    assert_eq!(order.closings[0].difference(), dec("-14.99"));
}

#[test]
fn paid_is_the_financial_status() {
    for (status, payment) in [
        (json!("paid"), Payment::Paid),
        (json!("partially_refunded"), Payment::Paid),
        (json!("refunded"), Payment::Paid),
        (json!("authorized"), Payment::Unpaid),
        (json!("partially_paid"), Payment::Unpaid),
        (json!("pending"), Payment::Unpaid),
        (json!(null), Payment::Unpaid),
        (json!("voided"), Payment::Voided),
    ] {
        let order = order(&[("/financial_status", status)]);
        assert_eq!((order.payment, order.problems.len()), (payment, 0));
    }
    let strange = order(&[("/financial_status", json!("on_the_moon"))]);
    assert_eq!((strange.payment, strange.problems[0].field.as_str()), (Payment::Unpaid, "financial_status"));
    assert!(order(&[("/test", json!(true))]).test);
    assert!(order(&[("/cancelled_at", json!("2026-03-03T00:00:00Z"))]).cancelled);
    let body = changed(SHOPIFY_ORDER, &[]);
    let header = DeliveryMeta { test: true, ..meta("orders/paid") };
    let told = parse(Platform::Shopify, &header, body.as_bytes()).unwrap();
    assert!(matches!(&told[0], Report::Snapshot(snapshot) if snapshot.test));
}

#[test]
fn shop_money_of_a_zero_decimal_currency_keeps_its_figures() {
    let order = order(&[("/currency", json!("JPY")), ("/line_items/0/price", json!("4995"))]);
    assert_eq!(order.lines[0].gross, dec("9990"));
}

#[test]
fn a_refund_takes_back_goods_and_leaves_shipping_alone() {
    let refund = refund(&[]);
    assert_eq!(
        (refund.lines.len(), refund.lines[0].net, refund.lines[0].quantity),
        (1, dec("42.46"), dec("1"))
    );
    assert_eq!((refund.unallocated, refund.amount), (dec("0"), dec("48.91")));
    assert_eq!(refund.lines[0].line, "14000000000001");
}

#[test]
fn money_for_no_line_is_unallocated() {
    let goodwill = refund(&[
        ("/refund_line_items", json!([])),
        ("/refund_shipping_lines", json!([])),
        ("/transactions/0/amount", json!("5.00")),
    ]);
    assert_eq!((goodwill.lines.len(), goodwill.unallocated, goodwill.amount), (0, dec("5.00"), dec("5.00")));
    // More money than the goods are worth, stated as a negative discrepancy.
    let more = refund(&[
        (
            "/order_adjustments",
            json!([{"kind": "refund_discrepancy", "amount": "-3.00", "tax_amount": "0.00"}]),
        ),
        ("/transactions/0/amount", json!("51.91")),
    ]);
    assert_eq!(more.unallocated, dec("3.00"));
    // A fee kept back does not bring goods back.
    let less = refund(&[
        (
            "/order_adjustments",
            json!([{"kind": "refund_discrepancy", "amount": "8.91", "tax_amount": "0.00"}]),
        ),
        ("/transactions/0/amount", json!("40.00")),
    ]);
    assert_eq!((less.unallocated, less.lines[0].net), (dec("0"), dec("42.46")));
    // A removal without any movement of money still takes the goods.
    let removal = refund(&[("/transactions", json!([]))]);
    assert_eq!(
        (removal.amount, removal.unallocated, removal.lines[0].net),
        (dec("0"), dec("0"), dec("42.46"))
    );
}

#[test]
fn shipping_refunds_of_older_versions_are_adjustments() {
    let refund = refund(&[
        ("/refund_shipping_lines", json!([])),
        (
            "/order_adjustments",
            json!([{"kind": "shipping_refund", "amount": "-2.00", "tax_amount": "-0.20"}]),
        ),
    ]);
    assert_eq!((refund.unallocated, refund.lines[0].net), (dec("0"), dec("42.46")));
}

#[test]
fn the_money_tells_whether_a_bare_refund_has_its_tax_inside() {
    // 42.46 + 2.00 without adding tax: the prices hold it.
    let refund = refund(&[("/transactions/0/amount", json!("44.46"))]);
    assert_eq!((refund.lines[0].net, refund.unallocated), (dec("38.21"), dec("0")));
}

#[test]
fn a_refund_paid_in_another_currency_is_counted_in_the_shops() {
    let refund =
        refund(&[("/transactions/0/currency", json!("EUR")), ("/transactions/0/amount", json!("4000"))]);
    assert_eq!((refund.unallocated, refund.amount), (dec("0"), dec("48.91")));
}

#[test]
fn an_order_tells_its_refunds_and_they_count_once() {
    let told = serde_json::from_str::<serde_json::Value>(SHOPIFY_REFUND).unwrap();
    let order = order(&[
        ("/refunds", json!([told])),
        ("/line_items/0/current_quantity", json!(1)),
        ("/financial_status", json!("partially_refunded")),
    ]);
    assert_eq!(order.refunds.len(), 1, "a refunded quantity is no removal besides");
    let mut state = OrderState::default();
    let at = order.updated_at;
    state.absorb(Report::Refund { order: order.external_id.clone(), refund: refund(&[]) }, at);
    state.absorb(Report::Snapshot(Box::new(order.clone())), at);
    let net = crate::core::net::commissionable(&order, &state.refunds());
    assert_eq!(net.net(), dec("51.45"));
}

#[test]
fn an_edit_that_removed_goods_leaves_what_is_kept() {
    let order = order(&[("/line_items/0/current_quantity", json!(1))]);
    // 84.91 for two: one is 42.455, the odd half goes to the part taken.
    assert_eq!(order.refunds.len(), 1);
    assert_eq!(nets(&order).1, dec("93.91") - order.refunds[0].lines[0].net);
    assert!((order.refunds[0].lines[0].net - dec("42.455")).abs() <= dec("0.005"));
}

#[test]
fn an_edit_that_added_goods_closes_on_the_current_totals() {
    let order = order(&[("/subtotal_price", json!("33.91")), ("/total_price", json!("51.80"))]);
    assert!(closes(&order), "{:?}", order.closings);
    assert_eq!((order.closings[0].field.as_str(), order.total), ("current_subtotal_price", dec("136.80")));
}

#[test]
fn the_graphql_node_reads_as_the_order_it_is() {
    let order = snapshot(Platform::Shopify, "", SHOPIFY_NODE);
    // 66 - 11 - 5 of tax inside; one of three refunded at 22 - 2.
    assert_eq!(nets(&order), (dec("50"), dec("30")));
    assert!(closes(&order) && order.problems.is_empty(), "{order:?}");
    assert_eq!((order.external_id.as_str(), order.currency.code()), ("8734179754290", "CAD"));
    assert_eq!(order.lines[0].product.variant_id.as_deref(), Some("72"));
    assert_eq!((order.refunds[0].external_id.as_str(), order.refunds[0].unallocated), ("9", dec("0")));
    for (place, value) in [
        ("note_attribute:ref", "D-1"),
        ("discount_code", "TEN"),
        ("landing_url:ref", "D-1"),
        ("customer_tag", "D-9"),
        ("order_tag", "mlm"),
        ("customer", "5"),
    ] {
        assert_eq!(values(&order.places, place), [value], "{place}");
    }
    assert_eq!(values(&order.lines[0].places, "line_property:ref"), ["D-2"]);
}

#[test]
fn a_node_read_without_its_discounts_has_them_in_the_subtotal() {
    let mut node: serde_json::Value = serde_json::from_str(SHOPIFY_NODE).unwrap();
    let line = node.pointer_mut("/data/order/lineItems/edges/0/node").unwrap().as_object_mut().unwrap();
    line.remove("discountAllocations");
    assert_eq!(nets(&snapshot(Platform::Shopify, "", &node.to_string())).0, dec("50"));
}

#[test]
fn a_full_refund_valued_at_nothing_still_takes_its_goods() {
    let order = snapshot(
        Platform::Shopify,
        "",
        &changed(
            SHOPIFY_NODE,
            &[
                ("/data/order/refunds/0/refundLineItems/nodes/0/quantity", json!(3)),
                ("/data/order/refunds/0/refundLineItems/nodes/0/subtotalSet/shopMoney/amount", json!("0.0")),
                ("/data/order/refunds/0/refundLineItems/nodes/0/totalTaxSet/shopMoney/amount", json!("0.0")),
                ("/data/order/refunds/0/totalRefundedSet/shopMoney/amount", json!("60.0")),
                ("/data/order/lineItems/edges/0/node/currentQuantity", json!(0)),
            ],
        ),
    );
    assert_eq!(nets(&order).1, dec("0"));
}

#[test]
fn other_topics_say_what_they_are() {
    let told = |topic: &str, body: &str| reports(Platform::Shopify, topic, body).unwrap().remove(0);
    assert!(matches!(told("orders/delete", r#"{"id":820982911946154508}"#),
        Report::Deleted { order, at: Some(_) } if order == "820982911946154508"));
    assert!(matches!(told("orders/edited", r#"{"order_edit":{"id":1,"order_id":820982911946154508}}"#),
        Report::Hint { order, .. } if order == "820982911946154508"));
    for topic in ["collections/update", "app/uninstalled", "orders/risk_assessment_changed"] {
        assert!(matches!(told(topic, "{}"), Report::Ignored { .. }));
    }
    let wrapped = format!("{{\"order\":{SHOPIFY_ORDER}}}");
    assert!(matches!(told("", &wrapped), Report::Snapshot(_)));
}

#[test]
fn unusable_payloads_are_errors_and_unusable_fields_are_problems() {
    let error = |body: &str| reports(Platform::Shopify, "orders/create", body).unwrap_err();
    assert_eq!(error("{}"), ParseError::Missing { field: "id" });
    assert_eq!(error(r#"{"id":1}"#), ParseError::Missing { field: "currency" });
    assert_eq!(error(r#"{"id":1,"currency":"USD"}"#), ParseError::Missing { field: "line_items" });
    assert!(matches!(error("7"), ParseError::Json { .. }));
    assert!(matches!(error(r#"{"id":1,"id":2}"#), ParseError::Json { .. }));
    assert_eq!(fields(error(r#"{"id":1,"currency":"dollars","line_items":[]}"#)), ["currency"]);
    for (pointer, value, field) in [
        ("/line_items/0/quantity", json!(-1), "line_items[0].quantity"),
        ("/line_items/0/price", json!("NaN"), "line_items[0].price"),
        ("/line_items/0/price", json!(null), "line_items[0].price"),
        ("/line_items/1/tax_lines/0/price", json!("9999999999999999"), "line_items[1].tax_lines[0].price"),
        ("/total_price", json!("1e400"), "total_price"),
        (
            "/line_items/0/discount_allocations/0/amount",
            json!({}),
            "line_items[0].discount_allocations[0].amount",
        ),
        ("/line_items/2/id", json!(null), "line_items[2].id"),
    ] {
        let order = order(&[(pointer, value)]);
        assert_eq!(order.problems.first().map(|problem| problem.field.as_str()), Some(field));
    }
}
