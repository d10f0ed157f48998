use super::*;
use std::path::Path;

fn load_beside(file: &Path) -> impl Fn(&str) -> Result<String, String> {
    let folder = file.parent().unwrap().to_owned();
    move |path| std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string())
}

#[test]
fn every_scenario_file_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    assert!(files.len() >= 20, "{files:?}");
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

/// The reference shows a scenario, and how it is told that a line of it does not hold.
#[test]
fn the_reference_shows_a_scenario() {
    let reference = include_str!("../../docs/scenarios.md");
    let text = reference.split("```\n").nth(1).unwrap();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/any.txt"));
    let play = |text: &str| run(&Scenario::parse(text, load_beside(folder)).unwrap());
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
    let year = outcome(
        "distributor A\nsku S class=standard\norder 1 ref=A\n  line S 12 x 1320\nexpect 1 pays own 0 A 3166\n",
    );
    assert_eq!(year.failures.len(), 1);
    assert!(year.failures[0].found.starts_with("3168.00"), "{:?}", year.failures);
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
