//! `upline demo` as somebody runs it: the program, its own server and database, real HTTP.

use serde_json::Value;

use crate::support::server::Site;

const FIELDS: [&str; 11] = [
    "deliveries",
    "duplicates",
    "orders",
    "held",
    "commission_events",
    "ledger_entries",
    "net",
    "commissions",
    "drift",
    "ack_ms",
    "receipt_to_ledger_ms",
];

#[test]
fn it_sends_pays_and_adds_nothing_the_second_time() {
    let site = Site::new("demo");
    let printed = site.run(&["demo", "--orders", "60", "--exit", "--json"]);
    let first: Value = serde_json::from_str(&printed).expect("one JSON object and nothing else");
    let mut fields: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let mut expected = FIELDS;
    expected.sort_unstable();
    assert_eq!(fields, expected);
    let count = |summary: &Value, field: &str| summary[field].as_u64().unwrap();
    assert_eq!(count(&first, "orders"), 60);
    assert!(
        count(&first, "deliveries") > 80 && count(&first, "duplicates") > 0 && count(&first, "held") > 0,
        "{first}"
    );
    assert!(count(&first, "commission_events") > count(&first, "ledger_entries"), "{first}");
    assert_eq!(first["drift"]["USD"], "0.00");
    assert!(first["receipt_to_ledger_ms"]["p99"].as_f64().unwrap() > 0.0);

    // Should midnight pass between the two, the orders are told with the times of another day.
    let table = site.run(&["demo", "--orders", "60", "--exit"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["301", "SUPP001", "11200", "11043", "19.80", "PAID"]), "{table}");
    assert!(rows.contains(&vec!["302", "BEAUTY02", "11150", "10090", "9.75", "PAID"]), "{table}");
    assert!(rows.contains(&vec!["orders", "60"]), "{table}");
    let commissions = first["commissions"]["USD"].as_str().unwrap();
    assert!(rows.contains(&vec!["commissions", commissions, "USD"]), "{table}");
}

#[test]
fn it_leaves_a_company_of_somebody_else_alone() {
    let site = Site::new("occupied");
    let secret = "5ec2e75ec2e75ec2e75ec2e75ec2e7";
    site.run(&["store", "add", "--platform", "shopify", "--slug", "mine", "--secret", secret]);
    let refused = site.refused(&["demo", "--orders", "3", "--exit"]);
    assert!(refused.contains("stores of its own (mine)"), "{refused}");
}
