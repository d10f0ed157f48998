//! From text to a valid [`Plan`]. Names are read first, so that bonuses can be checked against them.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use toml::de::DeTable;

use super::problem::nearest;
use super::read::{Doc, Item, Table};
use super::{
    ActiveRule, Cadence, Canonical, PeriodRule, Plan, PlanHash, PlanProblem, RankRules, RefundPolicy,
    RoundingRule, Stage,
};
use super::{limits, placement, ranks, volumes};
use crate::core::bonus::{Bonus, FAMILIES, FamilyWord, Names, check_shares};
use crate::core::genealogy::Status;
use crate::core::money::{Currency, Rounding};

pub(super) fn parse(text: &str) -> Result<Plan, Vec<PlanProblem>> {
    let doc = Doc::new(text);
    let (root, mistakes) = DeTable::parse_recoverable(text);
    for mistake in &mistakes {
        let span = mistake.span().unwrap_or(0..0);
        doc.problem(&span, "", mistake.message().replace('\n', ", "), "correct the TOML".to_owned());
    }
    if !mistakes.is_empty() {
        return Err(doc.into_problems());
    }
    let plan = read(Table::new(&doc, String::new(), 0..0, root.get_ref()));
    let problems = doc.into_problems();
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems),
    }
}

/// `None` only after a problem was noted.
fn read(root: Table<'_>) -> Option<Plan> {
    let head = root.required("plan", "[plan] with id, name and currency").and_then(|item| read_head(&item));
    let rounding =
        root.required("rounding", "[rounding] with mode and stage").and_then(|i| read_rounding(&i));
    let period = root.required("period", "[period] with cadence and zone").and_then(|i| read_period(&i));
    let active = root.optional("active").map_or_else(|| Some(ActiveRule::default()), |i| read_active(&i));
    let refunds = root.optional("refunds").map_or(Some(RefundPolicy::Now), |i| read_refunds(&i));
    let rank_ids = ids(&root, "rank");
    let default_rank = root.optional("standing").and_then(|i| read_standing(&i, &rank_ids));
    let markets = volumes::read_markets(&root);
    let mut classes = read_ids(&root, "class", true, |table, id| volumes::read_class(table, id, &markets));
    classes.sort_by(|a, b| a.id.cmp(&b.id));
    let (qualification_ids, bonus_ids) = (ids(&root, "qualification"), bonus_ids(&root));
    let placement = placement::read(&root);
    let names = Names {
        classes: &classes,
        ranks: &rank_ids,
        qualifications: &qualification_ids,
        bonuses: &bonus_ids,
        placement,
    };
    let rules = read_ids(&root, "rank", false, |table, _| Some(ranks::read_rule(table, &names)));
    let qualifications =
        read_ids(&root, "qualification", false, |table, id| ranks::read_qualification(table, id, &names));
    ranks::check(&root, &names, &rules, &qualifications);
    let rank_rules = RankRules { promotion: ranks::read_promotion(&root, &rules), rules };
    let group = volumes::read_group(&root, &names);
    let limits = limits::read(&root, &names);
    let mut bonuses = read_ids(&root, "bonus", true, |table, id| {
        placement::check_tree(table, id, &names);
        Bonus::read(table, id, &names)
    });
    bonuses.sort_by(|a, b| a.id.cmp(&b.id));
    Bonus::withhold(&mut bonuses, &names.class_ids());
    check_shares(&root, &names);
    root.finish();
    let (id, name, currency) = head?;
    let mut plan = Plan {
        id,
        name,
        currency,
        rounding: rounding?,
        period: period?,
        active: active?,
        refunds: refunds?,
        ranks: rank_ids,
        rank_rules,
        qualifications,
        default_rank,
        group,
        markets,
        placement,
        limits,
        classes,
        bonuses,
        canonical: String::new(),
        hash: PlanHash::of(""),
    };
    plan.canonical = Canonical::of(&plan);
    plan.hash = PlanHash::of(&plan.canonical);
    Some(plan)
}

fn read_head(item: &Item<'_>) -> Option<(String, String, Currency)> {
    let table = item.table()?;
    let id = table.required("id", "id = \"acme-2026\"").and_then(|item| read_id(&item));
    let name = table.optional("name").map_or(Some(String::new()), |item| item.text().map(str::to_owned));
    let currency = table.required("currency", "currency = \"USD\"").and_then(|item| {
        let code = item.text()?;
        let known = Currency::parse(code).filter(|currency| currency.exponent().is_some());
        if known.is_none() {
            item.problem(
                format!("{code:?} is not a currency of ISO 4217"),
                "write its three letters, such as \"USD\"",
            );
        }
        known
    });
    table.finish();
    Some((id?, name?, currency?))
}

fn read_rounding(item: &Item<'_>) -> Option<RoundingRule> {
    let table = item.table()?;
    let mode = table.required("mode", "mode = \"half_up\"").and_then(|i| i.word(&ROUNDING_MODES));
    let stage = table.required("stage", "stage = \"line\"").and_then(|i| i.word(&STAGES));
    table.finish();
    Some(RoundingRule { mode: mode?, stage: stage? })
}

pub(super) const ROUNDING_MODES: [(&str, Rounding); 5] = [
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
    ("half_down", Rounding::HalfDown),
    ("down", Rounding::Down),
    ("up", Rounding::Up),
];

