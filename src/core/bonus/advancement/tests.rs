use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use crate::core::bonus::Finding;
use crate::core::bonus::leaders::testing::{
    RANK_IDS, RANKS, check_told, differs, problems, says, trace, with_ranks,
};
use crate::core::genealogy::Status;
use crate::core::period::testing::Case;
use crate::core::period::{Carried, PeriodInput, Recalculation, recalculate_period};

const AMOUNTS: &str = r#"
[[bonus]]
id = "advancement"
family = "rank_advancement"
amounts = { silver = "100", gold = "250", platinum = "1000" }
"#;

/// What somebody is paid in periods that follow each other, by the rank in each; `!` after it: not active.
fn periods(plan: &str, ranks: &[&str]) -> Vec<Decimal> {
    let mut carried = Carried::default();
    let pay = |rank: &&str| {
        let mut case = with_ranks(plan);
        case.carried = std::mem::take(&mut carried);
        let status = if rank.ends_with('!') { Status::Suspended } else { Status::Active };
        case.person_with("Ann", "", rank.trim_end_matches('!'), status, None);
        let ran = case.run();
        ran.check();
        check_told(&case, &ran);
        let paid = ran.pays("advancement", "Ann");
        carried = ran.result.next;
        paid
    };
    ranks.iter().map(pay).collect()
}

#[test]
fn a_title_is_paid_once() {
    let paid =
        periods(AMOUNTS, &["member", "silver", "silver", "member", "silver", "gold", "silver", "gold"]);
    assert_eq!(paid, [0, 100, 0, 0, 0, 250, 0, 0].map(Decimal::from));
}

#[test]
fn who_skips_ranks_is_paid_for_each_or_for_the_highest() {
    assert_eq!(periods(AMOUNTS, &["member", "platinum"])[1], dec!(1350));
    let highest = format!("{AMOUNTS}skipped = \"highest\"\n");
    assert_eq!(
        periods(&highest, &["member", "gold", "member", "platinum", "gold"]),
        [0, 250, 0, 1000, 0].map(Decimal::from)
    );
    let gaps = highest.replace(", gold = \"250\"", "");
    assert_eq!(periods(&gaps, &["member", "gold"])[1], dec!(100), "the highest that has an amount");
}

#[test]
fn a_rank_can_be_asked_for_periods_in_a_row() {
    let held = format!("{AMOUNTS}held = 2\n");
    let ranks = ["member", "silver", "member", "silver", "silver", "silver", "gold", "gold"];
    assert_eq!(periods(&held, &ranks), [0, 0, 0, 0, 100, 0, 0, 250].map(Decimal::from));
}

#[test]
fn instalments_sum_exactly_and_wait_for_the_rank() {
    let plan = format!("{AMOUNTS}instalments = 3\n");
    let paid = periods(&plan, &["member", "silver", "silver", "member", "silver", "silver"]);
    assert_eq!(paid, [dec!(0), dec!(33.34), dec!(33.33), dec!(0), dec!(33.33), dec!(0)]);
}

#[test]
fn who_does_not_earn_waits() {
    let paid = periods(AMOUNTS, &["member", "silver!", "silver", "silver"]);
    assert_eq!(paid, [0, 0, 100, 0].map(Decimal::from));
}

#[test]
fn being_paid_as_a_rank_can_pay_in_each_period() {
    let each = format!("{AMOUNTS}pays_for = \"each_period\"\n");
    let paid = periods(&each, &["silver", "gold", "silver", "member", "gold!"]);
    assert_eq!(paid, [100, 250, 100, 0, 0].map(Decimal::from));
    let held = format!("{each}held = 2\n");
    assert_eq!(periods(&held, &["silver", "gold", "gold"]), [0, 0, 250].map(Decimal::from));
}

#[test]
fn a_title_that_was_brought_along_is_not_paid_again() {
    let mut case = with_ranks(AMOUNTS);
    let mut standing =
        crate::core::period::CarriedStanding { title: Some("gold".into()), ..Default::default() };
    case.person("Ann", "", "platinum");
    case.carried.standings.insert(crate::core::ids::DistributorId::new("Ann"), standing.clone());
    let ran = case.run();
    assert_eq!(ran.pays("advancement", "Ann"), dec!(1000));
    assert_eq!(trace(&case, &ran, "Ann")[0].finding, Finding::Earns { rate: None });
    standing.title = Some("emerald".into());
    case.carried.standings.insert(crate::core::ids::DistributorId::new("Ann"), standing);
    let ran = case.run();
    assert_eq!(ran.pays("advancement", "Ann"), dec!(0), "what lies above an unknown title cannot be told");
    assert_eq!(trace(&case, &ran, "Ann")[0].finding, Finding::NothingDue);
}

