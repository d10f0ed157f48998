//! Readings that go wrong, orders that only one side has, and days too large to be asked for one by one.

use std::sync::atomic::Ordering;

use rust_decimal::dec;
use upline::core::money::Currency;
use upline::core::reconcile::{Kind, State};
use upline::db::Lane;
use upline::ingest::{self, DIRECT_TOPIC, NewDelivery};
use upline::reconcile::{Asked, Cause, Heal, ReconcileProblem, Source};

use super::{STORE, Script, found, is_clean, one, order, reconcile, reconciler, the_day, told};
use crate::support::payload::Order;
use crate::support::pipeline::now;

fn notices(pipeline: &crate::support::pipeline::Pipeline) -> String {
    pipeline.ask(
        "select string_agg(key || ' ' || severity, ', ' order by key) from notices where resolved_at is null",
    )
}

#[test]
fn a_store_that_breaks_in_the_middle_leaves_a_report_that_is_never_clean() {
    let bodies: Vec<String> = (301..307).map(order).collect();
    let pipeline = told(&bodies);
    let mut script = Script::of(&bodies);
    script.breaks_at = Some(1);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    assert_eq!(report.state, State::NotOk);
    assert!(report.incomplete.as_ref().unwrap().contains("502"), "{report:?}");
    assert!(report.differences.is_empty(), "nothing was wrong with what was read");
    assert_eq!(notices(&pipeline), "day-not-ok:main:2026-11-01 warning");
    script.breaks_at = None;
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!((report.report_no, notices(&pipeline)), (2, String::new()));
    assert_eq!(
        pipeline.ask("select string_agg(report_no || ' ' || state || ' ' || (incomplete is null), ', ' order by report_no) from reconciliations"),
        "1 not_ok false, 2 ok true"
    );
    let closed = reconcile(&pipeline, Source::Closed("the stored credentials cannot be opened"), Heal::Yes);
    assert_eq!((closed.state, closed.incomplete.is_some()), (State::NotOk, true));
}

#[test]
fn an_order_that_the_store_deleted_earns_nothing_any_more() {
    let pipeline = told(&[order(301), order(302)]);
    let script = Script::of(&[order(301)]);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!((one(&report).kind, one(&report).order.as_str()), (Kind::DeletedAtStore, "302"));
    assert_eq!(notices(&pipeline), "day-not-ok:main:2026-11-01 alarm");
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!(report.healed.len(), 1);
    assert_eq!(
        pipeline.ask("select array_to_string(exemptions, ',') from orders where external_id = '302'"),
        "deleted"
    );
    // And is there again.
    script.put(&order(302));
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!(one(&report).kind, Kind::OtherState);
    is_clean(&pipeline, &reconcile(&pipeline, Source::Api(&script), Heal::Yes), State::Ok);
}

#[test]
fn an_order_that_the_list_leaves_out_is_asked_for_before_it_is_called_deleted() {
    let bodies = [order(301), order(302)];
    let pipeline = told(&bodies);
    let script = Script { unlisted: vec!["302".into()], ..Script::of(&bodies) };
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!(script.singles_read.load(Ordering::Relaxed), 1);
}

#[test]
fn a_store_that_suddenly_shows_nothing_is_doubted_and_nothing_is_deleted() {
    let bodies: Vec<String> = (301..313).map(order).collect();
    let pipeline = told(&bodies);
    let report = reconcile(&pipeline, Source::Api(&Script::default()), Heal::Yes);
    assert!(report.incomplete.as_ref().unwrap().contains("0 of the 12 orders"), "{report:?}");
    assert_eq!(pipeline.ask("select count(*) from orders where status = 'commissionable'"), "12");
    assert_eq!(pipeline.ask("select count(*) from deliveries where topic = 'pull.absence'"), "0");
}

