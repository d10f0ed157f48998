use rust_decimal::{Decimal, dec};

use super::super::testing::{RANKS, Told, problems};
use crate::core::bonus::Finding;
use crate::core::genealogy::Status;
use crate::core::period::testing::{Case, Ran};
use crate::core::period::{Recalculation, recalculate_period};

fn team(options: &str) -> String {
    format!("[[bonus]]\nid = \"team\"\nfamily = \"unilevel\"\nbase = \"cv\"\npays = \"period\"\n{options}\n")
}

const TREE: &str = "[placement]\ntree = \"matrix\"\nwidth = 3\n";

fn paid(ran: &Ran, bonus: &str) -> Vec<(String, Decimal)> {
    ran.check();
    let of = ran.paid().into_iter().filter(|((id, _), _)| id == bonus);
    of.map(|((_, who), amount)| (who, amount)).collect()
}

fn amounts(pairs: &[(&str, Decimal)]) -> Vec<(String, Decimal)> {
    pairs.iter().map(|(who, amount)| ((*who).to_owned(), *amount)).collect()
}

/// mlmforge: 5 % of the pool per level, depth by rank.
#[test]
fn published_unilevel_pays_every_rank_within_its_depth() {
    let ranks = r#"
[[rank]]
id = "Member"
[[rank]]
id = "Silver"
[[rank]]
id = "Gold"
[[rank]]
id = "Diamond"
"#;
    let rates = r#"
pool = "0.40"
rates_of = "pool"
[bonus.rates]
Member = ["0.05"]
Silver = ["0.05", "0.05"]
Gold = ["0.05", "0.05", "0.05"]
Diamond = ["0.05", "0.05", "0.05", "0.05", "0.05"]
"#;
    let mut case = Case::new(&format!("{ranks}{}", team(rates)));
    case.person("Top", "", "Diamond").person("Sponsor", "Top", "Gold").person("A", "Sponsor", "Silver");
    case.person("B", "A", "Member").person("C", "B", "Member").sells("C", dec!(200));
    let ran = case.run();
    let four = dec!(4.00);
    assert_eq!(paid(&ran, "team"), amounts(&[("A", four), ("B", four), ("Sponsor", four), ("Top", four)]));
    let pool = &ran.result.pools[0];
    assert_eq!((pool.pool.decimal(), pool.breakage.decimal()), (dec!(80), dec!(64)));
    Told::of(&case, &ran).check();
}

/// mlmforge: D spills over under A, and both above are paid.
#[test]
fn published_matrix_pays_up_the_placement_tree() {
    let matrix = r#"
[placement]
tree = "matrix"
width = 3
[[bonus]]
id = "team"
family = "matrix"
base = "cv"
pool = "0.40"
rates_of = "pool"
rates = ["0.05", "0.05", "0.05"]
"#;
    let mut case = Case::new(matrix);
    case.person("Root", "", "");
    for id in ["A", "B", "C", "D"] {
        case.person(id, "Root", "");
    }
    case.place("Root", "", 0).place("A", "Root", 0).place("B", "Root", 1).place("C", "Root", 2);
    case.place("D", "A", 0).sells("D", dec!(100));
    let ran = case.run();
    assert_eq!(paid(&ran, "team"), amounts(&[("A", dec!(2.00)), ("Root", dec!(2.00))]));
    assert_eq!(ran.result.pools[0].pool.decimal(), dec!(40));
    Told::of(&case, &ran).check();
}

/// Who owns several positions earns at each; the volume of somebody without a place is breakage.
#[test]
fn a_matrix_pays_every_position_for_itself() {
    let bonus = "[[bonus]]\nid = \"m\"\nfamily = \"matrix\"\nbase = \"cv\"\nrates = [\"0.1\", \"0.1\"]\n";
    let mut case = Case::new(&format!("{TREE}{bonus}"));
    case.person("a", "", "").person("b", "", "").person("nowhere", "", "");
    case.position("one", "a", "", 0).position("two", "a", "one", 0).position("three", "b", "two", 0);
    case.sells("b", dec!(100)).sells("nowhere", dec!(7)).sells("a", dec!(1000));
    let ran = case.run();
    ran.check();
    let positions: Vec<_> =
        ran.result.awards.iter().map(|award| (award.position, award.amount.decimal())).collect();
    assert_eq!(positions, [(Some(0), dec!(10)), (Some(1), dec!(10))]);
    assert_eq!(ran.result.pools[0].breakage.decimal(), dec!(201.4));
    let told = Told::of(&case, &ran);
    told.check();
    assert_eq!(told.way("m", "b"), ["0:b:below_start", "1:a:earns", "2:a:earns"]);
    assert!(told.trace("m", "nowhere").is_empty());
}

