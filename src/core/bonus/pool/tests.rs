//! Pools divide all they have, exactly.

use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use crate::core::period::testing::{Case, HEAD};
use crate::core::plan::Plan;

const RANKS: &str = "[[rank]]\nid = \"silver\"\n[[rank]]\nid = \"gold\"\n[[rank]]\nid = \"diamond\"\n";

fn plan(keys: &str) -> String {
    format!("{RANKS}{}", pool("leaders", "cv", keys))
}

fn pool(id: &str, base: &str, keys: &str) -> String {
    format!("[[bonus]]\nid = \"{id}\"\nfamily = \"pool\"\nbase = \"{base}\"\n{keys}\n")
}

/// The worked example of the reference.
#[test]
fn shares_by_rank() {
    let mut case = Case::new(&plan("share = \"0.02\"\nshares = { gold = \"1\", diamond = \"3\" }"));
    case.person("A", "", "gold")
        .person("B", "A", "diamond")
        .person("C", "A", "gold")
        .person("D", "A", "silver");
    let ran = case.sells("D", dec!(50_000)).sells("A", dec!(1.00)).run();
    ran.check();
    let paid: Vec<Decimal> = ["A", "B", "C", "D"].map(|who| ran.pays("leaders", who)).to_vec();
    assert_eq!(paid, [dec!(200.01), dec!(600.01), dec!(200.00), dec!(0)]);
    let pool = &ran.result.pools[0];
    assert_eq!((pool.pool.decimal(), pool.breakage.decimal()), (dec!(1000.02), dec!(0)));
}

/// Published: 6 % of 2001 are 120.06 points.
#[test]
fn points_of_a_volume() {
    let mut case = Case::new(&plan("share = \"0.5\"\npoints = { of = \"pgv\", rate = \"0.06\" }"));
    let ran = case.person("A", "", "").person("B", "A", "").sells("B", dec!(2001)).run();
    let points: Vec<Decimal> =
        ran.result.standings.own[&0].iter().map(|points| Decimal::new(*points, 4).normalize()).collect();
    assert_eq!(points, [dec!(120.06), dec!(120.06)]);
    assert_eq!(ran.pays("leaders", "A"), dec!(500.25));
}

#[test]
fn nobody_who_qualifies_is_all_breakage() {
    let mut case = Case::new(&plan("share = \"0.02\"\nshares = { diamond = \"1\" }"));
    let ran = case.person("A", "", "gold").sells("A", dec!(1000)).run();
    ran.check();
    assert!(ran.paid().is_empty());
    assert_eq!(ran.result.pools[0].breakage.decimal(), dec!(20));
}

#[test]
fn a_share_is_worth_only_so_much() {
    let keys = "share = \"0.02\"\nshares = { gold = \"1\", diamond = \"3\" }\nper_share_cap = \"100\"";
    let mut case = Case::new(&plan(keys));
    case.person("A", "", "gold").person("B", "A", "diamond");
    let ran = case.sells("A", dec!(50_000)).run();
    ran.check();
    assert_eq!((ran.pays("leaders", "A"), ran.pays("leaders", "B")), (dec!(100), dec!(300)));
    assert_eq!(ran.result.pools[0].breakage.decimal(), dec!(600));
}

#[test]
fn who_is_not_active_has_no_part() {
    let keys = "share = \"0.02\"\nshares = { gold = \"1\" }\nactive = { min_pv = \"10\" }";
    let mut case = Case::new(&plan(keys));
    let ran = case.person("A", "", "gold").person("B", "A", "gold").sells("B", dec!(1000)).run();
    assert_eq!((ran.pays("leaders", "A"), ran.pays("leaders", "B")), (dec!(0), dec!(20)));
}

