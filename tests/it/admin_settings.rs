//! What an admin sets up on the pages works at once: plans, stores, users, tokens; and nobody else may.

use crate::support::app::{DISTRIBUTORS, SKUS, TestApp};
use crate::support::browser::{Browser, Page};
use crate::support::payload::Order;
use upline::core::plan::Plan;

const PLAN: &str = include_str!("../../config/plans/affiliate.toml");

fn add_store(admin: &Browser<'_>, platform: &str) -> Page {
    let fields = [("name", "Shop Europe"), ("slug", "shop-eu"), ("platform", platform)];
    admin.done("/admin/stores", &fields)
}

/// The status with which a WooCommerce order that is signed with `secret` is answered.
fn deliver(app: &TestApp, secret: &str, id: u64) -> u16 {
    app.deliver_to("shop-eu", secret, "order.updated", &Order { id, ..Order::default() }.body()).status
}

/// From the form to the page of the published plan.
fn publish(admin: &Browser<'_>, document: &str, date: &str) -> Page {
    let preview =
        admin.send("/admin/plans/publish", &[("document", document), ("date", date), ("step", "preview")]);
    assert_eq!(preview.status, 200, "{}", preview.text);
    let previewed = preview.field("previewed");
    let fields = [
        ("document", document),
        ("date", date),
        ("previewed", &previewed),
        ("confirm", "Sample affiliate"),
        ("step", "publish"),
    ];
    admin.done("/admin/plans/publish", &fields)
}

#[test]
fn a_plan_is_checked_previewed_and_published() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let broken = PLAN.replace(r#"currency = "USD""#, r#"currency = "US""#);
    let line = 1 + broken.lines().position(|line| line.starts_with("currency")).unwrap();
    // As a browser sends what was typed.
    let checked = admin.send("/admin/plans/check", &[("document", &broken.replace('\n', "\r\n"))]);
    assert_eq!(checked.status, 422);
    assert!(checked.text.contains(&format!("Line {line}<")), "{}", checked.text);
    assert!(checked.text.contains("1 problem<"), "{}", checked.text);

    let sound = admin.send("/admin/plans/check", &[("document", PLAN)]);
    assert_eq!((sound.status, sound.text.contains("Sample affiliate is sound")), (200, true));
    let first = publish(&admin, PLAN, "2026-01-01");
    assert!(first.text.contains("in effect") && first.text.contains("decides from 2026-01-01 00:00"));

    let raised = PLAN.replace(r#""0.02""#, r#""0.025""#);
    let fields = [("document", raised.as_str()), ("date", "2099-01-01"), ("step", "preview")];
    let preview = admin.send("/admin/plans/publish", &fields);
    for told in ["Bonus levels: Everybody, level 1", "2 %", "2.5 %", "None: no order waits for a plan"] {
        assert!(preview.text.contains(told), "{told} in {}", preview.text);
    }
    assert!(publish(&admin, &raised, "2099-01-01").text.contains("upcoming"));
    let list = admin.get("/admin/plans").text;
    assert_eq!((list.matches("in effect").count(), list.matches("upcoming").count()), (1, 1), "{list}");
    assert!(admin.get("/admin/settings").text.contains("plan.publish"));

    let diff = admin.get("/admin/plans/diff").text;
    for told in ["1 value changed", "bonus.levels.rates", "[0.1, 0.02, 0.01]", "[0.1, 0.025, 0.01]"] {
        assert!(diff.contains(told), "{told} in {diff}");
    }
    let hash = |document: &str| Plan::parse(document).unwrap().hash().to_string();
    let same = format!("/admin/plans/diff?from={0}&to={0}", hash(PLAN));
    assert!(admin.get(&same).text.contains("Both plans mean the same"));
    let turned = format!("/admin/plans/diff?from={}&to={}", hash(&raised), hash(PLAN));
    assert!(admin.get(&turned).text.contains("1 value changed"));
    assert_eq!(
        admin.get(&format!("/admin/plans/diff?from={}&to={}", hash(PLAN), "0".repeat(64))).status,
        404
    );
}

#[test]
fn only_what_was_shown_is_published() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let preview = [("document", PLAN), ("date", "2026-01-01"), ("step", "preview")];
    let previewed = admin.send("/admin/plans/publish", &preview).field("previewed");
    let send = |date: &str, confirm: &str| {
        let fields = [
            ("document", PLAN),
            ("date", date),
            ("previewed", previewed.as_str()),
            ("confirm", confirm),
            ("step", "publish"),
        ];
        admin.send("/admin/plans/publish", &fields)
    };
    let refused = |page: Page, why: &str| {
        assert_eq!((page.status, page.text.contains(why)), (422, true), "{why}: {}", page.text);
    };
    refused(send("2026-01-01", "Sample"), "Type Sample affiliate to confirm");
    refused(send("2026-02-01", "Sample affiliate"), "about another date");
    refused(send("someday", "Sample affiliate"), "Choose a day");
    assert!(admin.get("/admin/plans").text.contains("No plan yet"));
    assert_eq!(send("2026-01-01", "Sample affiliate").status, 303);
    refused(send("2026-01-01", "Sample affiliate"), "another plan was published meanwhile");
}