/// doTERRA: seven levels with dynamic compression.
#[test]
fn published_dynamic_compression_passes_over_the_inactive() {
    let rates = r#"
compression = "inactive_skip"
rates = ["0.02", "0.03", "0.05", "0.05", "0.06", "0.06", "0.07"]
"#;
    let mut case = Case::new(&team(rates));
    case.person("1", "", "");
    for at in 2..=8 {
        case.person(&at.to_string(), &(at - 1).to_string(), "");
    }
    case.person_with("idle", "8", "", Status::Suspended, None).person("buyer", "idle", "");
    case.sells("buyer", dec!(100));
    let ran = case.run();
    let seven = [("2", 7), ("3", 6), ("4", 6), ("5", 5), ("6", 5), ("7", 3), ("8", 2)];
    let seven: Vec<_> = seven.map(|(who, amount)| (who.to_owned(), Decimal::from(amount))).to_vec();
    assert_eq!(paid(&ran, "team"), seven);
    assert_eq!(ran.result.pools[0].paid.decimal(), dec!(34));
}

/// The manual's line of seven, whose reach is their rank.
#[test]
fn published_compression_in_a_matrix_generous_or_none() {
    let ranks: String = (0..=6).map(|rank| format!("[[rank]]\nid = \"{rank}\"\n")).collect();
    let reach = [0, 0, 0, 1, 2, 3, 4];
    let row =
        |(rank, levels): (usize, usize)| format!("{rank} = [{}]\n", ["\"0.05\""; 4][..levels].join(", "));
    let rows: String = reach.into_iter().enumerate().map(row).collect();
    let line = [("A", 6), ("B", 6), ("C", 4), ("D", 6), ("E", 0), ("F", 3), ("G", 6)];
    for (mode, expected) in [
        ("none", &["1:G", "4:D"][..]),
        ("slot_fill", &["1:G", "2:D", "3:B", "4:A"]),
        ("inactive_skip", &["1:G", "4:D"]),
    ] {
        let matrix = format!(
            "{TREE}[[bonus]]\nid = \"m\"\nfamily = \"matrix\"\nbase = \"cv\"\ncompression = \"{mode}\"\n[bonus.rates]\n{rows}"
        );
        let mut case = Case::new(&format!("{ranks}{matrix}"));
        let mut above = "";
        for (who, rank) in line {
            case.person(who, above, &rank.to_string()).place(who, above, 0);
            above = who;
        }
        case.person("buyer", "G", "0").place("buyer", "G", 0).sells("buyer", dec!(100));
        let ran = case.run();
        let way = Told::of(&case, &ran).way("m", "buyer");
        let earning: Vec<&str> = way.iter().filter_map(|step| step.strip_suffix(":earns")).collect();
        assert_eq!(earning, expected, "{mode}");
    }
}

/// Tapfiliate: the seller and two levels above.
#[test]
fn published_affiliate_levels_begin_with_the_seller() {
    let mut case = Case::new(&team("start_level = 0\nrates = [\"0.10\", \"0.02\", \"0.01\"]"));
    case.person("Johnny", "", "").person("Betty", "Johnny", "").person("Angela", "Betty", "");
    case.person("Jim", "Angela", "").sells("Jim", dec!(100));
    let expected = amounts(&[("Angela", dec!(2)), ("Betty", dec!(1)), ("Jim", dec!(10))]);
    assert_eq!(paid(&case.run(), "team"), expected);
}

/// The worked example of the reference.
#[test]
fn structural_compression_moves_what_the_inactive_sell() {
    let run = |mode: &str| {
        let mut case = Case::new(&team(&format!("compression = \"{mode}\"\nrates = [\"0.10\", \"0.05\"]")));
        case.person("top", "", "").person("ann", "top", "").person("bob", "ann", "");
        case.person_with("idle", "bob", "", Status::Suspended, None).sells("idle", dec!(200));
        let ran = case.run();
        let way = Told::of(&case, &ran).way("team", "idle");
        (paid(&ran, "team"), way)
    };
    let (skipped, _) = run("inactive_skip");
    assert_eq!(skipped, amounts(&[("ann", dec!(10)), ("bob", dec!(20))]));
    let (structural, way) = run("structural");
    assert_eq!(structural, amounts(&[("ann", dec!(20)), ("top", dec!(10))]));
    assert_eq!(way, ["-:idle:inactive", "0:bob:below_start", "1:ann:earns", "2:top:earns"]);
}

