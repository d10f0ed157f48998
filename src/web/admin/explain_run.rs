//! One commission event of a run, rebuilt by hand: period, plan, standing, parts, rounding, cuts, pool, posting.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::code::Code;
use super::explain::{ExplainPage, ExplainStep, Part, Way};
use super::format::{self, Link, Pill, Tone, When};
use super::order::{Names, Rung, names, upline};
use super::periods::{address, earners, run_address};
use super::shell::Shell;
use super::words;
use crate::core::bonus::{Finding, Visited};
use crate::db::DbError;
use crate::distributors;
use crate::periods::CalculationProblem;
use crate::proof::{self, AwardTold, RunExplanation, SourceTold, Trace};
use crate::reports::Conn;
use crate::reports::periods as report;

pub struct Found {
    told: RunExplanation,
    names: Names,
    /// When the periods ended that parts are of.
    ends: HashMap<String, DateTime<Utc>>,
}

/// `None` when there is no such event of a run. What keeps a run from being calculated again is a value.
pub fn read(conn: &mut Conn, event: Uuid) -> Result<Option<Result<Box<Found>, String>>, DbError> {
    let told = match proof::explain_run(conn, event) {
        Ok(Some(told)) => told,
        Ok(None) => return Ok(None),
        Err(CalculationProblem::Db(error)) => return Err(error),
        Err(problem) => return Ok(Some(Err(problem.to_string()))),
    };
    let mut people = BTreeSet::from([told.distributor_id.clone()]);
    people.extend(told.sources.iter().map(|source| source.distributor_id.clone()));
    for trace in &told.traces {
        people.extend(trace.steps.iter().map(|step| step.distributor.0.clone()));
    }
    let people: Vec<String> = people.into_iter().collect();
    let names = names(distributors::profiles(conn, &people)?);
    let mut ends = HashMap::from([(told.period.clone(), told.ends_at)]);
    let others: BTreeSet<&String> = told.sources.iter().filter_map(|source| source.period.as_ref()).collect();
    for name in others {
        if let Some(period) = report::named(conn, name)? {
            ends.insert(period.name, period.ends_at);
        }
    }
    Ok(Some(Ok(Box::new(Found { told, names, ends }))))
}

pub fn page(shell: Shell, found: &Found) -> ExplainPage {
    let Found { told, names, .. } = found;
    let data = serde_json::to_string(told).unwrap_or_default();
    let run = format!("Run of period {}", told.posted_into);
    ExplainPage {
        shell,
        event_id: told.event_id.to_string(),
        amount: words::amount(told.amount, &told.currency),
        kind: words::kind(&told.kind),
        at: When(told.created_at),
        distributor: upline::named(&told.distributor_id, names),
        order: Link::new(run_address(told.run_id), run),
        summary: summary(told),
        steps: steps(told),
        path: vec![],
        parts: told.sources.iter().map(|source| part(found, source)).collect(),
        more_parts: match told.more_sources {
            0 => String::new(),
            more => format!("And {more} smaller parts."),
        },
        ways: told.traces.iter().map(|trace| way(found, trace)).collect(),
        snapshot: Code::json("Everything behind this event", &data),
    }
}

fn summary(told: &RunExplanation) -> String {
    let money = |amount| words::amount(amount, &told.currency);
    let place =
        if told.position.is_empty() { String::new() } else { format!(", position {}", told.position) };
    let of = format!("{}{place} of period {}", told.bonus, told.period);
    if told.posted_before.is_zero() {
        return match &told.award {
            Some(award) => format!("{of}: {} of a base of {}.", money(told.target()), award.base),
            None => format!("{of} pays nothing."),
        };
    }
    let (target, before) = (money(told.target()), money(told.posted_before));
    format!("{of}: it should stand at {target}, and {before} was posted before.")
}

