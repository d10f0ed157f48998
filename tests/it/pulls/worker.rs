//! The worker: what is due, side by side, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use upline::clients::ApiError;
use upline::clock::Clock;
use upline::connections::Connection;
use upline::core::ids::StoreId;
use upline::pulls::{Opener, Worker};
use upline::settings;
use upline::telemetry::Metrics;

use super::{Shop, at, company, connect, store};
use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;
use crate::support::wait;

const LONG: Duration = Duration::from_secs(20);

fn settings() -> settings::Pulls {
    settings::Pulls {
        every_minutes: 15,
        overlap_minutes: 10,
        daily_hours: 48,
        webhooks_minutes: 60,
        silent_hours: 6,
    }
}

/// A worker for which it is that time, of the shops by their slugs; a store without one cannot be opened.
fn worker(pipeline: &Pipeline, now: DateTime<Utc>, shops: &[(&str, &Arc<Shop>)]) -> Worker {
    let shops: BTreeMap<String, Arc<Shop>> =
        shops.iter().map(|(slug, shop)| ((*slug).to_owned(), (*shop).clone())).collect();
    let open: Arc<Opener> = Arc::new(move |connection: &Connection| match shops.get(&connection.slug) {
        Some(shop) => Ok(Box::new(shop.api(now))),
        None => Err(ApiError::Unsupported("no client for it".into()).into()),
    });
    Worker::new(pipeline.db.clone(), Clock::fixed(now), settings(), open, Metrics::build().unwrap())
}

fn done(pipeline: &Pipeline, slug: &str) -> Option<String> {
    let ask = format!(
        "select string_agg(concat_ws(' ', cause, seen, told), ', ' order by started_at, pull_id) from pulls join stores
         using (store_id) where slug = '{slug}' and state = 'done' and kind = 'orders'"
    );
    Some(pipeline.ask(&ask)).filter(|text| !text.is_empty())
}

/// Looks and waits until nothing is being read.
fn look(worker: &Worker) {
    worker.look().unwrap();
    wait::until("the worker is idle", LONG, || (!worker.is_busy()).then_some(()));
}

#[test]
fn what_is_due_is_read_and_nothing_else() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(12);
    let look_at = |now: &str| {
        look(&worker(&pipeline, at(now), &[("main", &shop)]));
        pipeline.drain();
        done(&pipeline, "main").unwrap()
    };
    assert_eq!(look_at("01T10:00:00"), "daily 12 12");
    assert_eq!(look_at("01T10:14:59"), "daily 12 12");
    shop.put(&Order { id: 1000, modified: "2026-11-01T10:10:00", ..Order::default() });
    assert_eq!(look_at("01T10:15:00"), "daily 12 12, schedule 1 1");
    assert_eq!(look_at("02T10:00:00"), "daily 12 12, schedule 1 1, daily 12 0");
    assert_eq!(
        pipeline.ask("select pulled_until = '2026-11-02T10:00:00Z' from pull_marks where kind = 'orders'"),
        "true"
    );
}

#[test]
fn two_workers_read_a_store_once() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    let shop = Shop::gated(10);
    shop.fill(25);
    let workers = [
        worker(&pipeline, at("01T10:00:00"), &[("main", &shop)]),
        worker(&pipeline, at("01T10:00:00"), &[("main", &shop)]),
    ];
    for worker in &workers {
        worker.look().unwrap();
    }
    wait::until("one of them reads, and the other has seen that", LONG, || {
        let busy = workers.iter().filter(|worker| worker.is_busy()).count();
        (shop.calls() == 1 && busy == 1).then_some(())
    });
    shop.open_gate();
    for worker in &workers {
        wait::until("idle", LONG, || (!worker.is_busy()).then_some(()));
        look(worker);
    }
    assert_eq!(shop.calls(), 3);
    assert_eq!(done(&pipeline, "main").unwrap(), "daily 25 25");
    assert_eq!(pipeline.ask("select count(*) from pulls where kind = 'orders'"), "1");
}

#[test]
fn a_store_that_is_slow_holds_no_other_back() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    let other = pipeline.add_store("other");
    connect(&pipeline.db, other, "other", at("01T08:00:00"));
    let (slow, quick) = (Shop::gated(10), Shop::of_pages(10));
    slow.fill(3);
    quick.fill(3);
    let worker = worker(&pipeline, at("01T10:00:00"), &[("main", &slow), ("other", &quick)]);
    worker.look().unwrap();
    wait::until("the quick one is read", LONG, || done(&pipeline, "other"));
    assert_eq!(done(&pipeline, "main"), None);
    slow.open_gate();
    wait::until("and the slow one", LONG, || done(&pipeline, "main"));
}

#[test]
fn a_store_that_cannot_be_opened_waits_and_is_told() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    for (now, failures) in [("01T10:00:00", "1"), ("01T10:00:30", "1"), ("01T10:01:00", "2")] {
        look(&worker(&pipeline, at(now), &[]));
        assert_eq!(
            pipeline.ask("select failures from pull_marks where kind = 'orders'"),
            failures,
            "at {now}"
        );
    }
    look(&worker(&pipeline, at("01T10:03:00"), &[]));
    assert_eq!(pipeline.ask("select key from notices where resolved_at is null"), "store-unreachable:main");
    assert_eq!(pipeline.ask("select problem from store_connections"), "no client for it");
    assert_eq!(pipeline.ask("select count(*) from pulls"), "0");
    let shop = Shop::of_pages(10);
    shop.fill(1);
    look(&worker(&pipeline, at("01T10:07:00"), &[("main", &shop)]));
    assert_eq!(pipeline.ask("select count(*) from notices where resolved_at is null"), "0");
}

#[test]
fn a_paused_store_is_left_alone() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    pipeline.tamper("update store_connections set paused = true");
    let shop = Shop::of_pages(10);
    look(&worker(&pipeline, at("01T10:00:00"), &[("main", &shop)]));
    assert_eq!(shop.calls(), 0);
}

#[test]
fn a_failed_window_goes_on_and_the_next_one_follows_it() {
    let (pipeline, _, _) = company(at("01T08:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    shop.fail([None, Some(ApiError::Incomplete("3 orders are missing".into()))]);
    look(&worker(&pipeline, at("01T10:00:00"), &[("main", &shop)]));
    assert_eq!(done(&pipeline, "main"), None);
    look(&worker(&pipeline, at("01T10:20:00"), &[("main", &shop)]));
    assert_eq!(done(&pipeline, "main").unwrap(), "daily 25 25");
    assert_eq!(
        pipeline.ask("select pulled_until = '2026-11-01T10:00:00Z' from pull_marks where kind = 'orders'"),
        "true"
    );
    look(&worker(&pipeline, at("01T10:20:00"), &[("main", &shop)]));
    assert_eq!(done(&pipeline, "main").unwrap(), "daily 25 25, schedule 0 0");
}

#[test]
fn a_store_that_is_connected_meanwhile_is_picked_up_and_the_end_is_prompt() {
    let pipeline = Pipeline::with_company();
    let shop = Shop::of_pages(10);
    shop.fill(3);
    let worker = worker(&pipeline, at("01T10:00:00"), &[("main", &shop)]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (say, stop) = watch::channel(false);
    let running = runtime.spawn(worker.run(stop));
    let id: StoreId = store(&pipeline.db, "main").id;
    connect(&pipeline.db, id, "main", at("01T08:00:00"));
    wait::until("it is read", LONG, || done(&pipeline, "main"));
    say.send_replace(true);
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(2), running).await.expect("it ends").unwrap();
    });
}