#[test]
fn orders_that_are_known_to_be_deleted_raise_no_doubt_and_are_not_asked_for_again() {
    let bodies: Vec<String> = (301..313).map(order).collect();
    let pipeline = told(&bodies);
    let script = Script::of(&bodies);
    for gone in [301..306, 306..311] {
        gone.for_each(|id| script.remove(id));
        is_clean(&pipeline, &reconcile(&pipeline, Source::Api(&script), Heal::Yes), State::Ok);
    }
    let asked = script.singles_read.load(Ordering::Relaxed);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!(script.singles_read.load(Ordering::Relaxed), asked);
    let usd = &report.sums[&Currency::parse("USD").unwrap()];
    assert_eq!((&usd.store, usd.deleted, usd.ledger.net), (&usd.ours, 10, dec!(200)));
}

#[test]
fn an_order_that_was_only_posted_is_left_to_a_person() {
    let pipeline = told(&[order(301)]);
    let body = r#"{"platform": "woocommerce", "platform_order_id": "X-1", "order_ts": "2026-11-01T12:00:00Z",
        "status": "paid", "currency": "USD", "distributor_ref": "4",
        "items": [{"platform_sku": "A1", "qty": 1, "unit_price": 30.00}], "total": 30.00}"#;
    let posted = NewDelivery {
        store: STORE,
        topic: DIRECT_TOPIC.into(),
        dedupe_key: ingest::sha256(body.as_bytes()),
        delivery_key: None,
        event_key: None,
        triggered_at: None,
        headers: Default::default(),
        body: ingest::compress(body.as_bytes()),
        body_bytes: body.len(),
        body_sha256: ingest::sha256(body.as_bytes()),
        received_at: "2026-11-01T12:00:00Z".parse().unwrap(),
    };
    pipeline.db.transact(Lane::Ingest, |tx| ingest::accept(tx, std::slice::from_ref(&posted))).unwrap();
    pipeline.drain();
    assert_eq!(pipeline.ask("select count(*) from orders where external_id = 'X-1'"), "1");
    let script = Script::of(&[order(301)]);
    for heal in [Heal::No, Heal::Yes] {
        let report = reconcile(&pipeline, Source::Api(&script), heal);
        assert_eq!((one(&report).kind, one(&report).order.as_str()), (Kind::UnknownToStore, "X-1"));
        assert_eq!((report.state, report.told.deliveries.unique), (State::NotOk, 1));
    }
}

#[test]
fn without_the_store_a_day_is_explained_at_best() {
    let pipeline = told(&[order(301), order(302)]);
    let report = reconcile(&pipeline, Source::Ours, Heal::Yes);
    is_clean(&pipeline, &report, State::Explained);
    assert!(!report.asked);
    pipeline.tamper("update orders set net = 9 where external_id = '301'");
    let report = reconcile(&pipeline, Source::Ours, Heal::No);
    assert_eq!((report.state, one(&report).kind), (State::NotOk, Kind::WrongNet));
    let report = reconcile(&pipeline, Source::Ours, Heal::Yes);
    is_clean(&pipeline, &report, State::Explained);
    assert_eq!(report.healed.len(), 1);
}

#[test]
fn work_that_waits_is_in_flight_and_not_wrong() {
    let pipeline = told(&[order(301)]);
    let refunded =
        Order { id: 301, modified: "2026-11-01T11:00:00", refunds: &["40.00"], ..Order::default() };
    let script = Script::of(&[refunded.body(), order(302)]);
    // Told, and nobody has worked on it yet.
    pipeline.accept(STORE, &[refunded.body(), order(302)]);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!((report.state, report.differences.len()), (State::Explained, 0), "{report:#?}");
    assert_eq!(report.told.in_flight.first.iter().collect::<Vec<_>>(), ["301", "302"]);
    let usd = &report.sums[&Currency::parse("USD").unwrap()];
    assert_eq!((usd.in_flight.net, usd.drift, usd.due.net), (dec!(60), dec!(0), dec!(160)));
    pipeline.drain();
    is_clean(&pipeline, &reconcile(&pipeline, Source::Api(&script), Heal::No), State::Ok);
}

