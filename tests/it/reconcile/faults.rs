//! Six seeded faults: each is found and named, and mended when it may be.

use std::sync::Arc;

use rust_decimal::{Decimal, dec};
use upline::core::money::Currency;
use upline::core::reconcile::{Kind, Seam, State, Sums};
use upline::reconcile::{Heal, Report, Source};

use super::{Script, found, is_clean, one, order, reconcile, told};
use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;

fn usd(report: &Report) -> &Sums {
    &report.sums[&Currency::parse("USD").unwrap()]
}

/// Found with healing off, gone with healing on: what was found, and the day afterwards.
fn seeded(pipeline: &Arc<Pipeline>, script: &Script, drift: Decimal) -> (Report, Report) {
    let first = reconcile(pipeline, Source::Api(script), Heal::No);
    assert_eq!(first.state, State::NotOk);
    assert_eq!(usd(&first).drift, drift, "{first:#?}");
    let again = reconcile(pipeline, Source::Api(script), Heal::No);
    assert_eq!(again.differences, first.differences, "looking changes nothing");
    let healed = reconcile(pipeline, Source::Api(script), Heal::Yes);
    is_clean(pipeline, &healed, State::Ok);
    assert_eq!(found(&healed.healed), found(&first.differences));
    let last = reconcile(pipeline, Source::Api(script), Heal::Yes);
    is_clean(pipeline, &last, State::Ok);
    assert!(last.healed.is_empty());
    assert_eq!(last.report_no, 4);
    (first, last)
}

#[test]
fn a_missing_order() {
    let pipeline = told(&[order(301)]);
    let script = Script::of(&[order(301), order(302), order(303)]);
    let pipeline_before = pipeline.ask("select count(*) from orders");
    let (first, last) = seeded(&pipeline, &script, dec!(200));
    assert_eq!(pipeline_before, "1");
    assert_eq!(
        found(&first.differences),
        [
            (Seam::Evidence, Kind::MissingOrder, "302".to_owned(), None),
            (Seam::Evidence, Kind::MissingOrder, "303".to_owned(), None)
        ]
    );
    assert!(first.differences[0].what.contains("order 302 of 100.00 USD"), "{:?}", first.differences);
    assert_eq!((usd(&first).store.orders, usd(&first).ours.orders), (3, 1));
    let sums = usd(&last);
    assert_eq!((sums.ledger.net, sums.explained, sums.worth), (dec!(300), dec!(300), dec!(300)));
    assert_eq!(pipeline.ask("select count(*) from deliveries where topic = 'pull.order'"), "2");
}

#[test]
fn a_missing_refund() {
    let pipeline = told(&[order(301), order(302)]);
    let refunded = Order { id: 302, refunds: &["40.00"], ..Order::default() }.body();
    let script = Script::of(&[order(301), refunded]);
    let (first, last) = seeded(&pipeline, &script, dec!(-40));
    let difference = one(&first);
    assert_eq!((difference.kind, difference.order.as_str()), (Kind::MissingRefund, "302"));
    assert_eq!((difference.should, difference.is), (Some(dec!(40)), None));
    assert!(difference.what.contains("refund 9000 of 40.00 USD on order 302"), "{difference:?}");
    assert_eq!((usd(&first).store.refunds, usd(&first).ours.refunds), (1, 0));
    assert_eq!((usd(&last).store.refunded, usd(&last).ours.refunded), (dec!(40), dec!(40)));
}

#[test]
fn a_doubled_refund() {
    let doubled = Order { id: 301, refunds: &["20.00", "20.00"], ..Order::default() }.body();
    let pipeline = told(&[doubled, order(302)]);
    let script = Script::of(&[Order { id: 301, refunds: &["20.00"], ..Order::default() }.body(), order(302)]);
    let (first, _) = seeded(&pipeline, &script, dec!(20));
    let difference = one(&first);
    assert_eq!((difference.kind, difference.order.as_str()), (Kind::DoubledRefund, "301"));
    assert!(difference.what.contains("refund 9001"), "{difference:?}");
    assert_eq!((difference.should, difference.is), (None, Some(dec!(20))));
}

#[test]
fn a_wrong_net() {
    let pipeline = told(&[order(301), order(302)]);
    let cheaper = Order { id: 301, net: "90.00", total: "90.00", ..Order::default() }.body();
    let script = Script::of(&[cheaper, order(302)]);
    let (first, _) = seeded(&pipeline, &script, dec!(-10));
    let difference = one(&first);
    assert_eq!((difference.kind, difference.seam), (Kind::WrongNet, Seam::Evidence));
    assert!(difference.what.contains("line 1 of order 301 nets 90.00 USD at the store, here 100.00 USD"));
}

