//! What holds for every position, tree and policy.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::core::bonus::Family;
use crate::core::bonus::binary::Binary;
use crate::core::bonus::binary::queue::Queue;
use crate::core::bonus::binary::settle::{Owner, Settled};
use crate::core::bonus::binary::sides::{Side, Sides};
use crate::core::fixed::{Fixed, Rate};
use crate::core::period::Lot;

const CARRIES: [&str; 3] = ["carry_forward", "net_off", "full_flush"];

fn modes() -> impl Strategy<Value = String> {
    let unit = (1i64..300, 1i64..300);
    prop_oneof![
        Just("mode = \"weak_leg\"\nrate = \"0.125\"".to_owned()),
        (unit.clone(), 1i64..40).prop_map(|((a, b), pay)| {
            format!("mode = \"cycles\"\nunit = [\"{a}\", \"{b}\"]\npay = \"{pay}\"")
        }),
        (unit.clone(), unit).prop_map(|((a, b), (c, d))| format!(
            "mode = \"cycles\"\nunit = [\"{a}\", \"{b}\"]\nfirst_pair = [\"{c}\", \"{d}\"]\nrate = \"0.07\""
        )),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    let optional = |key: &'static str, most: i64| {
        prop_oneof![Just(String::new()), (1..most).prop_map(move |n| format!("\n{key} = \"{n}\""))]
    };
    let expires = prop_oneof![Just(String::new()), (1u16..4).prop_map(|n| format!("\nexpires_after = {n}"))];
    let rest = (
        select(&CARRIES[..]),
        optional("max_carry", 900),
        expires,
        select(&["keep", "flush"][..]),
        optional("cap", 60),
        any::<bool>(),
    );
    (modes(), rest).prop_map(|(mode, (carry, max_carry, expires, inactive, cap, keep))| {
        let kept = match carry {
            "full_flush" => String::new(),
            _ => format!("{max_carry}{expires}\ninactive = \"{inactive}\""),
        };
        let above =
            if keep && !cap.is_empty() && carry == "carry_forward" { "\nabove_cap = \"keep\"" } else { "" };
        format!("{mode}\ncarry = \"{carry}\"{kept}{cap}{above}")
    })
}

fn binary(keys: &str) -> Binary {
    match &Case::new(&plan(keys)).plan.bonuses()[0].family {
        Family::Binary(binary) => binary.clone(),
        other => panic!("{other:?}"),
    }
}

/// Ten-thousandths, so that nothing is a round number.
fn volume() -> impl Strategy<Value = Fixed> {
    prop_oneof![
        Just(Fixed::ZERO),
        (0i64..20_000_000).prop_map(Fixed),
        (0i64..2_000).prop_map(|n| Fixed(n * 10_000))
    ]
}

#[derive(Clone, Debug)]
struct At {
    lots: Vec<Lot>,
    brought: Sides<Fixed>,
    owner: Owner,
}

fn at() -> impl Strategy<Value = At> {
    let lot = (0u16..2, 0u16..5, volume()).prop_map(|(side, age, volume)| Lot {
        bonus: "team".to_owned(),
        position: "TOP".to_owned(),
        side,
        age,
        period: format!("2025-{:02}", 12 - age),
        volume,
    });
    let owner = (any::<bool>(), any::<bool>(), any::<bool>());
    (prop::collection::vec(lot, 0..5), volume(), volume(), owner).prop_map(|(lots, left, right, flags)| {
        let (idle, rank, cycled) = flags;
        let rate = Rate(if rank { 7_000_000 } else { 12_500_000 });
        At { lots, brought: Sides { left, right }, owner: Owner { earns: !(idle && rank), rate, cycled } }
    })
}

