use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use crate::core::bonus::Finding;
use crate::core::bonus::leaders::testing::{
    Somebody, check_told, company, differs, exact, fill, problems, says, trace, way, with_ranks,
};
use crate::core::genealogy::Status;
use crate::core::period::testing::Case;

/// The breakaway example of mlmforge: gold breaks away, platinum has 7 % and the head 5 %.
const FORGE: &str = r#"
[[rank]]
id = "diamond"
[[bonus]]
id = "override"
family = "override"
base = "cv"
pool = "0.40"
rates_of = "pool"
boundary = "gold"
rates = { gold = "0.05", platinum = "0.07", diamond = "0.09" }
differential = true
floor = "0.01"
"#;

fn forge(plan: &str, pat: &str) -> Case {
    let mut case = with_ranks(plan);
    case.person("Dan", "", "diamond").person("Pat", "Dan", pat).person("Gina", "Pat", "gold");
    case.person("Sam", "Gina", "silver").person("Beth", "Gina", "member").person("Mike", "Sam", "member");
    case.person("Carol", "Mike", "");
    case.sells("Carol", dec!(300)).sells("Beth", dec!(200));
    case
}

#[test]
fn the_first_leader_is_paid_what_its_rate_is_above_the_heads() {
    let case = forge(FORGE, "platinum");
    let ran = case.run();
    assert_eq!(ran.paid(), BTreeMap::from([(("override".to_owned(), "Pat".to_owned()), dec!(4.00))]));
    assert_eq!(
        way(&case, &ran, "Carol"),
        [
            ("Carol".to_owned(), None, "in_group"),
            ("Mike".to_owned(), None, "in_group"),
            ("Sam".to_owned(), None, "in_group"),
            ("Gina".to_owned(), None, "heads_group"),
            ("Pat".to_owned(), Some(1), "earns"),
        ]
    );
    ran.check();
    check_told(&case, &ran);
}

/// The whole example: levels stop at gold, the override goes on above.
#[test]
fn levels_inside_of_the_group_and_the_override_above_it() {
    let levels = r#"
[[bonus]]
id = "levels"
family = "unilevel"
base = "cv"
pays = "period"
pool = "0.40"
rates_of = "pool"
stop_at = "gold"
[bonus.rates]
member = ["0.05"]
silver = ["0.05", "0.05", "0.03"]
gold = ["0.05", "0.05", "0.05"]
platinum = []
diamond = []
"#;
    let case = forge(&format!("{FORGE}{levels}"), "platinum");
    let ran = case.run();
    let paid = ["Mike", "Sam", "Gina", "Pat", "Dan", "Beth"]
        .map(|who| ran.pays("levels", who) + ran.pays("override", who));
    assert_eq!(paid, [dec!(6.00), dec!(6.00), dec!(10.00), dec!(4.00), dec!(0), dec!(0)]);
    ran.check();
    check_told(&case, &ran);
}

#[test]
fn a_leader_of_the_same_rate_is_paid_the_floor() {
    // Pat heads a group of her own and Dan is the first leader above it; it has no volume.
    let case = forge(FORGE, "gold");
    assert_eq!(case.run().pays("override", "Pat"), dec!(2.00));
    let without = forge(&FORGE.replace("floor = \"0.01\"", ""), "gold");
    let ran = without.run();
    assert!(ran.paid().is_empty(), "the first leader takes the group, whatever is left for it");
    assert_eq!(trace(&without, &ran, "Beth")[2].finding, Finding::PaidBelow { rate: dec!(0.02) });
}

#[test]
fn further_leaders_are_paid_fixed_rates() {
    let case = forge(&format!("{FORGE}generations = [\"0.03\"]\n"), "platinum");
    let ran = case.run();
    assert_eq!((ran.pays("override", "Pat"), ran.pays("override", "Dan")), (dec!(4.00), dec!(6.00)));
    check_told(&case, &ran);
}

#[test]
fn a_leader_who_does_not_earn_is_passed_over() {
    let mut case = with_ranks(FORGE);
    case.person("Dan", "", "diamond").person_with("Pat", "Dan", "platinum", Status::Suspended, None);
    case.person("Gina", "Pat", "gold").sells("Gina", dec!(500));
    let ran = case.run();
    assert_eq!(ran.pays("override", "Dan"), dec!(8.00));
    assert_eq!(trace(&case, &ran, "Gina")[1].finding, Finding::Inactive { status: Status::Suspended });
}

