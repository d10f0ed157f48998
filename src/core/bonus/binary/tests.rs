//! Published examples, lots over periods, and what holds for every tree.

mod explained;
mod properties;
mod reading;

use rust_decimal::{Decimal, dec};

use crate::core::period::testing::{Case, Ran};
use crate::core::period::{PeriodInput, Recalculation, recalculate_period};

/// A plan with one binary named `team`.
fn plan(keys: &str) -> String {
    format!(
        "[placement]\ntree = \"binary\"\n[[bonus]]\nid = \"team\"\nfamily = \"binary\"\nbase = \"cv\"\n{keys}\n"
    )
}

/// TOP with somebody on each side.
fn top(keys: &str) -> Case {
    let mut case = Case::new(&plan(keys));
    case.person("TOP", "", "").person("L", "TOP", "").person("R", "TOP", "");
    case.place("TOP", "", 0).place("L", "TOP", 0).place("R", "TOP", 1);
    case
}

/// The same company in the next period, with what this one left.
fn next(case: &Case, ran: &Ran, keys: &str, name: &str) -> Case {
    let mut next = top(keys);
    next.carried = ran.result.next.clone();
    next.span = case.span.clone();
    next.span.name = name.to_owned();
    next
}

/// Volume that waits, by side.
fn carry(ran: &Ran, position: &str) -> (Decimal, Decimal) {
    let side = |side: u16| {
        let lots = ran.result.next.lots.iter().filter(|lot| lot.position == position && lot.side == side);
        lots.map(|lot| lot.volume.decimal()).sum()
    };
    (side(0), side(1))
}

#[test]
fn prime_my_body_pays_two_cycles() {
    let mut case = top("mode = \"cycles\"\nunit = [\"200\", \"200\"]\npay = \"20\"");
    let ran = case.sells("L", dec!(1000)).sells("R", dec!(400)).run();
    ran.check();
    assert_eq!(ran.pays("team", "TOP"), dec!(40));
    assert_eq!(carry(&ran, "TOP"), (dec!(600), dec!(0)));
}

#[test]
fn a_pair_of_a_hundred_leaves_both_rests() {
    let mut case = top("mode = \"cycles\"\nunit = [\"100\", \"100\"]\npay = \"10\"");
    let ran = case.sells("L", dec!(250)).sells("R", dec!(120)).run();
    assert_eq!(ran.pays("team", "TOP"), dec!(10));
    assert_eq!(carry(&ran, "TOP"), (dec!(150), dec!(20)));
    let mut case = top("mode = \"cycles\"\nunit = [\"100\", \"100\"]\npay = \"10\"\ncarry = \"net_off\"");
    let ran = case.sells("L", dec!(250)).sells("R", dec!(120)).run();
    assert_eq!(carry(&ran, "TOP"), (dec!(130), dec!(0)));
}

#[test]
fn mlmforge_weak_leg_over_two_periods() {
    for (policy, pays, left) in [
        ("carry_forward", [dec!(20), dec!(40)], [(dec!(0), dec!(300)), (dec!(0), dec!(0))]),
        ("net_off", [dec!(20), dec!(40)], [(dec!(0), dec!(300)), (dec!(0), dec!(0))]),
        ("full_flush", [dec!(20), dec!(10)], [(dec!(0), dec!(0)), (dec!(0), dec!(0))]),
    ] {
        let keys = format!("mode = \"weak_leg\"\nrate = \"0.10\"\ncarry = \"{policy}\"");
        let mut first = top(&keys);
        let ran = first.sells("L", dec!(200)).sells("R", dec!(500)).run();
        ran.check();
        assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (pays[0], left[0]), "{policy}");
        let ran = next(&first, &ran, &keys, "2026-02").sells("L", dec!(400)).sells("R", dec!(100)).run();
        ran.check();
        assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (pays[1], left[1]), "{policy}");
    }
}

/// The published cycle of 200 on both sides, at 4, 8 or 12 % by own activity.
#[test]
fn hbn_rates_by_own_activity() {
    let by_pv = "rates_by_pv = [{ from = \"25\", rate = \"0.04\" }, { from = \"50\", rate = \"0.08\" }, \
                 { from = \"100\", rate = \"0.12\" }]";
    for mode in ["mode = \"weak_leg\"", "mode = \"cycles\"\nunit = [\"200\", \"200\"]"] {
        for (own, pays) in [(24, dec!(0)), (25, dec!(8)), (50, dec!(16)), (99, dec!(16)), (100, dec!(24))] {
            let mut case = top(&format!("{mode}\n{by_pv}"));
            let ran = case.sells("TOP", own.into()).sells("L", dec!(200)).sells("R", dec!(200)).run();
            ran.check();
            assert_eq!(ran.pays("team", "TOP"), pays, "{mode} with {own}");
            let rest = if pays.is_zero() { (dec!(200), dec!(200)) } else { (dec!(0), dec!(0)) };
            assert_eq!(carry(&ran, "TOP"), rest, "who has no rate matches nothing");
        }
    }
}

