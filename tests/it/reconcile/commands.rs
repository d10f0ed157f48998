//! `upline reconcile` and the read API: what they print, and with which code they end.

use upline::clients::Credentials;
use upline::clock::Clock;
use upline::connections::{self, NewConnection};
use upline::db::{DbError, Lane};
use upline::vault::Vault;

use crate::support::app::TestApp;
use crate::support::payload::Order;

pub const DAY: &str = "2026-11-01";

pub fn company() -> TestApp {
    let app = TestApp::with_company();
    for (id, sku) in [(301, "A1"), (302, "A1"), (303, "=NEW-1")] {
        assert_eq!(app.deliver("order.updated", &Order { id, sku, ..Order::default() }.body()).status, 200);
    }
    app.drain();
    app
}

pub fn tamper(app: &TestApp, sql: &str) {
    app.sql(&format!(
        "set session_replication_role = replica; {sql}; set session_replication_role = default"
    ));
}

/// As `store connect` would, but to an address that nobody may call: that fails at once.
fn connect_to_nowhere(app: &TestApp, dir: &std::path::Path) {
    let vault = Vault::open(dir, None).unwrap();
    let stores = app.db.read(Lane::Admin, upline::ingest::list_stores).unwrap();
    let store = stores.iter().find(|store| store.slug == "main").unwrap().id;
    let credentials = Credentials::WooKeys { consumer_key: "ck".into(), consumer_secret: "cs".into() };
    let connection = NewConnection {
        store,
        base: &"http://127.0.0.1:9/".parse().unwrap(),
        allow_private: false,
        credentials: &credentials,
        zone: chrono_tz::Tz::UTC,
        facts: &Default::default(),
    };
    app.db
        .transact(Lane::Admin, |tx| {
            connections::save(tx, &vault, &connection, Clock::system().now())
                .map_err(|error| DbError::Invariant(error.to_string()))
        })
        .unwrap();
}

#[test]
fn exit_codes_tell_a_clean_day_a_difference_and_a_day_that_could_not_be_read() {
    let app = company();
    let told = app.run(&["reconcile", "main", "--date", DAY, "--details"]).ok();
    for part in ["main 2026-11-01 (UTC): explained", "cannot be asked", "unmapped_sku sku:=NEW-1", "- DRIFT"]
    {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    tamper(&app, "update orders set net = 77 where external_id = '302'");
    let found = app.run(&["reconcile", "main", "--date", DAY, "--no-heal"]);
    assert_eq!(found.code, Some(3), "{found:?}");
    assert!(found.out.contains("NOT OK") && found.out.contains("order 302 stands at a net of 77.00 USD"));
    let json = app.run(&["reconcile", "main", "--date", DAY, "--no-heal", "--json"]);
    assert_eq!(json.code, Some(3));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (json["state"].as_str(), json["found"][0]["kind"].as_str()),
        (Some("not_ok"), Some("wrong_net"))
    );
    assert_eq!(
        (json["found"][0]["should_be"].as_str(), json["found"][0]["is"].as_str()),
        (Some("100.00"), Some("77.00"))
    );
    let mended = app.run(&["reconcile", "main", "--date", DAY]).ok();
    assert!(mended.contains("mended: 1 wrong net"), "{mended}");
    // Days before and after it hold nothing.
    let days = app.run(&["reconcile", "main", "--from", "2026-10-31", "--to", "2026-11-02", "--json"]).json();
    assert_eq!(days.as_array().unwrap().len(), 3);
    connect_to_nowhere(&app, app.dir());
    let failed = app.run(&["reconcile", "main", "--date", DAY]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.out.contains("incomplete: 127.0.0.1"), "{failed:?}");
    assert_eq!(app.run(&["reconcile", "nowhere", "--date", DAY]).code, Some(1));
    assert_eq!(app.run(&["reconcile", "main"]).code, Some(2));
    assert_eq!(app.run(&["reconcile", "main", "--from", "2026-11-02", "--to", "2026-11-01"]).code, Some(1));
    app.run(&["verify"]).ok();
    app.run(&["replay", "--check"]).ok();
}

#[test]
fn sheets_are_harmless_and_the_api_reads_what_is_kept() {
    let app = company();
    tamper(&app, "update orders set external_id = '=1+1', net = 77 where external_id = '302'");
    let sums = app.run(&["reconcile", "main", "--date", DAY, "--no-heal", "--csv"]);
    assert_eq!(sums.code, Some(3));
    let mut lines = sums.out.lines();
    let (head, row) = (lines.next().unwrap(), lines.next().unwrap());
    let value = |name: &str| {
        let at = head.split(',').position(|column| column == name).unwrap();
        row.split(',').nth(at).unwrap().to_owned()
    };
    assert_eq!(
        (value("state"), value("currency"), value("store_orders")),
        ("not_ok".into(), "USD".into(), "3".into())
    );
    assert_eq!((value("held_net"), value("ledger_net")), ("100".into(), "200".into()));
    let details = app.run(&["reconcile", "main", "--date", DAY, "--no-heal", "--csv", "--details"]).out;
    assert!(details.contains(",'=1+1,"), "{details}");

    let token = app.token("read");
    let days = app.read(&token, "/api/v1/reconciliation/main?from=2026-11-01&to=2026-11-30");
    assert_eq!(days["days"].as_array().unwrap().len(), 1);
    assert_eq!(days["days"][0]["report_no"], 2);
    let report = app.read(&token, "/api/v1/reconciliation/main/2026-11-01?report=1");
    assert_eq!((report["state"].as_str(), report["store_asked"].as_bool()), (Some("not_ok"), Some(false)));
    assert_eq!(report["currencies"][0]["held_by"][0]["cause"], "sku:=NEW-1");
    assert_eq!(report["found"][0]["external_id"], "=1+1");
    for (path, status) in [
        ("/api/v1/reconciliation/main/2026-11-02", 404),
        ("/api/v1/reconciliation/nowhere", 404),
        ("/api/v1/reconciliation/main/yesterday", 400),
        ("/api/v1/reconciliation/main?from=2026-11-02&to=2026-11-01", 400),
    ] {
        let answer = app.get(path, &[("Authorization", &format!("Bearer {token}"))]);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    assert_eq!(app.get("/api/v1/reconciliation/main", &[]).status, 401);
}
