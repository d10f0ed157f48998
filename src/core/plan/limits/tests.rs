//! The keys of gates, caps and deductions.

use rust_decimal::dec;

use super::*;
use crate::core::period::testing::HEAD;

const BONUSES: &str = "[placement]\ntree = \"binary\"\n[[bonus]]\nid = \"team\"\nfamily = \"binary\"\nbase = \"cv\"\nmode = \"weak_leg\"\n\
                       rate = \"0.1\"\n[[bonus]]\nid = \"now\"\nfamily = \"direct\"\nbase = \"cv\"\nrates = \"0.1\"\n\
                       [[bonus]]\nid = \"maybe\"\nfamily = \"direct\"\nbase = \"cv\"\nrates = \"0.1\"\n\
                       provisional = true\n[[bonus]]\nid = \"all\"\nfamily = \"pool\"\nbase = \"cv\"\n\
                       share = \"0.01\"\npoints = { of = \"pv\", rate = \"1\" }\n";

fn parse(limits: &str) -> Result<Plan, Vec<String>> {
    let told = |problem: super::super::PlanProblem| format!("{}: {}", problem.path, problem.message);
    let text = format!("{HEAD}{BONUSES}{limits}");
    Plan::parse(&text).map_err(|problems| problems.into_iter().map(told).collect())
}

fn refused(limits: &str, what: &str) {
    let problems = parse(limits).err().unwrap_or_default();
    assert!(problems.iter().any(|problem| problem.contains(what)), "{limits}: {problems:?}");
}

