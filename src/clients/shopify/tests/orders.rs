//! Pages of orders, single orders, and the lists inside them.

use super::*;
use crate::clients::{PulledOrder, StoreApi};
use crate::stores::{DeliveryMeta, PULLED_ORDER, parse};

fn ids(orders: &[PulledOrder]) -> Vec<&str> {
    orders.iter().map(|order| order.external_id.as_str()).collect()
}

fn read_back(order: &PulledOrder) -> crate::core::order::OrderSnapshot {
    let topic = Some(PULLED_ORDER.to_owned());
    let meta = DeliveryMeta { topic, triggered_at: Some(order.read_at), ..DeliveryMeta::default() };
    match parse(Platform::Shopify, &meta, &order.body).unwrap().remove(0) {
        crate::core::order::Report::Snapshot(snapshot) => *snapshot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let script = Script::new(vec![
        data(orders(vec![order(1, "2026-10-05T00:00:00Z"), order(2, "2026-10-06T00:00:00Z")], Some("c2"), 3)),
        data(orders(vec![order(3, "2026-10-07T00:00:00Z")], None, 3)),
    ]);
    let client = script.shop();
    let first = client.orders(&october(), None).unwrap();
    assert_eq!((ids(&first.items), first.remaining, first.wait), (vec!["1", "2"], Some(3), None));
    let last = script.shop().orders(&october(), first.next.as_deref()).unwrap();
    assert_eq!((ids(&last.items), last.remaining, last.next), (vec!["3"], Some(1), None));
    assert_eq!(
        script.variables(0)["query"],
        "updated_at:>='2026-10-01T00:00:00Z' updated_at:<'2026-11-01T00:00:00Z'"
    );
    assert_eq!(
        [&script.variables(0)["sortKey"], &script.variables(0)["after"], &script.variables(1)["after"]],
        [&json!("UPDATED_AT"), &json!(null), &json!("c2")]
    );
    let order = &first.items[0];
    assert_eq!(
        (order.changed_at, order.ordered_at),
        (at("2026-10-05T00:00:00Z"), at("2026-10-30T10:00:00Z"))
    );
    assert_eq!(order.read_at, at("2026-11-01T12:00:00.5Z"));
    assert!(String::from_utf8_lossy(&order.body).contains(r#""amount":"9.50""#), "as the store wrote it");
    let snapshot = read_back(order);
    assert!(snapshot.problems.is_empty() && snapshot.read_at == Some(order.read_at));
    assert!(snapshot.closings.iter().all(|closing| closing.difference().is_zero()), "{snapshot:?}");
}

#[test]
fn the_time_of_reading_is_before_the_try_that_was_answered() {
    let script =
        Script::new(vec![said(503, ""), data(orders(vec![order(1, "2026-10-05T00:00:00Z")], None, 1))]);
    let page = script.shop().orders(&october(), None).unwrap();
    let pause = TimeDelta::milliseconds(i64::try_from(script.pauses()[0]).unwrap());
    assert_eq!(page.items[0].read_at, at("2026-11-01T12:00:00.5Z") + pause);
}

#[test]
fn orders_of_a_day_are_those_sold_on_it_whenever_they_were_written_down() {
    let mut imported = order(1, "2026-10-30T10:00:00Z");
    imported["processedAt"] = json!("2025-03-01T09:00:00Z");
    imported["createdAt"] = json!("2026-10-20T00:00:00Z");
    let mut without = order(2, "2026-10-30T10:00:00Z");
    without["processedAt"] = json!(null);
    let script = Script::new(vec![data(orders(vec![imported, without], None, 2))]);
    let window = Window { by: WindowBy::Ordered, ..october() };
    let page = script.shop().orders(&window, None).unwrap();
    assert_eq!(ids(&page.items), ["2"], "the other one was sold last year");
    assert_eq!(page.items[0].ordered_at, at("2026-10-30T10:00:00Z"));
    assert_eq!(script.variables(0)["sortKey"], "PROCESSED_AT");
    assert!(script.variables(0)["query"].as_str().unwrap().starts_with("processed_at:>="));
}

#[test]
fn a_window_is_widened_to_whole_seconds_and_leaves_later_orders_out() {
    let times = ["2026-10-05T10:00:00Z", "2026-10-05T10:00:09Z", "2026-10-05T10:00:10Z"];
    let all = times.iter().zip(1..).map(|(at, id)| order(id, at)).collect();
    let script = Script::new(vec![data(orders(all, None, 3))]);
    let window = changed("2026-10-05T10:00:00.7Z", "2026-10-05T10:00:09.2Z");
    let page = script.shop().orders(&window, None).unwrap();
    assert_eq!(ids(&page.items), ["1", "2"]);
    assert!(script.variables(0)["query"].as_str().unwrap().ends_with("updated_at:<'2026-10-05T10:00:10Z'"));
}

#[test]
fn fewer_than_there_are_is_no_end() {
    let one = || data(orders(vec![order(1, "2026-10-05T00:00:00Z")], None, 2));
    let two = vec![order(1, "2026-10-05T00:00:00Z"), order(2, "2026-10-05T00:00:00Z")];
    let script = Script::new(vec![one(), data(orders(two, None, 2))]);
    assert_eq!(script.shop().orders(&october(), None).unwrap().items.len(), 2, "asked again");
    script.answer((0..6).map(|_| one()));
    let Err(ApiError::Incomplete(why)) = script.shop().orders(&october(), None) else { panic!() };
    assert_eq!(why, "1 of 2 orders came");
    // A count that is only a lower bound proves nothing.
    let mut vague = orders(vec![order(1, "2026-10-05T00:00:00Z")], None, 10_000);
    vague["ordersCount"]["precision"] = json!("AT_LEAST");
    script.answer([data(vague)]);
    assert_eq!(script.shop().orders(&october(), None).unwrap().items.len(), 1);
}

#[test]
fn a_long_search_is_begun_anew_at_its_last_row() {
    let script = Script::new(vec![data(orders(vec![order(9, "2026-10-09T08:00:00Z")], Some("c"), 9))]);
    let cursor = json!({"from": "2026-10-01T00:00:00Z", "after": "b", "given": 9_999}).to_string();
    let page = script.shop().orders(&october(), Some(&cursor)).unwrap();
    let next: Value = serde_json::from_str(&page.next.unwrap()).unwrap();
    assert_eq!(next, json!({"from": "2026-10-09T08:00:00Z", "after": null, "given": 0}));
    assert!(matches!(script.shop().orders(&october(), Some("page 2")), Err(ApiError::Unsupported(_))));
}

#[test]
fn a_window_before_the_last_60_days_needs_its_scope() {
    let window = changed("2026-08-01T00:00:00Z", "2026-10-01T00:00:00Z");
    let script = Script::new(vec![data(shop(&["read_orders"]))]);
    let client = script.shop();
    for refused in [client.orders(&window, None), client.orders_in_bulk(&window, None)] {
        let Err(ApiError::Forbidden(why)) = refused else { panic!() };
        assert!(why.contains("read_all_orders") && why.contains("2026-08-01"), "{why}");
    }
    assert_eq!(script.operations(), ["Shop"], "asked once");
    let script = Script::new(vec![data(shop(&["read_all_orders"])), data(orders(vec![], None, 0))]);
    script.shop().orders(&window, None).unwrap();
}

#[test]
fn one_order_or_none() {
    let script = Script::new(vec![
        data(json!({"order": order(7, "2026-10-05T00:00:00Z")})),
        data(json!({"order": null})),
        data(shop(&["read_orders", "read_all_orders"])),
    ]);
    let client = script.shop();
    assert_eq!(client.order("7").unwrap().unwrap().external_id, "7");
    assert_eq!(script.variables(0)["id"], "gid://shopify/Order/7");
    assert_eq!(client.order("8").unwrap(), None);
    assert_eq!(client.order("#8").unwrap(), None, "no id of Shopify's, not asked for");
}

#[test]
fn an_order_that_is_only_too_old_to_be_shown_is_not_called_gone() {
    let oldest = || data(orders(vec![order(500, "2026-10-05T00:00:00Z")], Some("c"), 9));
    let script = Script::new(vec![data(json!({"order": null})), data(shop(&["read_orders"])), oldest()]);
    let client = script.shop();
    assert_eq!(client.order("501").unwrap(), None, "younger than one that is shown: deleted");
    assert_eq!(script.variables(2)["sortKey"], "CREATED_AT");
    script.answer([data(json!({"order": null})), oldest()]);
    let Err(ApiError::Forbidden(why)) = client.order("99") else { panic!() };
    assert!(why.contains("read_all_orders") && why.contains("99"), "{why}");
    script.answer([data(json!({"order": null})), data(orders(vec![], None, 0))]);
    assert!(matches!(client.order("501"), Err(ApiError::Forbidden(_))), "nothing is shown at all");
}

/// Every list of the order goes on once.
fn long(id: u64, updated_at: &str) -> Value {
    let mut long = order(id, updated_at);
    for list in ["lineItems", "shippingLines", "agreements"] {
        long[list]["pageInfo"] = json!({"hasNextPage": true, "endCursor": format!("{list}-1")});
    }
    let money = json!({"shopMoney": {"amount": "0.0", "currencyCode": "USD"}});
    let taken = json!({"id": "x", "quantity": 0, "lineItem": {"id": format!("gid://shopify/LineItem/{id}1")},
        "subtotalSet": money, "totalTaxSet": money});
    long["refunds"] = json!([{"id": "gid://shopify/Refund/5", "createdAt": updated_at, "totalRefundedSet": money,
        "refundLineItems": list(vec![taken], Some("r-1")), "refundShippingLines": list(vec![], Some("s-1"))}]);
    long["agreements"]["edges"][0]["node"]["sales"]["pageInfo"] =
        json!({"hasNextPage": true, "endCursor": "sales-1"});
    long
}

fn parts(of: Value, updated_at: &str) -> Response {
    let mut node = json!({"id": "gid", "updatedAt": updated_at});
    node.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    data(json!({ "node": node }))
}

fn refund_parts(of: Value, updated_at: &str) -> Response {
    let mut node = json!({"id": "gid", "order": {"updatedAt": updated_at}});
    node.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    data(json!({ "node": node }))
}

/// The second half of each list: another line at 1.25 with its sale, in a second agreement.
fn second_halves(updated_at: &str) -> Vec<Response> {
    let money = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "USD"}});
    let line = json!({"id": "gid://shopify/LineItem/72", "title": "Cup", "quantity": 1, "currentQuantity": 1,
        "originalUnitPriceSet": money("1.25"), "discountAllocations": [], "taxLines": []});
    let sale = json!({"id": "gid://shopify/ProductSale/99", "actionType": "ORDER", "lineType": "PRODUCT",
        "quantity": 1, "totalAmount": money("1.25"), "totalTaxAmount": money("0"),
        "lineItem": {"id": "gid://shopify/LineItem/72"}});
    let second = json!({"id": "gid://shopify/OrderEditAgreement/8", "happenedAt": updated_at,
        "sales": list(vec![sale.clone()], None)});
    let again = json!({"id": "gid://shopify/OrderAgreement/73", "sales": list(vec![], None)});
    vec![
        parts(json!({"lineItems": list(vec![line], None)}), updated_at),
        parts(json!({"shippingLines": list(vec![], None)}), updated_at),
        refund_parts(json!({"refundLineItems": list(vec![], None)}), updated_at),
        refund_parts(json!({"refundShippingLines": list(vec![], None)}), updated_at),
        parts(
            json!({"agreements": {"edges": [{"cursor": "a2", "node": second}],
                "pageInfo": {"hasNextPage": false, "endCursor": "a2"}}}),
            updated_at,
        ),
        parts(
            json!({"agreements": {"edges": [{"cursor": "a1", "node": again}],
                "pageInfo": {"hasNextPage": true, "endCursor": "a1"}}}),
            updated_at,
        ),
    ]
}