/// A sample Silver pin: half of 3000 RV is BV; 7 % override, and 3 % leadership to the next above.
#[test]
fn override_and_leadership_on_business_volume() {
    let plan = r#"
[[class]]
id = "advantage"
cv = { of_net = "0.50" }
[[bonus]]
id = "override"
family = "override"
base = "cv"
boundary = "gold"
rates = { gold = "0.07", platinum = "0.07" }
generations = ["0.03"]
"#;
    let mut case = with_ranks(plan);
    case.person("Top", "", "platinum").person("You", "Top", "platinum").person("Leg", "You", "gold");
    case.sells_at("Leg", "advantage", dec!(3000), false, "2026-01-15T00:00:00Z");
    let ran = case.run();
    assert_eq!((ran.pays("override", "You"), ran.pays("override", "Top")), (dec!(105), dec!(45)));
    assert_eq!(ran.result.awards[0].base.decimal(), dec!(1500));
    ran.check();
    check_told(&case, &ran);
}

const GUARANTEE: &str = r#"
[[bonus]]
id = "leadership"
family = "override"
base = "cv"
boundary = "gold"
rates = { gold = "0.04", platinum = "0.06" }
guarantee = "10000"
"#;

fn chain(plan: &str, sold: [Decimal; 4]) -> Case {
    let mut case = with_ranks(plan);
    for (at, sold) in sold.into_iter().enumerate() {
        let sponsor = if at == 0 { String::new() } else { format!("L{}", at - 1) };
        case.person(&format!("L{at}"), &sponsor, "gold").sells(&format!("L{at}"), sold);
    }
    case
}

/// L2 gets 4 % of the 12000 of L3, but its own group misses 4000 of 10000: 160 of 480 go to L1, who has enough
/// of its own and keeps them with 4 % of the 6000 of L2.
#[test]
fn a_small_group_leaves_the_guarantee_to_the_next_leader() {
    let case = chain(GUARANTEE, [dec!(0), dec!(10000), dec!(6000), dec!(12000)]);
    let ran = case.run();
    assert_eq!(ran.pays("leadership", "L2"), dec!(320));
    assert_eq!(ran.pays("leadership", "L1"), dec!(400));
    // L0 would have 400 on the group of L1; nothing of its own, so all of it is withheld, and nobody is above.
    assert_eq!(ran.pays("leadership", "L0"), dec!(0));
    assert_eq!(ran.result.pools[0].paid.decimal(), dec!(720));
    ran.check();
    check_told(&case, &ran);
}

#[test]
fn what_is_withheld_can_be_withheld_again() {
    let case = chain(GUARANTEE, [dec!(10000), dec!(9000), dec!(1000), dec!(5000)]);
    let ran = case.run();
    // L2 has 200 and leaves all of it: 360 are missing. L1 has 40 + 200 and leaves 40. L0 has 360 + 40.
    assert_eq!(["L2", "L1", "L0"].map(|who| ran.pays("leadership", who)), [dec!(0), dec!(200), dec!(400)]);
    check_told(&case, &ran);
}

#[test]
fn every_problem_of_the_table_is_told_at_once() {
    let found = problems(
        r#"
[[bonus]]
id = "override"
family = "override"
base = "cv"
boundary = "golden"
rates = { platinum = "0.9", diamond = "0.1" }
floor = "0.01"
generations = ["0.2", "2"]
guarantee = "lots"
"#,
    );
    for (what, fix) in [
        ("\"golden\" is not a known rank", "gold"),
        ("\"diamond\" is not a known rank", "use one of"),
        ("only a difference of rates can have a floor", "differential = true"),
        ("2 is out of bounds", "from 0 to 1"),
        ("\"lots\" is not a number", "digits"),
    ] {
        assert!(says(&found, what, fix), "{what}: {found:#?}");
    }
    let bonus = |rest: &str| {
        problems(&format!(
            "[[bonus]]\nid = \"override\"\nfamily = \"override\"\nbase = \"cv\"\nboundary = \"gold\"\n{rest}"
        ))
    };
    let found = bonus("rates = { gold = \"0.9\" }\ngenerations = [\"0.2\"]");
    assert!(
        says(&found, "a group can be paid 1.1, more than the whole base of 1", "lower the rates"),
        "{found:#?}"
    );
    let found = bonus("rates = { gold = \"0.1\" }\ndifferential = true\nguarantee = \"10000\"");
    assert!(says(&found, "no one rate", "remove guarantee or differential"), "{found:#?}");
    let found = bonus("rates = {}");
    assert!(says(&found, "no rank has an entry", "platinum"), "{found:#?}");
}

