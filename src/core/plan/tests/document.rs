//! Ranks, qualifications, markets, volumes and the placement tree of the document.

use super::*;

const HEAD: &str = r#"
[plan]
id = "test"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[class]]
id = "goods"
cv = { of_net = "1" }
[[bonus]]
id = "direct"
family = "direct"
base = "net"
rates = "0.1"
"#;

fn plan(rest: &str) -> Plan {
    Plan::parse(&format!("{HEAD}{rest}")).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[track_caller]
fn refuses(rest: &str, expected: &[&str]) {
    let told = problems(&format!("{HEAD}{rest}"));
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, part) in told.iter().zip(expected) {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

const RANKS: &str = r#"
[[qualification]]
id = "seller"
carried = 2
condition = { pv = "100.50", customer_pv = "10", days = 30 }
[[rank]]
id = "silver"
[rank.achieve]
active = true
gv = "1000"
max_per_leg = "0.50"
recruits = 3
qualified = ["seller"]
[rank.maintain]
pgv = "500"
outside_strongest = "100"
[[rank]]
id = "gold"
achieve = { rank = "silver", legs = [{ rank = "silver", count = 2 }], leg_volume = { count = 2, least = "10" } }
[ranks]
promotion = "next_period"
[volumes]
group = "pv"
group_includes_own = false
breakaway_rank = "gold"
"#;

#[test]
fn everything_that_is_asked_is_in_the_canonical_text() {
    let plan = plan(RANKS);
    let expected = r#"qualification."seller".carried = 2
qualification."seller".condition.customer_pv = 10
qualification."seller".condition.days = 30
qualification."seller".condition.pv = 100.5
rank."gold".achieve.leg_volume.count = 2
rank."gold".achieve.leg_volume.least = 10
rank."gold".achieve.legs."silver" = 2
rank."gold".achieve.rank = "silver"
rank."silver".achieve.active = "true"
rank."silver".achieve.gv = 1000
rank."silver".achieve.max_per_leg = 0.5
rank."silver".achieve.qualified = ["seller"]
rank."silver".achieve.recruits = 3
rank."silver".maintain.outside_strongest = 100
rank."silver".maintain.pgv = 500
rank[0000] = "silver"
rank[0001] = "gold"
ranks.promotion = "next_period"
"#;
    assert!(plan.canonical().contains(expected), "{}", plan.canonical());
    for line in [
        "volumes.group = \"pv\"",
        "volumes.group_includes_own = \"false\"",
        "volumes.breakaway_rank = \"gold\"",
    ] {
        assert!(plan.canonical().contains(line), "{line}");
    }
    let told = plan.describe();
    let silver = "active; at least 1000 PV of the group, of one leg at most 50 % of it; 3 active people sponsored; \
                  qualified as seller";
    assert_eq!(told.rank_rules[0].achieve.join("; "), silver);
    assert_eq!(told.rank_rules[1].maintain, told.rank_rules[1].achieve);
    assert_eq!((told.qualifications[0].id.as_str(), told.qualifications[0].carried), ("seller", 2));
}

#[test]
fn what_says_nothing_changes_no_hash() {
    let rank = |rest: &str| plan(&format!("[[rank]]\nid = \"silver\"\n{rest}")).hash();
    let asked = rank("achieve = { gv = \"10\", legs = [{ rank = \"silver\" }] }\n[[rank]]\nid = \"z\"");
    let same = [
        "achieve = { legs = [{ rank = \"silver\", count = 1 }], gv = \"10.0\", pv = \"0\", active = false }\n[[rank]]\nid = \"z\"",
        "achieve = { gv = \"10\", max_per_leg = \"1\", legs = [{ rank = \"silver\" }] }\n[[rank]]\nid = \"z\"",
        "achieve = { gv = \"10\", legs = [{ rank = \"silver\" }] }\nmaintain = { gv = \"10\", legs = [{ rank = \"silver\" }] }\n[[rank]]\nid = \"z\"",
        "achieve = { gv = \"10\", legs = [{ rank = \"silver\" }] }\n[[rank]]\nid = \"z\"\n[ranks]\npromotion = \"same_period\"",
        "achieve = { gv = \"10\", legs = [{ rank = \"silver\" }] }\n[[rank]]\nid = \"z\"\n[volumes]\ngroup = \"qv\"",
    ];
    for rest in same {
        assert_eq!(rank(rest), asked, "{rest}");
    }
    assert_ne!(rank("achieve = { pv = \"0\" }"), rank(""), "given to everybody is not given by hand");
}

#[test]
fn ranks_that_nobody_can_reach_are_told() {
    let ranks = |silver: &str, gold: &str| {
        format!("[[rank]]\nid = \"silver\"\n{silver}\n[[rank]]\nid = \"gold\"\n{gold}\n")
    };
    let of = |rank: &str| format!("achieve = {{ legs = [{{ rank = \"{rank}\", count = 2 }}] }}");
    // Somebody has to be the first.
    refuses(
        &ranks("achieve = { gv = \"1\" }", &of("gold")),
        &[
            "nobody can reach \"gold\": it asks for a leg with \"gold\", and nobody gets there first; ask for a lower",
        ],
    );
    refuses(
        &ranks(&of("gold"), &of("silver")),
        &["nobody can reach \"silver\": it asks for a leg with \"gold\"", "nobody can reach \"gold\""],
    );
    refuses(
        &ranks("achieve = { rank = \"silver\" }", ""),
        &["it asks for \"silver\" before, which is not a lower rank"],
    );
    // A rank given by hand is one to begin with, a higher one too.
    plan(&ranks(&of("gold"), ""));
    plan(&ranks("", &of("silver")));
    let qualified = "[[qualification]]\nid = \"q\"\ncondition = { legs = [{ rank = \"silver\" }] }\n";
    let silver = "achieve = { qualified = [\"q\"] }";
    let told = [
        "nobody can reach \"silver\": it asks for a qualification that nobody can meet",
        "nobody can reach \"gold\"",
    ];
    refuses(&format!("{qualified}{}", ranks(silver, &of("silver"))), &told);
    plan(&format!("{qualified}{}", ranks(silver, "")));
}

#[test]
fn qualifications_do_not_wait_for_each_other() {
    let one = |id: &str, asks: &str| format!("[[qualification]]\nid = \"{id}\"\ncondition = {{ {asks} }}\n");
    let (a, b) = (one("a", "qualified = [\"b\"]"), one("b", "qualified = [\"a\"]"));
    refuses(
        &format!("{a}{b}{}", one("c", "qualified = [\"a\"]")),
        &["\"a\" waits for itself: it asks for a qualification that asks for it", "\"b\" waits for itself"],
    );
    let ranks = "[[rank]]\nid = \"silver\"\nachieve = { qualified = [\"a\"] }\n";
    refuses(
        &format!("{a}{}{ranks}", one("b", "rank = \"silver\"")),
        &["the qualification \"a\" asks for a rank, and ranks are decided before it"],
    );
}

#[test]
fn a_condition_is_read_with_all_its_problems() {
    let condition = r#"requires = { pvv = "1", gv = 5, max_per_leg = "0", legs = [{ rank = "gold", number = 2 }, { count = 1 }],
 qualified = ["sellar"], weaker_side = "1", rank = "glod", recruits = 0, days = "3", leg_volume = { count = 2 }, pv = "1.23456" }
pays = "period"
[[rank]]
id = "gold"
[[qualification]]
id = "seller"
condition = {}
"#;
    let told = problems(&format!("{HEAD}{condition}"));
    let expected = [
        "bonus[0].requires.pvv: \"pvv\" is not a key of this table; did you mean \"pgv\"?",
        "bonus[0].requires.gv: 5 is a number without quotes",
        "bonus[0].requires.max_per_leg: no leg would count at all",
        "bonus[0].requires.legs[0].number: \"number\" is not a key",
        "bonus[0].requires.legs[1]: rank is missing; add rank = \"silver\"",
        "bonus[0].requires.qualified[0]: \"sellar\" is not a known qualification; did you mean \"seller\"?",
        "bonus[0].requires.weaker_side: there is no binary tree with two sides",
        "bonus[0].requires.rank: \"glod\" is not a known rank; did you mean \"gold\"?",
        "bonus[0].requires.recruits: expected a whole number, found 0",
        "bonus[0].requires.days: expected a whole number",
        "bonus[0].requires.leg_volume: least is missing",
        "bonus[0].requires.pv: 1.23456 has too many digits; keep at most four",
        "qualification[0].condition: it asks for nothing, so everybody meets it",
    ];
    for part in expected {
        assert!(told.iter().any(|told| told.contains(part)), "{part}\nis not in {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    refuses(
        "requires = { max_per_leg = \"0.5\" }\npays = \"period\"",
        &["max_per_leg is a share of the gv that is asked; add gv"],
    );
    refuses("[[rank]]\nid = \"a\"\n[ranks]\npromotion = \"next_period\"", &["no rank asks for anything"]);
}

#[test]
fn a_misspelt_family_is_one_problem() {
    let bonus =
        "[[bonus]]\nid = \"b\"\nfamily = \"binery\"\nmode = \"weak_leg\"\nrate = \"0.1\"\nwhatever = 1\n";
    refuses(bonus, &["\"binery\" is not a known word; did you mean \"binary\"?"]);
}

#[test]
fn the_tree_has_to_fit_the_bonuses() {
    let binary =
        "[[bonus]]\nid = \"b\"\nfamily = \"binary\"\nbase = \"cv\"\nmode = \"weak_leg\"\nrate = \"0.1\"\n";
    refuses(binary, &["a binary pays by the placement tree, and there is none; add [placement]"]);
    let matrix = "[placement]\ntree = \"matrix\"\nwidth = 3\n";
    refuses(&format!("{binary}{matrix}"), &["a binary needs a placement tree of two sides"]);
    let ours = plan(&format!("{binary}[placement]\ntree = \"binary\"\nspillover = \"breadth_first\"\n"));
    assert_eq!(ours.placement().map(|rule| rule.tree), Some(TreeKind::Binary));
    refuses(
        "[placement]\ntree = \"matrix\"\nwidth = 1\nspillover = \"left\"\n",
        &["write one from 2 to 100"],
    );
    refuses(
        "[placement]\ntree = \"matrix\"\nwidth = 2\nspillover = \"left\"\n",
        &["only a binary has sides; use breadth_first or depth_first"],
    );
    refuses(
        "[placement]\ntree = \"binary\"\ndepth = 3\n",
        &["a binary has two places under everybody and no end"],
    );
    refuses("[placement]\ntree = \"trinary\"\nwidth = 3\n", &["\"trinary\" is not a known word"]);
    let team = "[[bonus]]\nid = \"m\"\nfamily = \"matrix\"\nbase = \"cv\"\nrates = [\"0.1\"]\n";
    refuses(team, &["a matrix pays by the placement tree, and there is none"]);
    assert!(plan(&format!("{team}{matrix}depth = 9\n")).canonical().contains("placement.depth = 9\n"));
}

const MARKETS: &str = r#"
[[market]]
id = "europe"
stores = ["shop-eu", "shop-de"]
[[class]]
id = "tea"
pv = { of_net = "1" }
cv = { of_net = "0.8" }
wholesale = { of_net = "0.7" }
[class.markets.europe]
cv = { of_net = "0" }
pv = { of_net = "1" }
"#;

#[test]
fn a_market_has_its_own_volumes() {
    let ours = plan(MARKETS);
    assert!(
        ours.canonical().contains("class.\"tea\".markets.\"europe\".cv.of_net = 0\n"),
        "{}",
        ours.canonical()
    );
    assert!(!ours.canonical().contains("europe\".pv"), "as everywhere");
    let tea = ours.class("tea").unwrap();
    let cv = |store: &str| {
        tea.volumes_in(ours.market_of(store)).of(Decimal::TEN, Decimal::TEN, Decimal::ONE).unwrap()
    };
    assert_eq!((cv("shop").cv, cv("shop-de").cv), (Decimal::from(8), Decimal::ZERO));
    assert_eq!((cv("shop").margin, cv("shop-de").margin), (Decimal::from(3), Decimal::from(3)));
    refuses(
        "[[market]]\nid = \"a\"\nstores = [\"s\"]\n[[market]]\nid = \"b\"\nstores = [\"t\", \"s\"]\n[[market]]\nid = \"c\"\nstores = []",
        &["market[1]: the store \"s\" is in another market as well", "no store belongs to this market"],
    );
    refuses(
        "[[class]]\nid = \"tea\"\n[class.markets.europa]\ncv = { of_net = \"1\" }\n[[market]]\nid = \"europe\"\nstores = [\"s\"]",
        &["\"europa\" is not a known market; did you mean \"europe\"?"],
    );
}

#[test]
fn the_volume_of_a_bonus_may_be_only_in_a_market() {
    let text = HEAD.replace("cv = { of_net = \"1\" }", "[class.markets.europe]\ncv = { of_net = \"1\" }");
    let text = text.replace("base = \"net\"", "base = \"cv\"");
    Plan::parse(&format!("{text}[[market]]\nid = \"europe\"\nstores = [\"s\"]")).unwrap();
    let without = text.replace("[class.markets.europe]\ncv", "pv");
    assert!(problems(&without).iter().any(|told| told.contains("has a CV, so it would never pay")));
}