#[test]
fn held_orders_are_released_by_a_plan() {
    let app = TestApp::start();
    app.run(&["import", "distributors", &app.file("distributors.csv", DISTRIBUTORS)]).ok();
    app.run(&["import", "skus", &app.file("skus.csv", SKUS)]).ok();
    let admin = Browser::of_admin(&app);
    let fields = [
        ("name", "Shop Europe"),
        ("slug", "shop-eu"),
        ("platform", "woocommerce"),
        ("attribution", "order_meta:distributor, discount_code"),
    ];
    let secret = admin.done("/admin/stores", &fields).secret();
    assert_eq!(deliver(&app, &secret, 301), 200);
    app.drain();
    let fields = [("document", PLAN), ("date", "2026-01-01"), ("step", "preview")];
    let preview = admin.send("/admin/plans/publish", &fields).text;
    assert!(preview.contains("No plan</th>") && preview.contains("100.00"), "{preview}");
    assert!(publish(&admin, PLAN, "2026-01-01").text.contains("One held order is looked at again"));
    app.drain();
    assert!(admin.send("/admin/plans/publish", &fields).text.contains("no order waits for a plan"));
    assert!(admin.get("/admin/orders").text.contains("pill ok\">commissionable"));
}

#[test]
fn a_store_is_connected_and_its_secret_changed_without_a_gap() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let page = add_store(&admin, "woocommerce");
    let first = page.secret();
    assert!(page.text.contains("/webhooks/shop-eu") && page.text.contains("WP REST API Integration v3"));
    assert!(!admin.get("/admin/stores/shop-eu").text.contains(&first), "shown once");
    assert_eq!(deliver(&app, &first, 1), 200);
    assert_eq!(deliver(&app, "something else", 2), 401);

    let second = admin.done("/admin/stores/shop-eu/secrets", &[("make", "true")]).secret();
    assert_ne!(first, second);
    assert_eq!(deliver(&app, &first, 3), 200);
    assert_eq!(deliver(&app, &second, 4), 200);
    admin.done("/admin/stores/shop-eu/secrets/retire", &[]);
    assert_eq!(deliver(&app, &first, 5), 401);
    assert_eq!(deliver(&app, &second, 6), 200);
    let log = admin.get("/admin/settings").text;
    for act in ["store.add", "store.secret.add", "store.secret.retire"] {
        assert!(log.contains(act), "{act}");
    }
    assert!(!log.contains(&first) && !log.contains(&second));
}

#[test]
fn a_store_form_says_what_is_wrong_where() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let fields = [
        ("name", "Kept"),
        ("slug", "No Slug"),
        ("platform", "magento"),
        ("attribution", "discount_code, cookie:x"),
    ];
    let page = admin.send("/admin/stores", &fields);
    assert_eq!(page.status, 422);
    for told in ["id=\"slug-wrong\"", "id=\"attribution-wrong\"", "cookie:x is no place", "value=\"Kept\""] {
        assert!(page.text.contains(told), "{told} in {}", page.text);
    }
    add_store(&admin, "shopify");
    let again = admin.send("/admin/stores", &[("name", "x"), ("slug", "shop-eu"), ("platform", "direct")]);
    assert_eq!((again.status, again.text.contains("exists already")), (422, true));
    let bare = admin.send("/admin/stores/shop-eu/secrets", &[("secret", " ")]);
    assert_eq!((bare.status, bare.text.contains("id=\"secret-wrong\"")), (422, true));
}

