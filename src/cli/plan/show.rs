//! A plan in words and tables on the terminal.

use rust_decimal::Decimal;

use crate::cli::{Outcome, output};
use crate::core::plan::{BonusDescription, ClassDescription, PlanDescription};

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
    let class = |class: &ClassDescription| {
        let market = class.market.clone().unwrap_or_default();
        let volumes = [&class.pv, &class.qv, &class.cv, &class.wholesale].map(String::clone);
        [class.id.clone(), market].into_iter().chain(volumes).collect()
    };
    let classes: Vec<_> = plan.classes.iter().map(class).collect();
    output::table(&["class", "market", "PV", "QV", "CV", "wholesale"], &classes)?;
    show_ranks(plan)?;
    for bonus in &plan.bonuses {
        show_bonus(bonus)?;
    }
    for limit in &plan.limits {
        output::line(format_args!("\n{limit}"))?;
    }
    Ok(Outcome::Done)
}

fn show_ranks(plan: &PlanDescription) -> anyhow::Result<()> {
    for rank in &plan.rank_rules {
        let achieve =
            if rank.achieve.is_empty() { "given by hand".to_owned() } else { rank.achieve.join("; ") };
        output::line(format_args!("\nRank {}\n  To reach it: {achieve}", rank.rank))?;
        if rank.maintain != rank.achieve {
            output::line(format_args!("  To keep it: {}", rank.maintain.join("; ")))?;
        }
    }
    for one in &plan.qualifications {
        output::line(format_args!("\nQualification {}\n  {}", one.id, one.asks.join("; ")))?;
        if one.carried > 0 {
            output::line(format_args!("  Holds for {} more period(s)", one.carried))?;
        }
    }
    Ok(())
}

fn show_bonus(bonus: &BonusDescription) -> anyhow::Result<()> {
    let pool = bonus.pool.map(|pool| format!(", pool {}", output::percent(pool))).unwrap_or_default();
    let base = if bonus.base.is_empty() { String::new() } else { format!(", on {}", bonus.base) };
    output::line(format_args!("\n{} ({}){base}{pool}, paid {}", bonus.id, bonus.family, bonus.pays))?;
    if let Some(active) = &bonus.active {
        output::line(format_args!("  Active: {active}"))?;
    }
    if !bonus.requires.is_empty() {
        output::line(format_args!("  Asks of earners: {}", bonus.requires.join("; ")))?;
    }
    for sentence in &bonus.sentences {
        output::line(format_args!("  {sentence}"))?;
    }
    let rates = &bonus.rates;
    let header: Vec<&str> =
        std::iter::once(&rates.corner).chain(&rates.columns).map(String::as_str).collect();
    let cell = |rate: &Option<Decimal>| rate.map_or_else(|| "-".to_owned(), output::percent);
    let row = |(name, rates): &(String, Vec<Option<Decimal>>)| {
        std::iter::once(name.clone()).chain(rates.iter().map(cell)).collect::<Vec<_>>()
    };
    Ok(output::table(&header, &rates.rows.iter().map(row).collect::<Vec<_>>())?)
}
