//! Connecting a store on the pages, step by step, and looking after it there.

use chrono::Utc;

use super::sim::server::Sim;
use super::webhooks::{connect, shop};
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Page};

const STEPS: &str = "/admin/stores/main/connect";

#[track_caller]
fn shows(page: &Page, status: u16, wanted: &[&str]) {
    assert_eq!(page.status, status, "{}", page.text);
    for wanted in wanted {
        assert!(page.text.contains(wanted), "{wanted} in {}", page.text);
    }
}

fn paste(admin: &Browser<'_>, sim: &Sim, more: &[(&str, &str)]) -> Page {
    let fixed = [("base", sim.base.as_str()), ("consumer_key", "ck_sim"), ("allow_private", "true")];
    admin.send(STEPS, &[&fixed[..], more].concat())
}

#[test]
fn a_store_is_connected_step_by_step() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    let admin = Browser::of_admin(&app);
    shows(&admin.get("/admin/stores"), 200, &["href=\"/admin/stores/new\"", "Connect a store"]);
    let first = [("name", "Main"), ("slug", "Main Shop"), ("platform", "woocommerce")];
    shows(&admin.send("/admin/stores/new", &first), 422, &["id=\"slug-wrong\"", "value=\"Main\""]);
    let first = [("name", "Main"), ("slug", "main"), ("platform", "woocommerce")];
    shows(
        &admin.done("/admin/stores/new", &first),
        200,
        &["Permissions: Read/Write", "name=\"consumer_secret\"", "href=\"/admin/stores/main\""],
    );
    shows(&admin.send("/admin/stores/new", &first), 422, &["exists already"]);
    // Whoever left comes back by the store's page.
    shows(&admin.get("/admin/stores/main"), 200, &["href=\"/admin/stores/main/connect\"", "not connected"]);

    shows(&paste(&admin, &sim, &[]), 422, &["id=\"consumer_secret-wrong\"", "value=\"http://127.0.0.1"]);
    let wrong = paste(&admin, &sim, &[("consumer_secret", "cs_wrong")]);
    shows(&wrong, 422, &["does not accept our credentials", "Make another key under WooCommerce"]);
    assert!(
        !wrong.text.contains("cs_wrong") && !wrong.text.contains("ck_sim"),
        "nothing that was pasted comes back"
    );
    let private = [("base", sim.base.as_str()), ("consumer_key", "ck_sim"), ("consumer_secret", "cs_sim")];
    shows(&admin.send(STEPS, &private), 422, &["private network", "the box below its address"]);
    shows(
        &paste(&admin, &sim, &[("consumer_secret", "cs_sim"), ("zone", "Berlin")]),
        422,
        &["id=\"zone-wrong\""],
    );

    let right = [("consumer_secret", "cs_sim"), ("zone", "Europe/Vienna")];
    let saved = paste(&admin, &sim, &right);
    assert_eq!((saved.status, saved.location.as_str()), (303, STEPS), "{}", saved.text);
    shows(&admin.get(STEPS), 200, &["Corner Shop", "USD", "Europe/Vienna", "all that is needed"]);
    let subscribed = admin.done("/admin/stores/main/webhooks", &[("steps", "true")]);
    shows(&subscribed, 200, &["order.created", "pill ok\">active", "upline backfill main --since"]);
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), 11);
    assert!(sim.send(&app.base, 1).refused == 0);

    // Other credentials that do not work leave those that do.
    shows(
        &paste(&admin, &sim, &[("consumer_secret", "cs_wrong")]),
        422,
        &["What was stored before still holds"],
    );
    let tested = admin.done("/admin/stores/main/test", &[]);
    shows(
        &tested,
        200,
        &["The store answers, and all is as it should be", "Last delivery", "Exchange the secret"],
    );
    let log = admin.get("/admin/settings").text;
    for act in ["store.add", "store.connect", "store.webhooks.ensure"] {
        assert!(log.contains(act), "{act}");
    }
    assert!(!log.contains("cs_sim") && !log.contains("ck_sim"));
}

