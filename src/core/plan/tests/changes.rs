//! Hashes that must not change, and what is told of two plans.

use super::*;

/// Documents that were published with their hashes: no key that the document learns may change them.
#[test]
fn published_documents_keep_their_hashes() {
    let published = [
        (
            include_str!("../testdata/affiliate.toml"),
            "08c662bf35f8673a1f11e3154cd16a221605ea37848e8db0ceddddec5d7b7461",
        ),
        (
            include_str!("../testdata/demo.toml"),
            "ff57579c22944e2a1e8843cb650fe3bf233209ebb987f8d09a8c003b3c592ed2",
        ),
        (
            include_str!("../testdata/unilevel.toml"),
            "8558442d09fe85e7245d8f852bcfa717e7565fa66ec3b504d0ce59d03f5b3ecc",
        ),
    ];
    for (text, hash) in published {
        assert_eq!(Plan::parse(text).unwrap().hash().to_string(), hash);
    }
}

fn diff(from: &str, to: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let (was, is) = (Plan::parse(GOOD).unwrap(), Plan::parse(&changed(from, to)).unwrap());
    let told = was.diff(&is).into_iter().map(|change| (change.path, change.was, change.is)).collect();
    let back: Vec<_> = is.diff(&was).into_iter().map(|change| (change.path, change.is, change.was)).collect();
    assert_eq!(back, told, "the other way round it is the same turned over");
    told
}

#[test]
fn two_plans_differ_by_their_values() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(diff("\"0.20\"", "\"0.2\" # the same"), []);
    assert_eq!(
        diff("supplement = \"0.20\"\n", "supplement = \"0.21\"\nstarter = \"0.01\"\n"),
        [
            ("bonus.referral.rates.starter".to_owned(), None, some("0.01")),
            ("bonus.referral.rates.supplement".to_owned(), some("0.2"), some("0.21")),
        ]
    );
    assert_eq!(
        diff("[standing]\ndefault_rank = \"member\"", ""),
        [("standing.default_rank".to_owned(), some("\"member\""), None)]
    );
    let paths = |from: &str, to: &str| diff(from, to).into_iter().map(|(path, ..)| path).collect::<Vec<_>>();
    assert_eq!(
        paths("id = \"starter\"\npv", "id = \"a b.c\"\npv"),
        ["class.\"a b.c\"", "class.\"a b.c\".pv.per_unit", "class.starter", "class.starter.pv.per_unit"]
    );
    let (silver, gold) = ("[[rank]]\nid = \"silver\"", "[[rank]]\nid = \"gold\"");
    assert_eq!(paths(&format!("{silver}\n\n{gold}"), &format!("{gold}\n\n{silver}")), ["rank[1]", "rank[2]"]);
}
