//! Who is paid at which level, and what an order is refused for.

use super::*;
use rust_decimal::Decimal;

fn unilevel(options: &str) -> Plan {
    plan(&format!("[[bonus]]\nid = \"team\"\nfamily = \"unilevel\"\nbase = \"net\"\n{options}"))
}

fn inactive(id: &str) -> UplineMember {
    UplineMember { status: Status::Suspended, ..member(id, "gold") }
}

/// `level:distributor`, and what the walk said of everybody.
fn paid(plan: &Plan, upline: &[UplineMember]) -> Vec<String> {
    let calculation = calculate(plan, &[line("1", dec!(100))], upline);
    calculation.awards.iter().map(|award| format!("{}:{}", award.level, award.distributor)).collect()
}

const RATES: &str = "rates = { member = [\"0.05\"], gold = [\"0.05\", \"0.04\", \"0.03\"] }";

#[test]
fn without_compression_everybody_takes_a_level() {
    let plan = unilevel(RATES);
    let upline =
        [member("a", "gold"), inactive("b"), member("c", "member"), member("d", "gold"), member("e", "gold")];
    assert_eq!(paid(&plan, &upline), ["3:d"]);
}

#[test]
fn inactive_skip_passes_over_the_inactive_only() {
    let plan = unilevel(&format!("compression = \"inactive_skip\"\n{RATES}"));
    let upline = [
        member("a", "gold"),
        inactive("b"),
        member("c", "member"),
        member("d", "member"),
        member("e", "gold"),
    ];
    assert_eq!(paid(&plan, &upline), ["1:c", "3:e"]);
}

#[test]
fn slot_fill_looks_for_the_next_who_is_paid_at_the_level() {
    let plan = unilevel(&format!("compression = \"slot_fill\"\n{RATES}"));
    let upline = [
        member("a", "gold"),
        inactive("b"),
        member("c", "member"),
        member("d", "member"),
        member("e", "gold"),
    ];
    assert_eq!(paid(&plan, &upline), ["1:c", "2:e"]);
}

#[test]
fn after_max_skips_everybody_takes_a_level_again() {
    let plan = unilevel(&format!("compression = {{ mode = \"slot_fill\", max_skips = 1 }}\n{RATES}"));
    let upline =
        [member("a", "gold"), inactive("b"), inactive("c"), member("d", "gold"), member("e", "gold")];
    assert_eq!(paid(&plan, &upline), ["2:d", "3:e"]);
}

#[test]
fn a_level_that_pays_nobody_is_not_searched_for() {
    let plan = unilevel("compression = \"slot_fill\"\nrates = [\"0\", \"0.05\"]");
    let upline = [member("a", "gold"), member("b", "gold"), member("c", "gold")];
    assert_eq!(paid(&plan, &upline), ["2:c"]);
}

#[test]
fn the_first_column_belongs_to_the_start_level() {
    let two = unilevel("start_level = 2\nrates = [\"0.05\"]");
    let upline = [member("a", "gold"), member("b", "gold"), member("c", "gold"), member("d", "gold")];
    assert_eq!(paid(&two, &upline), ["2:c"]);
    let zero = unilevel("start_level = 0\nrates = [\"0.05\", \"0.02\"]");
    assert_eq!(paid(&zero, &upline), ["0:a", "1:b"]);
    let squeezed = unilevel("start_level = 2\ncompression = \"inactive_skip\"\nrates = [\"0.05\"]");
    assert_eq!(
        paid(&squeezed, &[member("a", "gold"), inactive("b"), member("c", "gold"), member("d", "gold")]),
        ["2:c"]
    );
    assert_eq!(
        paid(&squeezed, &[member("a", "gold"), member("b", "gold"), inactive("c"), member("d", "gold")]),
        ["2:d"]
    );
}

