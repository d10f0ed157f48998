//! Statements as people and programs get them: the command, the API, the pages and what leaves as a file.

use serde_json::Value;
use upline::db::Lane;

use super::pages;
use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::payload::Order;

const EVER: &str = "from=2020-01-01&to=2099-12-31";
const DAYS: [&str; 4] = ["--from", "2020-01-01", "--to", "2099-12-31"];

/// An order of 4 that was paid, and refunded in half.
fn app() -> TestApp {
    let app = TestApp::with_company();
    app.deliver("order.updated", &Order::default().body());
    app.drain();
    let refunded = Order { modified: "2026-11-03T10:00:00", refunds: &["50.00"], ..Order::default() };
    app.deliver("order.updated", &refunded.body());
    app.drain();
    app
}

#[test]
fn on_the_terminal_and_over_the_api() {
    let app = app();
    let run = |more: &[&str]| app.run(&[&["statement", "4"], &DAYS[..], more].concat());
    let table = run(&[]).ok();
    assert!(table.contains("Order 301 of main: ") && table.contains("-5.00"), "{table}");
    let told: Value = run(&["--json"]).json();
    assert_eq!(told["currencies"][0]["closing"]["payable"], "5.00", "{told:#}");
    let written = run(&["--csv"]).ok();
    assert_eq!(written.lines().count(), 5, "{written}");
    let file = app.dir().join("statement.pdf");
    run(&["--pdf", &file.to_string_lossy()]).ok();
    let text = pages(&std::fs::read(&file).unwrap()).join(" ");
    assert!(text.contains("Order 301 of main") && text.contains("-5.00"), "{text}");
    for (arguments, why) in [
        (&["statement", "nobody"][..], "no distributor \"nobody\""),
        (&["statement", "4", "--period", "1999-01"], "upline period list"),
        (&["statement", "4", "--from", "2026-10-02", "--to", "2026-10-01"], "before the first"),
    ] {
        let ran = app.run(arguments);
        assert!(ran.code == Some(1) && ran.err.contains(why), "{ran:?}");
    }

    let (token, admin) = (app.token("read"), app.token("admin"));
    let path = format!("/api/v1/distributors/4/statement?{EVER}");
    let whole = app.read(&token, &path);
    assert_eq!(whole["currencies"], told["currencies"]);
    assert_eq!(whole["lines"], told["lines"]);
    assert_eq!(whole.get("name"), None, "{whole:#}");
    assert!(app.read(&admin, &path).get("name").is_some(), "for admins");
    let first = app.read(&token, &format!("{path}&limit=1"));
    let after = first["next"].as_str().unwrap();
    let second = app.read(&token, &format!("{path}&limit=1&after={after}"));
    assert_eq!([&first["lines"][0], &second["lines"][0]], [&whole["lines"][0], &whole["lines"][1]]);
    assert!(second["next"].is_null(), "{second:#}");
    let bearer = format!("Bearer {token}");
    for (path, status, code) in [
        ("/api/v1/distributors/nobody/statement", 404, "unknown_distributor"),
        ("/api/v1/distributors/4/statement?period=1999-01", 404, "unknown_period"),
        ("/api/v1/distributors/4/statement?from=2026-10-01", 400, "bad_parameter"),
        ("/api/v1/distributors/4/statement?after=1", 400, "bad_parameter"),
    ] {
        let answer = app.get(path, &[("Authorization", &bearer)]);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    assert_eq!(app.get(&path, &[]).status, 401);
}

#[test]
fn on_the_pages() {
    let app = app();
    let admin = Browser::of_admin(&app);
    assert!(admin.get("/admin/distributors/4").text.contains("/admin/distributors/4/statement\""));
    let page = admin.get(&format!("/admin/distributors/4/statement?{EVER}")).text;
    for told in ["Order 301 of main: ", "Commissions of orders", "5.00", "statement.pdf?from=2020-01-01"] {
        assert!(page.contains(told), "{told} in {page}");
    }
    let now = admin.get("/admin/distributors/4/statement");
    assert!(now.status == 200 && now.text.contains("Order 301 of main: "), "the period of now: {}", now.text);
    assert!(admin.get("/admin/distributors/4/statement?period=1999-01").text.contains("there is no period"));
    assert_eq!(admin.get("/admin/distributors/nobody/statement").status, 404);
    let written = admin.get(&format!("/admin/distributors/4/statement.csv?{EVER}"));
    assert_eq!((written.status, written.text.lines().count()), (200, 5), "{}", written.text);
    let paper = admin.get(&format!("/admin/distributors/4/statement.pdf?{EVER}"));
    assert!(paper.status == 200 && paper.text.starts_with("%PDF-"), "{}", paper.status);
    let left = app.run(&["statement", "4", "--json"]).json();
    assert_eq!(left["distributor_id"], "4");
    let read = |conn: &mut upline::db::Conn| {
        use diesel::{RunQueryDsl, sql_query};
        #[derive(diesel::QueryableByName)]
        struct Told {
            #[diesel(sql_type = diesel::sql_types::Text)]
            told: String,
        }
        let told: Vec<Told> = sql_query(
            "select object || ' ' || (detail ->> 'format') as told from audit_log
             where action = 'statement.export' order by 1",
        )
        .load(conn)?;
        Ok(told.into_iter().map(|row| row.told).collect::<Vec<_>>())
    };
    assert_eq!(app.db.read(Lane::Admin, read).unwrap(), ["4 csv", "4 pdf"]);
    assert_eq!(app.get(&format!("/admin/distributors/4/statement.csv?{EVER}"), &[]).status, 303, "sign in");
}
