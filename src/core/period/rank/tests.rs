mod given;

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::testing::{Case, Ran};
use super::*;
use crate::core::ids::DistributorId;

const RANKS: &str = r#"
[standing]
default_rank = "member"
[volumes]
breakaway_rank = "gold"
[[rank]]
id = "member"
[[rank]]
id = "silver"
achieve = { active = true, gv = "100", legs = [{ rank = "member", count = 2 }] }
maintain = { gv = "50" }
[[rank]]
id = "gold"
achieve = { gv = "400", max_per_leg = "0.5", legs = [{ rank = "silver", count = 2 }] }
[[rank]]
id = "diamond"
achieve = { pgv = "60", legs = [{ rank = "gold", count = 1 }], leg_volume = { count = 2, least = "90" } }
[[rank]]
id = "founder"
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
"#;

fn rank(ran: &Ran, ranks: &[u16], who: &str) -> String {
    let person = ran.people.find(&DistributorId::new(who)).unwrap();
    let rank = ranks[usize::try_from(person).unwrap()];
    ran.plan.ranks.get(usize::from(rank)).cloned().unwrap_or_else(|| "none".to_owned())
}

fn paid_as(ran: &Ran, who: &str) -> String {
    rank(ran, &ran.result.standings.paid_as, who)
}

fn title(ran: &Ran, who: &str) -> String {
    rank(ran, &ran.result.standings.title, who)
}

fn of(ran: &Ran, volumes: &[Fixed], who: &str) -> Decimal {
    let person = ran.people.find(&DistributorId::new(who)).unwrap();
    volumes[usize::try_from(person).unwrap()].decimal()
}

fn after(earlier: &Case, mut case: Case) -> Case {
    case.carried = earlier.carried.clone();
    case
}

fn next(case: &mut Case) -> Ran {
    let ran = case.run();
    case.carried = ran.result.next.clone();
    ran
}

/// `top` over two teams: `a` and `b`, each with two below.
fn team(rest: &str) -> Case {
    let mut case = Case::new(rest);
    for (id, sponsor) in
        [("top", ""), ("a", "top"), ("b", "top"), ("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")]
    {
        case.person(id, sponsor, "");
    }
    case
}

#[test]
fn ranks_follow_from_the_legs_below() {
    let mut case = team(RANKS);
    case.sells("a1", Decimal::from(150)).sells("b2", Decimal::from(300));
    let ran = case.run();
    let ranks: Vec<String> = ["top", "a", "b", "a1"].map(|who| paid_as(&ran, who)).to_vec();
    assert_eq!(
        ranks,
        ["silver", "silver", "silver", "member"],
        "of 450 only 350 count: 200 of a leg at most"
    );
    assert_eq!(of(&ran, &ran.result.standings.gv, "top"), Decimal::from(450));
    case.sells("top", Decimal::from(50));
    let ran = case.run();
    assert_eq!(paid_as(&ran, "top"), "gold");
    assert_eq!(ran.result.next.standings[&DistributorId::new("top")].title.as_deref(), Some("gold"));
    assert!(!ran.result.next.standings.contains_key(&DistributorId::new("a1")), "the default is not kept");
}

#[test]
fn a_rank_is_kept_by_its_own_rule_and_the_title_for_ever() {
    let mut case = team(RANKS);
    case.sells("a1", Decimal::from(60));
    assert_eq!(paid_as(&case.run(), "a"), "member", "60 do not make a silver");
    case.sells("a1", Decimal::from(40));
    assert_eq!(paid_as(&next(&mut case), "a"), "silver");
    let mut case = after(&case, team(RANKS));
    case.sells("a1", Decimal::from(60));
    let ran = next(&mut case);
    assert_eq!((paid_as(&ran, "a"), title(&ran, "a")), ("silver".to_owned(), "silver".to_owned()));
    let mut case = after(&case, team(RANKS));
    let ran = next(&mut case);
    assert_eq!((paid_as(&ran, "a"), title(&ran, "a")), ("member".to_owned(), "silver".to_owned()));
    let kept = &ran.result.next.standings[&DistributorId::new("a")];
    assert!(kept.cumulative_gv.is_zero(), "no bonus goes by it");
}

