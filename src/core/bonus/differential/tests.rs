mod properties;

use rust_decimal::{Decimal, dec};

use crate::core::bonus::Finding;
use crate::core::bonus::leaders::testing::{check_told, differs, problems, says, trace, way, with_ranks};
use crate::core::genealogy::Status;
use crate::core::period::testing::Case;
use crate::core::period::{PeriodInput, Recalculation, recalculate_period};

const BY_RANK: &str = r#"
[[bonus]]
id = "steps"
family = "differential"
base = "cv"
by = "rank"
rates = { member = "0.05", silver = "0.08", gold = "0.12", platinum = "0.20" }
"#;

/// Vestige, July 2024: 18 rupees a point, YOU at 12 %.
#[test]
fn vestige_pays_the_group_pool_and_not_a_rupee_more() {
    let mut case = with_ranks(&format!(
        "[[class]]\nid = \"vestige\"\npv = {{ of_net = \"1\" }}\ncv = {{ of_net = \"18\" }}\n{BY_RANK}"
    ));
    case.person("YOU", "", "gold").person("A", "YOU", "member");
    case.person("B", "YOU", "silver").person("C", "YOU", "silver");
    for (who, pv) in [("YOU", dec!(300)), ("A", dec!(300)), ("B", dec!(1000)), ("C", dec!(1000))] {
        case.sells_at(who, "vestige", pv, false, "2026-01-15T00:00:00Z");
    }
    let ran = case.run();
    let paid: Vec<Decimal> = ["A", "B", "C", "YOU"].iter().map(|who| ran.pays("steps", who)).collect();
    assert_eq!(paid, [dec!(270), dec!(1440), dec!(1440), dec!(2466)]);
    assert_eq!(paid.iter().sum::<Decimal>(), dec!(5616));
    ran.check();
    check_told(&case, &ran);
}

const CUMULATIVE: &str = r#"
[[bonus]]
id = "steps"
family = "differential"
base = "cv"
by = "cumulative_gv"
brackets = [
  { from = "16", rate = "0.05" },
  { from = "8016", rate = "0.08" },
  { from = "32016", rate = "0.11" },
  { from = "72016", rate = "0.14" },
  { from = "120016", rate = "0.17" },
  { from = "160016", rate = "0.20" },
]
"#;

/// Vestige's bands by cumulative volume: a month's pay is the band of all months so far times the month.
#[test]
fn vestige_climbs_its_bands_over_four_months() {
    let months = [
        (dec!(40000), dec!(4400)),
        (dec!(40000), dec!(5600)),
        (dec!(41000), dec!(6970)),
        (dec!(40000), dec!(8000)),
    ];
    let mut carried = None;
    for (sold, pays) in months {
        let mut case = Case::new(CUMULATIVE);
        case.carried = carried.unwrap_or_default();
        case.person("YOU", "", "").sells("YOU", sold);
        let ran = case.run();
        assert_eq!(ran.pays("steps", "YOU"), pays);
        check_told(&case, &ran);
        carried = Some(ran.result.next);
    }
    let total = carried.unwrap().standings.into_values().map(|standing| standing.cumulative_gv.decimal());
    assert_eq!(total.collect::<Vec<_>>(), [dec!(161000)]);
}

/// As printed: the gaps of 16 between the bands are refused, each with its line and how to close it.
#[test]
fn bands_as_vestige_prints_them_leave_gaps() {
    let found = problems(
        r#"
[[bonus]]
id = "steps"
family = "differential"
base = "cv"
by = "cumulative_gv"
brackets = [
  { from = "16", to = "8000", rate = "0.05" },
  { from = "8016", to = "32000", rate = "0.08" },
  { from = "32016", rate = "0.11" },
]
"#,
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(says(&found, "no bracket covers volumes between 8000 and 8016", "write to = \"8016\""));
    assert!(says(&found, "no bracket covers volumes between 32000 and 32016", "write to = \"32016\""));
    let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines[1], lines[0] + 1);
}

