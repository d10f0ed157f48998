use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use crate::core::bonus::leaders::testing::{
    Somebody, check_told, company, differs, exact, fill, problems, says, way, with_ranks,
};
use crate::core::period::testing::{Case, Ran};

const DIRECTORS: &str = r#"
[[bonus]]
id = "generations"
family = "generation"
base = "cv"
boundary = "gold"
rates = { gold = ["0.05", "0.03"], platinum = ["0.06", "0.04", "0.02"] }
"#;

/// Top is platinum; under it three golds in a row, the middle one without any volume.
fn line(plan: &str, middle: Decimal) -> (Case, Ran) {
    let mut case = with_ranks(plan);
    case.person("Top", "", "platinum").person("A", "Top", "gold").person("B", "A", "gold");
    case.person("C", "B", "gold").person("c", "C", "member");
    case.sells("A", dec!(1000)).sells("C", dec!(100)).sells("c", dec!(300));
    if !middle.is_zero() {
        case.sells("B", middle);
    }
    let ran = case.run();
    ran.check();
    check_told(&case, &ran);
    (case, ran)
}

#[test]
fn generations_go_from_leader_to_leader() {
    let (case, ran) = line(DIRECTORS, dec!(200));
    // A: 5 % of 200 and 3 % of 400. B: 5 % of 400. Top: 6 % of 1000, 4 % of 200, 2 % of 400.
    assert_eq!(
        ["A", "B", "C", "Top"].map(|who| ran.pays("generations", who)),
        [dec!(22), dec!(20), dec!(0), dec!(76)]
    );
    assert_eq!(
        way(&case, &ran, "c"),
        [
            ("c".to_owned(), None, "in_group"),
            ("C".to_owned(), None, "heads_group"),
            ("B".to_owned(), Some(1), "earns"),
            ("A".to_owned(), Some(2), "earns"),
            ("Top".to_owned(), Some(3), "earns"),
        ]
    );
}

#[test]
fn an_empty_generation_counts_or_not() {
    let (_, consumes) = line(DIRECTORS, dec!(0));
    assert_eq!(
        ["A", "B", "Top"].map(|who| consumes.pays("generations", who)),
        [dec!(12), dec!(20), dec!(68)]
    );
    let skips = format!("{DIRECTORS}empty = \"skips\"\n");
    let (_, skips) = line(&skips, dec!(0));
    // B leads nothing, so C is the first generation of A and the second of Top.
    assert_eq!(["A", "B", "Top"].map(|who| skips.pays("generations", who)), [dec!(20), dec!(20), dec!(76)]);
}

#[test]
fn gross_volume_is_the_whole_downline_of_a_leader() {
    let (_, ran) = line(&format!("{DIRECTORS}volume = \"gross\"\n"), dec!(200));
    // A: 5 % of B's 600 and 3 % of C's 400. Top: 6 % of A's 1600, 4 % of B's 600 and 2 % of C's 400.
    assert_eq!(["A", "B", "Top"].map(|who| ran.pays("generations", who)), [dec!(42), dec!(20), dec!(128)]);
}

/// Every rank has a line of its own, so the rates of all can be more than the base.
#[test]
fn ranks_that_count_by_themselves_pay_what_they_pay() {
    let plan = "[[bonus]]\nid = \"generations\"\nfamily = \"generation\"\nbase = \"cv\"\nboundary = \"own\"\n\
                rates = { silver = [\"0.6\"], gold = [\"0.6\"] }\n";
    let mut case = with_ranks(plan);
    case.person("Top", "", "gold").person("A", "Top", "gold").sells("A", dec!(100));
    let ran = case.run();
    ran.check();
    assert_eq!(ran.pays("generations", "Top"), dec!(60));
    assert_eq!(ran.result.pools[0].pool.decimal(), dec!(60));
    let found = problems(&plan.replace("boundary", "pool = \"1\"\nboundary"));
    assert!(says(&found, "the generations add up to 1.2", "lower the rates"), "{found:#?}");
}