#[test]
fn levels_stop_at_the_first_of_a_rank_who_is_still_paid() {
    let bonus = team("stop_at = \"gold\"\nrates = [\"0.05\", \"0.05\", \"0.05\"]");
    let mut case = Case::new(&format!("[[rank]]\nid = \"member\"\n[[rank]]\nid = \"gold\"\n{bonus}"));
    case.person("top", "", "gold").person("ann", "top", "gold").person("bob", "ann", "member");
    case.person("eve", "bob", "member").sells("eve", dec!(100));
    let ran = case.run();
    assert_eq!(paid(&ran, "team"), amounts(&[("ann", dec!(5)), ("bob", dec!(5))]));
    let way = Told::of(&case, &ran).way("team", "eve");
    assert_eq!(way, ["0:eve:below_start", "1:bob:earns", "2:ann:earns", "-:top:beyond_stop"]);
}

#[test]
fn everybody_on_the_way_has_a_reason() {
    let bonus = team(
        "active = { min_pv = \"50\" }\nrates = { bronze = [], silver = [\"0.1\", \"0.1\", \"0.1\", \"0.1\", \"0.1\"], gold = [] }",
    );
    let mut case = Case::new(&format!(
        "{}{bonus}",
        RANKS.replace("rank =", "[standing]\ndefault_rank = \"silver\"\n#")
            + "[[rank]]\nid = \"bronze\"\n[[rank]]\nid = \"silver\"\n[[rank]]\nid = \"gold\"\n"
    ));
    case.person("a", "", "silver").person("b", "a", "").person("c", "b", "gold");
    case.person_with("d", "c", "silver", Status::Terminated, None).person("e", "d", "silver");
    for who in ["a", "b", "c", "e"] {
        case.sells(who, dec!(49.99));
    }
    case.sells("a", dec!(0.01)).sells("b", dec!(1)).sells("c", dec!(1));
    let ran = case.run();
    let told = Told::of(&case, &ran);
    let way = told.way("team", "e");
    assert_eq!(way, ["0:e:below_start", "1:d:inactive", "2:c:no_rate", "3:b:earns", "4:a:earns"]);
    told.check();
    // Who no longer meets what a bonus asks is passed with that reason, on standings that are given.
    let mut standings = ran.result.standings.clone();
    let mut eligible = vec![true; ran.people.len()];
    eligible[usize::try_from(told.person("b")).unwrap()] = false;
    standings.eligible.insert(0, eligible);
    let (bonus, stage) = told.stage("team", &standings);
    let steps = bonus.period_rules().trace(bonus, &stage, told.person("e"));
    assert_eq!((steps[3].level, &steps[3].finding), (Some(3), &Finding::NotEligible));
    let again = recalculate_period(&ran.plan, told.input(), Recalculation::Frozen(&standings)).unwrap();
    let is_paid = |who: &str| again.awards.iter().any(|award| award.person == told.person(who));
    assert!(!is_paid("b") && is_paid("a"));
}

#[test]
fn what_cannot_be_is_refused_with_line_and_fix() {
    let told = problems(&team("compression = { mode = \"structural\", max_skips = 2 }\nrates = [\"0.1\"]"));
    assert!(told[0].contains("max_skips") && told[0].contains("remove max_skips"), "{told:?}");
    let told = problems(&team("stop_at = \"gold\"\nrates = [\"0.1\"]"));
    assert!(told[0].contains("stop_at") && told[0].contains("not a known rank"), "{told:?}");
    let told = problems(&team("pool = \"0.33333333\"\nrates_of = \"pool\"\nrates = [\"0.333\"]"));
    assert!(told[0].contains("more than 8 digits"), "{told:?}");
    let many = "compression = { mode = \"slot_fill\", max_skips = 1000 }\nrates = [";
    let told = problems(&team(&format!("{many}{}]", ["\"0.01\""; 70].join(", "))));
    assert!(told[0].contains("lower max_skips"), "{told:?}");
}

#[test]
fn a_long_chain_and_a_broad_star_are_closed() {
    let plan = team("compression = { mode = \"slot_fill\", max_skips = 20 }\nrates = [\"0.05\", \"0.05\"]");
    let mut chain = Case::new(&plan);
    chain.person("0", "", "");
    for at in 1..100_000u32 {
        let status = if at % 10 == 0 { Status::Active } else { Status::Suspended };
        chain.person_with(&at.to_string(), &(at - 1).to_string(), "", status, None);
        chain.sells(&at.to_string(), dec!(1));
    }
    let ran = chain.run();
    ran.check();
    assert!(!ran.result.awards.is_empty());
    let mut star = Case::new(&plan);
    star.person("0", "", "");
    for at in 1..200_000u32 {
        star.person(&at.to_string(), "0", "").sells(&at.to_string(), dec!(1));
    }
    let ran = star.run();
    assert_eq!(ran.pays("team", "0"), dec!(9999.95));
    assert_eq!(Told::of(&star, &ran).sources("team", "0").len(), 199_999);
}

mod properties;
