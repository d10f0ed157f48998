use serde_json::json;

use super::{DirectDefaults, DirectOrder, ParseError, Platform, parse};
use crate::core::money::Currency;
use crate::core::order::Payment;
use crate::stores::testing::*;

fn defaults() -> DirectDefaults {
    DirectDefaults {
        currency: Currency::parse("USD"),
        received_at: super::body::instant("2025-09-01T00:00:00Z"),
    }
}

fn long(changes: &[(&str, serde_json::Value)]) -> Result<DirectOrder, ParseError> {
    parse(changed(DIRECT_LONG, changes).as_bytes(), &DirectDefaults::default())
}

#[test]
fn the_short_shape_verbatim() {
    let DirectOrder { platform, snapshot } = parse(DIRECT_SHORT.as_bytes(), &defaults()).unwrap();
    assert_eq!((platform, snapshot.external_id.as_str()), (Platform::Shopify, "1234"));
    assert_eq!(
        (snapshot.payment, snapshot.total, snapshot.currency.code()),
        (Payment::Paid, dec("99"), "USD")
    );
    assert_eq!(snapshot.ordered_at.to_rfc3339(), "2025-09-01T00:00:00+00:00");
    assert_eq!(snapshot.lines[0].product.sku.as_deref(), Some("A1123"));
    assert_eq!(nets(&snapshot).0, dec("99.00"));
    assert_eq!(values(&snapshot.places, "referrer_id"), ["9012"]);
    assert_eq!(values(&snapshot.places, "customer"), ["5678"]);
}

#[test]
fn the_long_shape_verbatim() {
    let DirectOrder { platform, snapshot } = long(&[]).unwrap();
    assert_eq!((platform, snapshot.external_id.as_str()), (Platform::Shopify, "587364120"));
    assert_eq!(snapshot.ordered_at.to_rfc3339(), "2025-08-28T08:11:04+00:00");
    assert_eq!((snapshot.lines[0].gross, snapshot.lines[0].discount), (dec("99"), dec("2.08")));
    assert_eq!(nets(&snapshot).0, dec("96.92"));
    assert_eq!(values(&snapshot.places, "distributor_ref"), ["ABC123"]);
}

#[test]
fn a_lower_total_is_a_discount_and_a_higher_one_is_not_ours() {
    let items = json!([
        {"platform_sku": "A", "qty": 1, "unit_price": 10},
        {"platform_sku": "B", "qty": 1, "unit_price": "10.00"},
        {"platform_sku": "C", "qty": 2, "unit_price": 5.00},
    ]);
    let order = long(&[("/items", items.clone()), ("/total", json!(29.99))]).unwrap().snapshot;
    let discounts: Vec<_> = order.lines.iter().map(|line| line.discount).collect();
    assert_eq!(discounts, [dec("0.01"), dec("0"), dec("0")]);
    assert_eq!(nets(&order).0, dec("29.99"));
    let order = long(&[("/items", items.clone()), ("/total", json!(35))]).unwrap().snapshot;
    assert_eq!((nets(&order).0, order.total), (dec("30"), dec("35")));
    let order = long(&[("/items", items), ("/total", json!(null))]).unwrap().snapshot;
    assert_eq!(order.total, dec("30"));
}

#[test]
fn every_unusable_field_is_named_at_once() {
    let error = long(&[
        ("/platform", json!("ebay")),
        ("/order_ts", json!("yesterday")),
        ("/status", json!("perhaps")),
        ("/currency", json!("XXZ")),
        ("/items/0", json!({"qty": 0, "unit_price": -1})),
        ("/total", json!("much")),
    ]);
    let wanted = [
        "platform",
        "currency",
        "order_ts",
        "order_ts",
        "status",
        "items[0].platform_sku",
        "items[0].qty",
        "items[0].unit_price",
        "total",
    ];
    assert_eq!(fields(error.unwrap_err()), wanted);
    assert_eq!(
        fields(parse(b"{}", &DirectDefaults::default()).unwrap_err()),
        ["platform_order_id", "currency", "order_ts", "sku", "amount"]
    );
    assert_eq!(fields(long(&[("/items", json!([]))]).unwrap_err()), ["items"]);
    assert_eq!(
        fields(long(&[("/items/0/unit_price", json!("0.001"))]).unwrap_err()),
        ["items[0].unit_price"]
    );
    assert_eq!(
        fields(long(&[("/shopify_order_id", json!("1")), ("/platform", json!("magento"))]).unwrap_err()),
        ["platform"]
    );
}

#[test]
fn statuses() {
    for (status, payment, cancelled, refunds) in [
        ("paid", Payment::Paid, false, 0),
        ("PAID", Payment::Paid, false, 0),
        ("pending", Payment::Unpaid, false, 0),
        ("cancelled", Payment::Unpaid, true, 0),
        ("voided", Payment::Voided, false, 0),
        ("refunded", Payment::Paid, false, 1),
    ] {
        let order = long(&[("/status", json!(status))]).unwrap().snapshot;
        assert_eq!(
            (order.payment, order.cancelled, order.refunds.len()),
            (payment, cancelled, refunds),
            "{status}"
        );
    }
    let refunded = long(&[("/status", json!("refunded"))]).unwrap().snapshot;
    assert_eq!(nets(&refunded).1, dec("0"));
}
