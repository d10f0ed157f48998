//! A plan in words and tables on the terminal.

use rust_decimal::Decimal;

use crate::cli::{Outcome, output};
use crate::core::plan::{BonusDescription, PlanDescription};

pub fn show(plan: &PlanDescription, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(plan)?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("{} ({})\nhash {}", plan.name, plan.id, plan.hash))?;
    for (name, value) in &plan.facts {
        output::line(format_args!("{name}: {value}"))?;
    }
    if !plan.ranks.is_empty() {
        output::line(format_args!("Ranks, lowest first: {}", plan.ranks.join(", ")))?;
    }
    output::line("")?;
    let class = |(class, pv, qv, cv): &(String, String, String, String)| {
        vec![class.clone(), pv.clone(), qv.clone(), cv.clone()]
    };
    output::table(&["class", "PV", "QV", "CV"], &plan.classes.iter().map(class).collect::<Vec<_>>())?;
    for bonus in &plan.bonuses {
        show_bonus(bonus)?;
    }
    Ok(Outcome::Done)
}

fn show_bonus(bonus: &BonusDescription) -> anyhow::Result<()> {
    let pool = bonus.pool.map(|pool| format!(", pool {}", percent(pool))).unwrap_or_default();
    output::line(format_args!("\n{} ({}), on {}{pool}", bonus.id, bonus.family, bonus.base))?;
    if let Some(active) = &bonus.active {
        output::line(format_args!("  Active: {active}"))?;
    }
    for sentence in &bonus.sentences {
        output::line(format_args!("  {sentence}"))?;
    }
    let rates = &bonus.rates;
    let header: Vec<&str> =
        std::iter::once(&rates.corner).chain(&rates.columns).map(String::as_str).collect();
    let cell = |rate: &Option<Decimal>| rate.map_or_else(|| "-".to_owned(), percent);
    let row = |(name, rates): &(String, Vec<Option<Decimal>>)| {
        std::iter::once(name.clone()).chain(rates.iter().map(cell)).collect::<Vec<_>>()
    };
    Ok(output::table(&header, &rates.rows.iter().map(row).collect::<Vec<_>>())?)
}

fn percent(share: Decimal) -> String {
    format!("{}%", (share * Decimal::ONE_HUNDRED).normalize())
}
