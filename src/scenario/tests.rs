use super::*;
use std::path::Path;

fn load_beside(file: &Path) -> impl Fn(&str) -> Result<String, String> {
    let folder = file.parent().unwrap().to_owned();
    move |path| std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string())
}

#[test]
fn every_scenario_file_holds() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    assert!(files.len() >= 120, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        match Scenario::parse(&text, load_beside(&file)) {
            Ok(scenario) => {
                let outcome = run(&scenario);
                wrong.extend(outcome.failures.iter().map(|failure| format!("{name}: {failure}")));
                if outcome.held == 0 {
                    wrong.push(format!("{name}: expects nothing"));
                }
                if scenario.title.is_empty() {
                    wrong.push(format!("{name}: has no title"));
                }
            }
            Err(problems) => wrong.extend(problems.iter().map(|problem| format!("{name}: {problem}"))),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Worked examples that companies and vendors of plans have printed, by the id that our sources give them, and
/// the file of each.
const PUBLISHED: [(&str, &str); 25] = [
    ("ADV-1", "override_on_volume"),
    ("AMW-1", "retail_and_bonus"),
    ("AMW-2", "gross_bonus"),
    ("CMP-1", "compression_none"),
    ("CMP-1", "compression_generous"),
    ("DOT-1", "fast_start_share"),
    ("DOT-2", "dynamic_compression"),
    ("HBN-1", "binary_by_activity"),
    ("KUV-1", "generation_match"),
    ("MLF-B", "binary_carry_forward"),
    ("MLF-B", "binary_full_flush"),
    ("MLF-CAP", "binary_aggregate_cap"),
    ("MLF-M", "matrix_spillover"),
    ("MLF-S", "breakaway_override"),
    ("MLF-U", "mlmforge_unilevel"),
    ("NOV-1", "check_match"),
    ("PAN-1", "binary_pairs"),
    ("PMB-1", "binary_cycles"),
    ("TAP-1", "affiliate_levels"),
    ("TAP-2", "negative_balance"),
    ("TIE-1", "direct_difference"),
    ("TIE-2", "indirect_difference"),
    ("VES-1", "stairstep"),
    ("VES-3", "cumulative_bands"),
    ("VES-4", "pool_points"),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))
}

fn published(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("published_{name}.txt"))).unwrap()
}

/// Each has a file, each file says that it is published, and there is no further one.
#[test]
fn every_published_example_has_its_file() {
    let ids: std::collections::BTreeSet<&str> = PUBLISHED.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), 23);
    let mut listed: Vec<String> = PUBLISHED.iter().map(|(_, name)| format!("published_{name}.txt")).collect();
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.to_string_lossy().into_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with("published_")).collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
    for name in found {
        let text = std::fs::read_to_string(folder().join(&name)).unwrap();
        assert!(text.starts_with("title Published: "), "{name}");
    }
}

/// The reference shows a scenario, and how it is told that a line of it does not hold.
#[test]
fn the_reference_shows_a_scenario() {
    let reference = include_str!("../../docs/scenarios.md");
    let mut blocks = reference.split("```\n").skip(1).step_by(2);
    let (text, closed) = (blocks.next().unwrap(), blocks.next().unwrap());
    let play = |text: &str| run(&Scenario::parse(text, load_beside(&folder().join("any.txt"))).unwrap());
    let outcome = play(closed);
    assert!(outcome.passed() && outcome.held == 4, "{outcome:#?}");
    let outcome = play(text);
    assert!(outcome.passed() && outcome.held == 4, "{outcome:#?}");
    let wrong = play(&text.replacen("A 20.00", "A 21.00", 1));
    let told = wrong.failures[0].to_string();
    assert!(reference.contains(&told), "{told}");
}

const PLAN: &str = r#"plan <<END
[plan]
id = "p"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[class]]
id = "standard"
[[bonus]]
id = "own"
family = "direct"
base = "net"
rates = "0.20"
END
"#;

fn outcome(text: &str) -> Outcome {
    let scenario = Scenario::parse(&format!("{PLAN}{text}"), |_| Err("no files here".into()));
    run(&scenario.unwrap_or_else(|problems| panic!("{problems:#?}")))
}

