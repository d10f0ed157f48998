//! A plan in words for its page, and what one plan changes against another, item by item.

use rust_decimal::Decimal;

use super::format::plain;
use super::plans::{Change, Section};
use crate::core::plan::{
    BonusDescription, ClassDescription, PlanDescription, QualificationDescription, RankDescription,
};

/// The parts of the document in its own order; rate tables as tables.
pub fn sections(plan: &PlanDescription) -> Vec<Section> {
    let mut sections: Vec<Section> = plan.bonuses.iter().map(bonus).collect();
    let rank = |rank: &RankDescription| vec![rank.rank.clone(), to_reach(rank), to_keep(rank)];
    let ranks = plan.rank_rules.iter().map(rank).collect();
    sections.extend(table("Ranks, lowest first", &["Rank", "To reach it", "To keep it"], ranks));
    let qualified = |one: &QualificationDescription| vec![one.id.clone(), one.asks.join("; "), holds(one)];
    let qualified = plan.qualifications.iter().map(qualified).collect();
    sections.extend(table("Qualifications", &["Qualification", "Asks for", "Holds"], qualified));
    let limits = plan.limits.iter().map(|told| limit(told)).map(|(name, does)| vec![name, does]).collect();
    sections.extend(table("Gates, caps and deductions", &["Name", "What it does"], limits));
    let class = |class: &ClassDescription| {
        let volumes = [&class.pv, &class.qv, &class.cv, &class.wholesale].map(String::clone);
        std::iter::once(class_name(class)).chain(volumes).collect()
    };
    let classes = plan.classes.iter().map(class).collect();
    sections.extend(table("Commission classes", &["Class", "PV", "QV", "CV", "Wholesale"], classes));
    sections
}

/// Of words and not of numbers; nothing where there are no rows.
fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> Option<Section> {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    (!rows.is_empty()).then(|| Section { title: title.to_owned(), text: vec![], head, rows, words: true })
}

fn to_reach(rank: &RankDescription) -> String {
    if rank.achieve.is_empty() { "given by hand".to_owned() } else { rank.achieve.join("; ") }
}

fn to_keep(rank: &RankDescription) -> String {
    match (&rank.maintain, rank.maintain == rank.achieve) {
        (asked, _) if asked.is_empty() => "nothing".to_owned(),
        (_, true) => "the same".to_owned(),
        (asked, false) => asked.join("; "),
    }
}

fn holds(one: &QualificationDescription) -> String {
    match one.carried {
        0 => "in the period".to_owned(),
        1 => "in the period and the next".to_owned(),
        more => format!("in the period and the next {more}"),
    }
}

/// `Cap week: it pays ...` in its two parts.
fn limit(told: &str) -> (String, String) {
    let (name, does) = told.split_once(": ").unwrap_or((told, ""));
    (name.to_owned(), does.to_owned())
}

fn class_name(class: &ClassDescription) -> String {
    match &class.market {
        Some(market) => format!("{} in {market}", class.id),
        None => class.id.clone(),
    }
}

/// Terms of the whole plan.
pub fn facts(plan: &PlanDescription) -> Vec<(String, String)> {
    let mut facts = plan.facts.clone();
    if !plan.ranks.is_empty() {
        facts.push(("Ranks, lowest first".to_owned(), plan.ranks.join(", ")));
    }
    facts
}

fn bonus(bonus: &BonusDescription) -> Section {
    let mut text = vec![terms(bonus)];
    text.extend(bonus.sentences.iter().cloned());
    let head = std::iter::once(bonus.rates.corner.clone()).chain(bonus.rates.columns.iter().cloned());
    let row = |(name, rates): &(String, Vec<Option<Decimal>>)| {
        std::iter::once(name.clone()).chain(rates.iter().map(rate)).collect()
    };
    Section {
        title: format!("Bonus {}", bonus.id),
        text,
        head: head.collect(),
        rows: bonus.rates.rows.iter().map(row).collect(),
        words: false,
    }
}

/// `Unilevel, on CV, paid with the order. Pool: 10 %.`
fn terms(bonus: &BonusDescription) -> String {
    let mut letters = bonus.family.chars();
    let family: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let base = if bonus.base.is_empty() { String::new() } else { format!(", on {}", bonus.base) };
    let mut text = format!("{family}{base}, paid {}.", bonus.pays);
    if bonus.pool.is_some() {
        text.push_str(&format!(" Pool: {}.", rate(&bonus.pool)));
    }
    if let Some(active) = &bonus.active {
        text.push_str(&format!(" Active here: {active}."));
    }
    if !bonus.requires.is_empty() {
        text.push_str(&format!(" Asks of earners: {}.", bonus.requires.join("; ")));
    }
    text
}

