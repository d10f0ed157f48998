//! The keys of a binary.

use super::*;
use crate::core::period::testing::HEAD;
use crate::core::plan::Plan;

fn problems(keys: &str) -> Vec<String> {
    let text = format!("{HEAD}[[rank]]\nid = \"gold\"\n{}", plan(keys));
    match Plan::parse(&text) {
        Ok(_) => vec![],
        Err(problems) => {
            problems.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
        }
    }
}

fn refused(keys: &str, what: &str) {
    let problems = problems(keys);
    assert!(problems.iter().any(|problem| problem.contains(what)), "{keys}: {problems:?}");
}

#[test]
fn every_key_is_read() {
    assert!(problems("mode = \"weak_leg\"\nrate = \"0.1\"").is_empty());
    let all = "mode = \"cycles\"\nunit = [\"200\", \"100\"]\nfirst_pair = [\"100\", \"50\"]\n\
               rates = { gold = \"0.1\" }\ncarry = \"net_off\"\nmax_carry = \"1000\"\nexpires_after = 3\n\
               inactive = \"flush\"\ncap = \"5000\"\nclasses = [\"goods\"]";
    assert_eq!(problems(all), Vec::<String>::new());
}

#[test]
fn what_makes_no_sense_is_refused_all_at_once() {
    let found =
        problems("mode = \"cycles\"\nunit = [\"200\"]\ncap = \"0\"\nexpires_after = 0\ncarry = \"never\"");
    assert_eq!(found.len(), 5, "{found:#?}");
    refused("rate = \"0.1\"", "mode is missing");
    refused("mode = \"cycles\"\npay = \"20\"", "unit is missing");
    refused("mode = \"weak_leg\"", "what a match is worth");
    refused("mode = \"weak_leg\"\nrate = \"0.1\"\npay = \"20\"", "what a match is worth");
    refused("mode = \"weak_leg\"\npay = \"20\"", "this mode has none");
    refused("mode = \"weak_leg\"\nrate = \"0\"", "never pay");
    refused("mode = \"weak_leg\"\nrate = \"0.1\"\nunit = [\"1\", \"1\"]", "only cycles have units");
    refused("mode = \"weak_leg\"\nrate = \"0.1\"\nabove_cap = \"keep\"", "no cap");
    refused(
        "mode = \"weak_leg\"\nrate = \"0.1\"\ncarry = \"full_flush\"\nmax_carry = \"1\"",
        "nothing to limit",
    );
    refused(
        "mode = \"weak_leg\"\nrate = \"0.1\"\ncap = \"1\"\ncarry = \"net_off\"\nabove_cap = \"keep\"",
        "can only stay",
    );
    refused("mode = \"weak_leg\"\nrates = {}", "has no rate");
    refused("mode = \"weak_leg\"\nrates = { gold = \"0\" }", "never pay");
    refused("mode = \"weak_leg\"\nrates = { gold = \"0.1\", old = \"0.1\" }", "not a known rank");
    refused("mode = \"weak_leg\"\nrates_by_pv = []", "never pay");
    let twice = "[{ from = \"5\", rate = \"0.1\" }, { from = \"5\", rate = \"0.2\" }]";
    refused(&format!("mode = \"weak_leg\"\nrates_by_pv = {twice}"), "not above the one before");
    refused("mode = \"weak_leg\"\nrate = \"0.1\"\ncap = \"0.00001\"", "too many digits");
    refused("mode = \"weak_leg\"\nrate = \"0.1\"\nrtes = \"1\"", "not a key");
}

#[test]
fn what_is_left_at_its_default_is_not_in_the_hash() {
    let hash = |keys: &str| Case::new(&plan(keys)).plan.canonical().to_owned();
    let short = hash("mode = \"cycles\"\nunit = [\"100\", \"200\"]\npay = \"20\"\ncap = \"10\"");
    let long = hash(
        "mode = \"cycles\"\nunit = [\"200\", \"100.0\"]\npay = \"20.00\"\ncap = \"10\"\nabove_cap = \"flush\"\n\
         carry = \"carry_forward\"\ninactive = \"keep\"",
    );
    assert_eq!(short, long);
    for other in ["max_carry = \"5\"", "expires_after = 2", "inactive = \"flush\"", "above_cap = \"keep\""] {
        let keys = "mode = \"cycles\"\nunit = [\"100\", \"200\"]\npay = \"20\"\ncap = \"10\"\n";
        assert_ne!(hash(&format!("{keys}{other}")), short, "{other}");
    }
}

#[test]
fn it_describes_itself() {
    let text =
        plan("mode = \"cycles\"\nunit = [\"100\", \"200\"]\npay = \"20\"\ncap = \"500\"\nexpires_after = 3");
    let described = Case::new(&text).plan.describe();
    let sentences = described.bonuses[0].sentences.join(" ");
    for part in ["100 from the side that is weaker", "Every cycle pays 20.", "the 3 after it", "at most 500"]
    {
        assert!(sentences.contains(part), "{part}: {sentences}");
    }
}