fn step(title: impl Into<String>, text: impl Into<String>, sum: impl Into<String>) -> ExplainStep {
    ExplainStep { title: title.into(), text: text.into(), sum: sum.into(), link: None }
}

fn steps(told: &RunExplanation) -> Vec<ExplainStep> {
    let span = format!("{} until {}", When(told.starts_at).utc(), When(told.ends_at).utc());
    let mut steps = vec![
        ExplainStep {
            link: Some(Link::new(address(&told.period), "the period")),
            ..step(format!("The period {}", told.period), span, "")
        },
        ExplainStep {
            link: Some(Link::new(format!("/admin/plans/{}", told.plan_hash), "read it")),
            ..step(format!("The plan {}", told.plan_name), "in effect at the period's end", &*told.plan_hash)
        },
        standing(told),
    ];
    steps.extend(told.award.as_ref().into_iter().flat_map(|award| award_steps(told, award)));
    steps.extend(pool(told));
    if told.run_kind == "adjustment" || !told.posted_before.is_zero() {
        steps.push(difference(told));
    }
    let posted = format!("by the {} run, at {}", told.run_kind, When(told.created_at).utc());
    steps.push(ExplainStep {
        link: Some(Link::new(format!("/admin/ledger/entries/{}", told.journal_entry), "the entry")),
        ..step("Posted", posted, "")
    });
    steps
}

fn standing(told: &RunExplanation) -> ExplainStep {
    let of = &told.standing;
    let active = if of.active { "active in the period" } else { "not active in the period" };
    let asked = if of.eligible { "" } else { ", does not meet what the bonus asks" };
    let rank = of.rank.as_deref().map_or_else(|| "no rank".to_owned(), |rank| format!("paid as {rank}"));
    let volumes = format!("PV {}, GV {}, GV without breakaways {}", of.pv, of.gv, of.pgv);
    let href = format!("{}/earners/{}", run_address(told.run_id), words::encoded(&told.distributor_id));
    let title = format!("Distributor {} in the period", told.distributor_id);
    ExplainStep {
        link: Some(Link::new(href, "all awards of the run")),
        ..step(title, format!("{active}, {rank}{asked}"), volumes)
    }
}

/// From the parts to what is paid.
fn award_steps(told: &RunExplanation, award: &AwardTold) -> Vec<ExplainStep> {
    let money = |amount: Decimal| words::amount(amount, &told.currency);
    let mut steps = vec![];
    if let Some(average) = &told.average {
        let number = |amount: Decimal| format::grouped(&format::plain(amount));
        let sum = format!(
            "{} × {} ÷ {} = {} ≈ {}",
            money(average.paid).number,
            number(average.base_now.decimal()),
            number(average.base_then),
            format::plain(average.exact),
            money(award.earned.decimal())
        );
        let text = "what the close paid, times the base now, by the base then";
        steps.push(step("At the average rate", text, sum));
    }
    if !told.sources.is_empty() {
        let count = told.sources.len() + told.more_sources;
        let parts = if count == 1 { "one part".to_owned() } else { format!("{count} parts, listed below") };
        steps.push(step(format!("{} adds up", told.bonus), parts, sum(told)));
        let exact = told.exact == award.earned.decimal();
        let text = if exact { "nothing to round" } else { "once for the earner, as the plan says" };
        let sum = format!("{} ≈ {}", format::plain(told.exact), money(award.earned.decimal()));
        steps.push(step("Rounded", text, if exact { String::new() } else { sum }));
    }
    for cut in &award.cuts {
        let text = format!("takes {}", money(cut.amount.decimal()));
        steps.push(step(format!("{} limits it", cut.by), text, ""));
    }
    if !award.cuts.is_empty() {
        let cuts: Vec<String> = award.cuts.iter().map(|cut| money(cut.amount.decimal()).number).collect();
        let earned = money(award.earned.decimal()).number;
        let sum = format!("{earned} − {} = {}", cuts.join(" − "), money(award.amount.decimal()));
        steps.push(step("What is left", "", sum));
    }
    steps
}