#[test]
fn generations_can_be_counted_by_the_earners_own_rank() {
    let plan = DIRECTORS.replace("boundary = \"gold\"", "boundary = \"own\"");
    let mut case = with_ranks(&plan);
    case.person("Top", "", "platinum").person("A", "Top", "gold").person("P", "A", "platinum");
    case.person("G", "P", "gold").sells("G", dec!(100)).sells("P", dec!(10)).sells("A", dec!(1000));
    let ran = case.run();
    // Top counts platinums only: all that is below P and P itself are its first generation, A is none at all.
    assert_eq!(ran.pays("generations", "Top"), dec!(6.60));
    // A counts golds and above: P is the first, G the second.
    assert_eq!(ran.pays("generations", "A"), dec!(3.50));
    assert_eq!(ran.pays("generations", "P"), dec!(0), "nobody of its rank is below");
    ran.check();
    check_told(&case, &ran);
    let told = way(&case, &ran, "G");
    assert_eq!(
        told.iter().map(|step| step.2).collect::<Vec<_>>(),
        ["heads_group", "heads_group", "earns", "earns"]
    );
}

/// A match of 3 % over two generations, told as volume: two at 100 below Joe, three at 200 below those.
#[test]
fn kuvera_pays_two_generations() {
    let plan = DIRECTORS.replace(
        "{ gold = [\"0.05\", \"0.03\"], platinum = [\"0.06\", \"0.04\", \"0.02\"] }",
        "[\"0.03\", \"0.03\"]",
    );
    let mut case = with_ranks(&plan);
    case.person("Joe", "", "gold").person("Mary", "Joe", "gold").person("Susan", "Joe", "gold");
    for (who, sponsor) in [("Larry", "Mary"), ("Sharon", "Mary"), ("Steve", "Susan")] {
        case.person(who, sponsor, "gold").sells(who, dec!(200));
    }
    case.sells("Mary", dec!(100)).sells("Susan", dec!(100));
    let ran = case.run();
    assert_eq!(ran.pays("generations", "Joe"), dec!(24));
    ran.check();
}

#[test]
fn every_problem_of_the_table_is_told_at_once() {
    let bonus = |rest: &str| {
        problems(&format!("[[bonus]]\nid = \"generations\"\nfamily = \"generation\"\nbase = \"cv\"\n{rest}"))
    };
    let found = bonus(
        "boundary = \"gold\"\nrates = { silver = [\"0.05\"], gold = [\"5\"] }\nempty = \"eats\"\nvolumes = \"net\"",
    );
    for (what, fix) in [
        ("silver stands below the boundary gold", "remove the row"),
        ("\"platinum\" leads generations and has no row", "platinum = []"),
        ("5 is out of bounds", "from 0 to 1"),
        ("\"eats\" is not a known word", "use one of consumes, skips"),
        ("\"volumes\" is not a key", "did you mean \"volume\"?"),
    ] {
        assert!(says(&found, what, fix), "{what}: {found:#?}");
    }
    let found = bonus("pool = \"0.10\"\nboundary = \"gold\"\nrates = [\"0.06\", \"0.05\"]");
    assert!(says(&found, "the generations add up to 0.11, more than the pool of 0.1", "raise"), "{found:#?}");
    let found = bonus("pool = \"0.50\"\nboundary = \"own\"\nvolume = \"gross\"\nrates = [\"0.06\"]");
    assert!(says(&found, "every leader above can be paid on the same volume", "[[cap]]"), "{found:#?}");
    let found = bonus("boundary = \"own\"\nrates = []");
    assert!(says(&found, "nobody would ever be paid", "director"), "{found:#?}");
}

