//! Nothing posted can be changed unseen, everything posted can be made again, and the way there does not count.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use upline::core::ids::StoreId;
use upline::db::Lane;
use upline::proof;
use uuid::Uuid;

use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;

const STORE: StoreId = StoreId(1);

/// Three orders with a life each: paid, refunded in part, cancelled; one held, one awaiting nothing.
fn history() -> Vec<String> {
    let order =
        |id, modified, status, refunds| Order { id, modified, status, refunds, ..Order::default() }.body();
    vec![
        order(1, "2026-11-01T10:00:00", "processing", &[]),
        order(1, "2026-11-02T10:00:00", "completed", &["33.33"]),
        order(1, "2026-11-03T10:00:00", "completed", &["33.33", "0.01"]),
        order(2, "2026-11-01T10:00:00", "processing", &[]),
        order(2, "2026-11-02T10:00:00", "cancelled", &[]),
        order(3, "2026-11-01T10:00:00", "processing", &[]),
        // The same second: the rule on the content decides, not the arrival.
        order(3, "2026-11-01T10:00:00", "completed", &["10.00"]),
        Order { id: 4, sku: "B2", ..Order::default() }.body(),
    ]
}

#[test]
fn a_clean_ledger_verifies_and_replays() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &history());
    pipeline.drain();
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    assert_eq!(verified.deliveries, 8);
    let replayed = pipeline.replay();
    assert!(replayed.is_clean(), "{:?}", replayed.differences);
    assert_eq!((replayed.orders, replayed.deliveries), (4, 8));
}

#[test]
fn a_changed_row_is_named() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &history());
    pipeline.drain();
    let order = pipeline.ask("select order_id from orders where external_id = '1'");
    let changes = [
        (
            "journal_entries",
            "update postings set amount = amount - 0.01 where entry_no = 1 and source_id = '%' and posting_no = 2",
        ),
        (
            "journal_entries",
            "update postings set distributor_id = '1' where distributor_id = '4' and source_id = '%'",
        ),
        (
            "journal_entries",
            "update journal_entries set posted_at = posted_at + interval '1 microsecond' where source_id = '%'",
        ),
        ("journal_entries", "delete from journal_entries where source_id = '%'"),
        (
            "commission_events",
            "update commission_events set amount = amount + 1 where order_id = '%' and level = 0",
        ),
        (
            "journal_entries",
            "update commission_events set bonus = 'other' where order_id = '%' and level = 0",
        ),
        (
            "journal_entries",
            "update calculations set calc_snapshot_json = jsonb_set(calc_snapshot_json, '{status}', '\"x\"') where order_id = '%'",
        ),
        ("calculations", "delete from calculations where order_id = '%'"),
        (
            "deliveries",
            "update deliveries set body = set_byte(body, 40, 7) where delivery_id = (select first_delivery_id from orders where order_id = '%')",
        ),
    ];
    for (table, change) in changes {
        let change = change.replace('%', &order);
        // Undone by a copy of what was there.
        pipeline.tamper(
            "create schema kept; create table kept.postings as table postings; \
             create table kept.journal_entries as table journal_entries; \
             create table kept.commission_events as table commission_events; \
             create table kept.calculations as table calculations; create table kept.deliveries as table deliveries",
        );
        pipeline.tamper(&change);
        let verified = pipeline.verify();
        let named = verified
            .problems
            .iter()
            .any(|p| p.table == table && (table == "deliveries" || p.row.starts_with(&order)));
        assert!(named, "{change}: {:?}", verified.problems);
        let restore: Vec<String> =
            ["postings", "journal_entries", "commission_events", "calculations", "deliveries"]
                .iter()
                .map(|t| format!("delete from {t}; insert into {t} select * from kept.{t}"))
                .collect();
        pipeline.tamper(&format!("{}; drop schema kept cascade", restore.join("; ")));
        assert!(pipeline.verify().is_clean());
    }
}

#[test]
fn a_tampered_order_fails_the_replay() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &history());
    pipeline.drain();
    pipeline.tamper("update orders set net = net + 1 where external_id = '3'");
    let replayed = pipeline.replay();
    assert!(!replayed.is_clean());
    assert_eq!(
        (replayed.differences[0].external_id.as_str(), replayed.differences[0].what.as_str()),
        ("3", "net")
    );
}

#[test]
fn any_order_of_arrival_gives_the_same_ledger() {
    let clean = {
        let pipeline = Pipeline::with_company();
        for body in history() {
            pipeline.accept(STORE, &[body]);
            pipeline.drain();
        }
        pipeline.replay().stored
    };
    // Every delivery twice, in any order, cut into any batches, with work done in between or not.
    let doubled: Vec<String> = history().into_iter().chain(history()).collect();
    let runs = (Just(doubled).prop_shuffle(), prop::collection::vec((1usize..5, any::<bool>()), 16));
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let result = runner.run(&runs, |(bodies, cuts)| {
        let pipeline = Pipeline::with_company();
        let mut bodies = bodies.as_slice();
        for (size, work) in cuts {
            let (batch, rest) = bodies.split_at(size.min(bodies.len()));
            bodies = rest;
            pipeline.accept(STORE, batch);
            if work {
                pipeline.drain();
            }
        }
        pipeline.accept(STORE, bodies);
        pipeline.drain();
        let replayed = pipeline.replay();
        prop_assert!(replayed.is_clean(), "{:?}", replayed.differences);
        prop_assert_eq!(&replayed.stored, &clean);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn an_event_is_explained_from_delivery_to_posting() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &history());
    pipeline.drain();
    let id: Uuid = pipeline
        .ask(
            "select event_id from commission_events e join orders o using (order_id)
              where o.external_id = '1' and e.distributor_id = '3' order by event_id limit 1",
        )
        .parse()
        .unwrap();
    let explained = pipeline.db.read(Lane::Admin, |conn| proof::explain(conn, id)).unwrap().unwrap();
    assert_eq!(explained.external_id, "1");
    assert_eq!(explained.target() - explained.posted_before, explained.amount);
    let text = explained.to_string();
    for told in
        ["order 1 of store main", "attributed to 4", "x 0.05", "level 1: 3 earns", "posted in journal entry"]
    {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    assert!(pipeline.db.read(Lane::Admin, |conn| proof::explain(conn, Uuid::nil())).unwrap().is_none());
}