#[test]
fn an_aggregate_cap_is_shared_by_two_positions() {
    let cap = "[[cap]]\nid = \"most\"\nper = \"earner\"\namount = \"5000\"\n";
    let mut case = Case::new(&format!("{}{cap}", plan("mode = \"weak_leg\"\nrate = \"0.10\"")));
    for who in ["TOP", "A", "B", "C", "D"] {
        case.person(who, if who == "TOP" { "" } else { "TOP" }, "");
    }
    case.position("one", "TOP", "", 0).place("A", "one", 0).position("two", "TOP", "one", 1);
    case.place("B", "two", 0).place("C", "two", 1).place("D", "A", 0);
    let ran = case.sells("D", dec!(30000)).sells("B", dec!(30000)).sells("C", dec!(30000)).run();
    ran.check();
    let paid: Vec<(Decimal, Decimal)> =
        ran.result.awards.iter().map(|award| (award.earned.decimal(), award.amount.decimal())).collect();
    assert_eq!(paid, [(dec!(3000), dec!(2500)), (dec!(3000), dec!(2500))]);
    assert_eq!(ran.result.cuts.len(), 2);
    assert!(ran.result.cuts.iter().all(|cut| cut.by == "most" && cut.amount.decimal() == dec!(500)));
    assert_eq!(ran.result.pools[0].breakage.decimal(), dec!(1000));
}

#[test]
fn rates_by_rank_and_nothing_without_one() {
    let text = format!(
        "[[rank]]\nid = \"silver\"\n[[rank]]\nid = \"gold\"\n{}",
        plan("mode = \"weak_leg\"\nrates = { silver = \"0\", gold = \"0.2\" }")
    );
    for (rank, pays) in [("", dec!(0)), ("silver", dec!(0)), ("gold", dec!(20))] {
        let mut case = Case::new(&text);
        case.person("TOP", "", rank).person("L", "TOP", "").person("R", "TOP", "");
        case.place("TOP", "", 0).place("L", "TOP", 0).place("R", "TOP", 1);
        let ran = case.sells("L", dec!(100)).sells("R", dec!(150)).run();
        assert_eq!(ran.pays("team", "TOP"), pays, "{rank}");
    }
}

/// The first cycle ever takes 200 and 100, every other one 100 and 100.
#[test]
fn the_first_pair_is_taken_once_in_a_life() {
    let keys = "mode = \"cycles\"\nunit = [\"100\", \"100\"]\nfirst_pair = [\"200\", \"100\"]\npay = \"10\"";
    let mut first = top(keys);
    let ran = first.sells("L", dec!(150)).sells("R", dec!(150)).run();
    assert_eq!(ran.pays("team", "TOP"), dec!(0));
    let mut second = next(&first, &ran, keys, "2026-02");
    let ran = second.sells("L", dec!(50)).run();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(10), (dec!(0), dec!(50))));
    let ran = next(&first, &ran, keys, "2026-03").sells("L", dec!(100)).sells("R", dec!(50)).run();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(10), (dec!(0), dec!(0))));
    let noted: Vec<&str> = ran.result.next.lots.iter().map(|lot| lot.period.as_str()).collect();
    assert_eq!(noted, ["2026-02"], "only when it was is still known");
}

#[test]
fn the_weaker_side_is_decided_anew_for_every_cycle() {
    let mut case = top("mode = \"cycles\"\nunit = [\"100\", \"200\"]\npay = \"10\"");
    let ran = case.sells("L", dec!(800)).sells("R", dec!(700)).run();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(50), (dec!(0), dec!(0))));
}

#[test]
fn a_cap_uses_up_or_keeps_what_is_above() {
    for (above, pays, rest, pool) in [
        ("flush", dec!(50), (dec!(200), dec!(0)), dec!(80)),
        ("keep", dec!(50), (dec!(500), dec!(300)), dec!(50)),
    ] {
        let keys = format!("mode = \"weak_leg\"\nrate = \"0.10\"\ncap = \"50\"\nabove_cap = \"{above}\"");
        let ran = top(&keys).sells("L", dec!(1000)).sells("R", dec!(800)).run();
        ran.check();
        assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (pays, rest), "{above}");
        assert_eq!(ran.result.pools[0].pool.decimal(), pool, "{above}");
    }
    // The third cycle reaches beyond the cap: it is made, paid in part, and the last one.
    let keys =
        "mode = \"cycles\"\nunit = [\"100\", \"100\"]\npay = \"20\"\ncap = \"50\"\nabove_cap = \"keep\"";
    let ran = top(keys).sells("L", dec!(1000)).sells("R", dec!(800)).run();
    ran.check();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(50), (dec!(700), dec!(500))));
}

#[test]
fn lots_are_used_oldest_first_and_expire() {
    let keys = "mode = \"weak_leg\"\nrate = \"0.10\"\nexpires_after = 2";
    let mut case = top(keys);
    let mut ran = case.sells("L", dec!(100)).run();
    for (period, sold) in [("2026-02", dec!(50)), ("2026-03", dec!(0))] {
        let mut following = next(&case, &ran, keys, period);
        if !sold.is_zero() {
            following.sells("L", sold).sells("R", dec!(30));
        }
        ran = following.run();
    }
    let lots: Vec<(u16, &str, Decimal)> =
        ran.result.next.lots.iter().map(|lot| (lot.age, lot.period.as_str(), lot.volume.decimal())).collect();
    assert_eq!(lots, [(1, "2026-02", dec!(50))], "70 of January were never matched");
}