#[test]
fn tiens_pays_on_those_below_who_have_no_rate() {
    let mut case = with_ranks(BY_RANK);
    case.person("YOU", "", "platinum");
    for (who, pv) in [("A", dec!(300)), ("B", dec!(300)), ("C", dec!(100))] {
        case.person(who, "YOU", "").sells(who, pv);
    }
    assert_eq!(case.run().pays("steps", "YOU"), dec!(140));
}

#[test]
fn tiens_pays_own_volume_and_the_difference_on_legs() {
    let rates = BY_RANK.replace("platinum = \"0.20\"", "platinum = \"0.28\"").replace("0.12", "0.24");
    let mut case = with_ranks(&rates);
    case.person("YOU", "", "platinum").person("B", "YOU", "gold").person("C", "YOU", "gold");
    case.sells("YOU", dec!(50)).sells("B", dec!(1500)).sells("C", dec!(4000));
    let ran = case.run();
    assert_eq!(ran.pays("steps", "YOU"), dec!(234));
    let mut only_own = with_ranks(&rates);
    only_own.person("YOU", "", "platinum").sells("YOU", dec!(50));
    assert_eq!(only_own.run().pays("steps", "YOU"), dec!(14));
    ran.check();
    check_told(&case, &ran);
}

/// Amway's performance bonus on a class with 2.5 BV a point.
const AMWAY: &str = r#"
[[class]]
id = "amway"
qv = { of_net = "0.4" }
cv = { of_net = "1" }
[[bonus]]
id = "performance"
family = "differential"
base = "cv"
by = "gv"
brackets = [
  { from = "100", rate = "0.03" },
  { from = "300", rate = "0.06" },
  { from = "600", rate = "0.09" },
  { from = "1000", rate = "0.12" },
  { from = "2400", rate = "0.15" },
]
"#;

/// From a judgment of the United States Tax Court: 1000 PV reach 12 %, which is paid on the BV.
#[test]
fn amway_pays_the_bracket_of_the_points_on_the_business_volume() {
    let mut case = Case::new(AMWAY);
    case.person("YOU", "", "").sells_at("YOU", "amway", dec!(2500), false, "2026-01-15T00:00:00Z");
    let ran = case.run();
    assert_eq!(ran.pays("performance", "YOU"), dec!(300.00));
    assert_eq!(ran.result.standings.own(0, 0), 4, "the bracket is noted");
    let mut below = Case::new(AMWAY);
    below.person("YOU", "", "").sells_at("YOU", "amway", dec!(2499.99), false, "2026-01-15T00:00:00Z");
    assert_eq!(
        below.run().pays("performance", "YOU"),
        dec!(225.00),
        "a bracket begins at its from, not below"
    );
}

/// A refund takes back what its goods paid: the bracket that was reached stays.
#[test]
fn a_bracket_that_was_reached_is_kept_when_a_refund_is_calculated() {
    let sold = |net| {
        let mut case = Case::new(AMWAY);
        case.person("YOU", "", "").sells_at("YOU", "amway", net, false, "2026-01-15T00:00:00Z");
        (case.run(), case)
    };
    let (before, _) = sold(dec!(2500));
    let (after, case) = sold(dec!(2000));
    assert_eq!(after.pays("performance", "YOU"), dec!(180));
    let input =
        PeriodInput { span: &case.span, people: &after.people, sold: &after.sold, carried: &case.carried };
    let frozen = Recalculation::Frozen(&before.result.standings);
    let result = recalculate_period(&case.plan, input, frozen).unwrap();
    assert_eq!(result.awards[0].amount.decimal(), dec!(240));
}

