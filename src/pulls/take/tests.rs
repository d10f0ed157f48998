use rust_decimal::dec;

use super::*;
use crate::core::net::tests::{line, order};

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-03-02T{text}:00Z").parse().unwrap()
}

fn refund(id: &str, when: &str) -> Refund {
    Refund {
        external_id: id.into(),
        at: Some(at(when)),
        lines: vec![],
        unallocated: dec!(5),
        amount: dec!(5),
    }
}

fn told(changed: &str, refunds: &[Refund]) -> OrderSnapshot {
    OrderSnapshot {
        updated_at: at(changed),
        refunds: refunds.to_vec(),
        ..order(vec![line("1", "100", "0", "0")], "100")
    }
}

fn read(changed: &str, read_at: &str, refunds: &[Refund]) -> OrderSnapshot {
    OrderSnapshot { read_at: Some(at(read_at)), ..told(changed, refunds) }
}

fn known(reports: Vec<Report>) -> OrderState {
    let mut state = OrderState::default();
    for report in reports {
        state.absorb(report, at("10:00"));
    }
    state
}

fn snapshot(snapshot: OrderSnapshot) -> Report {
    Report::Snapshot(Box::new(snapshot))
}

#[test]
fn the_same_again_is_no_news_whoever_told_it_and_whenever() {
    for first in [told("10:00", &[]), read("10:00", "10:05", &[])] {
        let state = known(vec![snapshot(first)]);
        assert!(!is_news(&state, &read("10:00", "11:00", &[])));
    }
}

#[test]
fn another_content_or_another_time_of_change_is_news() {
    let state = known(vec![snapshot(read("10:00", "10:05", &[refund("r", "09:00")]))]);
    assert!(is_news(&state, &read("10:30", "11:00", &[refund("r", "09:00")])));
    // The refund was taken back, and the store's time stood still.
    assert!(is_news(&state, &read("10:00", "11:00", &[])));
    // What was read before the newest that is known says nothing.
    assert!(!is_news(&state, &read("09:30", "11:00", &[])));
    assert!(!is_news(&state, &read("10:00", "10:01", &[])));
}

#[test]
fn an_order_of_which_only_a_refund_is_known_is_news() {
    let bare = Report::Refund { order: "1".into(), refund: refund("r", "09:00") };
    assert!(is_news(&known(vec![bare]), &read("10:00", "11:00", &[])));
}

#[test]
fn a_bare_refund_that_the_store_does_not_list_makes_the_same_order_news() {
    let bare = Report::Refund { order: "1".into(), refund: refund("r", "10:30") };
    let state = known(vec![snapshot(told("10:00", &[])), bare]);
    // Told after we looked: it stands.
    assert!(!is_news(&state, &read("10:00", "10:20", &[])));
    assert!(is_news(&state, &read("10:00", "10:40", &[])));
}

#[test]
fn a_deleted_order_that_is_read_again_is_news_once() {
    let gone = Report::Deleted { order: "1".into(), at: Some(at("10:30")) };
    let mut state = known(vec![snapshot(told("10:00", &[]))]);
    state.absorb(gone, at("10:30"));
    assert!(state.is_deleted());
    assert!(!is_news(&state, &read("10:00", "10:20", &[])), "it was read before it was deleted");
    let back = read("10:00", "10:40", &[]);
    assert!(is_news(&state, &back));
    state.absorb(snapshot(back), at("10:40"));
    assert!(!state.is_deleted());
    assert!(!is_news(&state, &read("10:00", "10:50", &[])));
}

#[test]
fn absence_is_told_of_what_is_held_as_there_at_that_time() {
    let state = known(vec![snapshot(read("10:00", "10:05", &[]))]);
    assert!(goes("1", state.clone(), at("10:30")));
    assert!(!goes("1", state.clone(), at("10:04")), "it was seen later than that");
    let gone = Report::Deleted { order: "1".into(), at: Some(at("10:30")) };
    let mut deleted = state;
    deleted.absorb(gone, at("10:30"));
    assert!(!goes("1", deleted, at("11:00")));
}

#[test]
fn an_order_that_comes_twice_on_a_page_is_told_once() {
    let pulled = |read_at: &str| PulledOrder {
        external_id: "1".into(),
        ordered_at: at("09:00"),
        changed_at: at("10:00"),
        read_at: at(read_at),
        body: vec![],
    };
    let orders = [pulled("11:00"), pulled("11:01"), pulled("11:02")];
    let snapshots = [read("10:00", "11:00", &[]), read("10:00", "11:01", &[]), read("10:01", "11:02", &[])];
    let parsed = orders.iter().zip(snapshots.map(Ok)).collect();
    let sorted = compare(parsed, HashMap::new());
    assert_eq!(sorted.taken, Taken { told: 2, same: 1, unknown: 1 });
    assert_eq!(sorted.news, [&orders[0], &orders[2]]);
}

#[test]
fn what_cannot_be_parsed_is_kept_apart() {
    let broken = PulledOrder {
        external_id: "1".into(),
        ordered_at: at("09:00"),
        changed_at: at("10:00"),
        read_at: at("11:00"),
        body: b"{".to_vec(),
    };
    let sorted = compare(vec![(&broken, parse(Platform::WooCommerce, &broken))], HashMap::new());
    assert_eq!(sorted.taken, Taken { told: 1, same: 0, unknown: 0 });
    assert_eq!((sorted.news.len(), sorted.unreadable.len()), (0, 1));
}