#[test]
fn lists_that_go_on_are_read_to_their_end() {
    let time = "2026-10-05T00:00:00Z";
    let script = Script::new(vec![data(json!({"order": long(7, time)}))]);
    script.answer(second_halves(time));
    let order = script.shop().order("7").unwrap().unwrap();
    let asked: Vec<Value> = (1..7).map(|call| script.variables(call)).collect();
    let switched = |call: usize| -> Vec<&str> {
        let variables = asked[call].as_object().unwrap();
        variables.iter().filter(|(_, on)| **on == json!(true)).map(|(name, _)| name.as_str()).collect()
    };
    let lists: Vec<&str> = (0..6).flat_map(switched).collect();
    let wanted =
        ["lineItems", "shippingLines", "refundLineItems", "refundShippingLines", "agreements", "agreements"];
    assert_eq!(lists, wanted);
    assert_eq!(
        (&asked[0]["after"], &asked[2]["id"]),
        (&json!("lineItems-1"), &json!("gid://shopify/Refund/5"))
    );
    // Sales of the first agreement: the first one after no cursor, its sales after theirs.
    let sales = [&asked[5]["first"], &asked[5]["after"], &asked[5]["salesAfter"]];
    assert_eq!(sales, [&json!(1), &json!(null), &json!("sales-1")]);
    let snapshot = read_back(&order);
    assert_eq!(snapshot.lines.len(), 2);
    let problems: Vec<&str> = snapshot.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn an_order_that_changes_while_it_is_read_is_read_again() {
    let (before, after) = ("2026-10-05T00:00:00Z", "2026-10-05T00:00:07Z");
    let script = Script::new(vec![data(orders(vec![long(7, before)], None, 1))]);
    script.answer([parts(json!({"lineItems": list(vec![], None)}), after)]);
    script.answer([data(json!({"order": long(7, after)}))]);
    script.answer(second_halves(after));
    let page = script.shop().orders(&october(), None).unwrap();
    assert_eq!(page.items[0].changed_at, at(after));
    assert_eq!(script.operations()[..3], ["Orders", "OrderParts", "Order"]);
    // Every time anew: it is told with the lists that go on, which whoever reads it does not take for whole.
    let script = Script::new(vec![data(json!({"order": long(7, before)}))]);
    let changed = || parts(json!({"lineItems": list(vec![], None)}), after);
    let again = || data(json!({"order": long(7, before)}));
    script.answer([changed(), again(), changed(), again(), changed()]);
    let order = script.shop().order("7").unwrap().unwrap();
    assert!(!read_back(&order).problems.is_empty());
}
