//! Which days are reconciled without anybody asking, and those that somebody asks for.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use upline::clock::Clock;
use upline::db::Lane;
use upline::reconcile::{self, Heal, Reconciler, Worker};
use upline::settings;

use super::{STORE, reconciler, vault};
use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;

fn worker(pipeline: &Arc<Pipeline>, now: DateTime<Utc>) -> Worker {
    let patience = reconciler(pipeline).patience;
    let clock = Clock::fixed(now);
    let room = Reconciler {
        patience,
        ..Reconciler::new(pipeline.db.clone(), vault(), pipeline.books.clone(), clock)
    };
    Worker::new(room, settings::Reconcile { after_hours: 3, recheck_days: 35 })
}

/// Ids tell the real time, so the schedule is tried around it.
fn today() -> NaiveDate {
    Clock::system().now().date_naive()
}

fn ago(days: u64) -> NaiveDate {
    today().checked_sub_days(Days::new(days)).unwrap()
}

fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour, 0, 0).unwrap().and_utc()
}

fn order(id: u64, day: NaiveDate, modified_hour: u32, refunds: &[&str]) -> String {
    let (created, modified) = (format!("{day}T09:00:00"), format!("{day}T{modified_hour:02}:00:00"));
    Order { id, created: &created, modified: &modified, refunds, ..Order::default() }.body()
}

/// A store of which orders of the last four days are known; it is no day older than they are.
fn company() -> Arc<Pipeline> {
    let pipeline = Arc::new(Pipeline::with_company());
    pipeline.tamper(&format!("update stores set created_at = '{}T08:00:00Z'", ago(4)));
    let orders: Vec<String> = (1..=4).map(|days| order(300 + days, ago(days), 10, &[])).collect();
    pipeline.accept(STORE, &orders);
    pipeline.drain();
    worked_on(&pipeline, at(ago(1), 0));
    pipeline
}

/// What the pipeline has just done, it did at another time.
fn worked_on(pipeline: &Pipeline, at: DateTime<Utc>) {
    let now = crate::support::pipeline::now();
    pipeline.tamper(&format!(
        "update delivery_outcomes set processed_at = '{at}' where processed_at = '{now}';
         update commission_events set created_at = '{at}' where created_at = '{now}'"
    ));
}

fn reports(pipeline: &Pipeline) -> Vec<String> {
    let all = pipeline.ask(
        "select string_agg(day || ' ' || report_no || ' ' || cause, ',' order by day, report_no) from reconciliations",
    );
    all.split(',').filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

#[test]
fn days_that_are_over_are_reconciled_once_and_again_when_they_changed() {
    let pipeline = company();
    let begun = worker(&pipeline, at(today(), 2));
    assert_eq!(begun.round().unwrap(), 3, "yesterday is not over for three hours yet");
    assert_eq!(begun.round().unwrap(), 0);
    let expected =
        |days: &[u64]| days.iter().map(|days| format!("{} 1 schedule", ago(*days))).collect::<Vec<_>>();
    assert_eq!(reports(&pipeline), expected(&[4, 3, 2]));
    let now = at(today(), 3);
    assert_eq!(worker(&pipeline, now).round().unwrap(), 1);
    assert_eq!(reports(&pipeline), expected(&[4, 3, 2, 1]));
    // A refund of an order that is three days old.
    pipeline.accept(STORE, &[order(303, ago(3), 12, &["40.00"])]);
    pipeline.drain();
    worked_on(&pipeline, now + TimeDelta::minutes(5));
    let later = worker(&pipeline, now + TimeDelta::minutes(10));
    assert_eq!(later.round().unwrap(), 1);
    assert_eq!(reports(&pipeline)[2], format!("{} 2 changed", ago(3)));
    assert_eq!(later.round().unwrap(), 0);
    // A week later all of them are looked at again, as well as the days that have come since.
    let next_week = worker(&pipeline, now + TimeDelta::days(8));
    while next_week.round().unwrap() > 0 {}
    assert_eq!(
        pipeline.ask("select count(distinct day) || ' ' || count(*) filter (where cause = 'again') from reconciliations"),
        "12 4"
    );
}

#[test]
fn a_day_that_somebody_wants_comes_first() {
    let pipeline = company();
    let now = at(today(), 3);
    let ask = |heal| {
        pipeline
            .db
            .transact(Lane::Admin, |tx| reconcile::request(tx, STORE, ago(1), heal, "ann@example.com", now))
            .unwrap();
    };
    ask(Heal::No);
    // Only four days go into one round: the wanted one and the three oldest.
    assert_eq!(worker(&pipeline, now).round().unwrap(), 4);
    let first = pipeline.ask("select asked_by || ' ' || healing || ' ' || cause from reconciliations where day = (select max(day) from reconciliations)");
    assert_eq!(first, "ann@example.com false manual");
    assert_eq!(pipeline.ask("select count(*) from reconciliation_requests"), "0");
    // Asked twice before anybody came: once is enough.
    ask(Heal::No);
    ask(Heal::Yes);
    assert_eq!(worker(&pipeline, now).round().unwrap(), 1);
    assert_eq!(pipeline.ask("select max(report_no) || ' ' || bool_or(healing and report_no = 2) from reconciliations where asked_by like 'ann%'"), "2 true");
}

#[test]
fn a_store_without_orders_has_no_days() {
    let pipeline = Arc::new(Pipeline::with_company());
    assert_eq!(worker(&pipeline, at(today(), 12)).round().unwrap(), 0);
}
