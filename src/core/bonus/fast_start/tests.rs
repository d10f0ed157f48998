use chrono::{DateTime, Utc};
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use super::super::testing::{Told, any_company, problems};
use super::close::in_proportion;
use crate::core::bonus::Finding;
use crate::core::engine::{
    Calculation, CommissionLine, CommissionOrder, UplineMember, calculate_order, take_upline,
};
use crate::core::fixed::Exact;
use crate::core::genealogy::Status;
use crate::core::ids::DistributorId;
use crate::core::period::testing::{Case, HEAD, Ran};
use crate::core::plan::Plan;

fn fast(options: &str) -> String {
    format!("[[bonus]]\nid = \"fast\"\nfamily = \"fast_start\"\nbase = \"cv\"\ndays = 60\n{options}\n")
}

const CAPPED: &str = "pays = \"period\"\ncap_per_recruit = \"200\"\nrates = [\"0.20\", \"0.10\", \"0.05\"]";
const TEAM: &str = "[[bonus]]\nid = \"team\"\nfamily = \"unilevel\"\nbase = \"cv\"\nrates = [\"0.05\"]\n";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Sponsors c above b above a above the recruit.
fn line(rest: &str, enrolled: Option<&str>) -> Case {
    let mut case = Case::new(rest);
    case.person("c", "", "").person("b", "c", "").person("a", "b", "");
    case.person_with("recruit", "a", "", Status::Active, enrolled);
    case
}

fn paid(ran: &Ran, bonus: &str) -> [Decimal; 3] {
    ran.check();
    ["a", "b", "c"].map(|who| ran.pays(bonus, who))
}

/// doTERRA: 20 % of a new member's orders; 16.40 is printed beside 132 once, and is wrong.
#[test]
fn published_fast_start_pays_the_sponsor_at_the_close() {
    let mut case = line(&fast("pays = \"period\"\nrates = [\"0.20\"]"), Some("2026-01-02T00:00:00Z"));
    for pv in [dec!(132), dec!(78), dec!(147)] {
        case.sells("recruit", pv);
    }
    let ran = case.run();
    assert_eq!(paid(&ran, "fast"), [dec!(71.40), dec!(0), dec!(0)]);
    Told::of(&case, &ran).check();
}

#[test]
fn published_fast_start_pays_the_sponsor_with_each_order() {
    let plan = plan(&fast("rates = [\"0.20\"]"));
    let amounts = [dec!(132), dec!(78), dec!(147)].map(|pv| {
        let made = order(&plan, Some("2026-01-02T00:00:00Z"), "2026-01-20T00:00:00Z", pv);
        made.awards.iter().map(|award| award.amount).sum::<Decimal>()
    });
    assert_eq!(amounts, [dec!(26.40), dec!(15.60), dec!(29.40)]);
    assert_eq!(amounts.iter().sum::<Decimal>(), dec!(71.40));
    assert_ne!(amounts[0], dec!(16.40));
}

/// The worked example of the reference.
#[test]
fn what_one_recruit_pays_is_capped_in_proportion() {
    let mut case = line(&fast(CAPPED), Some("2026-01-02T00:00:00Z"));
    case.person_with("other", "a", "", Status::Active, Some("2025-12-31T00:00:00Z"));
    case.sells("recruit", dec!(1000));
    let ran = case.run();
    assert_eq!(paid(&ran, "fast"), [dec!(114.29), dec!(57.14), dec!(28.57)]);
    let pool = &ran.result.pools[0];
    assert_eq!((pool.pool.decimal(), pool.breakage.decimal()), (dec!(350), dec!(150)));
    let told = Told::of(&case, &ran);
    told.check();
    assert_eq!(told.way("fast", "recruit"), ["0:recruit:below_start", "1:a:earns", "2:b:earns", "3:c:earns"]);
    // Each recruit has a cap of its own; what is below it is not touched.
    case.sells("other", dec!(100));
    let ran = case.run();
    assert_eq!(paid(&ran, "fast"), [dec!(134.29), dec!(67.14), dec!(33.57)]);
    Told::of(&case, &ran).check();
}