fn problems(text: &str) -> Vec<String> {
    let problems = Plan::parse(&format!("{HEAD}{text}")).err().unwrap_or_default();
    problems.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (keys, what) in [
        ("shares = { gold = \"1\" }", "share is missing"),
        ("share = \"0\"\nshares = { gold = \"1\" }", "always be empty"),
        ("share = \"0.02\"", "either by shares or by points"),
        (
            "share = \"0.02\"\nshares = { gold = \"1\" }\npoints = { of = \"gv\", rate = \"1\" }",
            "either by shares",
        ),
        ("share = \"0.02\"\nshares = {}", "nobody has a share"),
        ("share = \"0.02\"\nshares = { old = \"1\" }", "not a known rank"),
        ("share = \"0.02\"\npoints = { of = \"gv\", rate = \"0\" }", "nobody would have a point"),
        ("share = \"0.02\"\npoints = { of = \"xx\", rate = \"1\" }", "not a known word"),
        ("share = \"0.02\"\nshares = { gold = \"1\" }\nper_share_cap = \"0\"", "zero would mean never"),
    ] {
        let found = problems(&plan(keys));
        assert!(found.iter().any(|problem| problem.contains(what)), "{keys}: {found:?}");
    }
}

#[test]
fn pools_together_promise_at_most_everything() {
    let by = "shares = { gold = \"1\" }";
    let half = |id: &str, base: &str, more: &str| pool(id, base, &format!("share = \"0.6\"\n{by}\n{more}"));
    let two = format!("{RANKS}{}{}", half("a", "cv", ""), half("b", "cv", "classes = [\"goods\"]"));
    let found = problems(&two);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("bonus[1].share: with the pools before, 1.2 of the base"), "{found:?}");
    assert!(problems(&format!("{RANKS}{}{}", half("a", "cv", ""), half("b", "net", ""))).is_empty());
    let other = "[[class]]\nid = \"other\"\ncv = { of_net = \"1\" }\n";
    let apart = format!(
        "{other}{RANKS}{}{}",
        half("a", "cv", "classes = [\"other\"]"),
        half("b", "cv", "classes = [\"goods\"]")
    );
    assert!(problems(&apart).is_empty(), "of different classes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_pool_is_paid_to_the_last_cent(
        ranks in prop::collection::vec(0usize..4, 1..25),
        cents in prop::collection::vec(1i64..9_000_000, 0..25),
        share in 1u32..=100,
        weights in (1i64..90_000, 1i64..90_000),
        cap in prop::option::of(1i64..5_000),
    ) {
        let (gold, diamond) = (Decimal::new(weights.0, 3), Decimal::new(weights.1, 3));
        let cap_key = cap.map(|cap| format!("per_share_cap = \"{cap}\"")).unwrap_or_default();
        let mut case = Case::new(&plan(&format!(
            "share = \"{}\"\nshares = {{ gold = \"{gold}\", diamond = \"{diamond}\" }}\n{cap_key}",
            Decimal::new(share.into(), 2)
        )));
        for (at, rank) in ranks.iter().enumerate() {
            let sponsor = if at == 0 { String::new() } else { format!("p{}", at / 2) };
            case.person(&format!("p{at}"), &sponsor, ["", "silver", "gold", "diamond"][*rank]);
        }
        for (at, cents) in cents.iter().enumerate() {
            case.sells(&format!("p{}", at % ranks.len()), Decimal::new(*cents, 2));
        }
        let ran = case.run();
        ran.check();
        let pool = &ran.result.pools[0];
        prop_assert!(pool.rounding.is_zero(), "divided without a remainder");
        let qualified: Decimal = ranks.iter().map(|rank| [dec!(0), dec!(0), gold, diamond][*rank]).sum();
        match cap {
            _ if qualified.is_zero() => prop_assert!(pool.paid.is_zero()),
            None => prop_assert_eq!(pool.paid, pool.pool),
            Some(cap) => prop_assert!(pool.paid.decimal() <= qualified * Decimal::from(cap)),
        }
        prop_assert_eq!(ran.hash(), case.reversed().run().hash());
    }
}
