//! What is news becomes a delivery, once; the ledger follows what the store says.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use upline::clients::{PulledOrder, StoreApi};
use upline::clock::Clock;
use upline::db::Lane;
use upline::ingest::Store;
use upline::pulls::{self, One, Taken};
use upline::stores::{PULLED_ABSENCE, PULLED_ORDER};

use super::{Shop, at, company};
use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;

fn read(shop: &Arc<Shop>, id: &str, now: DateTime<Utc>) -> PulledOrder {
    shop.api(now).order(id).unwrap().unwrap()
}

fn take(pipeline: &Pipeline, store: &Store, orders: &[PulledOrder], now: DateTime<Utc>) -> Taken {
    let taken = pipeline.db.transact(Lane::Admin, |tx| pulls::take(tx, store, orders, now)).unwrap();
    pipeline.drain();
    taken
}

fn deliveries(pipeline: &Pipeline) -> String {
    pipeline.ask("select count(*) from deliveries")
}

/// What stands posted for everybody.
fn paid(pipeline: &Pipeline) -> String {
    pipeline.ask("select coalesce(sum(amount), 0)::numeric(20, 2) from commission_events")
}

fn status(pipeline: &Pipeline) -> String {
    pipeline.ask("select status || ' ' || array_to_string(exemptions, ',') from orders")
}

const SAME: Taken = Taken { told: 0, same: 1, unknown: 0 };
const NEWER: Taken = Taken { told: 1, same: 0, unknown: 0 };
const FOUND: Taken = Taken { told: 1, same: 0, unknown: 1 };

#[test]
fn an_order_is_told_once_however_often_it_is_read() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    shop.put(&Order::default());
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("02T10:00:00"))], at("02T10:00:01")), FOUND);
    assert_eq!(paid(&pipeline), "25.00");
    for minute in ["02T10:15:00", "02T10:30:00"] {
        assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at(minute))], at(minute)), SAME);
    }
    assert_eq!(deliveries(&pipeline), "1");
    shop.put(&Order { modified: "2026-11-02T11:00:00", status: "completed", ..Order::default() });
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("02T11:30:00"))], at("02T11:30:01")), NEWER);
    assert_eq!(deliveries(&pipeline), "2");
    let topic = "select topic || ' ' || (triggered_at = '2026-11-02T11:30:00Z') || ' ' || headers from deliveries \
                 order by delivery_id desc limit 1";
    assert_eq!(pipeline.ask(topic), format!("{PULLED_ORDER} true {{}}"));
}

#[test]
fn what_a_webhook_told_between_two_pulls_is_not_told_again() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    shop.put(&Order::default());
    take(&pipeline, &store, &[read(&shop, "301", at("02T10:00:00"))], at("02T10:00:01"));
    let changed =
        Order { modified: "2026-11-02T11:00:00", total: "110.00", tax: "10.00", ..Order::default() };
    shop.put(&changed);
    pipeline.accept(store.id, &[changed.body()]);
    pipeline.drain();
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("02T11:15:00"))], at("02T11:15:01")), SAME);
    assert_eq!(deliveries(&pipeline), "2");
}

#[test]
fn what_was_read_before_a_newer_webhook_came_changes_nothing() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    shop.put(&Order::default());
    let early = read(&shop, "301", at("02T10:00:00"));
    let webhook = Order { modified: "2026-11-02T10:00:01", status: "cancelled", ..Order::default() };
    pipeline.accept(store.id, &[webhook.body()]);
    pipeline.drain();
    assert_eq!(take(&pipeline, &store, &[early], at("02T10:00:02")), SAME);
    assert_eq!((paid(&pipeline), status(&pipeline)), ("0.00".into(), "exempt cancelled".into()));
}

#[test]
fn a_refund_that_the_store_took_back_without_a_word_pays_again() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    let order = Order { refunds: &["40.00"], ..Order::default() };
    let refund = r#"[{"id":9000,"parent_id":301,"date_created_gmt":"2026-11-01T10:00:00","amount":"40.00",
        "line_items":[{"id":2,"quantity":0,"total":"-40.00","total_tax":"0.00",
        "meta_data":[{"id":1,"key":"_refunded_item_id","value":"1"}]}],"shipping_lines":[],"fee_lines":[]}]"#;
    shop.put_with_refunds(&order, refund);
    take(&pipeline, &store, &[read(&shop, "301", at("02T10:00:00"))], at("02T10:00:01"));
    assert_eq!(paid(&pipeline), "15.00");
    // The refund is deleted; the order's own time stands still.
    shop.put(&Order::default());
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("02T11:00:00"))], at("02T11:00:01")), NEWER);
    assert_eq!(paid(&pipeline), "25.00");
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("02T11:15:00"))], at("02T11:15:01")), SAME);
    assert!(pipeline.replay().differences.is_empty());
}