#[test]
fn what_changes_a_cent_changes_the_hash_and_defaults_do_not() {
    let plain = GUARANTEE.replace("guarantee = \"10000\"\n", "");
    let with = |key: &str| format!("{plain}{key}\n");
    for same in ["differential = false", "generations = [\"0\"]", "guarantee = \"0\"", "rates_of = \"base\""]
    {
        assert!(!differs(&plain, &with(same)), "{same}");
    }
    for other in
        ["differential = true", "generations = [\"0.01\"]", "guarantee = \"1\"", "classes = [\"goods\"]"]
    {
        assert!(differs(&plain, &with(other)), "{other}");
    }
    let told = with_ranks(GUARANTEE).plan.describe();
    assert_eq!(told.bonuses[0].rates.rows.len(), 2);
    assert!(told.bonuses[0].sentences.iter().any(|sentence| sentence.contains("10000")));
}

/// The group of somebody's head, the first leader above and the guarantee, person by person.
fn by_hand(people: &[Somebody], guarantee: Decimal) -> BTreeMap<String, Decimal> {
    let rate = |who: &Somebody| match who.rank {
        Some(1) => dec!(0.03),
        Some(2) => dec!(0.04),
        Some(3) => dec!(0.06),
        _ => dec!(0),
    };
    let head = |who: &Somebody| who.rank.is_some_and(|rank| rank >= 2);
    let leads = |who: &Somebody| who.active && (head(who) || rate(who) > dec!(0));
    let mut group = vec![Decimal::ZERO; people.len()];
    let mut income = vec![Decimal::ZERO; people.len()];
    for (at, source) in people.iter().enumerate() {
        let sold = Decimal::new(source.sold, 2);
        let mut here = Some(at);
        while let Some(one) = here {
            group[one] += sold;
            if head(&people[one]) {
                break;
            }
            here = people[one].sponsor;
        }
        let mut above = here.and_then(|head| people[head].sponsor);
        while let Some(one) = above {
            if leads(&people[one]) {
                income[one] += rate(&people[one]) * sold;
                break;
            }
            above = people[one].sponsor;
        }
    }
    for at in (0..people.len()).rev() {
        if !leads(&people[at]) {
            continue;
        }
        let held = (rate(&people[at]) * (guarantee - group[at]).max(dec!(0))).min(income[at]);
        income[at] -= held;
        let mut above = people[at].sponsor;
        while let Some(one) = above {
            if leads(&people[one]) {
                income[one] += held;
                break;
            }
            above = people[one].sponsor;
        }
    }
    let paid = people.iter().zip(income).map(|(who, sum)| (who.id.clone(), sum));
    paid.filter(|(_, sum)| !sum.is_zero()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_pass_is_what_each_group_pays_for_itself(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let people = company(random, false);
        let guarantee = if random.bool() { Decimal::from(random.u32(1..2000)) } else { Decimal::ZERO };
        let plan = format!(
            "[[bonus]]\nid = \"override\"\nfamily = \"override\"\nbase = \"cv\"\nboundary = \"gold\"\n\
             rates = {{ silver = \"0.03\", gold = \"0.04\", platinum = \"0.06\" }}\nguarantee = \"{guarantee}\"\n"
        );
        let mut case = with_ranks(&plan);
        fill(&mut case, &people);
        let ran = case.run();
        prop_assert_eq!(exact(&case, &ran), by_hand(&people, guarantee));
        ran.check();
        check_told(&case, &ran);
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }

    /// Differences, floors and further leaders: nobody below zero, never more than the pool, each part told.
    #[test]
    fn whatever_is_declared_the_pool_holds(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let people = company(random, false);
        let mut plan = "[[bonus]]\nid = \"override\"\nfamily = \"override\"\nbase = \"cv\"\nboundary = \"silver\"\n\
             differential = true\nrates = { silver = \"0.03\", gold = \"0.04\", platinum = \"0.06\" }\n".to_owned();
        if random.bool() {
            plan.push_str("floor = \"0.015\"\n");
        }
        if random.bool() {
            plan.push_str("generations = [\"0.02\", \"0\", \"0.01\"]\n");
        }
        let mut case = with_ranks(&plan);
        fill(&mut case, &people);
        let ran = case.run();
        prop_assert!(exact(&case, &ran).values().all(|sum| *sum > Decimal::ZERO));
        ran.check();
        check_told(&case, &ran);
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