#[test]
fn an_edited_order() {
    let pipeline = told(&[order(301), order(302)]);
    let twice = Order { id: 302, net: "200.00", total: "200.00", ..Order::default() }.body();
    let script = Script::of(&[order(301), twice.replace(r#""quantity":1"#, r#""quantity":2"#)]);
    let (first, _) = seeded(&pipeline, &script, dec!(100));
    let difference = one(&first);
    assert_eq!((difference.kind, difference.order.as_str()), (Kind::EditedOrder, "302"));
    assert_eq!((difference.should, difference.is), (Some(dec!(200)), Some(dec!(100))));
    assert!(difference.what.contains("has quantity 2"), "{difference:?}");
}

#[test]
fn an_unmapped_sku_is_named_with_its_key_and_its_money() {
    let bodies = [order(301), Order { id: 302, sku: "NEW-1", ..Order::default() }.body()];
    let pipeline = told(&bodies);
    let script = Script::of(&bodies);
    for heal in [Heal::No, Heal::Yes] {
        let report = reconcile(&pipeline, Source::Api(&script), heal);
        is_clean(&pipeline, &report, State::Explained);
        let sums = usd(&report);
        let held = &sums.held_by["unmapped_sku"]["sku:NEW-1"];
        assert_eq!((held.orders, held.net, sums.held.net), (1, dec!(100), dec!(100)));
        assert!(held.examples.contains("302"));
        assert_eq!((sums.worth, sums.explained), (dec!(200), dec!(100)));
        assert_eq!(report.oldest_unexplained, Some("2026-11-01T09:00:00Z".parse().unwrap()));
    }
    pipeline.map("NEW-1", "supplement");
    // Mapped, and nobody has sent the order through assessment again: that is found too, and mended.
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!((one(&report).seam, one(&report).kind), (Seam::Head, Kind::OtherState));
    let report = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
    is_clean(&pipeline, &report, State::Ok);
    assert_eq!(usd(&report).ledger.net, dec!(200));
}

#[test]
fn a_net_that_a_superuser_has_edited() {
    let pipeline = told(&[order(301), order(302)]);
    let script = Script::of(&[order(301), order(302)]);
    pipeline.tamper("update orders set net = 250 where external_id = '302'");
    let (first, _) = {
        let first = reconcile(&pipeline, Source::Api(&script), Heal::No);
        assert_eq!(first.state, State::NotOk);
        let healed = reconcile(&pipeline, Source::Api(&script), Heal::Yes);
        is_clean(&pipeline, &healed, State::Ok);
        (first, healed)
    };
    let difference = one(&first);
    assert_eq!((difference.seam, difference.kind), (Seam::Head, Kind::WrongNet));
    assert_eq!((difference.should, difference.is), (Some(dec!(100)), Some(dec!(250))));
    // A line of it: what would be calculated next.
    pipeline.tamper(
        "update orders set lines = jsonb_set(lines, '{0,net}', '\"7\"'), net = 7 where external_id = '302'",
    );
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!(
        found(&report.differences),
        [
            (Seam::Head, Kind::WrongNet, "302".to_owned(), Some("line 1".to_owned())),
            (Seam::Ledger, Kind::WrongLedger, "302".to_owned(), Some("line 1".to_owned()))
        ]
    );
    is_clean(&pipeline, &reconcile(&pipeline, Source::Api(&script), Heal::Yes), State::Ok);
}

#[test]
fn posted_rows_that_somebody_has_touched_are_found_and_not_papered_over() {
    let pipeline = told(&[order(301), order(302)]);
    let script = Script::of(&[order(301), order(302)]);
    pipeline.tamper(
        "update commission_events set amount = amount + 1 where event_id =
           (select min(event_id::text)::uuid from commission_events)",
    );
    for heal in [Heal::No, Heal::Yes] {
        let report = reconcile(&pipeline, Source::Api(&script), heal);
        assert_eq!(report.state, State::NotOk);
        assert_eq!((one(&report).seam, one(&report).kind), (Seam::Ledger, Kind::WrongEvents));
        assert!(one(&report).fix.contains("upline verify"));
    }
    pipeline.tamper("delete from journal_entries where source_id in (select order_id from orders where external_id = '302')");
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert!(report.differences.iter().any(|found| found.kind == Kind::MissingEntry && found.order == "302"));
    pipeline.tamper(
        "delete from postings where source_id in (select order_id from orders where external_id = '302')",
    );
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert!(report.differences.iter().any(|found| found.kind == Kind::WrongPostings && found.order == "302"));
}

#[test]
fn two_faults_never_set_each_other_off() {
    let pipeline = told(&[order(301), order(302)]);
    let script = Script::of(&[
        Order { id: 301, net: "90.00", total: "90.00", ..Order::default() }.body(),
        Order { id: 302, net: "110.00", total: "110.00", ..Order::default() }.body(),
    ]);
    let report = reconcile(&pipeline, Source::Api(&script), Heal::No);
    assert_eq!((usd(&report).drift, usd(&report).off), (dec!(0), dec!(20)));
    assert_eq!((report.state, report.differences.len()), (State::NotOk, 2));
    assert_eq!(report.drift().len(), 1);
}
