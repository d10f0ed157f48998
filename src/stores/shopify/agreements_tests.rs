//! The same order as webhooks tell it and as a pull reads it earns the same, line by line.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::core::net::{OrderNet, commissionable};
use crate::core::order::{OrderSnapshot, OrderState, Report};
use crate::stores::testing::*;
use crate::stores::{PULLED_ORDER, Platform};

const CASES: &str = include_str!("testdata/agreements.json");

struct Case {
    name: String,
    sold: Decimal,
    left: Decimal,
    rest: Value,
    node: Value,
}

fn cases() -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |case: &Value| Case {
        name: text(&case["name"]),
        sold: dec(&text(&case["sold"])),
        left: dec(&text(&case["left"])),
        rest: case["rest"].clone(),
        node: case["node"].clone(),
    };
    cases.iter().map(case).collect()
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

fn pulled(node: &Value) -> OrderSnapshot {
    snapshot(Platform::Shopify, PULLED_ORDER, &node.to_string())
}

fn told(rest: &Value) -> OrderSnapshot {
    snapshot(Platform::Shopify, "orders/updated", &rest.to_string())
}

fn net(order: &OrderSnapshot) -> OrderNet {
    let state = OrderState { snapshot: Some(order.clone()), ..OrderState::default() };
    commissionable(order, &state.refunds())
}

/// A place in the ledger of sales of a node.
fn sale(node: &mut Value, agreement: usize, sale: usize) -> &mut Value {
    &mut node["agreements"]["edges"][agreement]["node"]["sales"]["nodes"][sale]
}

#[test]
fn webhooks_and_pulls_agree_on_every_line() {
    for case in cases() {
        let (told, pulled) = (told(&case.rest), pulled(&case.node));
        for order in [&told, &pulled] {
            assert!(closes(order) && order.problems.is_empty(), "{}: {order:#?}", case.name);
            assert_eq!(nets(order), (case.sold, case.left), "{}: {order:#?}", case.name);
        }
        let lines = |order| net(order).lines.into_iter().map(|line| (line.line.clone(), line.net()));
        assert!(lines(&told).eq(lines(&pulled)), "{}", case.name);
        assert_eq!(pulled.closings.last().unwrap().field, "agreements");
    }
}

#[test]
fn the_same_orders_without_their_ledger_are_read_as_before() {
    for mut case in cases() {
        case.node.as_object_mut().unwrap().remove("agreements");
        let order = pulled(&case.node);
        assert!(closes(&order) && order.problems.is_empty(), "{}: {order:#?}", case.name);
        assert_eq!(nets(&order), (case.sold, case.left), "{}: {order:#?}", case.name);
    }
}

#[test]
fn a_refund_is_the_same_whoever_tells_it() {
    let case = case("one of two and the shipping back");
    let (told, pulled) = (told(&case.rest), pulled(&case.node));
    assert_eq!(told.refunds, pulled.refunds);
    let mut state = OrderState::default();
    let bare = reports(Platform::Shopify, "refunds/create", &case.rest["refunds"][0].to_string()).unwrap();
    for report in bare.into_iter().chain([Report::Snapshot(Box::new(pulled.clone()))]) {
        state.absorb(report, pulled.updated_at);
    }
    let ids: Vec<&str> = state.refunds().iter().map(|refund| refund.external_id.as_str()).collect();
    assert_eq!(ids, ["901"]);
    assert_eq!(commissionable(&pulled, &state.refunds()).net(), case.left);
}

#[test]
fn what_an_edit_took_has_the_id_of_a_removal() {
    for name in ["an edit takes one of two", "an edit takes two of three and adds a line"] {
        let case = case(name);
        let ids = |order: OrderSnapshot| -> Vec<String> {
            order.refunds.into_iter().map(|refund| refund.external_id).collect()
        };
        let removed = ids(told(&case.rest));
        assert!(removed.len() == 1 && removed[0].starts_with("removed:"));
        assert_eq!(removed, ids(pulled(&case.node)), "{name}");
    }
}

#[test]
fn an_exchange_takes_the_goods_once() {
    let order = pulled(&case("an exchange").node);
    // The return's agreement holds the goods, the refund names them: they are the refund's.
    assert_eq!(order.refunds.len(), 1);
    assert_eq!((order.refunds[0].external_id.as_str(), order.refunds[0].lines[0].net), ("905", dec("40")));
    assert_eq!((order.refunds[0].unallocated, order.refunds[0].amount), (dec("0"), dec("10")));
}

#[test]
fn a_return_that_the_order_counts_is_a_removal_until_its_refund_comes() {
    let mut node = case("an exchange").node;
    node["refunds"] = json!([]);
    let order = pulled(&node);
    assert_eq!((order.refunds.len(), order.refunds[0].external_id.as_str()), (1, "removed:24"));
    assert!(closes(&order) && nets(&order).1 == dec("30"));
}

