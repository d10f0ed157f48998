//! The catalogue, customers and privacy as a person at the pages sees them, and the same on the command line.

use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::payload::Order;

fn product(id: u64, sku: &str, title: &str) -> String {
    format!(
        r#"{{"id":{id},"name":"{title}","date_modified_gmt":"2026-11-01T10:00:00","type":"simple","parent_id":0,
"sku":"{sku}","manage_stock":true,"stock_quantity":12,"variations":[],"attributes":[]}}"#
    )
}

#[test]
fn a_suggestion_is_accepted_with_a_click() {
    let app = TestApp::with_company();
    app.run(&[
        "import",
        "skus",
        &app.file(
            "more.csv",
            "sku_id,platform,platform_sku,name,category,commission_class
VITC,shopify,VC-1000,Vitamin C,food,standard
",
        ),
    ])
    .ok();
    app.deliver("product.created", &product(11, "VC-1000", "Vitamin C 1000"));
    app.deliver("product.created", &product(12, "GC-1", "Garden chair"));
    app.deliver("order.created", &Order { sku: "VC-1000", ..Order::default() }.body());
    app.drain();
    assert_eq!(app.run(&["catalog", "unmapped"]).code, Some(3));
    let admin = Browser::of_admin(&app);
    let page = admin.get("/admin/skus").text;
    assert!(page.contains("In the stores and not mapped") && page.contains("VITC, class standard"), "{page}");
    let store =
        page.split("name=\"variant\" value=\"[").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let variant = |product: u64| format!("[{store},\"{product}\",\"\"]");
    let unsure = admin.send("/admin/products/accept", &[("variant", &variant(12))]);
    assert_eq!(unsure.status, 303);
    assert!(admin.get("/admin/products").text.contains("0 mapped"));
    admin.send("/admin/products/accept", &[("variant", &variant(11))]);
    assert!(admin.get("/admin/products").text.contains("1 mapped; 1 held orders"));
    app.drain();
    assert!(admin.get("/admin/orders").text.contains("commissionable"));
    admin.send("/admin/products/map", &[("variant", &variant(12)), ("class", "standard")]);
    assert_eq!(app.run(&["catalog", "unmapped"]).ok(), "STORE  PRODUCT  SKU  STOCK  TITLE  SUGGESTION");
    let listed = app.run(&["catalog", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1]["sku_id"], "GC-1");
}

#[test]
fn the_same_sku_is_accepted_on_the_command_line() {
    let app = TestApp::with_company();
    app.run(&[
        "import",
        "skus",
        &app.file(
            "more.csv",
            "sku_id,platform,platform_sku,name,category,commission_class
VITC,shopify,VC-1000,Vitamin C,food,standard
",
        ),
    ])
    .ok();
    app.deliver("product.created", &product(11, "VC-1000", "Vitamin C 1000"));
    app.deliver("product.created", &product(12, "VC-1001", "Vitamin C 1001"));
    app.drain();
    let suggested = app.run(&["catalog", "suggest", "--json"]).json();
    assert_eq!(
        (&suggested[0]["suggestion"]["why"], &suggested[1]["suggestion"]["why"]),
        (&"same-sku".into(), &"name".into())
    );
    app.run(&["catalog", "suggest", "--accept", "same-sku", "--dry-run"]).ok();
    assert_eq!(app.run(&["catalog", "unmapped", "--json"]).code, Some(3));
    let accepted = app.run(&["catalog", "suggest", "--accept", "same-sku"]).ok();
    assert_eq!(accepted, "1 mapped; 0 held order(s) are assessed again.");
    let left = app.run(&["catalog", "unmapped"]);
    assert!(left.out.contains("only a hint") && !left.out.contains("VC-1000 "), "{}", left.out);
}