#[test]
fn every_key_is_read() {
    let plan = parse(
        "[[gate]]\nid = \"retail\"\nof = [\"team\", \"maybe\"]\nelse_pays = \"0.5\"\n\
         customer_share = { least = \"0.70\", digits = 2, mode = \"down\", volume = \"qv\", group = true }\n\
         [[cap]]\nid = \"b\"\nper = \"company\"\nshare_of_cv = \"0.5\"\n\
         [[cap]]\nid = \"a\"\nof = [\"team\"]\nper = \"position\"\namount = \"5000\"\n\
         [[deduction]]\nid = \"fee\"\nrate = \"0.05\"\namount = \"2.00\"\n",
    )
    .unwrap();
    let limits = plan.limits();
    // By id: all, maybe, now, team.
    assert_eq!(limits.gates[0].of, [1, 3]);
    let share = limits.gates[0].customer_share.unwrap();
    assert_eq!((share.least, share.volume, share.group), (Rate::of(dec!(0.7)), VolumeKind::Qv, true));
    assert_eq!(limits.caps.iter().map(|cap| cap.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((limits.caps[0].of.as_slice(), limits.caps[1].of.len()), (&[3u16][..], 4));
    assert_eq!(limits.deductions[0].amount, Fixed(20_000));
    assert_eq!(plan.award_name(4), "fee");
    assert_eq!(plan.gate_place(0), 5);
    assert_eq!(
        limits.describe(&plan),
        [
            "Gate retail: maybe, team pays an earner 0.5 of it unless at least 0.7 of its group's QV is of customers.",
            "Cap a: team pays a position at most 5000 for a period.",
            "Cap b: every bonus pays everybody together at most 0.5 of the company's CV for a period.",
            "Deduction fee: 0.05 of what an earner is paid and 2 for a period, never more than there is.",
        ]
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let gate = |keys: &str| format!("[[gate]]\nid = \"g\"\n{keys}\n");
    let share = "customer_share = { least = \"0.7\", digits = 2, mode = \"down\" }";
    refused(&gate(""), "asks for nothing");
    refused(&gate(&format!("of = [\"now\"]\n{share}")), "paid with the order");
    let order = BONUSES.replace("[placement]", "#").replace("tree = \"binary\"", "#");
    let order = &order
        [order.find("[[bonus]]\nid = \"now\"").unwrap()..order.find("[[bonus]]\nid = \"maybe\"").unwrap()];
    let problems = Plan::parse(&format!("{HEAD}{order}{}", gate(share))).err().unwrap_or_default();
    assert!(problems.iter().any(|problem| problem.message.contains("every bonus is paid with the order")));
    let told = parse(&gate(share)).unwrap();
    assert!(told.limits().describe(&told)[0].starts_with("Gate g: all, maybe, team pays"));
    refused(&gate(&format!("of = []\n{share}")), "names no bonus");
    refused(&gate(&format!("of = [\"tem\"]\n{share}")), "not a known bonus");
    refused(&gate(&format!("{share}\nelse_pays = \"1\"")), "would take nothing");
    refused(
        &gate("customer_share = { least = \"0\", digits = 2, mode = \"down\" }"),
        "everybody would meet it",
    );
    refused(&gate("customer_share = { least = \"0.705\", digits = 2, mode = \"down\" }"), "more digits");
    refused(&gate("customer_share = { least = \"0.7\" }"), "digits is missing");
    let cap = |keys: &str| format!("[[cap]]\nid = \"c\"\n{keys}\n");
    refused(&cap("amount = \"5\""), "per is missing");
    refused(&cap("per = \"earner\""), "either an amount or a share");
    refused(&cap("per = \"earner\"\namount = \"5\"\nshare_of_cv = \"0.1\""), "either an amount or a share");
    refused(&cap("per = \"earner\"\namount = \"0\""), "zero would mean never");
    refused(&cap("per = \"company\"\nshare_of_cv = \"0\""), "nothing would ever be paid");
    refused(&cap("per = \"company\"\nshare_of_cv = \"1.5\""), "out of bounds");
    refused(&cap("per = \"position\"\nof = [\"all\"]\namount = \"5\""), "pays positions");
    refused(&cap("per = \"earner\"\nof = [\"now\", \"maybe\"]\namount = \"5\""), "paid with the order");
    let deduction = |keys: &str| format!("[[deduction]]\nid = \"d\"\n{keys}\n");
    refused(&deduction(""), "nothing would be taken");
    refused(&deduction("rate = \"0\""), "nothing would be taken");
    refused("[[deduction]]\nid = \"team\"\nrate = \"0.1\"\n", "another bonus, gate, cap or deduction");
    refused(
        &format!("{}{}", cap("per = \"earner\"\namount = \"5\""), "[[gate]]\nid = \"c\"\n"),
        "another bonus, gate",
    );
}

#[test]
fn a_pool_is_refused_where_it_would_say_nothing() {
    let with = |of: &str| format!("{HEAD}{}", BONUSES.replace(of, &format!("{of}\npool = \"0.1\"")));
    for (of, fix) in [("family = \"binary\"", "[[cap]]"), ("family = \"pool\"", "change share")] {
        let problems = Plan::parse(&with(of)).unwrap_err();
        assert!(problems.iter().any(|p| p.path.ends_with("pool") && p.fix.contains(fix)), "{problems:?}");
    }
    let rank = "[[rank]]\nid = \"gold\"\n[[bonus]]\nid = \"a\"\nfamily = \"rank_advancement\"\n\
                amounts = { gold = \"1\" }\npool = \"0.1\"\n";
    let problems = Plan::parse(&format!("{HEAD}{rank}")).unwrap_err();
    assert!(problems[0].fix.contains("[[cap]]"), "{problems:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let limits = "[[gate]]\nid = \"g\"\nelse_pays = \"2\"\n[[cap]]\nid = \"c\"\nper = \"all\"\namount = \"x\"\n\
                  [[deduction]]\nid = \"d\"\nrate = \"-1\"\n";
    assert_eq!(parse(limits).err().unwrap_or_default().len(), 5);
}

#[test]
fn what_is_left_at_its_default_is_not_in_the_hash() {
    let canonical = |limits: &str| parse(limits).unwrap().canonical().to_owned();
    let gate = "[[gate]]\nid = \"g\"\ncustomer_share = { least = \"0.7\", digits = 2, mode = \"down\"";
    let cap = "[[cap]]\nid = \"c\"\nper = \"earner\"\namount = \"5\"\n";
    let short = canonical(&format!("{gate} }}\n{cap}"));
    let all = "of = [\"now\", \"maybe\", \"all\", \"team\"]\n";
    let long = format!("{cap}{all}{gate}, volume = \"pv\", group = false }}\nelse_pays = \"0\"\n");
    assert_eq!(canonical(&long), short);
    for other in [", group = true }", ", volume = \"cv\" }", " }\nelse_pays = \"0.1\"", " }\nof = [\"team\"]"]
    {
        assert_ne!(canonical(&format!("{gate}{other}\n{cap}")), short, "{other}");
    }
}
