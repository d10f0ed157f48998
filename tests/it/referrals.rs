//! Links of distributors, and the codes that they carry.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Value, json};
use upline::db::Lane;

use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::chromium::Chromium;
use crate::support::wait;

const PEOPLE: &str = "distributor_id,sponsor_id,status,country,tax_id,created_at,codes
11043,,active,,,2025-01-01,ANNA; Åsa 01
10090,11043,active,,,2025-01-01,BEN
99,11043,terminated,,,2025-01-01,GONE
";

fn shop() -> TestApp {
    let app = TestApp::start();
    app.run(&["store", "add", "--platform", "shopify", "--slug", "main", "--secret", "s3cret"]).ok();
    app.run(&["store", "add", "--platform", "woocommerce", "--slug", "eu", "--secret", "s3cret"]).ok();
    app.run(&["store", "storefront", "main", "https://shop.example/de/"]).ok();
    app.run(&["store", "storefront", "eu", "https://eu.example"]).ok();
    let file = app.file("people.csv", PEOPLE);
    app.run(&["import", "distributors", &file]).ok();
    app
}

/// Where a link leads, and the cookie it leaves.
fn follow(app: &TestApp, path: &str) -> (u16, String, String) {
    let answer = app.get(path, &[]);
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    (answer.status, header("location"), header("set-cookie"))
}

#[test]
fn a_link_leads_to_the_store_with_the_code() {
    let app = shop();
    let (status, to, cookie) = follow(&app, "/r/ANNA?to=/products/tea");
    assert_eq!((status, to.as_str()), (302, "https://shop.example/products/tea?ref=ANNA"));
    assert!(cookie.starts_with("upline_ref=ANNA; ") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Max-Age=2592000"), "{cookie}");
    assert_eq!(follow(&app, "/r/anna/eu").1, "https://eu.example/?ref=anna");
    assert_eq!(follow(&app, "/r/%C3%85sa%2001").1, "https://shop.example/de/?ref=%C3%85sa+01");
    assert_eq!(follow(&app, "/r/11043?to=//evil.example").1, "https://shop.example/de/?ref=11043");
    assert_eq!(follow(&app, "/r/ANNA/none").0, 404);
}

#[test]
fn a_code_that_names_nobody_leads_there_without_it() {
    let app = shop();
    for code in ["nobody", "GONE"] {
        let (status, to, cookie) = follow(&app, &format!("/r/{code}"));
        assert_eq!((status, to.as_str(), cookie.as_str()), (302, "https://shop.example/de/", ""), "{code}");
    }
    app.run(&["distributor", "code", "retire", "ben"]).ok();
    let gone = || follow(&app, "/r/BEN").2.is_empty().then_some(());
    wait::until("the retired code leaves no cookie", Duration::from_secs(10), gone);
}

#[test]
fn codes_are_given_and_retired_and_never_taken() {
    let app = shop();
    let codes = app.run(&["distributor", "code", "list", "11043", "--json"]).json();
    assert_eq!(codes[0]["code"], "anna");
    assert!(codes[1]["link"].as_str().unwrap().ends_with("/r/%C3%A5sa%2001"), "{codes}");
    let taken = app.run(&["distributor", "code", "add", "10090", "Anna"]);
    assert_eq!(taken.code, Some(1));
    assert!(taken.err.contains("names 11043 already"), "{}", taken.err);
    let id = app.run(&["distributor", "code", "add", "10090", "11043"]);
    assert!(id.err.contains("is the id of a distributor"), "{}", id.err);
    app.run(&["distributor", "code", "retire", "ANNA"]).ok();
    app.run(&["distributor", "code", "add", "10090", "ANNA"]).ok();
    let again = app.run(&["distributor", "code", "retire", "nobodys"]);
    assert!(again.err.contains("no code \"nobodys\" is in use"), "{}", again.err);
    // The order of then keeps whom its code named then.
    let at = |text: &str| text.parse().unwrap();
    let named = app.db.read(Lane::Admin, |conn| {
        let network = upline::distributors::Networks::default().get(conn)?;
        Ok((
            network.named("anna", at("2026-01-01T00:00:00Z")),
            network.named("ANNA", at("2126-01-01T00:00:00Z")),
        ))
    });
    let (then, now) = named.unwrap();
    assert_eq!(format!("{then:?}"), "Distributor(DistributorId(\"11043\"))");
    assert_eq!(format!("{now:?}"), "Distributor(DistributorId(\"10090\"))");
}

#[test]
fn a_file_says_which_code_is_somebody_elses() {
    let app = shop();
    let file = app.file(
        "more.csv",
        "distributor_id,sponsor_id,status,country,tax_id,created_at,codes
7,11043,active,,,2025-01-01,ben;seven
8,11043,active,,,2025-01-01,Seven
",
    );
    let refused = app.run(&["import", "distributors", &file]);
    assert_eq!(refused.code, Some(1));
    let told = format!("{}{}", refused.out, refused.err);
    assert!(
        told.contains("ben names 10090 already") && told.contains("seven names 7 in line 2 already"),
        "{told}"
    );
}

/// A shop with the snippet on its page, and a cart as Shopify has one. What was written to the cart.
fn shop_with_snippet() -> (SocketAddr, Arc<Mutex<Vec<Value>>>) {
    let written = Arc::new(Mutex::new(vec![]));
    let (told, address) = mpsc::channel();
    let kept = written.clone();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let (read, write) = (kept.clone(), kept.clone());
                let page = concat!("<h1>Tea</h1>", include_str!("../../docs/snippets/shopify.html"));
                let cart = move || {
                    let newest = read.lock().unwrap().last().cloned();
                    async move { HttpResponse::Ok().json(newest.unwrap_or(json!({"attributes": {}}))) }
                };
                let update = move |body: Bytes| {
                    write.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                    async { HttpResponse::Ok().json(json!({})) }
                };
                App::new()
                    .route("/cart.js", web::get().to(cart))
                    .route("/cart/update.js", web::post().to(update))
                    .default_service(web::to(move || async move {
                        HttpResponse::Ok().content_type("text/html").body(page)
                    }))
            });
            let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
            told.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    (address.recv().unwrap(), written)
}