#[test]
fn a_token_works_until_it_is_revoked() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let page = admin.done("/admin/settings/tokens", &[("name", "erp"), ("scope", "orders")]);
    let bearer = format!("Bearer {}", page.secret());
    let call = || {
        app.post("/api/mlm/orders", &[("Authorization", &bearer), ("Content-Type", "application/json")], "{}")
    };
    assert_eq!(call().status, 422, "let in, and told what is missing");
    let id =
        page.text.split("/admin/settings/tokens/").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    // The form to add one has no number in its address; the one to revoke it has.
    let id = if id.parse::<i32>().is_ok() { id } else { "1" };
    admin.done(&format!("/admin/settings/tokens/{id}/revoke"), &[]);
    assert_eq!(call().status, 401);
    assert_eq!(admin.send(&format!("/admin/settings/tokens/{id}/revoke"), &[]).status, 404);
    let nameless = admin.send("/admin/settings/tokens", &[("name", " "), ("scope", "orders")]);
    assert_eq!((nameless.status, nameless.text.contains("id=\"name-wrong\"")), (422, true));
}

#[test]
fn a_password_is_set_on_the_page() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let short = admin.send("/account/password", &[("password", "short")]);
    assert_eq!(
        (short.status, short.text.contains("<h1>This cannot be done</h1>")),
        (422, true),
        "{}",
        short.text
    );
    assert!(short.text.contains("shorter than 10 characters"));
    let set = admin.done("/account/password", &[("password", "correct horse battery")]);
    assert!(set.text.contains("Your password is set") && set.text.contains("Current password"));
    let wrong = [("current", "a guess"), ("password", "correct horse battery 2")];
    assert!(admin.send("/account/password", &wrong).text.contains("The current password is wrong"));
}

#[test]
fn a_viewer_changes_nothing() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    let added = admin.done("/admin/settings/users", &[("email", "Eve@example.test"), ("role", "viewer")]);
    let link = added.secret();
    let viewer = Browser::by_link(&app, &link);
    for page in
        ["/admin/plans", "/admin/plans/check", "/admin/stores", "/admin/stores/direct", "/admin/settings"]
    {
        let page = viewer.get(page);
        assert_eq!(page.status, 200);
        assert!(
            !page.text.contains("action=\"/admin/settings/") && !page.text.contains("action=\"/admin/stores")
        );
        assert!(!page.text.contains("action=\"/admin/plans"));
    }
    for address in [
        "/admin/plans/check",
        "/admin/plans/publish",
        "/admin/stores",
        "/admin/stores/direct/secrets",
        "/admin/stores/direct/secrets/retire",
        "/admin/settings/users",
        "/admin/settings/users/1/link",
        "/admin/settings/users/1/disable",
        "/admin/settings/tokens",
        "/admin/settings/tokens/1/revoke",
    ] {
        let fields =
            [("document", PLAN), ("name", "x"), ("slug", "x"), ("email", "x@y.z"), ("role", "admin")];
        let all = [&fields[..], &[("scope", "admin"), ("platform", "direct"), ("secret", "x")]].concat();
        assert_eq!(viewer.send(address, &all).status, 403, "{address}");
        assert_eq!(admin.send_bare(address, &all).status, 403, "{address}: without the form's token");
    }
    assert!(
        admin.send("/admin/settings/users", &[("email", "eve@example.test"), ("role", "admin")]).status
            == 422
    );
    admin.done("/admin/settings/users/2/disable", &[]);
    assert_eq!(viewer.get("/admin/plans").status, 303, "signed out");
    assert_eq!(admin.send("/admin/settings/users/1/disable", &[]).status, 422, "never oneself");
}

#[test]
fn the_audit_log_is_paged_without_a_gap() {
    let app = TestApp::start();
    let admin = Browser::of_admin(&app);
    for number in 0..60 {
        let name = format!("token-{number}");
        assert_eq!(admin.send("/admin/settings/tokens", &[("name", &name), ("scope", "read")]).status, 303);
    }
    let log = |page: &Page| page.text.split("Audit log").nth(1).unwrap().to_owned();
    let first = admin.get("/admin/settings");
    let next = log(&first)
        .split("<a class=\"button small\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let second = admin.get(next.split('#').next().unwrap());
    let both = log(&first) + &log(&second);
    for number in 0..60 {
        assert_eq!(both.matches(&format!("name: token-{number},")).count(), 1, "token-{number}");
    }
}