/// Every digit: a rate is a promise.
fn rate(share: &Option<Decimal>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{} %", plain(share * Decimal::ONE_HUNDRED)))
}

/// What is other in `after`; in its order, then what is no longer there.
pub fn changes(before: &PlanDescription, after: &PlanDescription) -> Vec<Change> {
    let (was, is) = (items(before), items(after));
    let value = |items: &[(String, String)], what: &str| {
        items.iter().find(|(name, _)| name == what).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let changed = is.iter().map(|(what, now)| (what, value(&was, what), now.clone()));
    let gone = was.iter().filter(|(what, _)| !is.iter().any(|(name, _)| name == what));
    let gone = gone.map(|(what, then)| (what, then.clone(), String::new()));
    changed
        .chain(gone)
        .filter(|(_, was, is)| was != is)
        .map(|(what, was, is)| Change { what: what.clone(), was, is })
        .collect()
}

/// The plan as names and values, each name once.
fn items(plan: &PlanDescription) -> Vec<(String, String)> {
    let mut items = facts(plan);
    for bonus in &plan.bonuses {
        let name = format!("Bonus {}", bonus.id);
        items.push((name.clone(), terms(bonus)));
        items.push((format!("{name}: rules"), bonus.sentences.join(" ")));
        for (row, rates) in &bonus.rates.rows {
            let cell = |(column, share): (&String, &Option<Decimal>)| {
                (format!("{name}: {row}, {}", column.to_lowercase()), rate(share))
            };
            items.extend(bonus.rates.columns.iter().zip(rates).map(cell));
        }
    }
    for rank in &plan.rank_rules {
        items.push((format!("Rank {}: to reach it", rank.rank), to_reach(rank)));
        items.push((format!("Rank {}: to keep it", rank.rank), to_keep(rank)));
    }
    for one in &plan.qualifications {
        let told = format!("{}; holds {}", one.asks.join("; "), holds(one));
        items.push((format!("Qualification {}", one.id), told));
    }
    items.extend(plan.limits.iter().map(|told| limit(told)));
    items.extend(plan.classes.iter().map(class_item));
    items
}

fn class_item(class: &ClassDescription) -> (String, String) {
    let mut told = format!("PV {}, QV {}, CV {}", class.pv, class.qv, class.cv);
    if class.wholesale != "none" {
        told.push_str(&format!(", wholesale {}", class.wholesale));
    }
    (format!("Class {}", class_name(class)), told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::Plan;

    const PLAN: &str = include_str!("../../../config/plans/affiliate.toml");

    fn described(text: &str) -> PlanDescription {
        Plan::parse(text).unwrap().describe()
    }

    #[test]
    fn a_document_against_itself_changes_nothing() {
        let plan = described(PLAN);
        assert_eq!(changes(&plan, &plan), []);
    }

    #[test]
    fn every_item_that_is_other_is_told_with_both_values() {
        let text = PLAN
            .replace(r#"["0.10", "0.02", "0.01"]"#, r#"["0.10", "0.025"]"#)
            .replace(r#"mode = "half_even""#, r#"mode = "half_up""#)
            .replace("[[bonus]]", "[[class]]\nid = \"kit\"\ncv = { of_net = \"0.5\" }\n\n[[bonus]]");
        let told: Vec<_> = changes(&described(PLAN), &described(&text))
            .into_iter()
            .map(|change| (change.what, change.was, change.is))
            .collect();
        let rules = |last| {
            format!(
                "Pays levels 0 to {last} up the sponsors. Everybody takes a level; what is not earned is breakage."
            )
        };
        let wanted = [
            ("Rounding", "half_even, once per order".to_owned(), "half_up, once per order".to_owned()),
            ("Bonus levels: rules", rules(2), rules(1)),
            ("Bonus levels: Everybody, level 1", "2 %".to_owned(), "2.5 %".to_owned()),
            ("Class kit", String::new(), "PV none, QV none, CV 0.5 of net".to_owned()),
            ("Bonus levels: Everybody, level 2", "1 %".to_owned(), String::new()),
        ];
        assert_eq!(told, wanted.map(|(what, was, is)| (what.to_owned(), was, is)));
    }
}