#[test]
fn the_shopify_snippet_carries_the_code_into_the_cart_once() {
    let app = shop();
    let (shop, written) = shop_with_snippet();
    app.run(&["store", "storefront", "main", &format!("http://{shop}/")]).ok();
    let Some(browser) = Chromium::open() else { return };
    let leads = || follow(&app, "/r/ANNA").1.contains(&shop.to_string()).then_some(());
    wait::until("the storefront is known", Duration::from_secs(10), leads);
    browser.go(&format!("{}/r/ANNA?to=/products/tea", app.base));
    browser.see_heading("Tea");
    let in_cart = || written.lock().unwrap().first().cloned();
    let first = wait::until("the code is in the cart", Duration::from_secs(10), in_cart);
    assert_eq!(first, json!({"attributes": {"ref": "ANNA"}}));
    // On the next page the shop's own cookie has it, and the cart has it already.
    browser.go(&format!("http://{shop}/products/other"));
    browser.see_heading("Tea");
    let kept = browser.run("return document.cookie", Value::Null);
    assert!(kept.as_str().unwrap().contains("upline_ref=ANNA"), "{kept}");
    browser.go(&format!("http://{shop}/?ref=BEN"));
    let changed = || written.lock().unwrap().get(1).cloned();
    let second = wait::until("another link's code is in the cart", Duration::from_secs(10), changed);
    assert_eq!(second, json!({"attributes": {"ref": "BEN"}}));
    assert_eq!(written.lock().unwrap().len(), 2);
}

#[test]
fn codes_are_managed_on_the_distributors_page() {
    let app = shop();
    let browser = Browser::of_admin(&app);
    let page = browser.done("/admin/distributors/10090/codes", &[("code", "Winter 26")]);
    assert!(page.text.contains("/r/winter%2026"), "{}", page.text);
    let page = browser.done("/admin/distributors/10090/codes", &[("code", "anna")]);
    assert!(page.text.contains("names 11043 already"), "{}", page.text);
    let page = browser.done("/admin/distributors/10090/codes/retire", &[("code", "winter 26")]);
    assert!(!page.text.contains("/r/winter%2026") && page.text.contains("names nobody from now on"));
}
