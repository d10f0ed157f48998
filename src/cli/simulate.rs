//! What past periods would have cost under another plan.

use anyhow::Context;

use super::{Outcome, output};
use crate::app::Backend;
use crate::core::plan::Plan;
use crate::db::Lane;
use crate::periods::{self, Cost, PeriodUnder, RankChange, WhatIf, Winner};

/// More names nobody reads.
pub const SHOWN: usize = 20;

pub fn simulate(backend: &Backend, plan: &Plan, last: usize, json: bool) -> anyhow::Result<Outcome> {
    let bar = output::working("calculating past periods");
    let found = backend.db.read(Lane::Admin, |conn| Ok(periods::what_if(conn, plan, last)?));
    bar.finish_and_clear();
    let found = found.context("the periods could not be calculated under this plan")?;
    if json {
        output::json(&found)?;
    } else {
        tell(&found)?;
    }
    Ok(Outcome::Done)
}

fn tell(found: &WhatIf) -> anyhow::Result<()> {
    output::line(format_args!("{} ({})", found.plan, found.plan_hash))?;
    if found.periods.is_empty() {
        output::line("There is no period yet.")?;
    }
    found.periods.iter().try_for_each(tell_period)
}

fn tell_period(period: &PeriodUnder) -> anyhow::Result<()> {
    output::line(format_args!("\n{}, in {}", period.period, period.currency))?;
    let row = |name: &str, cost: &Cost| {
        let share = cost.share.map_or_else(|| "-".to_owned(), output::percent);
        let sums = [cost.cv, cost.paid_by_orders, cost.paid].map(|sum| sum.to_string());
        std::iter::once(name.to_owned()).chain(sums).chain([share]).collect::<Vec<_>>()
    };
    output::table(
        &["", "CV", "with orders", "at the close", "of CV"],
        &[row("as it was", &period.held), row("under the plan", &period.other)],
    )?;
    output::line(format_args!("difference {}", period.difference))?;
    let counts = &period.other.counts;
    for (unknown, what) in [
        (counts.other_currency, "order(s) are not in the plan's currency and count for nothing"),
        (counts.unknown_class, "order line(s) are of commission classes that the plan does not have"),
    ] {
        if unknown > 0 {
            output::line(format_args!("{unknown} {what}"))?;
        }
    }
    let row = |winner: &Winner| {
        let Winner { distributor_id, held, other, difference } = winner;
        vec![distributor_id.to_string(), held.to_string(), other.to_string(), difference.to_string()]
    };
    let shown: Vec<_> = period.earners.iter().take(SHOWN).map(row).collect();
    if !shown.is_empty() {
        output::table(&["distributor", "as it was", "under the plan", "difference"], &shown)?;
    }
    more(period.earners.len(), "earners")?;
    for RankChange { distributor_id, held, other } in period.ranks.iter().take(SHOWN) {
        let told = |rank: &Option<String>| rank.clone().unwrap_or_else(|| "none".to_owned());
        output::line(format_args!("rank of {distributor_id}: {} instead of {}", told(other), told(held)))?;
    }
    more(period.ranks.len(), "ranks")
}

pub fn more(count: usize, what: &str) -> anyhow::Result<()> {
    match count.checked_sub(SHOWN) {
        Some(more @ 1..) => Ok(output::line(format_args!("and {more} more {what}; --json has all of them"))?),
        _ => Ok(()),
    }
}
