//! Ranks that were given by hand or carried, and what else is carried.

use super::*;

/// A rank for which nothing is asked is no prize for those above it.
#[test]
fn a_rank_given_by_hand_does_not_imply_those_below() {
    let mut case = Case::new(
        r#"
[[rank]]
id = "helper"
[[rank]]
id = "silver"
achieve = { gv = "100" }
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
"#,
    );
    case.person("a", "", "silver").person("b", "", "helper");
    let ran = case.run();
    assert_eq!([paid_as(&ran, "a"), paid_as(&ran, "b")], ["none", "helper"]);
}

#[test]
fn the_higher_of_carried_and_given_is_paid_in_the_next_period() {
    let rest = format!("{RANKS}\n[ranks]\npromotion = \"next_period\"\n");
    for (carried, given, paid) in [
        (None, "", "member"),
        (None, "silver", "silver"),
        (Some("silver"), "", "silver"),
        (Some("silver"), "gold", "gold"),
        (Some("gold"), "silver", "gold"),
    ] {
        let mut case = Case::new(&rest);
        case.person("a", "", given);
        if let Some(rank) = carried {
            let standing = CarriedStanding { rank: Some(rank.to_owned()), ..Default::default() };
            case.carried.standings.insert(DistributorId::new("a"), standing);
        }
        assert_eq!(paid_as(&case.run(), "a"), paid, "{carried:?} and {given:?}");
    }
}

#[test]
fn lots_of_a_bonus_that_is_gone_wait() {
    let mut case = Case::new(RANKS);
    let (bonus, position, period) = ("pairs".to_owned(), "a".to_owned(), "2025-12".to_owned());
    let lot = crate::core::period::Lot { bonus, position, side: 0, age: 1, period, volume: Fixed(10_000) };
    case.carried.lots.push(lot.clone());
    assert_eq!(case.person("a", "", "").run().result.next.lots, [lot]);
}