fn problems(text: &str) -> Vec<String> {
    let parsed = Scenario::parse(&format!("{PLAN}{text}"), |_| Err("no files here".into()));
    parsed.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_failed_expectation_names_its_line_and_what_is_so() {
    let outcome = outcome(
        "distributor A\nsku S class=standard\norder 1 ref=A\n  line S 1 x 132.00\n\
         expect 1 pays own 0 A 16.40\nexpect 1 held unmapped_sku\nexpect 2 net 1\nexpect 1 events clawback=1\n\
         expect 1 pays own 0 A 26.40\n",
    );
    let told: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 23: expected own level 0 to pay A 16.40, found 26.40 (own 0 A 26.40)",
            "line 24: expected the order to be held unmapped_sku, found commissionable",
            "line 25: expected an order 2, found no such order",
            "line 26: expected 1 clawback posted, found 0 clawback posted",
        ]
    );
    assert_eq!(outcome.held, 1);
    assert!(!outcome.passed());
    assert_eq!(outcome.orders[0].verdict, "commissionable");
}

/// Sources print two numbers that do not follow from their own rules; a scenario that expects them fails.
#[test]
fn printed_errors_are_not_reproduced() {
    let errors =
        [("fast_start_share", "E 26.40", "E 16.40", "26.40"), ("retail_and_bonus", "3168", "3166", "3168")];
    for (name, right, printed, found) in errors {
        let text = published(name);
        assert!(text.contains(right), "{name}");
        let scenario = Scenario::parse(&text.replace(right, printed), load_beside(&folder().join("any.txt")));
        let failures = run(&scenario.unwrap()).failures;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].expected.contains(printed.split(' ').next_back().unwrap()), "{failures:?}");
        assert!(failures[0].found.starts_with(found), "{failures:?}");
    }
}

#[test]
fn every_line_that_is_not_understood_is_told() {
    let told = problems(
        "distributer A\n  line S 1 x 5\norder 1 rfe=A\n  line S 1 5\nrefund 9 full\nexpect 1 held nonsense\n\
         expect 1 pays own A 5\norder 2 at=yesterday\nsku S class=standard store=nowhere\nsku \"S class=standard\n\
         plan missing.toml\norder 3 store=nowhere\n",
    );
    let expected = [
        "line 19: \"distributer\" is no statement",
        "line 20: an indented line belongs to an order",
        "line 21: rfe=A means nothing here",
        "line 22: write a line as SKU QUANTITY x PRICE",
        "line 23: there is no order 9 above",
        "line 24: \"nonsense\" holds nothing; use one of unmapped_sku",
        "line 25: write pays AMOUNT, or pays BONUS LEVEL DISTRIBUTOR AMOUNT",
        "line 26: at=yesterday is no instant",
        "line 27: there is no store nowhere above",
        "line 28: a quote is not closed",
        "line 29: the plan missing.toml cannot be read: no files here",
        "line 30: there is no store nowhere",
    ];
    for message in expected {
        assert!(told.iter().any(|problem| problem.starts_with(message)), "{message:?} is not in {told:#?}");
    }
}

#[test]
fn a_problem_of_an_inline_plan_has_the_line_of_the_file() {
    let text = format!("title Wrong\n{}", PLAN.replace("half_up", "halfup"));
    let told = Scenario::parse(&text, |_| Err(String::new())).unwrap_err();
    assert_eq!(told[0].line, 7);
    assert!(
        told[0].message.starts_with("rounding.mode: \"halfup\" is not a known word; did you mean"),
        "{told:?}"
    );
}

#[test]
fn a_circle_of_sponsors_is_a_failure_where_it_is_needed() {
    let outcome =
        outcome("distributor A sponsor=B\ndistributor B sponsor=A\norder 1 ref=A\n  line S 1 x 5\n");
    assert_eq!(outcome.failures.len(), 1);
    assert!(outcome.failures[0].found.contains("A -> B -> A"), "{:?}", outcome.failures);
}

const MONTHLY: &str = r#"plan <<END
[plan]
id = "p"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[placement]
tree = "binary"
[[rank]]
id = "gold"
[[class]]
id = "standard"
cv = { of_net = "1" }
[[bonus]]
id = "own"
family = "direct"
base = "cv"
rates = "0.20"
pays = "period"
[[bonus]]
id = "pairs"
family = "binary"
base = "cv"
mode = "weak_leg"
rate = "0.10"
END
"#;

fn monthly(text: &str) -> Result<Outcome, Vec<String>> {
    let parsed = Scenario::parse(&format!("{MONTHLY}{text}"), |_| Err("no files here".into()));
    let told = |problems: Vec<ScenarioProblem>| problems.iter().map(ToString::to_string).collect();
    parsed.map(|scenario| run(&scenario)).map_err(told)
}