#[test]
fn a_customer_is_bound_told_and_forgotten() {
    let app = TestApp::with_company();
    let told = app.run(&["store", "binding", "main", "life", "--own-place", "customer_meta:code"]).ok();
    assert!(told.contains("The place `customer` is asked last now"), "{told}");
    assert!(app.run(&["store", "binding", "main"]).ok().contains("life"));
    let wrong = app.run(&["store", "binding", "main", "soon"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("none of life"), "{}", wrong.err);
    let order = |id, distributor| {
        let body = Order { id, distributor, customer: 77, ..Order::default() }.body();
        body.replacen('{', "{\"billing\":{\"first_name\":\"Zoe-Marie\"},", 1)
    };
    app.deliver("order.created", &order(1, None));
    app.drain();
    let admin = Browser::of_admin(&app);
    admin
        .send("/admin/customers/main/77/bind", &[("what", "bound"), ("distributor", "nobody"), ("from", "")]);
    assert!(admin.get("/admin/customers/main/77").text.contains("nobody names no distributor"));
    admin.send("/admin/customers/main/77/bind", &[("what", "bound"), ("distributor", "2"), ("from", "")]);
    app.drain();
    let page = admin.get("/admin/customers/main/77").text;
    assert!(page.contains("Recorded; 1 orders") && page.contains("manual"), "{page}");
    let shown = app.run(&["customer", "show", "main", "77", "--json"]).json();
    assert_eq!(
        (&shown["orders"][0]["distributor_id"], &shown["orders"][0]["place"]),
        (&"2".into(), &"customer".into())
    );
    assert!(admin.get("/admin/customers").text.contains(">77</a>"));
    let file =
        app.file("bindings.csv", "customer_id,distributor,kind,from\n77,4,bound,2030-01-01\n78,2,is,\n");
    assert!(app.run(&["customer", "import", "main", &file]).ok().starts_with("2 binding(s) imported"));
    let broken = app.file("broken.csv", "customer_id,distributor,kind,from\n77,nope,maybe,soon\n");
    let broken = app.run(&["customer", "import", "main", &broken]);
    assert!(broken.code == Some(1) && broken.err.contains("3 problem(s)"), "{}", broken.err);
    app.run(&["customer", "unbind", "main", "78", "--own"]).ok();
    let held = app.run(&["customer", "export", "main", "77"]).json();
    assert_eq!(
        (held["orders"].as_array().unwrap().len(), held["bindings"].as_array().unwrap().len()),
        (1, 2)
    );
    admin.send("/admin/customers/main/77/redact", &[("confirm", "78")]);
    assert!(admin.get("/admin/customers/main/77").text.contains("to confirm"));
    admin.send("/admin/customers/main/77/redact", &[("confirm", "77")]);
    let page = admin.get("/admin/customers/main/77").text;
    assert!(page.contains("1 deliveries hold no personal data") && page.contains("forgotten"), "{page}");
    assert!(app.run(&["verify"]).ok().contains("(1 redacted)"));
    app.run(&["replay", "--check"]).ok();
    assert!(app.run(&["customer", "redact", "main", "77"]).ok().starts_with("0 deliveries"));
    assert!(app.run(&["customer", "redact", "main", "999"]).err.contains("no customer 999"));
    assert_eq!(app.run(&["customer", "requests"]).code, Some(0));
    assert!(admin.get("/admin/customers/privacy").text.contains("Nothing was asked for"));
    let store = admin.get("/admin/stores/main").text;
    assert!(store.contains("how long an order that names a distributor"), "{store}");
    admin.send(
        "/admin/stores/main/binding",
        &[("policy", "days"), ("days", "0"), ("own_place", ""), ("bound_place", "")],
    );
    assert!(admin.get("/admin/stores/main").text.contains("Choose for life"));
    admin.send(
        "/admin/stores/main/binding",
        &[("policy", "days"), ("days", "90"), ("own_place", ""), ("bound_place", "")],
    );
    assert!(admin.get("/admin/stores/main").text.contains("90 days"));
    app.run(&["replay", "--check"]).ok();
}
