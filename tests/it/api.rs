//! The API over real HTTP: orders posted and read, with everything that was computed for them.

use serde_json::{Value, json};

use super::support::app::TestApp;
use super::support::payload::Order;

const LONG: &str = r#"{"platform":"shopify","platform_order_id":"587364120","order_ts":"2025-08-28T08:11:04Z",
"status":"paid","currency":"USD","distributor_ref":"4",
"items":[{"platform_sku":"KIT-STARTER-001","qty":1,"unit_price":99.00}],"total":96.92}"#;
const SHORT: &str =
    r#"{"shopify_order_id":"1234","sku":"A1123","customer_id":"5678","referrer_id":"4","amount":99.00}"#;

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("Authorization", format!("Bearer {token}"))]
}

fn post(app: &TestApp, token: &str, key: Option<&str>, body: &str) -> super::support::app::Answer {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    app.post("/api/mlm/orders", &headers, body)
}

#[test]
fn both_shapes_become_orders_that_pay() {
    let app = TestApp::with_company();
    let (orders, read) = (app.token("orders"), app.token("read"));
    for (body, external_id, net, paid) in [
        (LONG, "587364120", "96.92", ["9.69", "1.94", "0.97"]),
        (SHORT, "1234", "99.00", ["9.90", "1.98", "0.99"]),
    ] {
        let first = post(&app, &orders, None, body);
        assert_eq!(
            (first.status, first.json()["status"].as_str()),
            (202, Some("accepted")),
            "{}",
            first.text()
        );
        let again = post(&app, &orders, None, body);
        assert_eq!((again.status, again.json()["status"].as_str()), (200, Some("duplicate")));
        app.drain();
        let order = app.read(&read, &format!("/api/v1/orders?store=direct&external_id={external_id}"));
        assert_eq!(order["status"], "commissionable", "{order:#}");
        assert_eq!((&order["currency"], &order["net"]), (&json!("USD"), &json!(net)));
        assert_eq!(order["distributor_id"], "4");
        let amounts: Vec<&str> = order["commission_events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["amount"].as_str().unwrap())
            .collect();
        assert_eq!(amounts, paid);
    }
}

#[test]
fn an_order_shows_everything_that_was_computed() {
    let app = TestApp::with_company();
    let read = app.token("read");
    app.deliver("order.created", &Order::default().body());
    app.deliver(
        "order.updated",
        &Order { modified: "2026-11-02T10:00:00", refunds: &["40.00"], ..Order::default() }.body(),
    );
    app.drain();
    let order = app.read(&read, "/api/v1/orders?store=main&external_id=301");
    assert_eq!(order["net"], "60.00", "{order:#}");
    assert_eq!(order["revisions"], 2);
    assert_eq!(order["attribution_place"], "order_meta:distributor");
    assert_eq!(order["attribution"], json!({"place": "order_meta:distributor", "value": "4"}));
    let line = &order["lines"][0];
    assert_eq!(
        (&line["platform_sku"], &line["quantity"], &line["net"], &line["commission_class"]),
        (&json!("A1"), &json!("1"), &json!("60.00"), &json!("standard"))
    );
    assert_eq!(order["held"], json!([]));
    let events = order["commission_events"].as_array().unwrap();
    let of = |level: u64, kind: &str| {
        let found = events.iter().filter(|e| e["level"] == level && e["kind"] == kind);
        found.map(|e| e["amount"].as_str().unwrap()).collect::<Vec<_>>()
    };
    let cents = |amount: &str| amount.replace('.', "").parse::<i64>().unwrap();
    let stands: i64 = events.iter().map(|e| cents(e["amount"].as_str().unwrap())).sum();
    assert_eq!(stands, 600 + 120 + 60, "{events:#?}");
    assert!(!of(0, "clawback").is_empty() || of(0, "earn") == ["6.00"]);
    assert!(events.iter().all(|e| e["event_id"].is_string() && e["bonus"] == "levels"));
    // By our own id it is the same order.
    let id = order["order_id"].as_str().unwrap();
    assert_eq!(app.read(&read, &format!("/api/v1/orders/{id}")), order);
}

#[test]
fn a_held_order_says_why_and_the_import_that_mends_it_releases_it() {
    let app = TestApp::with_company();
    let read = app.token("read");
    app.deliver(
        "order.created",
        &Order { id: 7, sku: "B7", distributor: Some("9"), ..Order::default() }.body(),
    );
    app.drain();
    let order = || app.read(&read, "/api/v1/orders?store=main&external_id=7");
    let held = order();
    let reasons: Vec<&str> =
        held["held"].as_array().unwrap().iter().map(|h| h["reason"].as_str().unwrap()).collect();
    assert_eq!(held["status"], "held");
    assert!(reasons.contains(&"unmapped_sku") && reasons.contains(&"unknown_distributor"), "{held:#}");
    assert!(held["held"].as_array().unwrap().iter().all(|h| !h["detail"].as_str().unwrap().is_empty()));
    let people = "distributor_id,sponsor_id,status,country,tax_id,created_at\n9,4,active,US,,2024-01-01\n";
    let told = app.run(&["import", "distributors", &app.file("more.csv", people), "--json"]).json();
    assert_eq!((&told["new"], &told["orders_reviewed"]), (&json!(1), &json!(1)));
    let skus =
        "sku_id,platform,platform_sku,name,category,commission_class\nB,woocommerce,B7,Bee,things,standard\n";
    let told = app.run(&["import", "skus", &app.file("more_skus.csv", skus), "--json"]).json();
    assert_eq!(told["orders_reviewed"], 1);
    app.drain();
    assert_eq!(order()["status"], "commissionable");
    assert_eq!(order()["commission_events"][0]["amount"], "10.00");
}

#[test]
fn an_idempotency_key_gives_the_same_answer_again() {
    let app = TestApp::with_company();
    let token = app.token("orders");
    let first = post(&app, &token, Some("k-1"), SHORT);
    assert_eq!(first.status, 202, "{}", first.text());
    let again = post(&app, &token, Some("k-1"), SHORT);
    assert_eq!((again.status, again.json()), (202, first.json()));
    let other = post(&app, &token, Some("k-1"), LONG);
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_key_reused"));
    // Keys belong to their token, and the same order under another key is still the same order.
    let elsewhere = post(&app, &app.token("admin"), Some("k-1"), LONG);
    assert_eq!(elsewhere.status, 202);
    let renamed = post(&app, &token, Some("k-2"), SHORT);
    assert_eq!(
        (renamed.status, renamed.json()["delivery_id"].clone()),
        (200, first.json()["delivery_id"].clone())
    );
    assert_eq!(post(&app, &token, Some(&"k".repeat(300)), SHORT).code(), "bad_idempotency_key");
}

#[test]
fn concurrent_requests_with_one_key_are_one_request() {
    let app = TestApp::with_company();
    let token = app.token("orders");
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let send = || {
            let answer = post(&app, &token, Some("same"), SHORT);
            (answer.status, answer.json())
        };
        let senders: Vec<_> = (0..12).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 202), "{answers:?}");
}

