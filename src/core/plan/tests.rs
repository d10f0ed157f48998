use super::*;
use proptest::prelude::*;

const GOOD: &str = include_str!("testdata/unilevel.toml");

fn problems(text: &str) -> Vec<String> {
    Plan::parse(text)
        .map(|plan| vec![plan.canonical().to_owned()])
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The sample with one passage changed; the passage must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the sample");
    GOOD.replacen(from, to, 1)
}

#[track_caller]
fn refused(from: &str, to: &str, told: &str) {
    let problems = problems(&changed(from, to));
    assert!(problems.iter().any(|problem| problem.contains(told)), "{told:?} is not in {problems:#?}");
}

#[test]
fn the_samples_are_plans() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/plans");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        Plan::parse(&text).unwrap_or_else(|problems| panic!("{}: {problems:#?}", file.display()));
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_line_and_fix() {
    let text = r#"[plan]
id = "bad/id"
currency = "USX"
colour = "red"
[rounding]
mode = "half-up"
stage = "line"
[period]
cadence = "month"
zone = "Amerika/New_York"
[[rank]]
id = "gold"
[[class]]
id = "standard"
cv = { of_net = 0.8 }
[[class]]
id = "standard"
[[bonus]]
id = "team"
family = "unilevel"
base = "cv"
rates = { gold = ["0.05", "-0.01"], golden = ["0.05"] }
"#;
    let told = problems(text);
    let expected = [
        (2, "plan.id: \"bad/id\" cannot be an id"),
        (3, "plan.currency: \"USX\" is not a currency of ISO 4217"),
        (4, "plan.colour: \"colour\" is not a key of this table"),
        (6, "rounding.mode: \"half-up\" is not a known word; did you mean \"half_up\"?"),
        (
            10,
            "period.zone: \"Amerika/New_York\" is not a known time zone; did you mean \"America/New_York\"?",
        ),
        (15, "class[0].cv.of_net: 0.8 is a number without quotes, which would not be exact; write \"0.8\""),
        (17, "class[1].id: there is another class with the id \"standard\""),
        (22, "bonus[0].rates.gold[1]: -0.01 is out of bounds; write a number from 0 to 1"),
        (22, "bonus[0].rates.golden: \"golden\" is not a known rank; did you mean \"gold\"?"),
    ];
    for (line, message) in expected {
        let start = format!("line {line}: {message}");
        assert!(told.iter().any(|problem| problem.starts_with(&start)), "{start}\nis not in {told:#?}");
    }
}

#[test]
fn a_wrong_value_names_the_way_out() {
    refused("currency = \"USD\"", "", "plan: currency is missing; add currency = \"USD\"");
    refused("depth = 4", "depht = 4", "did you mean \"depth\"?");
    refused("depth = 4", "depth = 5", "nobody is paid beyond 4 levels; lower depth to 4");
    refused("depth = 4", "depth = 3", "rates go 4 levels deep, the depth is 3");
    refused("pool = \"0.15\"", "pool = \"0.14\"", "the levels add up to 0.15, more than the pool of 0.14");
    refused("supplement = \"0.20\"", "suplement = \"0.20\"", "did you mean \"supplement\"?");
    refused(
        "supplement = \"0.20\"",
        "supplement = \"20\"",
        "20 is out of bounds; write a number from 0 to 1; a tenth is",
    );
    refused("supplement = \"0.20\"", "supplement = \"1/5\"", "\"1/5\" is not a number");
    refused("supplement = \"0.20\"", "supplement = \"0.123456789\"", "too many digits");
    refused("default_rank = \"member\"", "default_rank = \"membr\"", "did you mean \"member\"?");
    refused("silver = [\"0.05\", \"0.04\"]", "", "the rank \"silver\" has no row; add silver = [\"0.05\"]");
    refused(
        "family = \"direct\"",
        "family = \"binari\"",
        "\"binari\" is not a known word; did you mean \"binary\"?",
    );
    refused("base = \"cv\"", "base = \"cv\"\nbase = \"net\"", "duplicate key");
    refused("id = \"starter\"", "id = \"none\"", "the class \"none\" always earns nothing");
    refused("{ per_unit = \"50\" }", "\"50\"", "a volume says what it is taken from");
    refused(
        "{ per_unit = \"50\" }",
        "{ per_unit = \"50\", of_net = \"1\" }",
        "either a share of net or so much per unit",
    );
    refused("statuses = [\"active\"]", "statuses = []", "nobody would ever be active");
    refused(
        "statuses = [\"active\"]",
        "window = \"period_to_date\"",
        "a window without min_pv means nothing",
    );
    refused("mode = \"slot_fill\", max", "mode = \"none\", max", "nobody is skipped without compression");
    refused("pool = \"0.15\"", "rates_of = \"pool\"", "there is no pool to take a share of");
    refused(
        "[[rank]]\nid = \"gold\"",
        "[[rank]]\nid = \"silver\"",
        "there is another rank with the id \"silver\"",
    );
    refused("[rounding]", "[rounding]]", "line 8");
    let no_cv = GOOD.replace("cv = { of_net", "qv2 = { of_net").replace("qv2", "#");
    assert!(problems(&no_cv).iter().any(|told| told.contains("has a CV, so it would never pay")));
    assert!(problems("").len() >= 5);
}

#[test]
fn the_hash_is_of_the_meaning() {
    let plan = Plan::parse(GOOD).unwrap();
    for (from, to) in [
        ("\"0.20\"", "\"0.2\""),
        ("[plan]\n", "# a word\n\n[plan]\n"),
        ("start_level = 1\n", ""),
        ("depth = 4\n", ""),
        ("statuses = [\"active\"]", ""),
        ("member = [\"0.05\"]", "member = [\"0.050\", \"0\"]"),
        ("supplement = \"0.20\"\nbeauty = \"0.15\"", "beauty = \"0.15\"\nsupplement = \"0.20\""),
        ("[standing]", "[refunds]\npolicy = \"now\"\n[standing]"),
    ] {
        let same = Plan::parse(&changed(from, to)).unwrap();
        assert_eq!(same.canonical(), plan.canonical(), "{from} -> {to}");
        assert_eq!(same.hash(), plan.hash());
    }
    for (from, to) in [
        ("\"0.20\"", "\"0.21\""),
        ("half_up", "half_even"),
        ("max_skips = 20", "max_skips = 21"),
        (
            "[[rank]]\nid = \"silver\"\n\n[[rank]]\nid = \"gold\"",
            "[[rank]]\nid = \"gold\"\n\n[[rank]]\nid = \"silver\"",
        ),
        ("base = \"net\"", "base = \"net\"\nactive = { statuses = [\"active\"] }"),
        ("statuses = [\"active\"]", "min_pv = \"1\""),
    ] {
        let other = Plan::parse(&changed(from, to)).unwrap();
        assert_ne!(other.hash(), plan.hash(), "{from} -> {to}");
    }
    assert_eq!(PlanHash::parse(&plan.hash().to_string()), Some(plan.hash()));
}

/// A hash is stored with every calculation; whoever changes the canonical text breaks them all.
#[test]
fn the_canonical_text_stays_as_it_is() {
    let plan = Plan::parse(include_str!("testdata/affiliate.toml")).unwrap();
    let expected = r#"bonus."levels".base = "net"
bonus."levels".family = "unilevel"
bonus."levels".rates = [0.1, 0.02, 0.01]
bonus."levels".start_level = 0
class."standard" = {}
period.cadence = "month"
period.zone = "UTC"
plan.currency = "USD"
plan.id = "sample-affiliate"
plan.name = "Sample affiliate"
rounding.mode = "half_even"
rounding.stage = "order"
"#;
    assert_eq!(plan.canonical(), expected);
    let hash = "08c662bf35f8673a1f11e3154cd16a221605ea37848e8db0ceddddec5d7b7461";
    assert_eq!(plan.hash().to_string(), hash);
}

/// The reference shows a document in three parts.
#[test]
fn the_reference_shows_a_plan() {
    let reference = include_str!("../../../docs/plan.md");
    let blocks = reference.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let text: String = blocks.collect();
    let plan = Plan::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(plan.bonus_ids().collect::<Vec<_>>(), ["referral", "team"]);
}

#[test]
fn a_plan_describes_itself() {
    let told = Plan::parse(GOOD).unwrap().describe();
    assert_eq!(told.ranks, ["member", "silver", "gold"]);
    let team = told.bonuses.iter().find(|bonus| bonus.id == "team").unwrap();
    assert_eq!(team.rates.columns, ["Level 1", "Level 2", "Level 3", "Level 4"]);
    assert_eq!(team.rates.rows[0].1, [Some(Decimal::new(5, 2)), None, None, None]);
    assert_eq!(told.classes.iter().find(|class| class.id == "starter").unwrap().pv, "50 per unit");
}

proptest! {
    /// Whole tables may change places, and so may the keys inside one.
    #[test]
    fn the_order_of_the_document_changes_no_hash(seed in any::<u64>()) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut blocks: Vec<Vec<&str>> = Vec::new();
        for line in GOOD.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // A sub-table belongs to the bonus before it.
            if line.starts_with('[') && !line.starts_with("[bonus.") {
                blocks.push(Vec::new());
            }
            blocks.last_mut().unwrap().push(line);
        }
        let is_rank = |block: &Vec<&str>| block.first() == Some(&"[[rank]]");
        let (ranks, mut others): (Vec<_>, Vec<_>) = blocks.into_iter().partition(is_rank);
        for block in &mut others {
            let inner = block.iter().position(|line| line.starts_with("[bonus.")).unwrap_or(block.len());
            random.shuffle(&mut block[1..inner]);
            if inner < block.len() {
                random.shuffle(&mut block[inner + 1..]);
            }
        }
        others.push(ranks.concat());
        random.shuffle(&mut others);
        let text = others.concat().join("\n");
        let shuffled = Plan::parse(&text).map_err(|p| TestCaseError::fail(format!("{p:#?}\n{text}")))?;
        prop_assert_eq!(shuffled.hash(), Plan::parse(GOOD).unwrap().hash());
    }
}

mod changes;
mod document;
mod refunds;
