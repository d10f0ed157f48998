//! Orders that were read with their invoices and credit memos.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::core::order::{OrderSnapshot, OrderState, Refund, Report};
use crate::stores::testing::*;
use crate::stores::{DeliveryMeta, ParseError, Platform, parse};

/// Read at `15:05:seconds`.
fn read(body: &str, seconds: u32) -> Result<OrderSnapshot, ParseError> {
    let meta = DeliveryMeta {
        topic: Some("pull.order".into()),
        triggered_at: crate::stores::body::instant(&format!("2026-05-02T15:05:{seconds:02}Z")),
        ..DeliveryMeta::default()
    };
    let reports = parse(Platform::Magento, &meta, body.as_bytes())?;
    match reports.into_iter().next() {
        Some(Report::Snapshot(snapshot)) => Ok(*snapshot),
        other => panic!("{other:?}"),
    }
}

fn order_with(changes: &[(&str, Value)]) -> Value {
    serde_json::from_str(&changed(MAGENTO_ORDER, changes)).unwrap()
}

fn body(order: &Value, invoices: Value, memos: Value) -> String {
    json!({"order": order, "invoices": invoices, "creditmemos": memos}).to_string()
}

fn pulled(order: &Value, invoices: Value, memos: Value) -> OrderSnapshot {
    read(&body(order, invoices, memos), 0).unwrap()
}

/// One of two hoodies and the kit's ball, with tax 3 and shipping 5: 62.55 + 27 + 8 = 97.55.
fn memo(id: u64, changes: &[(&str, Value)]) -> Value {
    let memo = json!({
        "entity_id": id, "order_id": 77, "state": 2, "created_at": "2026-05-01 10:00:00",
        "base_currency_code": "USD", "order_currency_code": "EUR", "base_grand_total": 97.55, "grand_total": 87.8,
        "base_subtotal": 96.5, "base_discount_amount": -6.95, "base_shipping_amount": 5, "base_tax_amount": 3,
        "base_adjustment_positive": 0, "base_adjustment_negative": 0,
        "items": [
            {"order_item_id": 1, "qty": 1, "base_price": 69.5, "base_row_total": 69.5, "base_discount_amount": 6.95},
            {"order_item_id": 2, "qty": 1, "base_price": 0},
            {"order_item_id": 3, "qty": 1, "base_price": 68},
            {"order_item_id": 4, "qty": 1, "base_price": 27, "base_row_total": 27},
        ]
    });
    serde_json::from_str(&changed(&memo.to_string(), changes)).unwrap()
}

fn lines(refund: &Refund) -> Vec<(&str, Decimal, Decimal)> {
    refund.lines.iter().map(|line| (line.line.as_str(), line.quantity, line.net)).collect()
}

#[test]
fn credit_memos_are_refunds_line_by_line() {
    let order = order_with(&[("/base_total_refunded", json!(97.55))]);
    let order = pulled(&order, json!([]), json!([memo(4, &[])]));
    assert!(closes(&order) && order.problems.is_empty(), "{:?} {:?}", order.closings, order.problems);
    let refund = &order.refunds[0];
    assert_eq!(lines(refund), [("1", dec("1"), dec("62.55")), ("4", dec("1"), dec("27"))]);
    assert_eq!(
        (refund.external_id.as_str(), refund.amount, refund.unallocated),
        ("4", dec("97.55"), dec("0"))
    );
    assert_eq!(refund.at.unwrap().to_rfc3339(), "2026-05-01T10:00:00+00:00");
    assert_eq!(nets(&order).1, dec("229.1") - dec("89.55"));
    assert_eq!(order.read_at.unwrap().to_rfc3339(), "2026-05-02T15:05:00+00:00");
}

#[test]
fn only_refunded_memos_count() {
    let order = order_with(&[("/base_total_refunded", json!(97.55))]);
    let memos = json!([memo(4, &[("/state", json!(1))]), memo(5, &[]), memo(6, &[("/state", json!(3))])]);
    let order = pulled(&order, json!([]), memos);
    assert!(closes(&order));
    assert_eq!(order.refunds.iter().map(|refund| refund.external_id.as_str()).collect::<Vec<_>>(), ["5"]);
}