#[test]
fn a_return_that_is_only_agreed_takes_nothing() {
    let mut node = case("an exchange").node;
    node["refunds"] = json!([]);
    node["lineItems"]["nodes"][0]["currentQuantity"] = json!(1);
    for total in ["currentSubtotalPriceSet", "currentTotalPriceSet"] {
        node[total]["shopMoney"]["amount"] = json!("70.0");
    }
    let order = pulled(&node);
    assert!(closes(&order) && order.refunds.is_empty(), "{order:#?}");
    assert_eq!(nets(&order).1, dec("70"));
}

#[test]
fn a_ledger_that_does_not_add_up_holds_the_order() {
    let mut node = case("one of two and the shipping back").node;
    sale(&mut node, 1, 0)["totalAmount"]["shopMoney"]["amount"] = json!("-9.0");
    let order = pulled(&node);
    let closing = order.closings.last().unwrap();
    assert_eq!((closing.field.as_str(), closing.difference()), ("agreements", dec("-1")));
    // A sale that is missing is seen the same way.
    let mut node = case("five off").node;
    node["agreements"]["edges"][0]["node"]["sales"]["nodes"][0]["totalAmount"]["shopMoney"]["amount"] =
        json!("0");
    assert!(!closes(&pulled(&node)));
}

#[test]
fn a_sale_counts_once_however_often_it_is_told() {
    let mut node = case("one of two and the shipping back").node;
    let again = node["agreements"]["edges"][1].clone();
    node["agreements"]["edges"].as_array_mut().unwrap().push(again);
    let order = pulled(&node);
    assert!(closes(&order));
    assert_eq!(nets(&order).1, dec("10"));
}

#[test]
fn money_for_no_line_beside_goods_is_what_the_agreement_says() {
    let mut node = case("one of two and the shipping back").node;
    node["refunds"][0]["totalRefundedSet"]["shopMoney"]["amount"] = json!("18.0");
    // Nobody says what the three are for; they went back all the same.
    assert_eq!(pulled(&node).refunds[0].unallocated, dec("3"));
    let mut goodwill = sale(&mut node, 1, 1).clone();
    goodwill["id"] = json!("gid://shopify/AdjustmentSale/1");
    goodwill["lineType"] = json!("ADJUSTMENT");
    goodwill["totalAmount"]["shopMoney"]["amount"] = json!("-3.0");
    node["agreements"]["edges"][1]["node"]["sales"]["nodes"].as_array_mut().unwrap().push(goodwill);
    assert_eq!(pulled(&node).refunds[0].unallocated, dec("3"));
    // A fee that was kept back does not bring goods back.
    sale(&mut node, 1, 2)["totalAmount"]["shopMoney"]["amount"] = json!("4.0");
    node["refunds"][0]["totalRefundedSet"]["shopMoney"]["amount"] = json!("11.0");
    let order = pulled(&node);
    assert_eq!((order.refunds[0].unallocated, nets(&order).1), (dec("0"), dec("10")));
}

#[test]
fn refunds_that_only_their_agreement_tells_count() {
    let mut node = case("one of two and the shipping back").node;
    node.as_object_mut().unwrap().remove("refunds");
    let order = pulled(&node);
    assert_eq!((order.refunds[0].external_id.as_str(), order.refunds[0].amount), ("901", dec("15")));
    assert_eq!((nets(&order).1, order.refunds[0].unallocated), (dec("10"), dec("0")));
}

#[test]
fn lists_that_go_on_and_unknown_kinds_are_problems() {
    let mut node = case("five off").node;
    let field = |node: &Value| pulled(node).problems.first().map(|problem| problem.field.clone());
    node["lineItems"]["pageInfo"]["hasNextPage"] = json!(true);
    assert_eq!(field(&node).as_deref(), Some("lineItems"));
    node["lineItems"]["pageInfo"]["hasNextPage"] = json!(false);
    node["agreements"]["edges"][0]["node"]["sales"]["pageInfo"]["hasNextPage"] = json!(true);
    assert_eq!(field(&node).as_deref(), Some("agreements.sales"));
    node["agreements"]["edges"][0]["node"]["sales"]["pageInfo"]["hasNextPage"] = json!(false);
    assert_eq!(field(&node), None);
    for (name, value) in [("actionType", "UNKNOWN"), ("lineType", "UNKNOWN")] {
        let mut node = node.clone();
        sale(&mut node, 0, 0)[name] = json!(value);
        assert_eq!(field(&node), Some(format!("agreements[0].sales[0].{name}")));
    }
    sale(&mut node, 0, 0)["lineItem"]["id"] = json!("gid://shopify/LineItem/999");
    assert_eq!(field(&node).as_deref(), Some("line_items"));
}