#[test]
fn what_a_period_does_not_pay_is_told_with_what_it_does() {
    let outcome = monthly(
        "distributor A rank=gold\nsku S class=standard\norder 1 ref=A\n  line S 1 x 100\nclose 2026-01\n\
         expect period 2026-01 pays own A 21\nexpect period 2026-02 pays 0\nexpect rank A none\n\
         expect rank B gold\nexpect active A no\nexpect carry pairs A 5 side=left\n\
         expect period 2026-01 events earn=2\nexpect period 2026-01 breakage own 3\n\
         expect volume A pv 1\nexpect earned A 20\n",
    );
    let outcome = outcome.unwrap();
    let told: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    let expected = [
        "expected 2026-01: own to pay A 21, found 20 (own A 20)",
        "expected 2026-02 to be closed, found it is not",
        "expected 2026-01: A to be paid as none, found gold",
        "expected 2026-01: B to be there, found nobody of that id",
        "expected 2026-01: A to be not active, found active",
        "expected 2026-01: pairs to carry at A, side 0, 5, found 0",
        "expected 2026-01: 2 earn posted, found 2026-01: 1 earn posted",
        "expected 2026-01: the breakage of own to be 3, found 0",
        "expected 2026-01: a pv of A of 1, found 0",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.ends_with(expected), "{expected:?} is not in {told:#?}");
    }
    assert_eq!(outcome.held, 1);
    assert_eq!(outcome.periods[0].pays.len(), 1);
}

#[test]
fn periods_follow_each_other_and_begin_with_the_first_order() {
    let told = |text: &str| {
        let outcome = monthly(&format!("distributor A\nsku S class=standard\n{text}")).unwrap();
        outcome.failures.iter().map(|failure| failure.found.clone()).collect::<Vec<_>>()
    };
    let order = "order 1 ref=A at=2026-01-31\n  line S 1 x 5\n";
    assert_eq!(told("adjust\n"), ["no period is closed yet"]);
    assert_eq!(told("close 2026-01\nclose 2026-03\n"), ["2026-02 comes next; close it first"]);
    assert_eq!(
        told(&format!("{order}close 2026-02\n")),
        ["there are orders from before 2026-02; close their period first"]
    );
    assert_eq!(
        told("close 2026-01\nstanding A title=gold\n"),
        ["2026-01 is closed; opening values come before"]
    );
}

#[test]
fn positions_that_do_not_fit_are_refused() {
    let told = |text: &str| monthly(text).unwrap().failures.len();
    let tree = "distributor A\ndistributor B sponsor=A\nplace A\nplace B parent=A side=left\n";
    assert_eq!(told(tree), 0);
    assert_eq!(told(&format!("{tree}place C owner=B parent=A side=left\n")), 1);
    assert_eq!(told(&format!("{tree}place C owner=B parent=A side=2\n")), 1);
    assert_eq!(told(&format!("{tree}place C owner=X parent=B side=left\n")), 1);
    assert_eq!(told("distributor A sponsor=X\ndistributor X\nplace\n"), 0);
}

#[test]
fn statements_of_periods_are_read_strictly() {
    let told = monthly(
        "place A side=left\nplace A parent=B side=above\ncarry nothing A side=left volume=1\n\
         carry pairs A side=left\nstanding A title=silver\nstanding A streak=gold\nclose 2026-Q1\n\
         expect period 2026-01 pays own level A 5\nexpect period 2026-01 cut own A 5\n\
         expect active A maybe\nexpect volume A weight 5\nexpect period 2026-01 wins own 5\nadjust 2026-01\n",
    );
    let told = told.unwrap_err();
    let expected = [
        "line 31: a place is a side of a parent; give parent= and side=, or neither",
        "line 32: side: \"above\" is no count",
        "line 33: the plan has no bonus \"nothing\"",
        "line 34: volume= is missing",
        "line 35: the plan has no rank \"silver\"",
        "line 36: streak=gold: write a name and a count, such as gold:2",
        "line 37: \"2026-Q1\" is no month of the plan; write 2026-01",
        "line 38: write pays AMOUNT, or pays BONUS DISTRIBUTOR AMOUNT",
        "line 39: by= is missing: the gate or cap that took it",
        "line 40: \"maybe\" is neither yes nor no",
        "line 41: \"weight\" is no volume of a distributor; use one of pv, customer_pv, gv, pgv, cumulative_gv",
        "line 42: \"wins\" cannot be expected of a period; see docs/scenarios.md",
        "line 43: 2026-01 means nothing here",
    ];
    for message in expected {
        assert!(told.iter().any(|problem| problem.starts_with(message)), "{message:?} is not in {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
}

/// One problem in the plan is one problem, whatever else needs the plan.
#[test]
fn a_wrong_plan_is_told_alone() {
    let text = format!("{}order 1 ref=A\n  line S 1 x 5\nclose 2026-01\n", PLAN.replace("half_up", "halfup"));
    let told = Scenario::parse(&text, |_| Err(String::new())).unwrap_err();
    assert_eq!(told.len(), 1, "{told:#?}");
}
