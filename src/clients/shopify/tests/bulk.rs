//! Bulk operations: polling, the file in pieces, and everything that can be left out of it.

use super::*;
use crate::clients::{Page, PulledOrder, StoreApi};

const ID: &str = "gid://shopify/BulkOperation/1";

fn started(id: &str) -> Response {
    let run = json!({"bulkOperation": {"id": id, "status": "CREATED"}, "userErrors": []});
    data(json!({ "bulkOperationRunQuery": run }))
}

fn state(status: &str, counts: (u64, u64), file: Option<&str>) -> Response {
    let bulk = json!({"id": ID, "status": status, "errorCode": null, "objectCount": counts.0.to_string(),
        "rootObjectCount": counts.1.to_string(), "fileSize": file.map(|file| file.len().to_string()),
        "url": file.map(|_| "https://files.example/f?sig=1"), "partialDataUrl": null});
    data(json!({ "bulkOperation": bulk }))
}

/// Four lines an order.
fn file(orders: std::ops::Range<u64>) -> String {
    let mut file = String::new();
    for id in orders {
        let mut root = order(id, "2026-10-05T00:00:00Z");
        let lists = ["lineItems", "shippingLines", "agreements"].map(|list| root[list].take());
        root.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        root["__typename"] = json!("Order");
        let gid = root["id"].clone();
        let mut line = lists[0]["nodes"][0].clone();
        (line["__typename"], line["__parentId"]) = (json!("LineItem"), gid.clone());
        let mut agreement = lists[2]["edges"][0]["node"].clone();
        let mut sale = agreement["sales"]["nodes"][0].clone();
        agreement.as_object_mut().unwrap().remove("sales");
        (agreement["__parentId"], sale["__parentId"]) = (gid, agreement["id"].clone());
        for line in [root, line, agreement, sale] {
            file.push_str(&line.to_string());
            file.push('\n');
        }
    }
    file
}

fn piece(file: &str, from: usize, to: usize) -> Response {
    let to = to.min(file.len());
    let range = format!("bytes {from}-{}/{}", to - 1, file.len());
    let headers = vec![("Content-Range".to_owned(), range)];
    Response { status: 206, headers, body: file.as_bytes()[from..to].to_vec() }
}

fn begin(script: &Script, client: &Shopify) -> Page<PulledOrder> {
    script.answer([started(ID)]);
    client.orders_in_bulk(&october(), None).unwrap()
}