fn settle<'a>(binary: &Binary, at: &'a At, swap: bool) -> Settled<'a> {
    let queue = |side: Side| {
        let side = if swap { side.other() } else { side };
        let lots = at.lots.iter().filter(move |lot| lot.side == side.number());
        Queue::new(lots, *at.brought.get(side))
    };
    binary.settle(at.owner, Sides { left: queue(Side::Left), right: queue(Side::Right) }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn everything_that_comes_in_goes_somewhere(keys in keys(), at in at()) {
        let binary = binary(&keys);
        let settled = settle(&binary, &at, false);
        for side in Side::BOTH {
            let carried = at.lots.iter().filter(|lot| lot.side == side.number()).map(|lot| lot.volume);
            let came = Fixed::sum(carried.chain([*at.brought.get(side)])).unwrap();
            let closed = settled.sides.get(side);
            let went = [closed.consumed, closed.flushed, closed.expired, closed.rest.total().unwrap()];
            prop_assert!(went.iter().all(|part| *part >= Fixed::ZERO));
            prop_assert_eq!(came, Fixed::sum(went).unwrap());
        }
        prop_assert!(settled.paid <= settled.earned);
        prop_assert!(at.owner.earns || settled.base.is_zero());
    }

    #[test]
    fn swapping_the_sides_swaps_the_carry_and_nothing_else(keys in keys(), at in at()) {
        let binary = binary(&keys);
        let (here, there) = (settle(&binary, &at, false), settle(&binary, &at, true));
        prop_assert_eq!((here.base, here.earned, here.paid), (there.base, there.earned, there.paid));
        let total = |settled: &Settled<'_>, side| {
            let closed = settled.sides.get(side);
            (closed.consumed, closed.flushed, closed.expired, closed.rest.total().unwrap())
        };
        let usable = |side: Side| {
            let fresh = |lot: &&Lot| binary.expires_after.is_none_or(|after| lot.age < after);
            let lots = at.lots.iter().filter(|lot| lot.side == side.number()).filter(fresh);
            Fixed::sum(lots.map(|lot| lot.volume).chain([*at.brought.get(side)])).unwrap()
        };
        // Equal sides have no weaker one: then the left gives the smaller unit.
        if usable(Side::Left) != usable(Side::Right) {
            for side in Side::BOTH {
                prop_assert_eq!(total(&here, side), total(&there, side.other()));
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Company {
    keys: String,
    /// For each position after the first: which earlier one it hangs under, and who owns it.
    places: Vec<(usize, usize)>,
    sold: Vec<(usize, i64)>,
}

fn companies() -> impl Strategy<Value = Company> {
    let places = prop::collection::vec((0usize..100, 0usize..100), 0..12);
    let sold = prop::collection::vec((0usize..100, 1i64..90_000), 0..14);
    (keys(), places, sold).prop_map(|(keys, places, sold)| Company { keys, places, sold })
}

impl Company {
    /// Every third position belongs to somebody who has one already.
    fn case(&self) -> Case {
        let mut case = Case::new(&plan(&self.keys));
        let mut free: Vec<(String, u16)> = vec![("p0".to_owned(), 1), ("p0".to_owned(), 0)];
        case.person("d0", "", "").position("p0", "d0", "", 0);
        let mut owners = 1;
        for (at, (under, owner)) in self.places.iter().enumerate() {
            let (parent, side) = free.swap_remove(under % free.len());
            let owner = if at % 3 == 2 { owner % owners } else { owners };
            if owner == owners {
                case.person(&format!("d{owner}"), "d0", "");
                owners += 1;
            }
            let position = format!("p{}", at + 1);
            case.position(&position, &format!("d{owner}"), &parent, side);
            free.extend([(position.clone(), 0), (position, 1)]);
        }
        for (who, cents) in &self.sold {
            case.sells(&format!("d{}", who % owners), Decimal::new(*cents, 2));
        }
        case
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn two_periods_of_any_company_add_up_and_explain_themselves(company in companies()) {
        let mut case = company.case();
        let first = case.run();
        first.check();
        explained::check(&first, &case);
        case.carried = first.result.next.clone();
        case.span.name = "2026-02".to_owned();
        let second = case.run();
        second.check();
        explained::check(&second, &case);
        prop_assert_eq!(second.hash(), case.reversed().run().hash());
    }
}