#[test]
fn a_connected_store_is_looked_after_on_its_page() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    connect(&app, &sim, &[]).ok();
    let admin = Browser::of_admin(&app);
    sim.act(|shop| {
        let id = shop.subscriptions.values().find(|s| s.topic == "order.updated").unwrap().id;
        shop.subscriptions.remove(&id);
    });
    shows(&admin.done("/admin/stores/main/test", &[]), 200, &["webhooks are missing or off"]);
    let mended = admin.done("/admin/stores/main/webhooks", &[]);
    shows(&mended, 200, &["1 webhook(s) mended", "pill warn\">mended"]);
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), 11);

    let old = sim.look(|shop| shop.subscriptions.values().next().unwrap().secret.clone());
    let rotated = admin.done("/admin/stores/main/rotate", &[]);
    shows(
        &rotated,
        200,
        &["The secret is exchanged", "The secret was exchanged. The older one ends by itself"],
    );
    assert!(
        !rotated.text.contains(&old) && sim.look(|shop| shop.subscriptions.values().all(|s| s.secret != old))
    );

    shows(
        &admin.done("/admin/stores/main/pause", &[("paused", "true")]),
        200,
        &["pill warn\">paused", "Resume"],
    );
    shows(&admin.done("/admin/stores/main/pause", &[("paused", "false")]), 200, &["pill ok\">connected"]);
    let unsure = admin.send("/admin/stores/main/disconnect", &[("confirm", "mian")]);
    shows(&unsure, 422, &["Type main to confirm"]);
    let gone = admin.done("/admin/stores/main/disconnect", &[("confirm", "main")]);
    shows(&gone, 200, &["The store is disconnected", "Connect its API"]);
    assert_eq!(sim.look(|shop| shop.subscriptions.len()), 0);
}

#[test]
fn places_of_attribution_are_put_in_order() {
    let app = TestApp::start();
    let fixed = ["store", "add", "--platform", "woocommerce", "--slug", "main", "--attribution"];
    app.run(&[&fixed[..], &["order_meta:ref,discount_code"]].concat()).ok();
    let admin = Browser::of_admin(&app);
    let change = |act: &str, place: &str, was: &str| {
        admin.send("/admin/stores/main/attribution", &[("act", act), ("place", place), ("was", was)])
    };
    let both = "order_meta:ref,discount_code";
    assert_eq!(change("up", "discount_code", both).status, 303);
    shows(&change("up", "discount_code", both), 422, &["Somebody else changed the places meanwhile"]);
    let turned = "discount_code,order_meta:ref";
    shows(&change("add", "cookie:x", turned), 422, &["id=\"place-wrong\"", "no place"]);
    assert_eq!(change("add", "customer", turned).status, 303);
    assert_eq!(change("remove", "order_meta:ref", "discount_code,order_meta:ref,customer").status, 303);
    let list = app.run(&["store", "list", "--json"]).json();
    let main = list.as_array().unwrap().iter().find(|store| store["slug"] == "main").unwrap().clone();
    assert_eq!(main["attribution"], serde_json::json!(["discount_code", "customer"]));
    assert!(admin.get("/admin/settings").text.contains("store.attribution"));
}

/// What only admins do.
const ACTS: [&str; 7] = ["connect", "test", "webhooks", "rotate", "pause", "disconnect", "attribution"];

#[test]
fn only_admins_connect_and_change() {
    let app = TestApp::start();
    let sim = shop(Utc::now());
    connect(&app, &sim, &["--no-webhooks"]).ok();
    let admin = Browser::of_admin(&app);
    let link =
        admin.done("/admin/settings/users", &[("email", "op@example.test"), ("role", "operator")]).secret();
    let operator = Browser::by_link(&app, &link);
    for page in ["/admin/stores/main", STEPS] {
        let page = operator.get(page);
        assert_eq!(page.status, 200);
        for act in ACTS {
            assert!(!page.text.contains(&format!("action=\"/admin/stores/main/{act}\"")), "{act}");
        }
    }
    assert_eq!(operator.get("/admin/stores/new").status, 403);
    let fields =
        [("paused", "true"), ("confirm", "main"), ("act", "add"), ("place", "customer"), ("was", "")];
    for act in ACTS {
        let address = format!("/admin/stores/main/{act}");
        assert_eq!(operator.send(&address, &fields).status, 403, "{address}");
        assert_eq!(admin.send_bare(&address, &fields).status, 403, "{address}: without the form's token");
    }
    assert_eq!(operator.get("/admin/stores/direct/connect").status, 404, "it has no API of its own");
}