pub(super) const REFUND_POLICIES: [(&str, RefundPolicy); 3] = [
    ("now", RefundPolicy::Now),
    ("same_period", RefundPolicy::SamePeriod),
    ("average_rate", RefundPolicy::AverageRate),
];

pub(super) const STAGES: [(&str, Stage); 2] = [("line", Stage::Line), ("order", Stage::Order)];

pub(super) const CADENCES: [(&str, Cadence); 4] = [
    ("day", Cadence::Day),
    ("week", Cadence::Week),
    ("month", Cadence::Month),
    ("quarter", Cadence::Quarter),
];

fn read_period(item: &Item<'_>) -> Option<PeriodRule> {
    let table = item.table()?;
    let cadence = table.required("cadence", "cadence = \"month\"").and_then(|i| i.word(&CADENCES));
    let zone = table.required("zone", "zone = \"America/New_York\"").and_then(|item| {
        let name = item.text()?;
        let zone: Option<Tz> = name.parse().ok();
        if zone.is_none() {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let fix = match nearest(name, &known) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => "write its IANA name, such as \"America/New_York\" or \"UTC\"".to_owned(),
            };
            item.problem(format!("{name:?} is not a known time zone"), fix);
        }
        zone
    });
    table.finish();
    Some(PeriodRule { cadence: cadence?, zone: zone? })
}

pub(crate) fn read_active(item: &Item<'_>) -> Option<ActiveRule> {
    let table = item.table()?;
    let words = Status::ALL.map(|status| (status.name(), status));
    let statuses = table.optional("statuses").map(|item| {
        let mut statuses: Vec<Status> = item.list()?.iter().filter_map(|item| item.word(&words)).collect();
        if statuses.is_empty() {
            item.problem("nobody would ever be active", "name a status, such as [\"active\"]");
        }
        statuses.sort_unstable();
        statuses.dedup();
        Some(statuses)
    });
    let min_pv =
        table.optional("min_pv").map(|i| i.decimal_within(Decimal::ZERO, Decimal::from(1_000_000_000)));
    if let Some(window) = table.optional("window") {
        window.word(&[("period_to_date", ())]);
        if min_pv.is_none() {
            window.problem("a window without min_pv means nothing", "add min_pv = \"100\" or remove window");
        }
    }
    table.finish();
    let statuses = statuses.unwrap_or_else(|| Some(ActiveRule::default().statuses))?;
    let min_pv = min_pv.map_or(Some(None), |given| given.map(Some))?;
    Some(ActiveRule { statuses, min_pv: min_pv.filter(|pv| !pv.is_zero()) })
}

fn read_refunds(item: &Item<'_>) -> Option<RefundPolicy> {
    let table = item.table()?;
    let policy = table.required("policy", "policy = \"now\"").and_then(|i| i.word(&REFUND_POLICIES));
    table.finish();
    policy
}

fn read_standing(item: &Item<'_>, ranks: &[String]) -> Option<String> {
    let table = item.table()?;
    let rank =
        table.required("default_rank", "default_rank = \"member\"").and_then(|i| i.name_of("rank", ranks));
    table.finish();
    rank
}

/// What `[[key]]` declares, before anything of it is read: for those that name it.
fn ids(root: &Table<'_>, key: &'static str) -> Vec<String> {
    root.peek(key).into_iter().filter_map(|table| table.get("id").map(|id| (*id).to_owned())).collect()
}

/// In the order in which bonuses stand in a plan.
fn bonus_ids(root: &Table<'_>) -> Vec<(String, FamilyWord)> {
    let family = |word: &str| FAMILIES.iter().find(|(known, _)| *known == word).map(|(_, family)| *family);
    let mut found: Vec<(String, FamilyWord)> = root
        .peek("bonus")
        .into_iter()
        .filter_map(|table| Some(((*table.get("id")?).to_owned(), family(table.get("family")?)?)))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The entries of `[[key]]`, each with an id of its own.
pub(super) fn read_ids<T>(
    root: &Table<'_>,
    key: &'static str,
    needed: bool,
    read: impl Fn(&Table<'_>, &str) -> Option<T>,
) -> Vec<T> {
    let item = if needed { root.required(key, &format!("[[{key}]] with an id")) } else { root.optional(key) };
    let mut seen: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for item in item.and_then(|item| item.list()).unwrap_or_default() {
        let Some(table) = item.table() else { continue };
        let id_item = table.required("id", &format!("id = \"...\" to this [[{key}]]"));
        let id = id_item.as_ref().and_then(read_id);
        if let (Some(id), Some(item)) = (&id, &id_item) {
            if seen.contains(id) {
                item.problem(
                    format!("there is another {key} with the id {id:?}"),
                    "give each an id of its own",
                );
            }
            seen.push(id.clone());
        }
        entries.extend(read(&table, id.as_deref().unwrap_or_default()));
        table.finish();
    }
    entries
}

pub(super) fn read_id(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    if text.len() > 64 || !text.chars().all(fine) {
        item.problem(format!("{text:?} cannot be an id"), "use at most 64 letters, digits, _ - . and spaces");
        return None;
    }
    Some(text.to_owned())
}