/// 800 BV and 200 PV a month: 30 % retail and 3 % bonus. Twelve months are 3168; the 3166 that is printed is a
/// mistake of the source.
#[test]
fn twelve_months_of_amway_are_not_what_is_printed() {
    let retail = r#"
[[bonus]]
id = "retail"
family = "direct"
base = "cv"
pays = "period"
rates = "0.30"
"#;
    let mut case = Case::new(&format!("{}{retail}", AMWAY.replace("\"0.4\"", "\"0.25\"")));
    case.person("YOU", "", "").sells_at("YOU", "amway", dec!(800), false, "2026-01-15T00:00:00Z");
    let ran = case.run();
    let month = ran.pays("performance", "YOU") + ran.pays("retail", "YOU");
    assert_eq!(month, dec!(264));
    assert_eq!(month * dec!(12), dec!(3168));
    assert_ne!(month * dec!(12), dec!(3166));
}

#[test]
fn an_inverted_rank_is_paid_nothing_and_takes_nothing() {
    let mut case = with_ranks(BY_RANK);
    case.person("T", "", "platinum")
        .person("S", "T", "silver")
        .person("L", "S", "gold")
        .sells("L", dec!(100));
    let ran = case.run();
    assert_eq!(["L", "S", "T"].map(|who| ran.pays("steps", who)), [dec!(12), dec!(0), dec!(8)]);
    let told = trace(&case, &ran, "L");
    assert_eq!(told[1].finding, Finding::PaidBelow { rate: dec!(0.12) });
    assert_eq!(
        way(&case, &ran, "L").iter().map(|step| step.2).collect::<Vec<_>>(),
        ["earns", "paid_below", "earns"]
    );
}

#[test]
fn what_somebody_high_does_not_earn_goes_to_the_next_or_passes_up() {
    let company = |plan: &str| {
        let mut case = with_ranks(plan);
        case.person("T", "", "platinum").person("S", "T", "silver");
        case.person_with("L", "S", "gold", Status::Suspended, None).sells("L", dec!(100));
        let ran = case.run();
        check_told(&case, &ran);
        ["L", "S", "T"].map(|who| ran.pays("steps", who))
    };
    assert_eq!(company(BY_RANK), [dec!(0), dec!(8), dec!(12)]);
    let passes_up = format!("{BY_RANK}when_inverted = \"pass_up\"\n");
    assert_eq!(company(&passes_up), [dec!(0), dec!(0), dec!(20)]);
}

#[test]
fn volume_stops_at_a_head_that_broke_away() {
    let mut case = with_ranks(&format!("{BY_RANK}breakaway = \"gold\"\n"));
    case.person("T", "", "platinum").person("G", "T", "gold").person("M", "G", "member");
    case.sells("M", dec!(100)).sells("T", dec!(10));
    let ran = case.run();
    assert_eq!(["M", "G", "T"].map(|who| ran.pays("steps", who)), [dec!(5), dec!(7), dec!(2)]);
    assert_eq!(way(&case, &ran, "M").last().unwrap().0, "G");
    ran.check();
    let pool = &ran.result.pools[0];
    assert_eq!((pool.pool.decimal(), pool.breakage.decimal()), (dec!(22), dec!(8)));
}

#[test]
fn rates_can_be_of_a_pool() {
    let plan = BY_RANK.replace("base = \"cv\"", "base = \"cv\"\npool = \"0.40\"\nrates_of = \"pool\"");
    let mut case = with_ranks(&plan);
    case.person("T", "", "platinum").person("M", "T", "member").sells("M", dec!(100));
    let ran = case.run();
    assert_eq!((ran.pays("steps", "M"), ran.pays("steps", "T")), (dec!(2), dec!(6)));
    assert_eq!(ran.result.pools[0].pool.decimal(), dec!(40));
    ran.check();
}

#[test]
fn nobody_below_the_first_bracket_is_paid_and_it_is_told() {
    let mut case = Case::new(AMWAY);
    case.person("T", "", "").person("M", "T", "");
    case.sells_at("M", "amway", dec!(200), false, "2026-01-15T00:00:00Z");
    let ran = case.run();
    assert!(ran.paid().is_empty());
    assert_eq!(trace(&case, &ran, "M")[0].finding, Finding::BelowStart);
}