#[test]
fn absence_ends_an_order_and_reading_it_again_revives_it() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    shop.put(&Order::default());
    take(&pipeline, &store, &[read(&shop, "301", at("02T10:00:00"))], at("02T10:00:01"));
    let absent = |ids: &[&str], when: &str| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let told = pipeline
            .db
            .transact(Lane::Admin, |tx| pulls::take_absence(tx, &store, &ids, at(when), at(when)))
            .unwrap();
        pipeline.drain();
        told
    };
    assert_eq!(absent(&["301", "301", "unheard-of"], "03T10:00:00"), 1);
    assert_eq!((paid(&pipeline), status(&pipeline)), ("0.00".into(), "exempt deleted".into()));
    assert_eq!(
        pipeline.ask("select topic from deliveries order by delivery_id desc limit 1"),
        PULLED_ABSENCE
    );
    assert_eq!(absent(&["301"], "03T11:00:00"), 0, "it is known already");
    assert_eq!(take(&pipeline, &store, &[read(&shop, "301", at("03T12:00:00"))], at("03T12:00:01")), NEWER);
    assert_eq!((paid(&pipeline), status(&pipeline)), ("25.00".into(), "commissionable ".into()));
    assert_eq!(absent(&["301"], "03T11:30:00"), 0, "it was seen later than that");
    assert_eq!(absent(&["301"], "03T13:00:00"), 1);
    assert_eq!(paid(&pipeline), "0.00");
    let replayed = pipeline.replay();
    assert!(replayed.differences.is_empty(), "{:?}", replayed.differences);
    assert!(pipeline.verify().problems.is_empty());
}

#[test]
fn what_cannot_be_read_is_kept_once() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    shop.put_raw("7", at("02T09:00:00"), r#"{"order":{"id":7},"refunds":[]}"#);
    assert_eq!(take(&pipeline, &store, &[read(&shop, "7", at("02T10:00:00"))], at("02T10:00:01")), NEWER);
    assert_eq!(take(&pipeline, &store, &[read(&shop, "7", at("02T10:15:00"))], at("02T10:15:01")), SAME);
    assert_eq!(deliveries(&pipeline), "1");
    assert_eq!(pipeline.ask("select verdict from delivery_outcomes"), "unreadable");
}

#[test]
fn settled_says_when_what_was_taken_is_calculated() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let other = pipeline.add_store("other");
    let shop = Shop::of_pages(10);
    shop.put(&Order::default());
    let settled = |id| pipeline.db.read(Lane::Admin, |conn| pulls::settled(conn, id)).unwrap();
    assert!(settled(store.id));
    let orders = [read(&shop, "301", at("02T10:00:00"))];
    pipeline.db.transact(Lane::Admin, |tx| pulls::take(tx, &store, &orders, at("02T10:00:01"))).unwrap();
    assert!(!settled(store.id) && settled(other));
    assert_eq!(pipeline.db.read(Lane::Admin, |conn| pulls::unsettled(conn, store.id)).unwrap(), 1);
    pipeline.drain();
    assert!(settled(store.id));
}

#[test]
fn one_order_is_read_on_demand() {
    let (pipeline, store, _) = company(at("01T00:00:00"));
    let shop = Shop::of_pages(10);
    let one = |when: &str| {
        let one = pulls::one(&pipeline.db, &Clock::fixed(at(when)), &shop.api(at(when)), &store, "301");
        pipeline.drain();
        one.unwrap()
    };
    assert_eq!(one("02T09:00:00"), One::Nowhere);
    shop.put(&Order::default());
    assert_eq!(one("02T10:00:00"), One::Found);
    assert_eq!(one("02T10:01:00"), One::Same);
    shop.put(&Order { modified: "2026-11-02T10:02:00", ..Order::default() });
    assert_eq!(one("02T10:03:00"), One::Newer);
    shop.remove("301");
    assert_eq!(one("02T10:04:00"), One::Gone);
    assert_eq!(one("02T10:05:00"), One::Nowhere);
}
