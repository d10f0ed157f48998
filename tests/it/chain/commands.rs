//! `verify` and `ledger export` as they are typed, beside a server and without one.

use serde_json::Value;

use crate::support::app::{Site, TestApp};
use crate::support::payload::Order;
use crate::support::wait;

fn spoil(app: &TestApp, change: &str) {
    app.sql(&format!(
        "set session_replication_role = replica; {change}; set session_replication_role = default"
    ));
}

#[test]
fn a_server_chains_and_verify_tells_the_pages() {
    let app = TestApp::with_company();
    assert_eq!(app.deliver("order.updated", &Order::default().body()).status, 200);
    app.drain();
    let verified = app.run(&["verify", "--json"]).json();
    assert_eq!(verified["problems"], Value::Array(vec![]));
    assert_eq!(verified["unchained"], 0);
    assert!(verified["head"]["seq"].as_i64().unwrap() > 3, "{verified}");
    let file = app.dir().join("heads.jsonl");
    wait::until("a head of the day", std::time::Duration::from_secs(30), || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.contains("\"day ").then_some(())
    });
    spoil(
        &app,
        "update audit_log set actor = 'nobody' where audit_id = (select min(audit_id::text)::uuid from audit_log)",
    );
    let ran = app.run(&["verify"]);
    assert_eq!(ran.code, Some(3), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("first bad seq") && ran.out.contains("audit_log"), "{}", ran.out);
}

#[test]
fn commands_without_a_server_leave_the_chain_caught_up() {
    let site = Site::new();
    for name in ["one", "two"] {
        site.run(&["token", "add", "--scope", "read", "--name", name]).ok();
    }
    let verified = site.run(&["verify", "--json"]).json();
    let chained = verified["chained"].as_i64().unwrap();
    assert!(
        chained >= 2 && verified["unchained"] == 0 && verified["problems"] == serde_json::json!([]),
        "{verified}"
    );
    assert_eq!(verified["heads"], 1, "the day has one");
    let export = site.dir().join("ledger.jsonl");
    let export = export.to_str().unwrap();
    let told = site.run(&["ledger", "export", export, "--json"]).json();
    assert_eq!(told["links"], chained);
    let heads = site.dir().join("heads.jsonl");
    let offline = ["verify", "--file", export, "--heads", heads.to_str().unwrap()];
    assert!(site.run(&offline).ok().contains("clean"));
    // A file is never written over.
    assert_eq!(site.run(&["ledger", "export", export]).code, Some(1));
    let text = std::fs::read_to_string(export).unwrap();
    std::fs::write(export, text.replacen("token", "taken", 1)).unwrap();
    let ran = site.run(&offline);
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    assert!(ran.out.contains("first bad seq 1"), "{}", ran.out);
    // Neither is a lost end unseen.
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(export, lines[..lines.len() - 2].join("\n")).unwrap();
    assert_eq!(site.run(&offline).code, Some(3));
}