#[test]
fn adjustments_give_more_or_keep_some() {
    let refund = |positive: &str, negative: &str, total: &str| {
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let memo = memo(
            4,
            &[
                ("/base_adjustment_positive", number(positive)),
                ("/base_adjustment_negative", number(negative)),
                ("/base_grand_total", number(total)),
            ],
        );
        let order = order_with(&[("/base_total_refunded", number(total))]);
        let order = pulled(&order, json!([]), json!([memo]));
        assert!(closes(&order));
        order.refunds[0].clone()
    };
    let more = refund("4", "1", "100.55");
    assert_eq!((more.unallocated, more.lines[0].net), (dec("3"), dec("62.55")));
    // 10 of 97.55 are kept, of which the goods are 89.55: 9.18, by 62.55 and 27.
    let kept = refund("0", "10", "87.55");
    assert_eq!((kept.unallocated, kept.amount), (dec("0"), dec("87.55")));
    assert_eq!(lines(&kept), [("1", dec("1"), dec("56.14")), ("4", dec("1"), dec("24.23"))]);
    assert_eq!(refund("0", "97.55", "0").lines.iter().map(|line| line.net).sum::<Decimal>(), dec("0"));
}

#[test]
fn a_row_is_exact_where_the_price_is_rounded() {
    // 2 of 3 for 25.21 with 0.80 discount of which 0.13 is tax.
    let items = json!([{"order_item_id": 1, "qty": 2, "base_price": 8.4, "base_row_total": 16.81,
        "base_discount_amount": 0.8, "base_discount_tax_compensation_amount": 0.13}]);
    let order = order_with(&[("/base_total_refunded", json!(97.55))]);
    let order = pulled(&order, json!([]), json!([memo(4, &[("/items", items)])]));
    assert_eq!(lines(&order.refunds[0]), [("1", dec("2"), dec("16.14"))]);
}

#[test]
fn money_on_a_part_belongs_to_its_line() {
    // A configurable whose memo tells the money on the child, and one that tells it on both.
    for (own, part, net) in
        [(json!(null), json!(60), "60"), (json!(0), json!(60), "60"), (json!(70), json!(60), "70")]
    {
        let items = json!([
            {"order_item_id": 1, "qty": 1, "base_price": 69.5, "base_row_total": own},
            {"order_item_id": 2, "qty": 1, "base_price": 0, "base_row_total": part},
        ]);
        let order = order_with(&[("/base_total_refunded", json!(97.55))]);
        let order = pulled(&order, json!([]), json!([memo(4, &[("/items", items)])]));
        assert_eq!(lines(&order.refunds[0]), [("1", dec("1"), dec(net))]);
    }
    let strange = json!([{"order_item_id": 99, "qty": 1, "base_row_total": 5}]);
    let order = pulled(&order_with(&[]), json!([]), json!([memo(4, &[("/items", strange)])]));
    assert_eq!(order.problems[0].field, "creditmemos[0].items[0].order_item_id");
}

#[test]
fn memos_are_counted_in_the_orders_own_currency_side() {
    let order = order_with(&[("/base_currency_code", json!(null)), ("/total_refunded", json!(87.8))]);
    let memo = memo(4, &[("/items/0/row_total", json!(62.55)), ("/items/0/discount_amount", json!(6.26))]);
    let order = pulled(&order, json!([]), json!([memo]));
    assert_eq!((order.currency.code(), order.refunds[0].amount), ("EUR", dec("87.8")));
    assert_eq!(order.refunds[0].lines[0].net, dec("56.29"));
}

#[test]
fn documents_that_do_not_add_up_are_told() {
    let difference = |order: &OrderSnapshot, field: &str| {
        order.closings.iter().find(|closing| closing.field == field).map(|closing| closing.difference())
    };
    let order = order_with(&[("/base_total_refunded", json!(100))]);
    let missing = pulled(&order, json!([]), json!([memo(4, &[])]));
    assert_eq!(difference(&missing, "total_refunded"), Some(dec("2.45")));
    let unknown = pulled(&order_with(&[]), json!([]), json!([memo(4, &[])]));
    assert_eq!(difference(&unknown, "total_refunded"), Some(dec("-97.55")));
    // The platform rounds after every memo: 0.125 + 0.125 is 0.26 to it.
    let small = [("/base_grand_total", json!(0.125)), ("/items", json!([]))];
    let order = order_with(&[("/base_total_refunded", json!(0.26))]);
    assert!(closes(&pulled(&order, json!([]), json!([memo(4, &small), memo(5, &small)]))));
}

