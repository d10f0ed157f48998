//! The pages and the API, on a running server: reading on a person's word, and how reading goes.

use std::time::Duration;

use serde_json::{Value, json};
use upline::clock::Clock;
use upline::pulls::Kind;

use super::commands::{connect, place, shop};
use crate::stores::sim::server::Sim;
use crate::stores::sim::woocommerce::WooCommerce;
use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::wait;

const LONG: Duration = Duration::from_secs(30);

/// A server, its connected shop, and what the server has read of it by itself.
fn company() -> (TestApp, Sim, String) {
    let (app, sim) = (TestApp::start(), Sim::start(shop(3), Box::new(WooCommerce::default()), 1));
    connect(|arguments| app.run(arguments), &sim);
    let token = app.token("read");
    wait::until("the server to read the store by itself", LONG, || {
        let pulls = app.read(&token, "/api/v1/pulls?store=main");
        let done = pulls["pulls"].as_array().unwrap().iter().filter(|pull| pull["state"] == "done").count();
        (done == Kind::ALL.len()).then_some(())
    });
    app.drain();
    (app, sim, token)
}

fn order_page(app: &TestApp, token: &str, external_id: i64) -> String {
    let found = app.read(token, &format!("/api/v1/orders?store=main&external_id={external_id}"));
    format!("/admin/orders/{}", found["order_id"].as_str().unwrap())
}

#[test]
fn an_order_is_read_from_its_page() {
    let (app, sim, token) = company();
    let browser = Browser::of_admin(&app);
    let id = sim.look(|shop| *shop.orders.keys().next().unwrap());
    let page = order_page(&app, &token, i64::try_from(id).unwrap());
    assert!(browser.get(&page).text.contains("Pull this order now"));
    let pull = format!("{page}/pull");
    assert_eq!(browser.send_bare(&pull, &[]).status, 403, "a form without the token");
    assert!(browser.done(&pull, &[]).text.contains("Nothing new"));

    sim.act(|shop| {
        shop.now = Clock::system().now();
        shop.cancel(id);
    });
    assert!(browser.done(&pull, &[]).text.contains("A newer state came"));
    app.drain();
    assert!(browser.get(&page).text.contains("cancelled"));

    sim.act(|shop| drop(shop.orders.remove(&id)));
    assert!(browser.done(&pull, &[]).text.contains("does not have the order any more"));
    app.drain();
    assert!(browser.done(&pull, &[]).text.contains("it was not known to be there"));

    sim.chaos().unauthorized = 1;
    assert!(browser.done(&pull, &[]).text.contains("HTTP 401"));
    let audit = browser.get("/admin/settings").text;
    assert!(audit.contains("order.pull"), "it is in the log");

    // From a delivery, for the order that it names.
    let deliveries = app.read(&token, "/api/v1/deliveries?store=main");
    let delivery = deliveries["deliveries"][0]["delivery_id"].as_str().unwrap();
    let page = format!("/admin/deliveries/{delivery}");
    assert!(browser.get(&page).text.contains("Pull this order now"));
    let answer = browser.done(&format!("{page}/pull"), &[]).text;
    assert!(answer.contains("Nothing new") || answer.contains("it was not known to be there"), "{answer}");
}

#[test]
fn a_store_is_read_from_its_page_and_shows_how_that_goes() {
    let (app, sim, token) = company();
    let browser = Browser::of_admin(&app);
    let page = browser.get("/admin/stores/main").text;
    assert!(page.contains("orders, daily") && page.contains("read until"), "{page}");
    sim.act(|shop| {
        shop.now = Clock::system().now() - chrono::TimeDelta::minutes(1);
        place(shop)
    });
    let pulled = browser.done("/admin/stores/main/pull", &[]).text;
    assert!(pulled.contains("1 of that was news"), "{pulled}");
    assert!(pulled.contains("orders, manual"));
    sim.chaos().unauthorized = 1;
    let failed = browser.done("/admin/stores/main/pull", &[]).text;
    assert!(failed.contains("HTTP 401") && failed.contains("the last try failed"));

    let pulls = app.read(&token, "/api/v1/pulls?store=main");
    let pulls = pulls["pulls"].as_array().unwrap();
    let is_manual = |pull: &Value| pull["cause"] == "manual" && pull["kind"] == "orders";
    let manual: Vec<&Value> = pulls.iter().filter(|pull| is_manual(pull)).collect();
    assert_eq!((&manual[0]["state"], &manual[0]["told"]), (&json!("done"), &json!(1)));
    assert_eq!(manual[1]["state"], json!("failed"));
    let first = app.read(&token, "/api/v1/pulls?limit=1");
    assert_eq!(first["next"], first["pulls"][0]["pull_id"]);
    let rest = app.read(&token, &format!("/api/v1/pulls?after={}", first["next"].as_str().unwrap()));
    assert_eq!(rest["pulls"].as_array().unwrap().len() + 1, pulls.len());
    assert_eq!(app.read(&token, "/api/v1/pulls?store=unheard-of")["pulls"], json!([]));

    let metrics = app.get("/metrics", &[]).text();
    assert!(metrics.contains(r#"upline_pull_age_seconds{kind="orders",store="main"}"#), "{metrics}");
    assert!(metrics.contains(r#"upline_pull_news_total{kind="orders",store="main"} 3"#), "{metrics}");
}

#[test]
fn what_cannot_be_read_has_no_button_and_a_viewer_may_not_press_it() {
    let app = TestApp::with_company();
    let browser = Browser::of_admin(&app);
    let slug = "main";
    let page = browser.get(&format!("/admin/stores/{slug}")).text;
    assert!(page.contains("is not connected to its API") && !page.contains("Pull now"));
    let pulled = browser.done(&format!("/admin/stores/{slug}/pull"), &[]).text;
    assert!(pulled.contains("nothing can be read there"));
    assert_eq!(browser.send("/admin/orders/0198f2a4-7c3e-7d52-9c1b-6f0f2a3b4c5d/pull", &[]).status, 404);

    let link = app.run(&["user", "add", "vera@example.com", "--role", "viewer"]).ok();
    let link = link.lines().find(|line| line.contains("/login/once")).unwrap();
    let viewer = Browser::by_link(&app, link.split_whitespace().last().unwrap());
    assert_eq!(viewer.send(&format!("/admin/stores/{slug}/pull"), &[]).status, 403);
}