#[test]
fn every_problem_of_the_table_is_told_at_once() {
    let bonus = |rest: &str| {
        problems(&format!("[[bonus]]\nid = \"steps\"\nfamily = \"differential\"\nbase = \"cv\"\n{rest}"))
    };
    let found = bonus(
        r#"
by = "gv"
breakaway = "diamond"
classes = ["godos"]
brackets = [
  { from = "100", rate = "0.05" },
  { from = "100", rate = "0.06" },
  { from = "300", rate = "0.03" },
  { from = "200.00001", rate = "0.07" },
  { from = "400", to = "600", rate = "0.08" },
  { from = "500", rate = "0.09", too = "700" },
  { from = "800", to = "900", rate = "0.10" },
]
"#,
    );
    for (what, fix) in [
        ("\"diamond\" is not a known rank", "use one of"),
        ("\"godos\" is not a known commission class", "goods"),
        ("the bracket from 100 comes after the one from 100", "from the lowest to the highest"),
        ("the rate falls from 0.06 to 0.03", "at least 0.06"),
        ("200.00001 has too many digits", "four"),
        ("two brackets cover volumes between 500 and 600", "write to = \"500\""),
        ("\"too\" is not a key", "did you mean \"to\"?"),
        ("above the last bracket", "remove to"),
    ] {
        assert!(says(&found, what, fix), "{what}: {found:#?}");
    }
    let found = bonus("by = \"rank\"\nbrackets = [{ from = \"1\", rate = \"0.1\" }]");
    assert!(says(&found, "by = \"rank\" goes with rates", "rates = {"), "{found:#?}");
    let found = bonus("by = \"pv\"");
    assert!(says(&found, "brackets is missing", "brackets = [{"), "{found:#?}");
    let found = bonus("pool = \"0.10\"\nbrackets = [{ from = \"1\", rate = \"0.11\" }]");
    assert!(
        says(&found, "the highest rate is 0.11, more than the pool of 0.1", "raise the pool"),
        "{found:#?}"
    );
    let found = bonus("rates_of = \"pool\"\nbrackets = []\nwhen_inverted = \"negative\"");
    assert!(says(&found, "there is no pool", "pool = \"0.40\""), "{found:#?}");
    assert!(says(&found, "nobody would ever be paid", "from ="), "{found:#?}");
    assert!(says(&found, "\"negative\" is not a known word", "use one of clamp, pass_up"), "{found:#?}");
    let found =
        bonus("pool = \"0.3333333\"\nrates_of = \"pool\"\nbrackets = [{ from = \"0\", rate = \"0.33\" }]");
    assert!(says(&found, "more than eight digits", "fewer digits"), "{found:#?}");
}

#[test]
fn what_changes_a_cent_changes_the_hash_and_defaults_do_not() {
    let brackets = "brackets = [{ from = \"1\", rate = \"0.1\" }, { from = \"2\", rate = \"0.2\" }]";
    let bonus =
        |rest: &str| format!("[[bonus]]\nid = \"steps\"\nfamily = \"differential\"\nbase = \"cv\"\n{rest}\n");
    let plain = bonus(brackets);
    let same = bonus(&format!("by = \"gv\"\nwhen_inverted = \"clamp\"\nrates_of = \"base\"\n{brackets}"));
    assert!(!differs(&plain, &same));
    assert!(!differs(&plain, &bonus(&brackets.replace("from = \"1\"", "from = \"1\", to = \"2\""))));
    for other in
        ["by = \"pgv\"", "when_inverted = \"pass_up\"", "breakaway = \"gold\"", "classes = [\"goods\"]"]
    {
        assert!(differs(&plain, &bonus(&format!("{other}\n{brackets}"))), "{other}");
    }
    let plan = with_ranks(&format!("{BY_RANK}breakaway = \"gold\"\n")).plan;
    let told = plan.describe();
    assert_eq!(told.bonuses[0].family, "differential");
    assert_eq!(told.bonuses[0].rates.rows[3], ("platinum".to_owned(), vec![Some(dec!(0.20))]));
    assert!(told.bonuses[0].sentences.iter().any(|sentence| sentence.contains("from rank gold on")));
}