#[test]
fn an_operation_is_begun_waited_for_and_read() {
    let script = Script::new(vec![]);
    let client = script.shop();
    let page = begin(&script, &client);
    assert!(page.items.is_empty() && page.wait == Some(Duration::from_secs(1)) && page.next.is_some());
    let query = script.variables(0)["query"].as_str().unwrap().to_owned();
    assert!(query.contains("orders(query: \"updated_at:>='2026-10-01T00:00:00Z' updated_at:<"), "{query}");
    script.later(TimeDelta::minutes(1));
    script.answer([state("RUNNING", (12, 4), None)]);
    let page = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!(page.wait, Some(Duration::from_secs(12)));
    let file = file(1..4);
    script.answer([state("COMPLETED", (12, 3), Some(&file)), piece(&file, 0, file.len())]);
    let page = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!((page.items.len(), page.next, page.remaining), (3, None, Some(3)));
    assert_eq!(page.items[0].read_at, at("2026-11-01T12:00:00.5Z"), "no older than the asking");
    assert!(String::from_utf8_lossy(&page.items[0].body).contains(r#""amount":"9.50""#));
    let download = script.asked().last().unwrap().clone();
    assert_eq!(download.url.as_str(), "https://files.example/f?sig=1");
    let headers: Vec<&str> = download.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(headers, ["Range"], "our token stays with the store");
}

#[test]
fn a_large_file_is_read_in_pieces_and_each_once() {
    let file = file(1..601);
    let script = Script::new(vec![]);
    let client = script.shop();
    let begun = begin(&script, &client);
    let (mut cursor, mut pages, mut ids) = (begun.next, 0, vec![]);
    let half = file.len() / 2;
    while let Some(at) = cursor {
        script.answer([state("COMPLETED", (2400, 600), Some(&file))]);
        match pages {
            0 => script.answer([piece(&file, 0, half)]),
            1 => script.answer([piece(&file, half, file.len())]),
            _ => {}
        }
        let page = client.orders_in_bulk(&october(), Some(&at)).unwrap();
        ids.extend(page.items.into_iter().map(|order| order.external_id.parse::<u64>().unwrap()));
        (cursor, pages) = (page.next, pages + 1);
    }
    assert_eq!(pages, 3, "250, 250, 100");
    assert_eq!(ids, (1..601).collect::<Vec<_>>());
}

#[test]
fn an_interrupted_reading_goes_on_where_it_was() {
    let file = file(1..301);
    let script = Script::new(vec![]);
    let client = script.shop();
    let page = begin(&script, &client);
    script.answer([state("COMPLETED", (1200, 300), Some(&file)), piece(&file, 0, file.len())]);
    let page = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!(page.items.len(), 250);
    let place: Value = serde_json::from_str(page.next.as_deref().unwrap()).unwrap();
    assert_eq!((&place["lines"], &place["orders"]), (&json!(1000), &json!(250)));
    let from = usize::try_from(place["bytes"].as_u64().unwrap()).unwrap();
    script.answer([state("COMPLETED", (1200, 300), Some(&file)), piece(&file, from, file.len())]);
    let last = script.shop().orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!((last.items.len(), last.next), (50, None));
    let range = script.asked().last().unwrap().headers[0].1.clone();
    assert!(range.starts_with(&format!("bytes={from}-")), "{range}");
    // A host that does not know pieces sends all of it.
    let all = Response { status: 200, headers: vec![], body: file.clone().into_bytes() };
    script.answer([state("COMPLETED", (1200, 300), Some(&file)), all]);
    let last = script.shop().orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!((last.items.len(), last.next), (50, None));
}

#[test]
fn whatever_is_left_out_is_an_error_and_then_a_fresh_operation() {
    let whole = file(1..4);
    let cut = whole.rsplit_once("{\"__parentId\"").unwrap().0.to_owned();
    let partial = {
        let bulk = json!({"status": "FAILED", "errorCode": "INTERNAL_SERVER_ERROR", "objectCount": "5",
            "rootObjectCount": "2", "fileSize": null, "url": null, "partialDataUrl": "https://files.example/p"});
        data(json!({ "bulkOperation": bulk }))
    };
    let cases: Vec<(&str, Vec<Response>)> = vec![
        ("FAILED INTERNAL_SERVER_ERROR", vec![partial]),
        ("EXPIRED", vec![state("EXPIRED", (0, 0), None)]),
        ("has no file", vec![state("COMPLETED", (12, 3), None)]),
        ("3 of 4 orders", vec![state("COMPLETED", (12, 4), Some(&whole)), piece(&whole, 0, whole.len())]),
        ("12 of 13 objects", vec![state("COMPLETED", (13, 3), Some(&whole)), piece(&whole, 0, whole.len())]),
        ("11 of 12 objects", vec![state("COMPLETED", (12, 3), Some(&cut)), piece(&cut, 0, cut.len())]),
        ("that should have", vec![state("COMPLETED", (12, 3), Some(&whole)), piece(&cut, 0, cut.len())]),
        ("HTTP 404", vec![state("COMPLETED", (12, 3), Some(&whole)), said(404, "NoSuchKey")]),
        ("no bulk operation", vec![data(json!({"bulkOperation": null}))]),
    ];
    for (wanted, answers) in cases {
        let script = Script::new(vec![]);
        let client = script.shop();
        let page = begin(&script, &client);
        script.answer(answers.clone());
        let error = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap_err();
        assert!(matches!(&error, ApiError::Incomplete(why) if why.contains(wanted)), "{wanted}: {error}");
        // Who comes again with the same place, after a restart, does not wait for what will never be.
        script.answer(answers);
        script.answer([started("gid://shopify/BulkOperation/2")]);
        let anew = script.shop().orders_in_bulk(&october(), page.next.as_deref()).unwrap();
        assert!(anew.items.is_empty() && anew.next.unwrap().contains("BulkOperation/2"), "{wanted}");
    }
}

#[test]
fn nothing_in_the_window_is_an_end() {
    let script = Script::new(vec![]);
    let client = script.shop();
    let page = begin(&script, &client);
    script.answer([state("COMPLETED", (0, 0), None)]);
    let page = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    assert_eq!((page.items.len(), page.next), (0, None));
}

#[test]
fn orders_with_refunds_are_read_one_by_one() {
    let file = file(1..4).replacen("\"refunds\":[]", "\"refunds\":[{\"id\":\"gid://shopify/Refund/9\"}]", 2);
    let script = Script::new(vec![]);
    let client = script.shop();
    let page = begin(&script, &client);
    script.later(TimeDelta::minutes(5));
    script.answer([state("COMPLETED", (12, 3), Some(&file)), piece(&file, 0, file.len())]);
    script.answer([data(json!({"order": order(1, "2026-10-05T00:00:00Z")})), data(json!({"order": null}))]);
    script.answer([data(shop(&["read_all_orders"]))]);
    let page = client.orders_in_bulk(&october(), page.next.as_deref()).unwrap();
    let ids: Vec<&str> = page.items.iter().map(|order| order.external_id.as_str()).collect();
    assert_eq!(ids, ["1", "3"], "the second one was deleted meanwhile");
    assert!(page.items[0].read_at > page.items[1].read_at);
}

#[test]
fn too_many_operations_at_once_are_a_throttle() {
    let error = json!({"field": null, "code": "OPERATION_IN_PROGRESS",
        "message": "A bulk query operation for this app and shop is already in progress"});
    let run = json!({"bulkOperation": null, "userErrors": [error]});
    let script = Script::new(vec![data(json!({ "bulkOperationRunQuery": run }))]);
    let error = script.shop().orders_in_bulk(&october(), None).unwrap_err();
    assert_eq!(error, ApiError::Throttled { retry_after: Some(Duration::from_secs(60)) });
    let error = json!({"field": ["query"], "code": "INVALID", "message": "Invalid bulk query"});
    let run = json!({"bulkOperation": null, "userErrors": [error]});
    script.answer([data(json!({ "bulkOperationRunQuery": run }))]);
    let error = script.shop().orders_in_bulk(&october(), None).unwrap_err();
    assert_eq!(error, ApiError::Refused("query: Invalid bulk query".into()));
}