#[test]
fn a_rank_of_the_import_is_not_paid_at_the_first_close() {
    assert_eq!(periods(AMOUNTS, &["gold", "gold", "platinum"]), [0, 0, 1000].map(Decimal::from));
    assert_eq!(
        periods(AMOUNTS, &["", "silver"]),
        [0, 0].map(Decimal::from),
        "nothing tells that she was here"
    );
    let with_default = format!("{AMOUNTS}[standing]\ndefault_rank = \"member\"\n");
    assert_eq!(periods(&with_default, &["", "silver"]), [0, 100].map(Decimal::from));
}

/// Ranks stand after a refund; only where nothing is left of what was sold there is nothing to pay for.
#[test]
fn who_has_nothing_left_is_paid_for_no_rank() {
    for pays_for in ["once", "each_period"] {
        let sold = |bob: Decimal| {
            let rule = "[rank.achieve]\ngv = \"100\"\n[[rank]]\nid = \"gold\"";
            let plan = format!("{AMOUNTS}pays_for = \"{pays_for}\"\n");
            let ranks = RANKS.replace("[[rank]]\nid = \"gold\"", rule);
            let mut case = Case::new(&format!("{ranks}{plan}"));
            case.person("Ann", "", "").person("Bob", "Ann", "");
            case.sells("Bob", bob);
            case
        };
        let closed = sold(dec!(150)).run();
        let again = |bob: Decimal| {
            let (case, newest) = (sold(bob), sold(bob).run());
            let (people, sold) = (&newest.people, &newest.sold);
            let input = PeriodInput { span: &case.span, people, sold, carried: &case.carried };
            let frozen = Recalculation::Frozen(&closed.result.standings);
            let result = recalculate_period(&case.plan, input, frozen).unwrap();
            result.awards.iter().map(|award| award.amount.decimal()).collect::<Vec<_>>()
        };
        assert_eq!(again(dec!(150)), [dec!(100), dec!(100)]);
        assert_eq!(again(dec!(1)), [dec!(100), dec!(100)]);
        assert!(again(dec!(0)).is_empty());
    }
}

#[test]
fn every_problem_of_the_table_is_told_at_once() {
    let bonus =
        |rest: &str| problems(&format!("[[bonus]]\nid = \"a\"\nfamily = \"rank_advancement\"\n{rest}"));
    let found = bonus(
        "amounts = { silver = \"0\", golden = \"100\", gold = 5 }\npays_for = \"each_period\"\nheld = 0\n\
         instalments = 2\nskipped = \"highest\"\nbase = \"cv\"",
    );
    for (what, fix) in [
        ("this rank would be paid nothing", "above zero"),
        ("\"golden\" is not a known rank", "gold"),
        ("5 is a number without quotes", "write \"5\""),
        ("expected a whole number", "from 1 to 120"),
        ("only what is paid once has instalments", "pays_for = \"once\""),
        ("ranks can be skipped only where", "pays_for = \"once\""),
        ("\"base\" is not a key", "use one of"),
    ] {
        assert!(says(&found, what, fix), "{what}: {found:#?}");
    }
}

#[test]
fn what_changes_a_cent_changes_the_hash_and_defaults_do_not() {
    let with = |key: &str| format!("{AMOUNTS}{key}\n");
    for same in ["pays_for = \"once\"", "held = 1", "instalments = 1", "skipped = \"pays_each\""] {
        assert!(!differs(AMOUNTS, &with(same)), "{same}");
    }
    for other in ["pays_for = \"each_period\"", "held = 2", "instalments = 2", "skipped = \"highest\""] {
        assert!(differs(AMOUNTS, &with(other)), "{other}");
    }
    let told = with_ranks(AMOUNTS).plan.describe();
    assert!(told.bonuses[0].sentences.contains(&"gold: 250.".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// However ranks go up and down, an amount is paid in all or in part, never more, and a part is never lost
    /// for who keeps the rank in the end.
    #[test]
    fn amounts_are_paid_to_the_last_part_and_never_twice(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let (held, instalments) = (random.u16(1..4), random.u16(1..5));
        let plan = format!("{AMOUNTS}held = {held}\ninstalments = {instalments}\n");
        let mut ranks = vec!["member"];
        ranks.extend((0..random.usize(1..6)).map(|_| RANK_IDS[random.usize(0..4)]));
        let best = ranks.iter().filter_map(|rank| RANK_IDS.iter().position(|known| known == rank)).max().unwrap();
        let so_far: Decimal = periods(&plan, &ranks).iter().sum();
        let whole = [dec!(0), dec!(100), dec!(350), dec!(1350)][best];
        prop_assert!(so_far <= whole);
        ranks.extend(std::iter::repeat_n(RANK_IDS[best], usize::from(held + instalments)));
        prop_assert_eq!(periods(&plan, &ranks).iter().sum::<Decimal>(), whole);
    }
}