/// Written out while it fits on a line.
fn sum(told: &RunExplanation) -> String {
    let term = |source: &SourceTold| {
        format!("{} × {}", format::plain(source.base.decimal()), format::plain(source.rate))
    };
    let exact = format::plain(told.exact);
    match told.sources.len() + told.more_sources {
        1..=4 => {
            let terms: Vec<String> = told.sources.iter().map(term).collect();
            format!("{} = {exact}", terms.join(" + "))
        }
        _ => format!("= {exact}"),
    }
}

fn pool(told: &RunExplanation) -> Option<ExplainStep> {
    let pool = told.pool.as_ref()?;
    let money = |amount: crate::core::fixed::Fixed| words::amount(amount.decimal(), &told.currency).number;
    let sum = format!(
        "pool {} = paid {} + breakage {} + rounding {}",
        money(pool.pool),
        money(pool.paid),
        money(pool.breakage),
        money(pool.rounding)
    );
    Some(step("The bonus closes", "everybody's awards of the bonus in the period", sum))
}

fn difference(told: &RunExplanation) -> ExplainStep {
    let money = |amount| words::amount(amount, &told.currency);
    let sum = format!(
        "{} − {} = {}",
        money(told.target()).number,
        money(told.posted_before).number,
        money(told.amount)
    );
    let text = "the closed period is calculated as it should be now; only a difference is posted";
    step("The difference to what stood posted", text, sum)
}

fn part(found: &Found, source: &SourceTold) -> Part {
    let Found { told, names, ends } = found;
    let period = source.period.as_ref().unwrap_or(&told.period);
    let place =
        if source.position.is_empty() { String::new() } else { format!("position {}", source.position) };
    Part {
        source: upline::named(&source.distributor_id, names),
        place,
        level: source.level.to_string(),
        period: period.clone(),
        base: format::grouped(&format::plain(source.base.decimal())),
        rate: format::percent_exact(source.rate),
        exact: format::grouped(&format::plain(source.exact)),
        orders: ends.get(period).map(|ends| orders(&source.distributor_id, *ends)),
    }
}

/// The list goes back from the period's end.
fn orders(distributor: &str, ends: DateTime<Utc>) -> String {
    let (at, nil) = (When(ends).micros(), Uuid::nil().to_string());
    words::address("/admin/orders", &[("distributor", distributor), ("at", &at), ("after", &nil)])
}

fn way(found: &Found, trace: &Trace) -> Way {
    let rung = |step: &Visited| rung(found, step);
    Way { source: upline::named(&trace.source, &found.names), rungs: trace.steps.iter().map(rung).collect() }
}

fn rung(found: &Found, step: &Visited) -> Rung {
    let own = step.distributor.as_str() == found.told.distributor_id;
    let (tone, text) = if own { (Tone::Ok, "this event") } else { (Tone::Muted, "") };
    Rung {
        level: step.level.map_or_else(|| "–".to_owned(), |level| level.to_string()),
        distributor: upline::named(step.distributor.as_str(), &found.names),
        standing: Pill::new(tone, text),
        skipped: words::skipped(&step.finding),
        rate: paid(&step.finding),
        amount: None,
    }
}

fn paid(finding: &Finding) -> String {
    match finding {
        Finding::Earns { rate: Some(rate) } => format!("earns {}", format::percent_exact(*rate)),
        Finding::Earns { rate: None } => "earns".to_owned(),
        Finding::Leg { position, side, matched, carried, flushed, .. } => {
            let side = earners::side(i16::try_from(*side).unwrap_or(i16::MAX));
            let number = |volume: &Decimal| format::grouped(&format::plain(*volume));
            format!(
                "{side} of {position}: {} matched, {} carried, {} flushed",
                number(matched),
                number(carried),
                number(flushed)
            )
        }
        _ => String::new(),
    }
}
