use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::{Decimal, dec};

use super::super::testing::{Told, any_company, company, problems};
use crate::core::genealogy::Status;
use crate::core::period::testing::Case;

const BASE: &str = "[[bonus]]\nid = \"base\"\nfamily = \"direct\"\nbase = \"cv\"\nrates = \"0.20\"\n";
const LEADERS: &str = "[[rank]]\nid = \"member\"\n[[rank]]\nid = \"leader\"\n";

fn matching(options: &str) -> String {
    format!("[[bonus]]\nid = \"match\"\nfamily = \"matching\"\n{options}\n")
}

fn matched(options: &str) -> Case {
    Case::new(&format!("{LEADERS}{BASE}{}", matching(&format!("of = [\"base\"]\n{options}"))))
}

/// Kuvera: 3 % of two generations, 24 for Joe.
#[test]
fn published_generation_match() {
    let by_generation = "by = \"generation\"\nboundary = \"leader\"\nrates = [\"0.03\", \"0.03\"]";
    for options in ["rates = [\"0.03\", \"0.03\"]", by_generation] {
        let mut case = matched(options);
        case.person("Joe", "", "leader").person("Mary", "Joe", "leader").person("Susan", "Joe", "leader");
        case.person("Larry", "Mary", "leader")
            .person("Sharon", "Susan", "leader")
            .person("Steve", "Susan", "leader");
        let earned = [("Mary", 100), ("Susan", 100), ("Larry", 200), ("Sharon", 200), ("Steve", 200)];
        for (who, amount) in earned {
            case.emitted("base", who, Decimal::from(amount));
        }
        let ran = case.run();
        ran.check();
        assert_eq!(ran.pays("match", "Joe"), dec!(24), "{options}");
        let told = Told::of(&case, &ran);
        told.check();
        assert_eq!(told.sources("match", "Joe").len(), 5);
    }
}

/// NovaTech: five levels who earned 100 each.
#[test]
fn published_check_match() {
    let mut case = matched("rates = [\"0.05\", \"0.02\", \"0.01\", \"0.01\", \"0.01\"]");
    case.person("John", "", "");
    let mut above = "John".to_owned();
    for level in 1..=6 {
        let id = format!("level{level}");
        case.person(&id, &above, "").emitted("base", &id, dec!(100));
        above = id;
    }
    let ran = case.run();
    ran.check();
    assert_eq!(ran.pays("match", "John"), dec!(10.00));
}

/// The worked example of the reference.
#[test]
fn a_generation_ends_with_a_leader_and_only_leaders_are_paid() {
    let mut case = matched("by = \"generation\"\nboundary = \"leader\"\nrates = [\"0.10\", \"0.05\"]");
    case.person("top", "", "leader").person("lea", "top", "leader");
    case.person("ann", "lea", "member").person("bob", "ann", "member");
    for who in ["lea", "ann", "bob"] {
        case.emitted("base", who, dec!(100));
    }
    let ran = case.run();
    ran.check();
    assert_eq!((ran.pays("match", "lea"), ran.pays("match", "top")), (dec!(20), dec!(20)));
    assert_eq!((ran.pays("match", "ann"), ran.pays("match", "bob")), (dec!(0), dec!(0)));
    let told = Told::of(&case, &ran);
    told.check();
    assert_eq!(
        told.way("match", "bob"),
        ["0:bob:below_start", "-:ann:no_rate", "1:lea:earns", "2:top:earns"]
    );
    assert_eq!(told.way("match", "lea"), ["0:lea:below_start", "1:top:earns"]);
}

#[test]
fn what_was_forfeited_is_not_matched() {
    let provisional = format!("{BASE}provisional = true\n");
    let text = format!("{provisional}{}", matching("of = [\"base\"]\nrates = [\"0.10\"]"));
    let mut case = Case::new(&text);
    case.person("top", "", "").person("a", "top", "");
    case.person_with("idle", "top", "", Status::Suspended, None);
    case.emitted("base", "a", dec!(50)).emitted("base", "idle", dec!(70));
    let ran = case.run();
    ran.check();
    assert_eq!(ran.pays("base", "idle"), dec!(-70));
    assert_eq!(ran.pays("match", "top"), dec!(5));
    Told::of(&case, &ran).check();
}

/// More was taken back in the period than earned: the match is taken back too, or not paid.
#[test]
fn earnings_below_zero_count() {
    let mut case = matched("rates = [\"0.10\"]");
    case.person("top", "", "").person("a", "top", "").person("b", "top", "");
    case.emitted("base", "a", dec!(-30)).emitted("base", "b", dec!(100));
    let ran = case.run();
    ran.check();
    assert_eq!(ran.pays("match", "top"), dec!(7));
    Told::of(&case, &ran).check();
    let mut nobody = matched("rates = [\"0.10\"]");
    nobody.person("alone", "", "").emitted("base", "alone", dec!(-30));
    let ran = nobody.run();
    ran.check();
    assert!(ran.paid().is_empty());
}

#[test]
fn matching_never_feeds_itself() {
    let others = r#"
[[bonus]]
id = "company"
family = "pool"
base = "cv"
share = "0.02"
[[bonus]]
id = "second"
family = "matching"
of = ["base"]
rates = ["0.1"]
"#;
    let of = |of: &str| {
        problems(&format!("{BASE}{others}{}", matching(&format!("of = [{of}]\nrates = [\"0.1\"]"))))
    };
    let told = of("\"match\", \"second\", \"company\", \"bass\"").join("\n");
    for expected in [
        "match of itself",
        "\"second\" is a match too",
        "\"company\" is a pool",
        "\"bass\" is not a known bonus",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(told.contains("did you mean \"base\""), "{told}");
    let told = problems(&format!(
        "{LEADERS}{BASE}{}",
        matching("of = [\"base\"]\nby = \"generation\"\nrates = [\"0.1\"]")
    ));
    assert!(told[0].contains("boundary is missing"), "{told:?}");
    let told = problems(&format!(
        "{LEADERS}{BASE}{}",
        matching("of = [\"base\"]\nboundary = \"leader\"\nrates = [\"0.1\"]")
    ));
    assert!(told[0].contains("by = \"generation\""), "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_match_leaves_the_base_as_it_is_and_adds_up(
        persons in any_company(12),
        mode in select(vec!["none", "inactive_skip", "slot_fill", "structural"]),
        by in select(vec!["", "by = \"generation\"\nboundary = \"silver\"\n"]),
    ) {
        let ranks = "[[rank]]\nid = \"bronze\"\n[[rank]]\nid = \"silver\"\n[[rank]]\nid = \"gold\"\n";
        let base = format!("{ranks}{BASE}pays = \"period\"\n");
        let rates = "rates = { bronze = [\"0.1\"], silver = [\"0.1\", \"0.07\"], gold = [\"0.2\", \"0.15\", \"0.1\"] }";
        let both = format!("{base}{}", matching(&format!("of = [\"base\"]\ncompression = \"{mode}\"\n{by}{rates}")));
        let alone = company(&base, &persons).run();
        let mut case = company(&both, &persons);
        let ran = case.run();
        ran.check();
        Told::of(&case, &ran).check();
        let of_base = |ran: &crate::core::period::testing::Ran| -> Vec<_> {
            let at = ran.plan.bonus_ids().position(|id| id == "base").and_then(|at| u16::try_from(at).ok());
            ran.result.awards.iter().filter(|award| Some(award.bonus) == at).cloned().collect()
        };
        prop_assert_eq!(of_base(&ran), of_base(&alone));
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