#[test]
fn only_the_first_days_count() {
    let rates = "pays = \"period\"\nrates = [\"0.20\"]";
    // Sixty days before the order, to the second.
    for (enrolled, expected) in
        [(Some("2025-11-16T00:00:01Z"), dec!(20)), (Some("2025-11-16T00:00:00Z"), dec!(0)), (None, dec!(0))]
    {
        let mut case = line(&fast(rates), enrolled);
        case.sells("recruit", dec!(100));
        let ran = case.run();
        assert_eq!(paid(&ran, "fast")[0], expected, "{enrolled:?}");
        let made = order(&plan(&fast("rates = [\"0.20\"]")), enrolled, "2026-01-15T00:00:00Z", dec!(100));
        assert_eq!(made.awards.iter().map(|award| award.amount).sum::<Decimal>(), expected, "{enrolled:?}");
        let known = made.walks[0].visited[0].finding == Finding::OutsideWindow { days: 60 };
        assert_eq!((known, made.pools.is_empty()), (expected.is_zero(), expected.is_zero()));
    }
}

#[test]
fn withheld_volume_does_not_pay_twice() {
    for (fast_pays, team_pays) in
        [("order", "order"), ("order", "period"), ("period", "order"), ("period", "period")]
    {
        let withholding =
            fast(&format!("pays = \"{fast_pays}\"\nwithholds = [\"team\"]\nrates = [\"0.20\"]"));
        let bonuses = format!("{withholding}{TEAM}pays = \"{team_pays}\"\n");
        for (enrolled, wanted) in
            [("2026-01-02T00:00:00Z", [dec!(20), dec!(0)]), ("2025-01-02T00:00:00Z", [dec!(0), dec!(5)])]
        {
            let mut case = line(&bonuses, Some(enrolled));
            case.sells("recruit", dec!(100));
            let ran = case.run();
            let made = order(&ran.plan, Some(enrolled), "2026-01-15T00:00:00Z", dec!(100));
            let by_order = |bonus: &str| -> Decimal {
                made.awards.iter().filter(|award| award.bonus == bonus).map(|award| award.amount).sum()
            };
            let sums = ["fast", "team"].map(|bonus| by_order(bonus) + paid(&ran, bonus)[0]);
            assert_eq!(sums, wanted, "{fast_pays} {team_pays} {enrolled}");
            assert!(made.pools.iter().all(|pool| pool.paid > Decimal::ZERO), "{:?}", made.pools);
        }
    }
}

#[test]
fn only_the_covered_classes_are_withheld() {
    let kit = "[[class]]\nid = \"kit\"\ncv = { of_net = \"1\" }\n";
    let withholding =
        fast("pays = \"period\"\nclasses = [\"kit\"]\nwithholds = [\"team\"]\nrates = [\"0.20\"]");
    let mut case =
        line(&format!("{kit}{withholding}{TEAM}pays = \"period\"\n"), Some("2026-01-02T00:00:00Z"));
    case.sells("recruit", dec!(100)).sells_at("recruit", "kit", dec!(10), false, "2026-01-20T00:00:00Z");
    let ran = case.run();
    assert_eq!((paid(&ran, "fast")[0], paid(&ran, "team")[0]), (dec!(2), dec!(5)));
}

#[test]
fn what_cannot_be_is_refused_with_line_and_fix() {
    let told = problems(&fast("cap_per_recruit = \"200\"\nrates = [\"0.2\"]"));
    assert!(told[0].contains("cap_per_recruit") && told[0].contains("add pays = \"period\""), "{told:?}");
    let told = problems(&fast("withholds = [\"fast\", \"tame\", \"match\"]\nrates = [\"0.2\"]").replace(
        "[[bonus]]",
        "[[bonus]]\nid = \"match\"\nfamily = \"matching\"\nof = [\"fast\"]\nrates = [\"0.1\"]\n[[bonus]]",
    ));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("from itself")
            && told[1].contains("\"tame\"")
            && told[2].contains("not paid on volume")
    );
    let told = problems(&fast("rates = [\"0.2\"]").replace("days = 60\n", ""));
    assert!(told[0].contains("add days = 60"), "{told:?}");
}

