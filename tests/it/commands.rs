//! The real program: what it prints, and with which code it ends.

use serde_json::json;

use super::support::app::{PLAN, Site, TestApp};
use super::support::payload::Order;

#[test]
fn help_teaches_and_wrong_usage_is_two() {
    let site = Site::new();
    let help = site.run(&["--help"]).ok();
    for command in [
        "demo",
        "serve",
        "migrate",
        "doctor",
        "store",
        "token",
        "user",
        "import",
        "plan",
        "scenario",
        "inspect",
        "explain",
        "verify",
        "replay",
        "reconcile",
    ] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is not in\n{help}"
        );
    }
    assert!(site.run(&["store", "add", "--help"]).ok().contains("order_meta:KEY"));
    for wrong in [
        &["nonsense"][..],
        &["store", "add"],
        &["replay"],
        &["store", "add", "--platform", "ebay", "--slug", "x"],
    ] {
        assert_eq!(site.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_store_is_added_with_its_address_and_refused_with_a_reason() {
    let site = Site::new();
    let add = |more: &[&str]| {
        let all = [&["store", "add", "--platform", "woocommerce", "--secret", "s"][..], more].concat();
        site.run(&all)
    };
    assert_eq!(add(&["--slug", "main"]).ok(), "http://127.0.0.1:8080/webhooks/main");
    let shown =
        add(&["--slug", "eu", "--attribution", "order_meta:distributor_code,discount_code", "--json"]).json();
    assert_eq!(shown["attribution"], json!(["order_meta:distributor_code", "discount_code"]));
    for (more, code, reason) in [
        (&["--slug", "main"][..], 1, "exists already"),
        (&["--slug", "Main Shop"], 1, "is no slug"),
        (&["--slug", "x", "--attribution", "coupon"], 2, "invalid value 'coupon'"),
    ] {
        let refused = add(more);
        assert_eq!(refused.code, Some(code), "{more:?}");
        assert!(refused.err.starts_with("error: ") && refused.err.contains(reason), "{}", refused.err);
    }
    let stores = site.run(&["store", "list", "--json"]).json();
    let slugs: Vec<&str> = stores.as_array().unwrap().iter().map(|s| s["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["eu", "main"]);
    assert!(!stores.to_string().contains("sealed"));
    assert!(site.run(&["store", "list"]).ok().contains("order_meta:distributor_code,discount_code"));
}

#[test]
fn users_and_tokens() {
    let site = Site::new();
    let link = site.run(&["user", "add", "Ann@Example.com", "--role", "operator"]).ok();
    assert!(link.starts_with("http://127.0.0.1:8080/login/once?token="));
    assert_eq!(site.run(&["user", "add", "ann@example.com", "--role", "viewer"]).code, Some(1));
    assert_eq!(site.run(&["user", "add", "ann", "--role", "viewer"]).code, Some(1));
    let users = site.run(&["user", "list", "--json"]).json();
    assert_eq!((&users[0]["email"], &users[0]["role"]), (&json!("ann@example.com"), &json!("operator")));
    let token = site.run(&["token", "add", "--scope", "read", "--name", "reports"]).ok();
    let listed = site.run(&["token", "list"]).ok();
    assert!(listed.contains("reports") && !listed.contains(&token));
    assert_eq!(site.run(&["token", "revoke", "999"]).code, Some(1));
    assert_eq!(site.run(&["token", "add", "--scope", "orders", "--store", "none"]).code, Some(1));
}

#[test]
fn plans_are_checked_shown_and_published() {
    let site = Site::new();
    assert!(site.run(&["plan", "check", PLAN]).ok().contains("is a valid plan"));
    let hash = site.run(&["plan", "hash", PLAN]).ok();
    assert_eq!(hash.len(), 64);
    assert_eq!(site.run(&["plan", "check", PLAN, "--json"]).json()["hash"], json!(hash));
    assert!(site.run(&["plan", "show", PLAN]).ok().contains(&hash));
    let broken = site.file("broken.toml", "[plan]\nid = \"x\"\nnmae = \"y\"\n");
    let checked = site.run(&["plan", "check", &broken]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.err.contains("line ") && checked.err.lines().count() > 2, "{}", checked.err);
    assert_eq!(site.run(&["plan", "publish", &broken, "--from", "2026-01-01"]).code, Some(1));
    assert_eq!(site.run(&["plan", "publish", PLAN, "--from", "someday"]).code, Some(2));
    assert!(
        site.run(&["plan", "publish", PLAN, "--from", "2026-01-01"]).ok().contains("2026-01-01T00:00:00")
    );
    assert_eq!(site.run(&["plan", "list", "--json"]).json()[0]["hash"], json!(hash));
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let site = Site::new();
    let told = site.run(&["doctor", "--json"]).json();
    assert_eq!(told["healthy"], true, "{told:#}");
    let check = |told: &serde_json::Value, name: &str| {
        let checks = told["checks"].as_array().unwrap();
        checks.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("{name} in {told:#}"))["verdict"]
            .clone()
    };
    for name in ["disk", "database", "schema", "clock", "work"] {
        assert_eq!(check(&told, name), "ok", "{name}");
    }
    // The cluster of the tests is not durable, which is allowed here and said.
    assert_eq!(check(&told, "durability"), "note");
    site.run(&["store", "add", "--platform", "woocommerce", "--slug", "main", "--secret", "s"]).ok();
    std::fs::write(site.dir().join("secret.key"), "ab".repeat(32)).unwrap();
    let sick = site.run(&["doctor"]);
    assert_eq!(sick.code, Some(1));
    assert!(sick.out.contains("WRONG stores: secrets of main cannot be opened"), "{}", sick.out);
    let unreachable = site.run(&["doctor", "--database-url", "postgres://127.0.0.1:1/none"]);
    assert_eq!(unreachable.code, Some(1));
    assert!(unreachable.out.contains("WRONG database"));
}

#[test]
fn an_unsafe_database_is_refused_unless_it_is_allowed() {
    let site = Site::new();
    let refused = site.run(&["migrate", "--config", &site.file("c.toml", "log_format = \"json\"\n")]);
    assert_eq!(refused.code, Some(0), "allowed by the environment of the tests: {}", refused.err);
    let refused = site.command_without_leave(&["migrate"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("fsync = off"), "{}", refused.err);
}

#[test]
fn payloads_are_inspected_without_a_database() {
    let site = Site::new();
    let file = site.file("order.json", &Order { refunds: &["40.00"], ..Order::default() }.body());
    let told = site
        .run(&["inspect", "--platform", "woocommerce", "--topic", "order.updated", &file, "--json"])
        .json();
    assert_eq!(told[0]["reports"][0]["commissionable"], "60.00", "{told:#}");
    let text = site.run(&["inspect", "--platform", "woocommerce", "--topic", "order.updated", &file]).ok();
    assert!(text.contains("A1") && text.contains("net 60"), "{text}");
    let garbage = site.file("garbage.json", "{");
    assert_eq!(site.run(&["inspect", "--platform", "shopify", &garbage]).code, Some(1));
}

#[test]
fn scenarios_run_from_files() {
    let site = Site::new();
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/duplicates.txt");
    assert!(site.run(&["scenario", good]).ok().contains("ok"));
    let nonsense = site.file("nonsense.txt", "nonsense\n");
    assert_eq!(site.run(&["scenario", &nonsense]).code, Some(1));
    assert_eq!(site.run(&["scenario", "/nonexistent.txt"]).code, Some(1));
}

#[test]
fn proofs_on_the_command_line() {
    let app = TestApp::with_company();
    app.deliver("order.created", &Order::default().body());
    app.drain();
    let order = app.read(&app.token("read"), "/api/v1/orders?store=main&external_id=301");
    let event = order["commission_events"][0]["event_id"].as_str().unwrap();
    assert!(app.run(&["explain", event]).ok().contains("distributor 4"));
    let amount = app.run(&["explain", event, "--json"]).json()["amount"].as_str().unwrap().to_owned();
    assert_eq!(amount.parse::<rust_decimal::Decimal>().unwrap(), rust_decimal::Decimal::TEN);
    assert_eq!(app.run(&["explain", "00000000-0000-0000-0000-000000000000"]).code, Some(1));
    assert!(app.run(&["verify"]).ok().contains("clean"));
    assert_eq!(app.run(&["verify", "--json"]).json()["problems"], json!([]));
    assert_eq!(app.run(&["replay", "--check", "--json"]).json()["differences"], json!([]));
    app.sql(
        "alter table commission_events disable trigger user;
         update commission_events set amount = amount + 1 where level = 0;
         alter table commission_events enable trigger user",
    );
    assert_eq!(app.run(&["verify"]).code, Some(3));
}
