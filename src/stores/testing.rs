//! What the platforms' tests share: payloads, and the figures that are looked at.

use rust_decimal::Decimal;

use super::{DeliveryMeta, ParseError, Platform, parse};
use crate::core::net::commissionable;
use crate::core::order::{OrderSnapshot, OrderState, PlaceValue, Report};

pub const SHOPIFY_ORDER: &str = include_str!("shopify/testdata/order.json");
pub const SHOPIFY_REFUND: &str = include_str!("shopify/testdata/refund.json");
pub const SHOPIFY_NODE: &str = include_str!("shopify/testdata/graphql_order.json");
pub const WOO_ORDER: &str = include_str!("woocommerce/testdata/order.json");
pub const WOO_STOREFRONT: &str = include_str!("woocommerce/testdata/storefront_order.json");
pub const WOO_REFUNDS: &str = include_str!("woocommerce/testdata/refunds.json");
pub const MAGENTO_ORDER: &str = include_str!("magento/testdata/order.json");
pub const MAGENTO_INVOICE: &str = include_str!("magento/testdata/invoice.json");
pub const DIRECT_SHORT: &str =
    r#"{"shopify_order_id":"1234","sku":"A1123","customer_id":"5678","referrer_id":"9012","amount":99.00}"#;
pub const DIRECT_LONG: &str = r#"{"platform":"shopify","platform_order_id":"587364120","order_ts":"2025-08-28T08:11:04Z","status":"paid","currency":"USD","distributor_ref":"ABC123","items":[{"platform_sku":"KIT-STARTER-001","qty":1,"unit_price":99.00}],"total":96.92}"#;

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn meta(topic: &str) -> DeliveryMeta {
    DeliveryMeta {
        topic: Some(topic.to_owned()),
        triggered_at: super::body::instant("2026-03-02T15:05:01Z"),
        ..DeliveryMeta::default()
    }
}

pub fn reports(platform: Platform, topic: &str, body: &str) -> Result<Vec<Report>, ParseError> {
    parse(platform, &meta(topic), body.as_bytes())
}

pub fn snapshot(platform: Platform, topic: &str, body: &str) -> OrderSnapshot {
    let reports = reports(platform, topic, body).unwrap();
    let snapshots = reports.into_iter().filter_map(|report| match report {
        Report::Snapshot(snapshot) => Some(*snapshot),
        _ => None,
    });
    let all: Vec<OrderSnapshot> = snapshots.collect();
    assert_eq!(all.len(), 1);
    all.into_iter().next().unwrap()
}

/// A payload with some fields set, by JSON pointer; a missing last key is added.
pub fn changed(body: &str, changes: &[(&str, serde_json::Value)]) -> String {
    let mut value: serde_json::Value = serde_json::from_str(body).unwrap();
    for (pointer, new) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} is not in the payload"));
        match parent {
            serde_json::Value::Array(items) => items[key.parse::<usize>().unwrap()] = new.clone(),
            object => object[key] = new.clone(),
        }
    }
    value.to_string()
}

/// Net before and after the snapshot's own refunds.
pub fn nets(order: &OrderSnapshot) -> (Decimal, Decimal) {
    let state = OrderState { snapshot: Some(order.clone()), ..OrderState::default() };
    let net = commissionable(order, &state.refunds());
    (net.sold(), net.net())
}

pub fn closes(order: &OrderSnapshot) -> bool {
    !order.closings.is_empty() && order.closings.iter().all(|closing| closing.difference().is_zero())
}

pub fn values<'p>(places: &'p [PlaceValue], place: &str) -> Vec<&'p str> {
    places.iter().filter(|found| found.place == place).map(|found| found.value.as_str()).collect()
}

pub fn fields(error: ParseError) -> Vec<String> {
    match error {
        ParseError::Fields(problems) => problems.into_iter().map(|problem| problem.field).collect(),
        other => panic!("{other}"),
    }
}