#[test]
fn a_long_chain_of_recruits_is_capped_in_linear_time() {
    let mut case = Case::new(&fast(&format!("compression = \"inactive_skip\"\n{CAPPED}")));
    case.person("0", "", "");
    for at in 1..50_000u32 {
        let (id, above) = (at.to_string(), (at - 1).to_string());
        case.person_with(&id, &above, "", Status::Suspended, Some("2026-01-02T00:00:00Z"));
        case.sells(&id, dec!(2000));
    }
    let ran = case.run();
    ran.check();
    // Alone on the way of everybody, at the first level: the cap from each.
    assert_eq!(ran.pays("fast", "0"), dec!(9_999_800));
}

fn plan(bonuses: &str) -> Plan {
    Plan::parse(&format!("{HEAD}{bonuses}")).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn order(plan: &Plan, enrolled: Option<&str>, ordered: &str, net: Decimal) -> Calculation {
    let ordered_at = at(ordered);
    let member = |id: &str| UplineMember {
        distributor: DistributorId::new(id),
        status: Status::Active,
        rank: None,
        pv: Decimal::ZERO,
        enrolled: true,
        enrolled_at: enrolled.filter(|_| id == "recruit").map(at),
    };
    let upline: Vec<UplineMember> = ["recruit", "a", "b", "c"].map(member).to_vec();
    let lines =
        [CommissionLine { line: "1".into(), class: "goods".into(), net, sold: net, quantity: Decimal::ONE }];
    let order = CommissionOrder { currency: plan.currency(), ordered_at, store: "", lines: &lines };
    let made = calculate_order(plan, &order, &upline).unwrap();
    let kept = take_upline(plan, ordered_at, upline.into_iter());
    assert_eq!(calculate_order(plan, &order, &kept).unwrap(), made);
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_cut_gives_the_cap_exactly_and_in_proportion(
        parts in prop::collection::vec(0i128..1_000_000_000_000_000, 1..8), cap in 1i128..1_000_000_000_000,
    ) {
        let total: i128 = parts.iter().sum();
        prop_assume!(total > cap);
        let parts: Vec<Exact> = parts.into_iter().map(Exact).collect();
        let cut = in_proportion(&parts, Exact(total), Exact(cap)).unwrap();
        prop_assert_eq!(cut.iter().map(|part| part.0).sum::<i128>(), cap);
        for (part, cut) in parts.iter().zip(&cut) {
            prop_assert!(cut.0 <= part.0);
            prop_assert!((cut.0 * total - part.0 * cap).abs() < total, "{part:?} {cut:?}");
        }
    }

    #[test]
    fn no_recruit_pays_more_than_the_cap(
        persons in any_company(12), days in prop::collection::vec(0u32..120, 12),
        mode in prop::sample::select(vec!["none", "inactive_skip", "structural"]),
    ) {
        let mut case = Case::new(&fast(&format!("compression = \"{mode}\"\n{CAPPED}")));
        for (at, person) in persons.iter().enumerate() {
            let sponsor = person.sponsor.map(|sponsor| format!("d{sponsor:02}")).unwrap_or_default();
            let enrolled = super::tests::at("2026-01-15T00:00:00Z") - chrono::TimeDelta::days(days[at].into());
            let id = format!("d{at:02}");
            case.person_with(&id, &sponsor, "", person.status, Some(&enrolled.to_rfc3339()));
            if !person.sold.is_zero() {
                case.sells(&id, person.sold * dec!(10));
            }
        }
        let ran = case.run();
        ran.check();
        let told = Told::of(&case, &ran);
        told.check();
        let mut by_recruit = std::collections::BTreeMap::new();
        for at in 0..persons.len() {
            for source in told.sources("fast", &format!("d{at:02}")) {
                *by_recruit.entry(source.person).or_insert(0i128) += source.exact.0;
            }
        }
        prop_assert!(by_recruit.values().all(|sum| *sum <= 200_000_000_000_000), "{:?}", by_recruit);
        prop_assert_eq!(case.reversed().run().hash(), ran.hash());
    }
}