#[test]
fn a_side_keeps_only_so_much() {
    let keys = "mode = \"weak_leg\"\nrate = \"0.10\"\nmax_carry = \"120\"";
    let mut case = top(keys);
    let ran = case.sells("L", dec!(100)).run();
    let ran = next(&case, &ran, keys, "2026-02").sells("L", dec!(60)).run();
    let lots: Vec<(&str, Decimal)> =
        ran.result.next.lots.iter().map(|lot| (lot.period.as_str(), lot.volume.decimal())).collect();
    assert_eq!(lots, [("2026-02", dec!(60)), ("2026-01", dec!(60))]);
}

#[test]
fn whoever_does_not_earn_matches_nothing() {
    for (inactive, left) in [("keep", (dec!(100), dec!(80))), ("flush", (dec!(0), dec!(0)))] {
        let keys = format!(
            "mode = \"weak_leg\"\nrate = \"0.10\"\ninactive = \"{inactive}\"\nactive = {{ min_pv = \"1\" }}"
        );
        let ran = top(&keys).sells("L", dec!(100)).sells("R", dec!(80)).run();
        ran.check();
        assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(0), left), "{inactive}");
    }
}

#[test]
fn own_volume_is_on_nobodys_own_side() {
    let mut case = top("mode = \"weak_leg\"\nrate = \"0.10\"");
    case.person("LL", "L", "").place("LL", "L", 0).person("LR", "L", "").place("LR", "L", 1);
    case.person("X", "L", "").place("X", "L", 2);
    let ran = case
        .sells("TOP", dec!(999))
        .sells("L", dec!(50))
        .sells("LL", dec!(30))
        .sells("LR", dec!(20))
        .sells("R", dec!(90))
        .sells("X", dec!(1000))
        .run();
    assert_eq!(ran.pays("team", "TOP"), dec!(9), "50 + 30 + 20 against 90; a third place is on no side");
    assert_eq!(ran.pays("team", "L"), dec!(2));
}

#[test]
fn lots_of_a_position_that_is_not_there_wait() {
    let keys = "mode = \"weak_leg\"\nrate = \"0.10\"\nexpires_after = 2";
    let mut case = top(keys);
    let ran = case.sells("L", dec!(100)).run();
    let mut away = Case::new(&plan(keys));
    away.carried = ran.result.next.clone();
    let ran = away.person("TOP", "", "").run();
    assert_eq!(carry(&ran, "TOP"), (dec!(100), dec!(0)));
    away.carried = ran.result.next.clone();
    assert_eq!(carry(&away.run(), "TOP"), (dec!(0), dec!(0)));
}

/// A refund on the weaker or the stronger side undoes the match; a refund of own volume moves no rate.
#[test]
fn a_refund_follows_the_volume_at_the_rate_that_was() {
    let keys = "mode = \"weak_leg\"\nrates_by_pv = [{ from = \"100\", rate = \"0.10\" }]";
    let sold = |own: Decimal, left: Decimal, right: Decimal| {
        let mut case = top(keys);
        for (who, volume) in [("TOP", own), ("L", left), ("R", right)] {
            if !volume.is_zero() {
                case.sells(who, volume);
            }
        }
        case
    };
    let before = sold(dec!(100), dec!(300), dec!(200));
    let paid = before.run();
    assert_eq!(paid.pays("team", "TOP"), dec!(20));
    for (own, left, right, pays) in [
        (dec!(0), dec!(300), dec!(200), dec!(20)),
        (dec!(100), dec!(300), dec!(150), dec!(15)),
        (dec!(100), dec!(0), dec!(200), dec!(0)),
        (dec!(100), dec!(250), dec!(200), dec!(20)),
    ] {
        let after = sold(own, left, right).run();
        let (people, sold) = (&paid.people, &after.sold);
        let input = PeriodInput { span: &before.span, people, sold, carried: &before.carried };
        let frozen = Recalculation::Frozen(&paid.result.standings);
        let result = recalculate_period(&paid.plan, input, frozen).unwrap();
        let again: Decimal = result.awards.iter().map(|award| award.amount.decimal()).sum();
        assert_eq!(again, pays, "own {own}, left {left}, right {right}");
    }
}

/// The worked example of the reference.
#[test]
fn the_worked_example() {
    let keys = "mode = \"cycles\"\nunit = [\"100\", \"200\"]\npay = \"20\"\nexpires_after = 3";
    let mut case = top(keys);
    let ran = case.sells("L", dec!(950)).sells("R", dec!(400)).run();
    ran.check();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(80), (dec!(150), dec!(0))));
    let ran = next(&case, &ran, keys, "2026-02").sells("R", dec!(210)).run();
    assert_eq!((ran.pays("team", "TOP"), carry(&ran, "TOP")), (dec!(20), (dec!(50), dec!(10))));
}