#[test]
fn invoices_are_checked_against_what_the_order_says_was_invoiced() {
    let order = order_with(&[("/base_total_invoiced", json!(110)), ("/base_subtotal_invoiced", json!(120))]);
    let invoice: Value = serde_json::from_str(MAGENTO_INVOICE).unwrap();
    let cancelled: Value = serde_json::from_str(&changed(MAGENTO_INVOICE, &[("/state", json!(3))])).unwrap();
    let fields = ["total_invoiced", "subtotal_invoiced"];
    let whole = pulled(&order, json!([invoice.clone(), cancelled]), json!([]));
    assert!(closes(&whole), "{:?}", whole.closings);
    assert!(fields.iter().all(|field| whole.closings.iter().any(|closing| closing.field == *field)));
    let half = pulled(&order, json!([]), json!([]));
    assert_eq!(
        half.closings.iter().filter(|closing| !closing.difference().is_zero()).count(),
        2,
        "{:?}",
        half.closings
    );
    let untold = pulled(&order_with(&[]), json!([invoice]), json!([]));
    assert!(closes(&untold), "an order that does not say what was invoiced claims nothing");
}

#[test]
fn an_order_is_only_pulled_with_its_documents() {
    for field in ["order", "invoices", "creditmemos"] {
        let mut whole: Value = serde_json::from_str(&body(&order_with(&[]), json!([]), json!([]))).unwrap();
        whole.as_object_mut().unwrap().remove(field);
        assert_eq!(read(&whole.to_string(), 0).unwrap_err(), ParseError::Missing { field });
    }
}

/// A module's webhook tells a refund by the order's totals, the pull by its memo. Whatever comes in which order and
/// how often, it is one refund, and what was read is what counts.
#[test]
fn a_refund_that_was_pushed_and_read_is_one() {
    let before = order_with(&[]);
    let changes = [
        ("/updated_at", json!("2026-05-01 10:00:00")),
        ("/items/0/qty_refunded", json!(1)),
        ("/items/3/qty_refunded", json!(1)),
        ("/base_total_refunded", json!(97.55)),
    ];
    let after = order_with(&changes);
    let pushed = |order: &Value| snapshot(Platform::Magento, "", &order.to_string());
    let tellings = [
        pushed(&before),
        pushed(&after),
        read(&body(&before, json!([]), json!([])), 0).unwrap(),
        read(&body(&after, json!([]), json!([memo(4, &[])])), 1).unwrap(),
    ];
    for sequence in sequences(tellings.len()) {
        let mut state = OrderState::default();
        for i in &sequence {
            let now = "2026-05-03T00:00:00Z".parse().unwrap();
            state.absorb(Report::Snapshot(Box::new(tellings[*i].clone())), now);
            let refunded: Decimal = state.refunds().iter().map(|refund| refund.amount).sum();
            assert!(refunded <= dec("97.55"), "{sequence:?}");
        }
        let refunds = state.refunds();
        assert_eq!(refunds.len(), 1, "{sequence:?}");
        assert_eq!(refunds[0].external_id, "4", "{sequence:?}");
    }
    // Pushed after the pull: the totals speak again, for the same money, until it is read once more.
    let later = changed(
        &after.to_string(),
        &[("/updated_at", json!("2026-05-04 10:00:00")), ("/status", json!("packed"))],
    );
    let mut state = OrderState::default();
    for telling in tellings.iter().cloned().chain([snapshot(Platform::Magento, "", &later)]) {
        state.absorb(Report::Snapshot(Box::new(telling)), "2026-05-04T10:00:01Z".parse().unwrap());
    }
    assert_eq!(state.refunds().len(), 1);
    assert_eq!(lines(state.refunds()[0]), lines(&tellings[3].refunds[0]));
}

/// Every order of `count` things, and each with its first one told again at the end.
fn sequences(count: usize) -> Vec<Vec<usize>> {
    fn extend(taken: &mut Vec<usize>, count: usize, all: &mut Vec<Vec<usize>>) {
        if taken.len() == count {
            all.push(taken.clone());
            all.push(taken.iter().copied().chain(taken.first().copied()).collect());
        }
        for i in (0..count).filter(|i| !taken.contains(i)).collect::<Vec<_>>() {
            taken.push(i);
            extend(taken, count, all);
            taken.pop();
        }
    }
    let mut all = vec![];
    extend(&mut vec![], count, &mut all);
    all
}
