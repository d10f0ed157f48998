//! The webhook edge over real HTTP: what is kept, what is refused, and in which order it is looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use upline::db::Lane;
use upline::ingest;

use super::support::app::{SECRET, TestApp, signature, woo_headers};
use super::support::payload::Order;
use super::support::wait;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn count(app: &TestApp, table: &str) -> i64 {
    let rows = app.db.read(Lane::Admin, |conn| {
        Ok(sql_query(format!("select count(*) as count from {table}")).get_result::<Count>(conn)?)
    });
    rows.unwrap().count
}

fn with_store() -> TestApp {
    let app = TestApp::start();
    app.run(&["store", "add", "--platform", "woocommerce", "--slug", "main", "--secret", SECRET]).ok();
    app
}

#[test]
fn a_delivery_is_kept_as_it_came_and_once() {
    let app = with_store();
    let body = Order::default().body();
    let first = app.deliver("order.created", &body);
    assert_eq!((first.status, first.json()["status"].as_str()), (200, Some("accepted")), "{}", first.text());
    let again = app.deliver("order.created", &body);
    assert_eq!((again.status, again.json()["status"].as_str()), (200, Some("duplicate")));
    assert_eq!(first.json()["delivery_id"], again.json()["delivery_id"]);
    let id = first.json()["delivery_id"].as_str().unwrap().parse().unwrap();
    let stored = app.db.read(Lane::Admin, |conn| ingest::load(conn, &[id])).unwrap();
    assert_eq!(stored[0].body, body.as_bytes());
    assert_eq!(stored[0].topic, "order.created");
    let kept: Vec<&str> = stored[0].headers.keys().map(String::as_str).collect();
    assert!(kept.contains(&"x-wc-webhook-topic") && !kept.contains(&"authorization"), "{kept:?}");
    assert_eq!((count(&app, "deliveries"), count(&app, "delivery_repeats")), (1, 1));
}