#[test]
fn a_promotion_can_wait_for_the_next_period() {
    let rest = format!("{RANKS}\n[ranks]\npromotion = \"next_period\"\n");
    let mut case = team(&rest);
    case.sells("a1", Decimal::from(100));
    let ran = next(&mut case);
    assert_eq!((paid_as(&ran, "a"), title(&ran, "a")), ("member".to_owned(), "silver".to_owned()));
    let mut case = after(&case, team(&rest));
    assert_eq!(paid_as(&next(&mut case), "a"), "silver", "although nothing was sold");
    let mut case = after(&case, team(&rest));
    assert_eq!(paid_as(&next(&mut case), "a"), "member");
}

#[test]
fn a_rank_given_by_hand_stays_and_others_are_asked() {
    let mut case = team(RANKS);
    case.person("by hand", "", "founder").person("golden", "", "gold");
    let ran = case.run();
    assert_eq!(paid_as(&ran, "by hand"), "founder");
    assert_eq!((paid_as(&ran, "golden"), title(&ran, "golden")), ("member".to_owned(), "gold".to_owned()));
}

#[test]
fn where_ranks_ask_for_nothing_everybody_has_the_imported_one() {
    let mut case = Case::new(
        r#"
[[rank]]
id = "member"
[[rank]]
id = "silver"
[standing]
default_rank = "member"
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
"#,
    );
    case.person("a", "", "silver").person("b", "a", "");
    let ran = case.run();
    assert_eq!([paid_as(&ran, "a"), paid_as(&ran, "b")], ["silver", "member"]);
}

#[test]
fn who_broke_away_is_not_in_the_personal_group() {
    let mut case = Case::new(RANKS);
    for (id, sponsor) in [("above", ""), ("top", "above"), ("side", "above"), ("a", "top"), ("b", "top")] {
        case.person(id, sponsor, "");
    }
    for (id, sponsor) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")] {
        case.person(id, sponsor, "");
    }
    case.sells("a1", Decimal::from(300)).sells("b2", Decimal::from(300)).sells("side", Decimal::from(90));
    let ran = case.run();
    assert_eq!(paid_as(&ran, "top"), "gold");
    assert_eq!(of(&ran, &ran.result.standings.gv, "above"), Decimal::from(690));
    assert_eq!(of(&ran, &ran.result.standings.pgv, "above"), Decimal::from(90));
    assert_eq!(paid_as(&ran, "above"), "diamond");
}

#[test]
fn a_qualification_holds_on_and_counts_down() {
    let rest = r#"
[[qualification]]
id = "seller"
carried = 2
condition = { pv = "100" }
[[qualification]]
id = "leader"
condition = { qualified = ["seller"], rank = "silver" }
[[rank]]
id = "silver"
achieve = { qualified = ["seller"], recruits = 1 }
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
pays = "period"
requires = { qualified = ["leader"] }
"#;
    let company = || {
        let mut case = Case::new(rest);
        case.person("a", "", "").person("b", "a", "");
        case
    };
    let mut case = company();
    case.sells("a", Decimal::from(100)).sells("b", Decimal::from(100));
    let mut ran = next(&mut case);
    let eligible = |ran: &Ran, who: &str| {
        ran.result.standings.is_eligible(0, ran.people.find(&DistributorId::new(who)).unwrap())
    };
    assert_eq!((eligible(&ran, "a"), eligible(&ran, "b")), (true, false));
    for (silver, left) in [(true, Some(1)), (true, None), (false, None)] {
        case = after(&case, company());
        ran = next(&mut case);
        assert_eq!(paid_as(&ran, "a") == "silver", silver);
        let kept = ran.result.next.standings.get(&DistributorId::new("a"));
        assert_eq!(kept.and_then(|kept| kept.qualified.get("seller")).copied(), left);
    }
    let stage = Stage {
        plan: &ran.plan,
        bonus: 0,
        input: PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &case.carried },
        standings: &ran.result.standings,
        earnings: &Default::default(),
    };
    let person = ran.people.find(&DistributorId::new("b")).unwrap();
    let unmet = |condition: &Condition| {
        let unmet = stage.unmet(condition, person).unwrap();
        unmet.into_iter().map(|u| format!("{}: {} < {}", u.what, u.found, u.asked)).collect::<Vec<_>>()
    };
    let asked = Condition { rank: Some(0), days: Some(9), qualified: vec![1], ..Condition::default() };
    assert_eq!(unmet(&asked), ["qualified: not met < leader", "rank: none < silver"]);
    let legs = vec![super::super::LegRule { rank: 0, count: 2 }];
    let asked = Condition { legs, pv: Some(Fixed(50_000)), ..Condition::default() };
    assert_eq!(unmet(&asked), ["pv: 0 < 5", "legs with silver: 0 < 2"]);
}

