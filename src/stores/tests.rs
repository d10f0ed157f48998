use proptest::prelude::*;
use rust_decimal::Decimal;

use super::testing::*;
use super::*;
use crate::core::order::{OrderSnapshot, OrderState};

const PAYLOADS: [(Platform, &str, &str); 11] = [
    (Platform::Shopify, "orders/updated", SHOPIFY_ORDER),
    (Platform::Shopify, "refunds/create", SHOPIFY_REFUND),
    (Platform::Shopify, "", SHOPIFY_NODE),
    (Platform::WooCommerce, "order.updated", WOO_ORDER),
    (Platform::WooCommerce, "order.restored", WOO_STOREFRONT),
    (Platform::WooCommerce, "", WOO_ORDER),
    (Platform::Magento, "", MAGENTO_ORDER),
    (Platform::Magento, "", MAGENTO_INVOICE),
    (Platform::Direct, "", DIRECT_SHORT),
    (Platform::Direct, "", DIRECT_LONG),
    (Platform::WooCommerce, "order.deleted", r#"{"id":25}"#),
];

/// What stores, plugins and attackers have been seen to put where a value should be.
fn nasty() -> impl Strategy<Value = serde_json::Value> {
    let literals = [
        "null",
        "\"\"",
        "0",
        "-1",
        "1e400",
        "-1e-400",
        "\"NaN\"",
        "\"1e28\"",
        "9223372036854775808",
        "999999999999",
        "\"999999999999.9999999999\"",
        "\"0.0000000001\"",
        "true",
        "[]",
        "{}",
        "[[[]]]",
        "\"\\u0000\"",
        "\"12,50\"",
        "\"-0.00\"",
        "1.7976931348623157e308",
        "\"2026-02-30\"",
        "\"gid://shopify/Order/\"",
        "\"\u{202e}\"",
    ];
    // Numbers that no float holds are kept as text, as they would be on the wire.
    prop::sample::select(literals.to_vec()).prop_map(|text| {
        serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
    })
}

fn pointers(value: &serde_json::Value, at: String, all: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, inner)| {
                pointers(inner, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all)
            });
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, inner)| pointers(inner, format!("{at}/{i}"), all));
        }
        _ => {}
    }
    if !at.is_empty() {
        all.push(at);
    }
}

/// Whatever was read must also be computable: no panic in sums, ages or hashes.
fn computable(reports: Vec<Report>) {
    let mut state = OrderState::default();
    let at = super::body::instant("2026-01-01T00:00:00Z").unwrap();
    for report in reports {
        if let Report::Snapshot(snapshot) = &report {
            let _: (Decimal, Decimal) = nets(snapshot);
            let age = OrderSnapshot::age(snapshot);
            assert_eq!(age, snapshot.clone().age());
        }
        state.absorb(report, at);
    }
    let _ = state.is_deleted();
    let _ = state.refunds();
}

#[test]
fn platforms_are_named_one_way() {
    for platform in Platform::ALL {
        assert_eq!(platform.to_string().parse(), Ok(platform));
        assert_eq!(serde_json::to_string(&platform).unwrap(), format!("\"{platform}\""));
    }
    assert!("ebay".parse::<Platform>().is_err());
}

#[test]
fn the_same_fact_has_one_key_and_two_deletions_have_two() {
    let with =
        |topic: &str, delivery: &str| DeliveryMeta { delivery_key: Some(delivery.to_owned()), ..meta(topic) };
    let key = |topic: &str, delivery: &str, body: &[u8]| {
        dedupe_key(Platform::WooCommerce, &with(topic, delivery), body)
    };
    assert_eq!(key("order.updated", "a", b"{}"), key("order.updated", "b", b"{}"));
    assert_ne!(key("order.updated", "a", b"{}"), key("order.created", "a", b"{}"));
    assert_ne!(key("order.updated", "a", b"{}"), key("order.updated", "a", b"{} "));
    for topic in ["order.deleted", "orders/delete", "action.woocommerce_order_status_changed"] {
        assert_ne!(key(topic, "a", b"{}"), key(topic, "b", b"{}"));
        assert_eq!(key(topic, "a", b"{}"), key(topic, "a", b"{}"));
    }
    assert_ne!(key("order.deleted", "ab", b"c"), key("order.deleted", "a", b"bc"));
}

#[test]
fn every_payload_reads_alike_every_time() {
    for (platform, topic, body) in PAYLOADS {
        assert_eq!(reports(platform, topic, body), reports(platform, topic, body));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_an_answer(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for platform in Platform::ALL {
            for topic in ["", "orders/create", "refunds/create", "order.created", "order.deleted"] {
                if let Ok(reports) = parse(platform, &meta(topic), &body) {
                    computable(reports);
                }
            }
        }
    }

    #[test]
    fn a_changed_byte_is_an_answer(
        which in 0..PAYLOADS.len(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (platform, topic, body) = PAYLOADS[which];
        let mut changed = body.as_bytes().to_vec();
        *at.get_mut(&mut changed) = byte;
        if let Ok(reports) = parse(platform, &meta(topic), &changed) {
            computable(reports);
        }
        changed.truncate(cut.index(body.len()));
        prop_assert!(parse(platform, &meta(topic), &changed).is_err() || changed.is_empty());
    }

    #[test]
    fn a_nasty_value_anywhere_is_an_answer(
        which in 0..PAYLOADS.len(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), nasty()), 1..4),
    ) {
        let (platform, topic, body) = PAYLOADS[which];
        let mut value: serde_json::Value = serde_json::from_str(body).unwrap();
        for (pick, new) in picks {
            let mut all = Vec::new();
            pointers(&value, String::new(), &mut all);
            if all.is_empty() {
                continue;
            }
            if let Some(slot) = value.pointer_mut(&all[pick.index(all.len())]) {
                *slot = new;
            }
        }
        if let Ok(reports) = parse(platform, &meta(topic), value.to_string().as_bytes()) {
            computable(reports);
        }
    }
}