#[test]
fn what_changes_a_cent_changes_the_hash_and_defaults_do_not() {
    let with = |key: &str| format!("{DIRECTORS}{key}\n");
    for same in ["empty = \"consumes\"", "volume = \"net\"", "rates_of = \"base\""] {
        assert!(!differs(DIRECTORS, &with(same)), "{same}");
    }
    for other in ["empty = \"skips\"", "volume = \"gross\"", "classes = [\"goods\"]"] {
        assert!(differs(DIRECTORS, &with(other)), "{other}");
    }
    let row = |rates: &str| {
        format!(
            "[[bonus]]\nid = \"g\"\nfamily = \"generation\"\nbase = \"cv\"\nboundary = \"gold\"\nrates = {rates}\n"
        )
    };
    assert!(!differs(&row("[\"0.05\"]"), &row("{ gold = [\"0.05\"], platinum = [\"0.05\", \"0\"] }")));
    assert!(differs(&row("[\"0.05\"]"), &row("[\"0.05\"]").replace("\"gold\"", "\"own\"")));
    let told = with_ranks(DIRECTORS).plan.describe();
    assert_eq!(told.bonuses[0].rates.columns.len(), 3);
    assert_eq!(told.bonuses[0].rates.rows[0].1, [Some(dec!(0.05)), Some(dec!(0.03)), None]);
}

#[derive(Clone, Copy, Debug)]
struct Options {
    own: bool,
    skips: bool,
    gross: bool,
}

const ROWS: [&[Decimal]; 4] =
    [&[dec!(0.01)], &[dec!(0.02), dec!(0.01)], &[dec!(0.05), dec!(0), dec!(0.03)], &[dec!(0.06), dec!(0.04)]];

/// Everybody's downline for itself: which leaders the volume of each source passes on its way.
fn by_hand(people: &[Somebody], options: Options) -> BTreeMap<String, Decimal> {
    let mut paid = BTreeMap::new();
    for (at, earner) in people.iter().enumerate().filter(|(_, who)| who.active) {
        let Some(rank) = earner.rank.filter(|rank| options.own || *rank >= 2) else { continue };
        let boundary = if options.own { rank } else { 2 };
        let leads = |who: &Somebody| who.rank.is_some_and(|rank| rank >= boundary);
        // The way up from somebody, ending below `end`.
        let way = |from: usize, end: usize| {
            let (mut way, mut here) = (vec![], Some(from));
            while let Some(one) = here.filter(|one| *one != end) {
                way.push(one);
                here = people[one].sponsor;
            }
            here.map(|_| way)
        };
        let group = |head: usize| {
            let inside =
                |from: usize| way(from, head).is_some_and(|way| !way.iter().any(|one| leads(&people[*one])));
            (0..people.len()).filter(|from| inside(*from)).map(|from| people[from].sold).sum::<i64>()
        };
        for source in 0..people.len() {
            let Some(way) = way(source, at) else { continue };
            let passed = way
                .iter()
                .filter(|one| leads(&people[**one]))
                .filter(|one| !options.skips || group(**one) > 0)
                .count();
            let row = ROWS[rank];
            let rate: Decimal = match options.gross {
                true => row.iter().take(passed).sum(),
                false => passed.checked_sub(1).and_then(|at| row.get(at)).copied().unwrap_or_default(),
            };
            *paid.entry(earner.id.clone()).or_default() += rate * Decimal::new(people[source].sold, 2);
        }
    }
    paid.retain(|_, sum: &mut Decimal| !sum.is_zero());
    paid
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_pass_is_what_each_earner_counts_for_itself(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let people = company(random, false);
        let options = Options { own: random.bool(), skips: random.bool(), gross: random.bool() };
        let all = r#"{ member = ["0.01"], silver = ["0.02", "0.01"], gold = ["0.05", "0", "0.03"], platinum = ["0.06", "0.04"] }"#;
        let golds = r#"{ gold = ["0.05", "0", "0.03"], platinum = ["0.06", "0.04"] }"#;
        let plan = format!(
            "[[bonus]]\nid = \"generations\"\nfamily = \"generation\"\nbase = \"cv\"\nboundary = \"{}\"\nrates = {}\n\
             empty = \"{}\"\nvolume = \"{}\"\n",
            if options.own { "own" } else { "gold" },
            if options.own { all } else { golds },
            if options.skips { "skips" } else { "consumes" },
            if options.gross { "gross" } else { "net" },
        );
        let mut case = with_ranks(&plan);
        fill(&mut case, &people);
        let ran = case.run();
        prop_assert_eq!(exact(&case, &ran), by_hand(&people, options), "{:?}", options);
        ran.check();
        check_told(&case, &ran);
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
