use proptest::prelude::*;

use super::*;

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::days(day)
}

fn claim(at: i64, order: &str, distributor: &str) -> Claim {
    Claim { at: day(at), order: order.into(), distributor: DistributorId::new(distributor) }
}

fn decision(no: i32, what: What, distributor: &str, from: Option<i64>) -> Decision {
    let distributor = Some(distributor).filter(|id| !id.is_empty()).map(DistributorId::new);
    Decision { no, what, distributor, from: from.map(day) }
}

fn whose(timeline: &Timeline, at: i64, order: &str) -> Option<String> {
    timeline.at(day(at), order).map(|bound| bound.distributor.0.clone())
}

#[test]
fn the_first_order_that_names_somebody_binds_for_life() {
    let claims = [claim(5, "b", "D2"), claim(1, "a", "D1")];
    let timeline = Timeline::build(Policy::Life, &[], None, &claims);
    assert_eq!(whose(&timeline, 0, "x"), None);
    assert_eq!(whose(&timeline, 1, "a"), None, "it does not bind itself");
    assert_eq!(whose(&timeline, 1, "b").as_deref(), Some("D1"), "of one instant the smaller id goes first");
    assert_eq!(whose(&timeline, 3000, "x").as_deref(), Some("D1"));
    assert_eq!(whose(&Timeline::build(Policy::None, &[], None, &claims), 9, "x"), None);
}

#[test]
fn days_run_out_and_the_next_order_binds_anew() {
    let claims = [claim(0, "a", "D1"), claim(5, "b", "D2"), claim(40, "c", "D3")];
    let timeline = Timeline::build(Policy::Days(30), &[], None, &claims);
    assert_eq!(whose(&timeline, 29, "x").as_deref(), Some("D1"), "an order within the days binds nobody");
    assert_eq!(whose(&timeline, 30, "x"), None);
    assert_eq!(whose(&timeline, 41, "x").as_deref(), Some("D3"));
    assert_eq!(whose(&timeline, 70, "x"), None);
}

#[test]
fn decisions_take_the_place_of_what_orders_say() {
    let claims = [claim(0, "a", "D1"), claim(20, "b", "D2")];
    let decisions = [
        decision(1, What::Bound, "D9", Some(10)),
        decision(2, What::Bound, "", Some(15)),
        decision(3, What::Is, "D7", None),
    ];
    let timeline = Timeline::build(Policy::Life, &decisions, None, &claims);
    let at = |day| whose(&timeline, day, "x");
    assert_eq!(at(9).as_deref(), Some("D1"));
    assert_eq!(at(10).as_deref(), Some("D9"));
    assert_eq!(at(15), None, "unbound until an order binds again");
    assert_eq!(at(21).as_deref(), Some("D2"));
    let as_known_before = Timeline::build(Policy::Life, &decisions, Some(0), &claims);
    assert_eq!(whose(&as_known_before, 15, "x").as_deref(), Some("D1"));
    assert_eq!(is_at(&decisions, None, day(-900)).map(DistributorId::as_str), Some("D7"));
    assert_eq!(is_at(&decisions, Some(2), day(0)), None);
}

#[test]
fn the_policy_of_an_orders_time_counts() {
    let terms = |no, policy, from: Option<i64>| Terms {
        no,
        policy,
        own_place: None,
        bound_place: None,
        from: from.map(day),
    };
    let all = [terms(1, Policy::Life, None), terms(2, Policy::Days(30), Some(10))];
    let policy = |known, at| terms_at(&all, known, day(at)).map(|terms| terms.policy);
    assert_eq!(policy(None, 9), Some(Policy::Life));
    assert_eq!(policy(None, 10), Some(Policy::Days(30)));
    assert_eq!(policy(Some(1), 10), Some(Policy::Life));
    assert_eq!(policy(Some(0), 10), None);
}

#[test]
fn policies_are_read_as_they_are_written() {
    for (text, policy) in [("life", Policy::Life), ("none", Policy::None), (" 90 ", Policy::Days(90))] {
        assert_eq!(Policy::parse(text), Some(policy));
        assert_eq!(Policy::of_days(policy.days()), policy);
    }
    for text in ["", "0", "-1", "forever", "99999999"] {
        assert_eq!(Policy::parse(text), None, "{text}");
    }
}

proptest! {
    /// Whatever came in first, and however often: the same customer is bound to the same distributor.
    #[test]
    fn arrival_does_not_matter(
        seeds in prop::collection::vec((0i64..60, 0u8..40, 0u8..3), 0..12),
        days in prop::option::of(1u32..40),
        at in 0i64..80,
    ) {
        let all: Vec<Claim> = seeds
            .iter()
            .map(|(at, order, by)| claim(*at, &order.to_string(), &format!("D{by}")))
            .collect();
        let mut again: Vec<Claim> = all.iter().rev().cloned().collect();
        again.extend(all.iter().take(3).cloned());
        let policy = Policy::of_days(days);
        let one = Timeline::build(policy, &[], None, &all);
        let other = Timeline::build(policy, &[], None, &again);
        prop_assert_eq!(one.at(day(at), "x"), other.at(day(at), "x"));
    }
}
