//! Periods, runs and reviews on the terminal.

use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::Room;
use crate::cli::{Outcome, output};
use crate::core::fixed::Fixed;
use crate::db::Lane;
use crate::periods::{self, Period, Run, RunKind, RunStatus, Summary};

/// More of them nobody reads.
const RUNS: i64 = 50;

pub fn list(room: &Room<'_>, json: bool) -> anyhow::Result<Outcome> {
    let all = room.periods()?;
    if json {
        output::json(&all)?;
        return Ok(Outcome::Done);
    }
    if all.is_empty() {
        output::note("There is no period yet: the first begins with the first order under a plan.")?;
    }
    let row = |period: &Period| {
        let (from, until) = (period.starts_at.to_rfc3339(), period.ends_at.to_rfc3339());
        let run = period.run_id.map(|run| run.to_string()).unwrap_or_default();
        vec![period.name.clone(), period.status.told().to_owned(), from, until, run]
    };
    output::table(
        &["period", "is", "from", "until", "posted run"],
        &all.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(Outcome::Done)
}

pub fn period(room: &Room<'_>, name: &str, json: bool) -> anyhow::Result<Outcome> {
    let period = room.named(name)?;
    let id = period.period_id;
    let (changes, runs) = room
        .backend
        .db
        .read(Lane::Admin, |conn| Ok((periods::changes(conn, id)?, periods::runs(conn, Some(id), RUNS)?)))?;
    if json {
        output::json(&json!({"period": period, "changes": changes, "runs": runs}))?;
        return Ok(Outcome::Done);
    }
    let (from, until) = (period.starts_at.to_rfc3339(), period.ends_at.to_rfc3339());
    output::line(format_args!("{} is {}, from {from} until {until}", period.name, period.status.told()))?;
    if let (Some(cutoff), Some(known), Some(plan)) = (period.cutoff_seq, period.known_at, &period.plan_hash) {
        output::line(format_args!(
            "frozen to fact {cutoff}, distributors as known at {}, plan {plan}",
            known.to_rfc3339()
        ))?;
    }
    let row = |change: &periods::Change| {
        vec![
            change.changed_at.to_rfc3339(),
            change.change.clone(),
            change.changed_by.clone(),
            change.detail.to_string(),
        ]
    };
    output::table(&["at", "change", "by", "detail"], &changes.iter().map(row).collect::<Vec<_>>())?;
    table(&runs)
}

pub fn runs(room: &Room<'_>, name: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    let period = name.map(|name| room.named(name)).transpose()?.map(|period| period.period_id);
    let runs = room.backend.db.read(Lane::Admin, |conn| periods::runs(conn, period, RUNS))?;
    if json {
        output::json(&runs)?;
        return Ok(Outcome::Done);
    }
    table(&runs)
}

fn table(runs: &[Run]) -> anyhow::Result<Outcome> {
    let row = |run: &Run| {
        let status = match run.status {
            RunStatus::Running if run.total > 0 => format!("{} {}/{}", run.stage, run.done, run.total),
            RunStatus::Running => run.stage.clone(),
            status => status.to_string(),
        };
        let hash = run.result_hash.as_deref().and_then(|hash| hash.get(..12)).unwrap_or_default().to_owned();
        let by = [Some(&run.created_by), run.approved_by.as_ref(), run.posted_by.as_ref()];
        let by: Vec<&str> = by.into_iter().flatten().map(String::as_str).collect();
        let kind = run.kind.to_string();
        vec![run.run_id.to_string(), run.period.clone(), kind, status, hash, by.join(", ")]
    };
    output::table(
        &["run", "period", "kind", "status", "result", "by"],
        &runs.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(Outcome::Done)
}

pub fn review(room: &Room<'_>, run: Uuid, json: bool) -> anyhow::Result<Outcome> {
    reviewed(&room.known(run)?, json)
}

/// A run with what it has come to, as far as it has.
pub fn reviewed(run: &Run, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(run)?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("{} run {} of {}: {}", run.kind, run.run_id, run.period, run.status))?;
    if let Some(problem) = &run.problem {
        output::line(format_args!("  {problem}"))?;
    }
    if run.summary.is_none() {
        return Ok(Outcome::Done);
    }
    let hash = run.result_hash.as_deref().unwrap_or_default();
    output::line(format_args!("result {hash}\nplan   {}", run.plan_hash))?;
    let summary = periods::summary(run)?;
    match run.kind {
        RunKind::Adjustment => tell_corrections(&summary)?,
        RunKind::Official | RunKind::Unofficial => tell_totals(&summary)?,
    }
    tell_bonuses(&summary)?;
    tell_surroundings(&summary)?;
    Ok(Outcome::Done)
}

fn tell_totals(summary: &Summary) -> anyhow::Result<()> {
    let (totals, currency) = (&summary.totals, &summary.currency);
    let share = totals
        .share
        .map_or_else(|| "there is no CV".to_owned(), |share| format!("{} of CV", output::percent(share)));
    output::line(format_args!(
        "CV {}, paid {} {currency} at the close and {} with the orders: {share}",
        totals.cv, totals.paid, totals.paid_by_orders
    ))?;
    output::line(format_args!(
        "{} orders, {} earners, {} active of whom {} earn nothing",
        summary.counts.orders, summary.earners, summary.active, summary.zero_earners
    ))?;
    for (count, what) in [
        (summary.counts.other_currency, "order(s) are in another currency and do not count"),
        (summary.counts.unknown_distributor, "order(s) are of unknown distributors and do not count"),
    ] {
        if count > 0 {
            output::line(format_args!("{count} {what}"))?;
        }
    }
    if !summary.carried {
        output::line("The period before is not closed: nothing is carried over from it.")?;
    }
    Ok(())
}

fn tell_corrections(summary: &Summary) -> anyhow::Result<()> {
    if summary.corrected.is_empty() {
        output::line("Nothing has changed of the closed periods.")?;
    }
    for corrected in &summary.corrected {
        output::line(format_args!(
            "{}: {} award(s), {} {} (refunds: {})",
            corrected.period, corrected.awards, corrected.amount, summary.currency, corrected.policy
        ))?;
        if corrected.unknown_distributor > 0 {
            output::line(format_args!(
                "  {} order(s) are of distributors who were not known at the freeze and do not count",
                corrected.unknown_distributor
            ))?;
        }
    }
    Ok(())
}

fn tell_bonuses(summary: &Summary) -> anyhow::Result<()> {
    let row = |bonus: &periods::BonusTotal| {
        let money = [bonus.pool, bonus.paid, bonus.breakage, bonus.rounding].map(|amount| amount.to_string());
        [bonus.bonus.clone(), bonus.earners.to_string()].into_iter().chain(money).collect::<Vec<_>>()
    };
    if summary.bonuses.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = summary.bonuses.iter().map(row).collect();
    Ok(output::table(&["bonus", "earners", "pool", "paid", "breakage", "rounding"], &rows)?)
}

fn tell_surroundings(summary: &Summary) -> anyhow::Result<()> {
    for held in &summary.held {
        let currency = held.currency.as_deref().unwrap_or("no currency");
        output::line(format_args!("{} order(s) held: {} {currency}", held.orders, held.net))?;
    }
    for earlier in &summary.variance {
        let totals = &earlier.totals;
        output::line(format_args!(
            "{}: CV {}, paid {} and {}, {} of CV ({} now)",
            earlier.period,
            totals.cv,
            totals.paid,
            totals.paid_by_orders,
            totals.share.map_or_else(|| "none".to_owned(), output::percent),
            change(totals.paid, summary.totals.paid),
        ))?;
    }
    for mover in &summary.movers {
        output::line(format_args!("{}: {} before, {} now", mover.distributor_id, mover.before, mover.now))?;
    }
    Ok(())
}

/// How much more or less is paid.
fn change(before: Fixed, now: Fixed) -> String {
    match periods::share(now, before) {
        Ok(Some(share)) => format!("{:+}%", ((share - Decimal::ONE) * Decimal::ONE_HUNDRED).normalize()),
        _ => "nothing to compare with".to_owned(),
    }
}