#[test]
fn the_weaker_side_is_of_the_placement_tree() {
    let mut case = Case::new(
        r#"
[placement]
tree = "binary"
[[rank]]
id = "ruby"
achieve = { weaker_side = "100" }
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
"#,
    );
    case.person("a", "", "").person("b", "a", "").person("c", "a", "").person("d", "a", "");
    case.place("a", "", 0).place("b", "a", 0).place("c", "a", 1).place("d", "b", 1);
    case.sells("d", Decimal::from(100)).sells("b", Decimal::from(10)).sells("c", Decimal::from(99));
    assert_eq!(paid_as(&case.run(), "a"), "none");
    case.sells("c", Decimal::ONE);
    let ran = case.run();
    assert_eq!((paid_as(&ran, "a"), paid_as(&ran, "b")), ("ruby".to_owned(), "none".to_owned()));
    assert_eq!(of(&ran, &ran.result.standings.weaker_side, "a"), Decimal::from(100));
}

/// Ranks as the reference says them, with nothing clever: everybody starts at no rank, and everybody is asked
/// again, in whatever order, until nothing changes.
fn naive(sponsors: &[Option<usize>], sold: &[i64], order: &[usize]) -> Vec<u16> {
    let n = sponsors.len();
    let below = |top: usize, who: usize| {
        let mut at = Some(who);
        while let Some(person) = at {
            if person == top {
                return true;
            }
            at = sponsors[person];
        }
        false
    };
    let mut ranks = vec![0u16; n];
    loop {
        let before = ranks.clone();
        for p in order {
            let legs: Vec<usize> = (0..n).filter(|c| sponsors[*c] == Some(*p)).collect();
            let gv = |top: usize| -> i64 { (0..n).filter(|w| below(top, *w)).map(|w| sold[w]).sum() };
            let best = |top: usize| (0..n).filter(|w| below(top, *w)).map(|w| ranks[w]).max().unwrap();
            let broken =
                |who: usize| (0..n).any(|b| b != *p && ranks[b] >= 2 && below(b, who) && below(*p, b));
            let pgv: i64 = (0..n).filter(|w| below(*p, *w) && !broken(*w)).map(|w| sold[w]).sum();
            let with = |rank: u16| legs.iter().filter(|leg| best(**leg) >= rank).count();
            let counted: i64 = sold[*p] + legs.iter().map(|leg| gv(*leg).min(200)).sum::<i64>();
            let big = legs.iter().filter(|leg| gv(**leg) >= 90).count();
            ranks[*p] = if pgv >= 60 && with(2) >= 1 && big >= 2 {
                3
            } else if counted >= 400 && with(1) >= 2 {
                2
            } else if gv(*p) >= 100 && legs.len() >= 2 {
                1
            } else {
                0
            };
        }
        if ranks == before {
            return ranks;
        }
    }
}

fn company() -> impl Strategy<Value = (Vec<Option<usize>>, Vec<i64>, Vec<usize>)> {
    (2usize..24).prop_flat_map(|n| {
        let sponsors: Vec<_> =
            (0..n)
                .map(|at| {
                    if at == 0 {
                        Just(None).boxed()
                    } else {
                        (at.saturating_sub(4)..at).prop_map(Some).boxed()
                    }
                })
                .collect();
        let sold = prop::collection::vec(prop_oneof![Just(0i64), 1i64..250], n);
        (sponsors, sold, Just((0..n).collect::<Vec<_>>()).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn one_pass_is_the_least_fixpoint((sponsors, sold, order) in company()) {
        let mut case = Case::new(RANKS);
        // Ids that have nothing to do with the order of the tree.
        let name = |at: usize| format!("p{:02}", order[at]);
        for (at, sponsor) in sponsors.iter().enumerate() {
            case.person(&name(at), &sponsor.map(name).unwrap_or_default(), "");
            case.sells(&name(at), Decimal::from(sold[at]));
        }
        let ran = case.run();
        let expected = naive(&sponsors, &sold, &order);
        let ranks: BTreeMap<usize, u16> = (0..sponsors.len()).map(|at| {
            let person = ran.people.find(&DistributorId::new(name(at))).unwrap();
            (at, ran.result.standings.paid_as[usize::try_from(person).unwrap()])
        }).collect();
        prop_assert_eq!(ranks.into_values().collect::<Vec<_>>(), expected);
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
