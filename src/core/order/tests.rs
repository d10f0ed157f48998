use rust_decimal::dec;

use super::*;
use crate::core::net::tests::{line, order};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn refund(id: &str, at: Option<DateTime<Utc>>) -> Refund {
    Refund { external_id: id.into(), at, lines: vec![], unallocated: dec!(5), amount: dec!(5) }
}

/// An order of one line that changed at `updated`.
fn told(updated: &str, refunds: &[&str]) -> OrderSnapshot {
    OrderSnapshot {
        updated_at: at(updated),
        refunds: refunds.iter().map(|id| refund(id, None)).collect(),
        ..order(vec![line("1", "100", "0", "0")], "100")
    }
}

fn read(updated: &str, read_at: &str, refunds: &[&str]) -> OrderSnapshot {
    OrderSnapshot { read_at: Some(at(read_at)), ..told(updated, refunds) }
}

fn absorb(state: &mut OrderState, snapshot: OrderSnapshot) -> Absorbed {
    state.absorb(Report::Snapshot(Box::new(snapshot)), at("2026-03-09T00:00:00Z"))
}

fn refund_ids(state: &OrderState) -> Vec<&str> {
    state.refunds().iter().map(|refund| refund.external_id.as_str()).collect()
}

const CHANGED: &str = "2026-03-02T10:00:00Z";

#[test]
fn a_refund_that_the_store_took_back_without_a_word_is_gone_when_the_order_is_read() {
    let mut state = OrderState::default();
    absorb(&mut state, told(CHANGED, &["r1"]));
    assert_eq!(refund_ids(&state), ["r1"]);
    assert_eq!(absorb(&mut state, read(CHANGED, "2026-03-02T11:00:00Z", &[])), Absorbed::Applied);
    assert!(refund_ids(&state).is_empty());
    // The webhook of that second comes late, or again.
    assert_eq!(absorb(&mut state, told(CHANGED, &["r1"])), Absorbed::Superseded);
    // And the refund is made again.
    assert_eq!(absorb(&mut state, read(CHANGED, "2026-03-02T12:00:00Z", &["r1"])), Absorbed::Applied);
    assert_eq!(refund_ids(&state), ["r1"]);
}

#[test]
fn a_change_after_the_reading_wins_over_it() {
    let mut state = OrderState::default();
    absorb(&mut state, read(CHANGED, "2026-03-02T11:00:00Z", &[]));
    assert_eq!(absorb(&mut state, told("2026-03-02T10:30:00Z", &["r1"])), Absorbed::Applied);
    assert_eq!(refund_ids(&state), ["r1"]);
}

#[test]
fn an_earlier_bare_refund_that_is_not_listed_is_none_and_a_later_one_counts() {
    let mut state = OrderState::default();
    for (id, hour) in [("doubled", "09"), ("later", "12")] {
        let refund = refund(id, Some(at(&format!("2026-03-02T{hour}:00:00Z"))));
        state.absorb(Report::Refund { order: "1".into(), refund }, at("2026-03-09T00:00:00Z"));
    }
    absorb(&mut state, read(CHANGED, "2026-03-02T11:00:00Z", &["real"]));
    assert_eq!(refund_ids(&state), ["later", "real"]);
}

#[test]
fn an_order_that_was_read_after_its_deletion_is_there() {
    let mut state = OrderState::default();
    absorb(&mut state, told(CHANGED, &[]));
    let gone = Report::Deleted { order: "1".into(), at: Some(at("2026-03-02T10:30:00Z")) };
    state.absorb(gone, at("2026-03-09T00:00:00Z"));
    assert!(state.is_deleted());
    absorb(&mut state, read(CHANGED, "2026-03-02T11:00:00Z", &[]));
    assert!(!state.is_deleted());
}

#[test]
fn evidence_gives_the_same_state_in_any_order() {
    let all = [
        told(CHANGED, &["r1"]),
        told(CHANGED, &[]),
        read(CHANGED, "2026-03-02T11:00:00Z", &[]),
        read(CHANGED, "2026-03-02T12:00:00Z", &["r1", "r2"]),
        told("2026-03-02T09:00:00Z", &["r0"]),
    ];
    for first in 0..all.len() {
        for step in [1, 2, 3, 4] {
            let mut state = OrderState::default();
            for i in 0..all.len() {
                absorb(&mut state, all[(first + i * step) % all.len()].clone());
            }
            assert_eq!(refund_ids(&state), ["r1", "r2"], "from {first} by {step}");
        }
    }
}

#[test]
fn reading_the_same_again_is_no_news() {
    let first = read(CHANGED, "2026-03-02T11:00:00Z", &["r1"]);
    let again = read(CHANGED, "2026-03-02T12:00:00Z", &["r1"]);
    assert!(first.says_the_same_as(&again));
    assert!(first.says_the_same_as(&told(CHANGED, &["r1"])));
    assert!(!first.says_the_same_as(&read(CHANGED, "2026-03-02T11:00:00Z", &[])));
}