#[test]
fn a_later_change_here_than_at_the_store_cannot_be_read_away() {
    let later = Order { modified: "2026-11-02T00:00:00", refunds: &["40.00"], ..Order::default() };
    let pipeline = told(&[later.body()]);
    let script = Script::of(&[order(301)]);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    assert_eq!((report.state, one(&report).kind), (State::NotOk, Kind::DoubledRefund));
    assert!(one(&report).fix.contains("clock"), "{:?}", one(&report));
    assert!(script.singles_read.load(Ordering::Relaxed) > 0, "it was asked once more");
}

#[test]
fn a_large_day_is_healed_and_read_as_a_whole_again() {
    let bodies: Vec<String> = (1000..1260).map(order).collect();
    let pipeline = told(&bodies[..20]);
    let script = Script::of(&bodies);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!((report.healed.len(), script.singles_read.load(Ordering::Relaxed)), (240, 0));
    assert!(report.healed.iter().all(|found| found.kind == Kind::MissingOrder));
    assert_eq!(script.pages_read.load(Ordering::Relaxed), 260);
    assert_eq!(pipeline.ask("select count(*) from reconciliation_differences where healed"), "240");
    assert_eq!(found(&report.differences), []);
}

/// `UPLINE_STORES=full` makes it a day of 100,000 orders and tells how long it took.
#[test]
fn a_day_of_a_big_shop() {
    let full = std::env::var("UPLINE_STORES").is_ok_and(|scale| scale == "full");
    let orders = if full { 100_000 } else { 1_000 };
    let bodies: Vec<String> = (1..=orders).map(order).collect();
    let pipeline = std::sync::Arc::new(crate::support::pipeline::Pipeline::with_company());
    for batch in bodies.chunks(5_000) {
        pipeline.accept(STORE, batch);
        pipeline.drain();
    }
    let script = Script { page: 250, ..Script::of(&bodies) };
    drop(bodies);
    let (begun, before) = (std::time::Instant::now(), resident());
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    eprintln!("{orders} orders took {:.1?}; {} MB of memory, {before} before", begun.elapsed(), resident());
    assert_eq!((report.state, report.differences.len(), report.healed.len()), (State::Ok, 0, 0));
    let usd = &report.sums[&Currency::parse("USD").unwrap()];
    assert_eq!((usd.store.orders, usd.ledger.orders), (orders, orders));
    assert_eq!(script.singles_read.load(Ordering::Relaxed), 0);
}

/// Megabytes that this process holds.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

#[test]
fn reports_are_kept_as_they_were() {
    let pipeline = told(&[order(301)]);
    reconcile(&pipeline, Source::Ours, Heal::No);
    for sql in [
        "update reconciliations set state = 'ok'",
        "delete from reconciliation_sums",
        "truncate reconciliation_differences",
    ] {
        let refused = pipeline.db.read(Lane::Admin, |conn| {
            use diesel::connection::SimpleConnection;
            Ok(conn.batch_execute(sql)?)
        });
        assert!(format!("{:?}", refused.unwrap_err()).contains("append-only"), "{sql}");
    }
}

#[test]
fn what_cannot_be_reconciled_says_why() {
    let pipeline = told(&[]);
    let room = reconciler(&pipeline);
    let asked = Asked { heal: Heal::No, cause: Cause::Manual, by: "test" };
    assert!(matches!(
        room.day("elsewhere", the_day(), &asked),
        Err(ReconcileProblem::UnknownStore(slug)) if slug == "elsewhere"
    ));
    let tomorrow = now().date_naive().succ_opt().unwrap();
    assert!(matches!(room.day("main", tomorrow, &asked), Err(ReconcileProblem::NotBegun(..))));
    // Another process is at it.
    let mut session = upline::db::connect(pipeline.db.url()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(
        &mut session,
        "select pg_advisory_lock(x'72650001'::int, (date '2026-11-01' - date '0001-01-01') + 1)",
    )
    .unwrap();
    assert!(matches!(room.day("main", the_day(), &asked), Err(ReconcileProblem::Busy(..))));
}