#[test]
fn everybody_who_was_passed_is_told_with_the_reason() {
    let bonus = r#"
active = { statuses = ["active"], min_pv = "100" }
compression = "inactive_skip"
rates = { member = [], gold = ["0.05", "0.05", "0.05", "0.05", "0.05"] }
"#;
    let plan = unilevel(bonus);
    assert!(plan.needs_pv());
    let rich = |id: &str, rank: Option<&str>| UplineMember {
        pv: dec!(100),
        rank: rank.map(str::to_owned),
        ..member(id, "gold")
    };
    let upline = [
        rich("a", None),
        UplineMember { enrolled: false, ..rich("b", None) },
        UplineMember { status: Status::Prospect, ..rich("c", None) },
        UplineMember { pv: dec!(99.99), ..rich("d", None) },
        rich("e", None),
        rich("f", Some("platinum")),
        rich("g", Some("member")),
        rich("h", Some("gold")),
    ];
    let calculation = calculate(&plan, &[line("1", dec!(100))], &upline);
    let walk = &calculation.walks[0];
    let told: Vec<(Option<u16>, Finding)> =
        walk.visited.iter().map(|visited| (visited.level, visited.finding.clone())).collect();
    let expected = [
        (Some(0), Finding::BelowStart),
        (None, Finding::NotEnrolled),
        (None, Finding::Inactive { status: Status::Prospect }),
        (None, Finding::BelowMinPv { pv: dec!(99.99), min_pv: dec!(100) }),
        (Some(1), Finding::NoRank),
        (Some(2), Finding::UnknownRank { rank: "platinum".into() }),
        (Some(3), Finding::NoRate { rank: Some("member".into()) }),
        (Some(4), Finding::Earns { rate: Some(dec!(0.05)) }),
    ];
    assert_eq!(told, expected);
    assert_eq!(walk.ended, WalkEnd::Top);
    let again: Calculation = serde_json::from_str(&serde_json::to_string(&calculation).unwrap()).unwrap();
    assert_eq!(again, calculation);
}

/// With rates that rise by level a compressed line may pay less: the earner comes down to a lower rate.
#[test]
fn compression_lowers_what_is_paid_only_where_rates_rise() {
    let rates = "rates = [\"0.02\", \"0.03\"]";
    let upline = [member("a", "gold"), inactive("b"), member("c", "gold")];
    let total = |plan: &Plan| calculate(plan, &[line("1", dec!(100))], &upline).pools[0].paid;
    assert_eq!(total(&unilevel(rates)), dec!(3));
    assert_eq!(total(&unilevel(&format!("compression = \"inactive_skip\"\n{rates}"))), dec!(2));
}

#[test]
fn an_order_that_cannot_be_calculated_says_everything_that_is_wrong() {
    let plan = unilevel(RATES);
    let lines = [
        line("1", dec!(-1)),
        line("2", dec!(5)),
        line("2", dec!(5)),
        line("3", Decimal::MAX),
        CommissionLine { class: "unheard".into(), ..line("4", dec!(1)) },
    ];
    let currency = Currency::parse("EUR").unwrap();
    let order = CommissionOrder { currency, ordered_at: DateTime::UNIX_EPOCH, store: "", lines: &lines };
    let refusal = calculate_order(&plan, &order, &[]).unwrap_err();
    assert_eq!(refusal.reasons.len(), 5, "{refusal}");
    assert!(refusal.to_string().contains("line \"4\" has the commission class \"unheard\""), "{refusal}");
    let unknown = Currency::parse("ZZZ").unwrap();
    let order =
        CommissionOrder { currency: unknown, ordered_at: DateTime::UNIX_EPOCH, store: "", lines: &[] };
    assert_eq!(calculate_order(&plan, &order, &[]).unwrap_err().reasons, [Reason::UnknownCurrency(unknown)]);
}

#[test]
fn rounding_once_per_order_gives_the_cents_back_to_the_lines() {
    let bonus = "rates = [\"0.10\"]";
    let by_line = unilevel(bonus);
    let upline = [member("a", "gold"), member("b", "gold")];
    let lines = [line("1", dec!(0.14)), line("2", dec!(0.14)), line("3", dec!(0.14))];
    let amounts = |plan: &Plan| -> Vec<Decimal> {
        calculate(plan, &lines, &upline).awards.iter().map(|award| award.amount).collect()
    };
    assert_eq!(amounts(&by_line), [dec!(0.01), dec!(0.01), dec!(0.01)]);
    let text = include_str!("../../../../config/plans/affiliate.toml");
    let by_order = Plan::parse(text).unwrap();
    // 0.42 x 10 % = 0.042 for the seller: four cents over three lines.
    assert_eq!(amounts(&by_order), [dec!(0.02), dec!(0.01), dec!(0.01), dec!(0.01)]);
}

#[test]
fn a_hundred_thousand_inactive_ancestors_are_passed_and_only_the_visited_are_kept() {
    let plan = unilevel(&format!("compression = \"slot_fill\"\n{RATES}"));
    let deep =
        || (0..100_000).map(|i| if i == 99_000 { member("m", "member") } else { inactive(&format!("d{i}")) });
    let upline = take_upline(&plan, DateTime::UNIX_EPOCH, deep());
    assert_eq!(upline.len(), 100_000);
    assert_eq!(paid(&plan, &upline), ["1:m"]);
    let near =
        take_upline(&plan, DateTime::UNIX_EPOCH, (0..100_000).map(|i| member(&format!("d{i}"), "gold")));
    assert_eq!(near.len(), 4);
}