#[test]
fn an_unusable_order_is_told_all_that_is_wrong() {
    let app = TestApp::with_company();
    let token = app.token("orders");
    let refused =
        post(&app, &token, None, r#"{"platform":"ebay","status":"maybe","items":[{}],"total":"x"}"#);
    assert_eq!((refused.status, refused.code().as_str()), (422, "unusable_order"));
    let fields = refused.json()["error"]["fields"].as_array().unwrap().len();
    assert!(fields >= 4, "{}", refused.text());
    assert_eq!(post(&app, &token, None, "{\"a\":").status, 400);
    assert_eq!(app.read(&app.token("read"), "/api/v1/deliveries")["deliveries"], json!([]));
}

#[test]
fn tokens_open_what_their_scope_says_until_they_are_revoked() {
    let app = TestApp::with_company();
    assert_eq!(app.get("/api/v1/orders", &[]).code(), "token_missing");
    assert_eq!(app.get("/api/v1/orders", &[("Authorization", "Bearer upl_x")]).code(), "token_unknown");
    let get = |token: &str, path: &str| {
        let [(name, value)] = bearer(token);
        app.get(path, &[(name, value.as_str())])
    };
    let (read, orders, admin) = (app.token("read"), app.token("orders"), app.token("admin"));
    assert!(read.starts_with("upl_"));
    assert_eq!(get(&orders, "/api/v1/orders").code(), "scope");
    assert_eq!(post(&app, &read, None, SHORT).code(), "scope");
    let person = get(&read, "/api/v1/distributors/4").json();
    assert_eq!((&person["sponsor_id"], &person["status"]), (&json!("2"), &json!("active")));
    assert!(!person.to_string().contains("Dora") && !person.to_string().contains("T-4"));
    assert_eq!(get(&admin, "/api/v1/distributors/4").json()["personal"]["name"], "Dora");
    let id = app.run(&["token", "list", "--json"]).json()[0]["token_id"].to_string();
    app.run(&["token", "revoke", &id]).ok();
    super::support::wait::until("the token to be refused", std::time::Duration::from_secs(10), || {
        (get(&read, "/api/v1/orders").status == 401).then_some(())
    });
}

#[test]
fn lists_go_from_page_to_page_and_refuse_what_they_do_not_know() {
    let app = TestApp::with_company();
    let read = app.token("read");
    for id in 1..=5 {
        app.deliver("order.created", &Order { id, ..Order::default() }.body());
    }
    app.drain();
    for (path, list, key) in [
        ("/api/v1/orders?limit=2", "orders", "order_id"),
        ("/api/v1/deliveries?limit=2&store=main&verdict=applied", "deliveries", "delivery_id"),
        ("/api/v1/ledger/entries?limit=2&distributor_id=4", "entries", "entry_id"),
    ] {
        let (mut seen, mut after) = (vec![], String::new());
        loop {
            let page = app.read(&read, &format!("{path}{after}"));
            seen.extend(page[list].as_array().unwrap().iter().map(|row| row[key].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((seen.len(), &sorted), (5, &seen), "{path}");
    }
    let [(name, value)] = bearer(&read);
    for (path, status) in [
        ("/api/v1/orders?limit=0", 400),
        ("/api/v1/orders?limit=many", 400),
        ("/api/v1/orders?status=lost", 400),
        ("/api/v1/orders?after=5", 400),
        ("/api/v1/orders?extrenal_id=5", 400),
        ("/api/v1/orders?store=main&external_id=none", 404),
        ("/api/v1/orders/00000000-0000-0000-0000-000000000000", 404),
        ("/api/v1/distributors/none", 404),
        ("/api/v1/nothing", 404),
    ] {
        let answer = app.get(path, &[(name, value.as_str())]);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(!answer.code().is_empty());
    }
}

#[test]
fn entries_balance_and_name_their_accounts() {
    let app = TestApp::with_company();
    app.deliver("order.created", &Order::default().body());
    app.drain();
    let entries = app.read(&app.token("read"), "/api/v1/ledger/entries");
    let postings = entries["entries"][0]["postings"].as_array().unwrap();
    let cents =
        |posting: &Value| posting["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(postings.iter().map(cents).sum::<i64>(), 0, "{entries:#}");
    assert!(postings.iter().any(|p| p["account_name"] == "commission_payable" && p["distributor_id"] == "4"));
    let person = app.read(&app.token("read"), "/api/v1/distributors/4");
    assert_eq!(person["payable"], json!({"USD": "10.00"}));
}

#[test]
fn the_description_is_open_to_read() {
    let app = TestApp::start();
    let document = app.get("/api/openapi.json", &[]).json();
    assert!(document["paths"]["/api/v1/orders"]["get"].is_object());
    assert!(document["paths"]["/api/mlm/orders"]["post"]["responses"]["409"].is_object());
    assert_eq!(app.call("DELETE", "/api/v1/orders", &[], None).status, 405);
}