#[test]
fn sixty_four_connections_tell_the_same_and_it_is_one_delivery() {
    let app = with_store();
    let body = Order::default().body();
    let answers: Vec<(u16, String, String)> = std::thread::scope(|scope| {
        let send = || {
            let answer = app.deliver("order.updated", &body);
            let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
            (answer.status, text("status"), text("delivery_id"))
        };
        let senders: Vec<_> = (0..64).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|(status, _, _)| *status == 200));
    assert_eq!(answers.iter().filter(|(_, told, _)| told == "accepted").count(), 1);
    assert_eq!(answers.iter().map(|(_, _, id)| id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!((count(&app, "deliveries"), count(&app, "delivery_repeats")), (1, 63));
}

#[test]
fn what_is_refused_is_refused_with_a_reason_and_not_kept() {
    let app = with_store();
    let (path, body) = ("/webhooks/main", Order::default().body());
    let good = woo_headers(SECRET, "order.created", &body);
    let with = |change: &[(&'static str, &str)]| {
        let mut headers: Vec<(&str, String)> = good.clone();
        for (name, value) in change {
            headers.retain(|(known, _)| known != name);
            if !value.is_empty() {
                headers.push((name, (*value).to_owned()));
            }
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        app.post(path, &headers, &body)
    };
    let signed = "X-WC-Webhook-Signature";
    let other = signature("another secret", &body);
    for (change, status, code) in [
        (vec![(signed, "")], 401, "signature_missing"),
        (vec![(signed, "%%%")], 401, "signature_malformed"),
        (vec![(signed, "AAAA")], 401, "signature_malformed"),
        (vec![(signed, other.as_str())], 401, "signature_mismatch"),
        (vec![("Content-Encoding", "gzip")], 415, "encoded_body"),
        (vec![("Content-Encoding", "identity, br")], 415, "encoded_body"),
    ] {
        let answer = with(&change);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{change:?}: {}", answer.text());
        assert!(!answer.text().contains(SECRET));
    }
    let answer = app.post(path, &[], vec![b'x'; 2 * 1024 * 1024 + 1]);
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    let answer = app.post("/webhooks/nobody", &[], &body);
    assert_eq!((answer.status, answer.code().as_str()), (404, "unknown_store"));
    let answer = app.call("PUT", path, &[], Some(b"{}"));
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(count(&app, "deliveries"), 0);
    assert_eq!(with(&[("Content-Encoding", "identity")]).status, 200);
}

#[test]
fn an_unknown_store_is_told_before_the_body_is_looked_at() {
    let app = TestApp::start();
    let answer = app.post("/webhooks/nobody", &[("Content-Encoding", "gzip")], vec![0; 3 * 1024 * 1024]);
    assert_eq!(answer.status, 404);
}

#[test]
fn a_store_and_a_secret_that_were_just_added_work_at_once() {
    let app = with_store();
    // So that the running server has looked and found nothing.
    assert_eq!(app.deliver_to("late", "k1", "order.created", "{\"id\":1}").status, 404);
    app.run(&["store", "add", "--platform", "woocommerce", "--slug", "late", "--secret", "k1"]).ok();
    assert_eq!(app.deliver_to("late", "k1", "order.created", "{\"id\":1}").status, 200);
    assert_eq!(app.deliver_to("late", "k2", "order.created", "{\"id\":2}").status, 401);
    app.run(&["store", "secret", "add", "late", "--secret", "k2"]).ok();
    assert_eq!(app.deliver_to("late", "k2", "order.created", "{\"id\":2}").status, 200);
    assert_eq!(app.deliver_to("late", "k1", "order.created", "{\"id\":3}").status, 200);
    let third = app.run(&["store", "secret", "add", "late", "--secret", "k3"]);
    assert_eq!(third.code, Some(1), "a third live secret is refused");
    app.run(&["store", "secret", "retire", "late"]).ok();
    wait::until("the retired secret to be refused", Duration::from_secs(10), || {
        let refused = app.deliver_to("late", "k1", "order.created", "{\"id\":3}").status == 401;
        refused.then_some(())
    });
    assert_eq!(app.deliver_to("late", "k2", "order.created", "{\"id\":4}").status, 200);
}

#[test]
fn the_ping_of_a_shop_is_answered_and_not_kept() {
    let app = with_store();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let ping = app.post("/webhooks/main", &form, "webhook_id=1");
    assert_eq!((ping.status, ping.json()["status"].as_str()), (200, Some("ping")));
    assert_eq!(app.post("/webhooks/main", &form, "webhook_id=1&id=2").status, 401);
    assert_eq!(count(&app, "deliveries"), 0);
}

#[test]
fn adobe_hears_its_own_challenge() {
    let app = with_store();
    app.run(&["store", "add", "--platform", "magento", "--slug", "adobe", "--secret", "k"]).ok();
    let answer = app.get("/webhooks/adobe?challenge=a1-b2%3C", &[]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "a1-b2<"));
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(app.get("/webhooks/adobe", &[]).status, 405);
    assert_eq!(app.get("/webhooks/main?challenge=x", &[]).status, 405);
    assert_eq!(app.get("/webhooks/nobody?challenge=x", &[]).status, 404);
}

#[test]
fn what_cannot_be_stored_is_not_acknowledged() {
    let app = with_store();
    app.sql("alter table deliveries rename to deliveries_elsewhere");
    let refused = app.deliver("order.created", &Order::default().body());
    assert_eq!((refused.status, refused.code().as_str()), (503, "not_stored"));
    assert!(refused.header("retry-after").is_some());
    app.sql("alter table deliveries_elsewhere rename to deliveries");
    assert_eq!(app.deliver("order.created", &Order::default().body()).status, 200);
}

#[test]
fn a_noisy_store_is_slowed_down_and_others_are_not() {
    let app = TestApp::start_with(|settings| (settings.store_rate, settings.store_burst) = (1, 3));
    for slug in ["noisy", "quiet"] {
        app.run(&["store", "add", "--platform", "woocommerce", "--slug", slug, "--secret", "k"]).ok();
    }
    // What nobody has signed does not count.
    (0..10).for_each(|_| assert_eq!(app.deliver_to("noisy", "wrong", "order.created", "{}").status, 401));
    let sent: Vec<_> =
        (0..20).map(|i| app.deliver_to("noisy", "k", "order.created", &format!("{{\"id\":{i}}}"))).collect();
    let refused: Vec<_> = sent.iter().filter(|answer| answer.status == 429).collect();
    assert!(sent.iter().filter(|answer| answer.status == 200).count() >= 3);
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|answer| answer.header("retry-after").is_some()));
    assert_eq!(app.deliver_to("quiet", "k", "order.created", "{\"id\":1}").status, 200);
}

#[test]
fn an_inactive_store_is_unknown() {
    let app = with_store();
    app.sql("update stores set active = false; update cache_versions set version = version + 1");
    wait::until("the server to notice", Duration::from_secs(10), || {
        (app.deliver("order.created", "{\"id\":1}").status == 404).then_some(())
    });
}

#[test]
fn health_and_numbers_are_told() {
    let app = with_store();
    app.deliver("order.created", "{\"id\":1}");
    app.deliver("order.created", "{\"id\":1}");
    app.deliver_to("main", "wrong", "order.created", "{\"id\":1}");
    app.drain();
    assert_eq!(app.get("/livez", &[]).status, 200);
    assert_eq!(app.get("/readyz", &[]).json()["schema"], "current");
    let told = app.get("/metrics", &[]).text();
    for line in [
        r#"upline_deliveries_total{store="main",verdict="accepted"} 1"#,
        r#"upline_deliveries_total{store="main",verdict="duplicate"} 1"#,
        r#"upline_deliveries_total{store="main",verdict="signature_mismatch"} 1"#,
        "upline_ack_seconds_count 2",
        "upline_database_up 1",
        r#"upline_backlog_events{topic="delivery_accepted"} 0"#,
        r#"upline_batch_events_count{topic="delivery_accepted"} 1"#,
    ] {
        assert!(told.lines().any(|known| known == line), "{line} is not in\n{told}");
    }
    let policy = app.get("/login", &[]);
    assert!(policy.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    assert_eq!(policy.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn credentials_and_addresses_are_not_kept_with_a_delivery() {
    let app = with_store();
    let body = Order::default().body();
    let mut headers = woo_headers(SECRET, "order.created", &body);
    for (name, value) in
        [("Authorization", "Bearer h1dden"), ("Cookie", "a=h1dden"), ("X-Forwarded-For", "192.0.2.77")]
    {
        headers.push((name, value.to_owned()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(app.post("/webhooks/main", &headers, &body).status, 200);
    let kept: Vec<Line> = app
        .db
        .read(Lane::Admin, |conn| Ok(sql_query("select headers::text as line from deliveries").load(conn)?))
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].line.contains("order.created"));
    assert!(!kept[0].line.contains("h1dden") && !kept[0].line.contains("192.0.2.77"), "{}", kept[0].line);
}
