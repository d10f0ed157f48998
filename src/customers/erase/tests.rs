use super::*;
use crate::stores::{DeliveryMeta, Platform, parse};

fn delivery(topic: &str, body: &str) -> StoredDelivery {
    StoredDelivery {
        id: DeliveryId(Uuid::nil()),
        store: StoreId(1),
        topic: topic.into(),
        delivery_key: None,
        event_key: None,
        triggered_at: None,
        received_at: DateTime::UNIX_EPOCH,
        headers: std::collections::BTreeMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn read(platform: Platform, delivery: &StoredDelivery) -> Result<Vec<Report>, ParseError> {
    let meta = DeliveryMeta { topic: Some(delivery.topic.clone()), ..DeliveryMeta::default() };
    parse(platform, &meta, &delivery.body)
}

fn reduced(platform: Platform, topic: &str, body: &str) -> String {
    let lines = |delivery: &StoredDelivery| read(platform, delivery);
    let before = delivery(topic, body);
    let after = minimal(&before, &lines).unwrap();
    let after = StoredDelivery { body: after, ..before.clone() };
    let orders = |told: Result<Vec<Report>, ParseError>| {
        let orders = |report: &Report| matches!(report, Report::Snapshot(_) | Report::Refund { .. });
        told.ok().map(|all| all.into_iter().filter(orders).collect::<Vec<_>>())
    };
    assert_eq!(orders(read(platform, &before)), orders(read(platform, &after)));
    String::from_utf8(after.body).unwrap()
}

#[test]
fn an_order_keeps_its_money_and_loses_its_people() {
    use crate::stores::testing::{MAGENTO_ORDER, SHOPIFY_NODE, SHOPIFY_ORDER, WOO_ORDER};
    let pulled = format!("{{\"order\":{MAGENTO_ORDER},\"invoices\":[],\"creditmemos\":[]}}");
    for (platform, topic, body) in [
        (Platform::Shopify, "orders/create", SHOPIFY_ORDER),
        (Platform::Shopify, "pull.order", SHOPIFY_NODE),
        (Platform::WooCommerce, "order.updated", WOO_ORDER),
        (Platform::Magento, "orders", MAGENTO_ORDER),
        (Platform::Magento, "pull.order", &pulled),
    ] {
        let after = reduced(platform, topic, body);
        assert!(after.len() < body.len(), "{platform} {topic}");
        for word in ["first_name", "firstname", "email", "address", "phone", "telephone", "city", "@"] {
            assert!(!after.contains(word), "{platform} {topic}: {word} in {after}");
        }
        assert_eq!(reduced(platform, topic, &after), after, "what is minimal stays");
    }
}

#[test]
fn what_nobody_reads_leaves_with_its_text() {
    let woo = |topic: &str, body: &str| reduced(Platform::WooCommerce, topic, body);
    let customer = r#"{"id":7,"date_created_gmt":"2026-01-01T00:00:00","email":"zoe@example.test",
                       "meta_data":[{"key":"nick","value":"Zoe"}]}"#;
    let left = woo("customer.updated", customer);
    assert!(left.contains('7') && !left.contains("Zoe") && !left.contains("zoe"), "{left}");
    assert_eq!(woo("order.created", "{\"billing\":{\"first_name\":\"Zoe\"}}"), "{}", "unreadable");
    assert_eq!(woo("order.created", "not JSON, but Zoe"), "{}");
    assert_eq!(woo("", "webhook_id=3"), "webhook_id=3", "a ping");
    let asked = r#"{"shop_id":9,"customer":{"id":7,"email":"zoe@example.test"},"orders_requested":[11]}"#;
    let left = reduced(Platform::Shopify, "customers/data_request", asked);
    assert!(left.contains("11") && !left.contains("zoe"), "{left}");
}

#[test]
fn numbers_keep_their_own_text() {
    let text = r#"{"a":[1.10,{"b":0.2996666666666667}],"c":"x\u00e9"}"#;
    assert_eq!(Node::read(text).unwrap().to_string(), text);
}
