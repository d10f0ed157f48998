use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use super::super::testing::{Told, any_company, company, name, problems};
use crate::core::bonus::Finding;
use crate::core::genealogy::Status;
use crate::core::period::testing::Case;
use crate::core::period::{Recalculation, recalculate_period};

fn retail(options: &str) -> String {
    format!("[[bonus]]\nid = \"retail\"\nfamily = \"direct\"\nbase = \"cv\"\npays = \"period\"\n{options}\n")
}

const TIERS: &str = r#"tiers = [
  { from = "0", rate = "0.20" },
  { from = "500", rate = "0.25" },
  { from = "2000", rate = "0.30" },
]"#;

/// Amway: 30 % retail and 3 % performance bonus on BV.
#[test]
fn published_retail_and_performance_bonus() {
    let bonuses =
        format!("{}{}", retail("rates = \"0.30\""), retail("rates = \"0.03\"").replace("retail", "bonus"));
    for (bv, month) in [(dec!(400), dec!(132)), (dec!(800), dec!(264))] {
        let mut case = Case::new(&bonuses);
        case.person("a", "", "").sells("a", bv);
        let ran = case.run();
        ran.check();
        assert_eq!(ran.pays("retail", "a") + ran.pays("bonus", "a"), month);
    }
    // The source prints 3,166 for the year.
    assert_eq!(dec!(264) * dec!(12), dec!(3168));
    assert_ne!(dec!(264) * dec!(12), dec!(3166));
}

/// The worked example of the reference.
#[test]
fn the_tier_that_is_reached_pays_its_rate_on_everything() {
    let mut case = Case::new(&retail(TIERS));
    for (who, customers) in [("low", dec!(499.99)), ("mid", dec!(500)), ("high", dec!(2000))] {
        case.person(who, "", "").sells(who, customers);
        case.sells_at(who, "goods", dec!(100), true, "2026-01-20T00:00:00Z");
    }
    let ran = case.run();
    ran.check();
    let paid = ["low", "mid", "high"].map(|who| ran.pays("retail", who));
    // Own orders are paid, and count for no tier by customer volume.
    assert_eq!(paid, [dec!(120), dec!(150), dec!(630)]);
    let told = Told::of(&case, &ran);
    told.check();
    assert_eq!(told.trace("retail", "mid")[0].finding, Finding::Earns { rate: Some(dec!(0.25)) });
    let mut by_pv = Case::new(&retail(&format!("tiers_by = \"pv\"\n{TIERS}")));
    by_pv.person("low", "", "").sells("low", dec!(499.99));
    by_pv.sells_at("low", "goods", dec!(100), true, "2026-01-20T00:00:00Z");
    assert_eq!(by_pv.run().pays("retail", "low"), dec!(150));
}

#[test]
fn below_the_first_tier_nothing_is_paid() {
    let mut case = Case::new(&retail("pool = \"0.3\"\ntiers = [{ from = \"500\", rate = \"0.25\" }]"));
    case.person("a", "", "").sells("a", dec!(499.99));
    let ran = case.run();
    ran.check();
    assert!(ran.paid().is_empty());
    assert_eq!(ran.result.pools[0].breakage.decimal(), dec!(150));
    let below = Finding::BelowTier { volume: dec!(499.99), least: dec!(500) };
    assert_eq!(Told::of(&case, &ran).trace("retail", "a")[0].finding, below);
}

#[test]
fn a_refund_takes_back_at_the_tier_that_was_reached() {
    let mut case = Case::new(&retail(TIERS));
    case.person("a", "", "").sells("a", dec!(500));
    let closed = case.run();
    assert_eq!(closed.pays("retail", "a"), dec!(125));
    let mut refunded = Case::new(&retail(TIERS));
    refunded.person("a", "", "").sells("a", dec!(400));
    let ran = refunded.run();
    let input = Told::of(&refunded, &ran).input();
    let standings = Recalculation::Frozen(&closed.result.standings);
    let again = recalculate_period(&ran.plan, input, standings).unwrap();
    assert_eq!(again.awards[0].amount.decimal(), dec!(100));
    assert_eq!(ran.pays("retail", "a"), dec!(80), "a new period would pay the lower tier");
}

#[test]
fn every_class_has_its_rate_and_the_retail_margin_is_a_base() {
    let kit = "[[class]]\nid = \"kit\"\nwholesale = { of_net = \"0.6\" }\ncv = { of_net = \"0.5\" }\n";
    let margin =
        retail("rates = \"1\"").replace("base = \"cv\"", "base = \"margin\"").replace("retail", "margin");
    let by_class = retail("rates = { goods = \"0.10\", kit = \"0.20\" }");
    let mut case = Case::new(&format!("{kit}{margin}{by_class}"));
    case.person("a", "", "").sells("a", dec!(50));
    case.sells_at("a", "kit", dec!(100), false, "2026-01-31T23:59:59Z");
    case.person_with("gone", "", "", Status::Terminated, None).sells("gone", dec!(1000));
    let ran = case.run();
    ran.check();
    assert_eq!((ran.pays("margin", "a"), ran.pays("retail", "a")), (dec!(40), dec!(15)));
    let told = Told::of(&case, &ran);
    told.check();
    assert_eq!(told.sources("retail", "a").len(), 2);
    assert_eq!(told.trace("retail", "gone")[0].finding, Finding::Inactive { status: Status::Terminated });
}

#[test]
fn what_cannot_be_is_refused_with_line_and_fix() {
    let with_order = problems(&retail(TIERS).replace("pays = \"period\"\n", ""));
    assert!(
        with_order[0].contains("tiers") && with_order[0].contains("add pays = \"period\""),
        "{with_order:?}"
    );
    let twice = "tiers = [{ from = \"5\", rate = \"0.1\" }, { from = \"5\", rate = \"0.2\" }]";
    assert!(problems(&retail(twice))[0].contains("does not begin above"));
    let both = problems(&retail(&format!("rates = \"0.1\"\n{TIERS}")));
    assert!(both[0].contains("remove rates or tiers"), "{both:?}");
    let pool = problems(&retail(&format!("pool = \"0.29\"\n{TIERS}")));
    assert!(pool[0].contains("above the pool"), "{pool:?}");
    assert!(problems(&retail("tiers = []"))[0].contains("there is no tier"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn tiers_pay_and_explain_what_was_sold(persons in any_company(12), tiered in any::<bool>()) {
        let mut case = company(&retail(if tiered { TIERS } else { "rates = \"0.123\"" }), &persons);
        case.person("zz", "", "");
        let ran = case.run();
        ran.check();
        Told::of(&case, &ran).check();
        for (at, person) in persons.iter().enumerate() {
            let rate = match person.sold {
                _ if !tiered => dec!(0.123),
                sold if sold >= dec!(2000) => dec!(0.30),
                sold if sold >= dec!(500) => dec!(0.25),
                _ => dec!(0.20),
            };
            let wanted = if person.status == Status::Active { person.sold * rate } else { Decimal::ZERO };
            let wanted = crate::core::money::round(wanted, 2, crate::core::money::Rounding::HalfUp);
            prop_assert_eq!(ran.pays("retail", &name(at)), wanted);
        }
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
