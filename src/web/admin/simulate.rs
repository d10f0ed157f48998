//! What if another plan had held: past periods calculated again, and whom it would pay otherwise. Writes nothing.

use std::collections::{BTreeMap, HashMap};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use askama::Template;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::desk::Desk;
use super::field::Wrong;
use super::format::{self, Amount, Link, Pill};
use super::order::names;
use super::periods::review::{Mover, moved};
use super::periods::{plural, ranks};
use super::plans::as_written;
use super::shell::Shell;
use super::words;
use crate::access::Session;
use crate::core::plan::{Plan, PlanProblem};
use crate::core::sheet::harmless;
use crate::db::DbError;
use crate::distributors;
use crate::periods::{self, CalculationProblem, PeriodUnder, WhatIf};
use crate::reports::Conn;
use crate::reports::periods::review::Moved;
use crate::web::error::Refusal;
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/simulate.html")]
pub struct SimulatePage {
    pub shell: Shell,
    /// Hash and name of what was published.
    pub plans: Vec<(String, String)>,
    pub plan: String,
    pub document: String,
    pub periods: String,
    pub wrong: Wrong,
    pub problems: Vec<PlanProblem>,
    pub outcome: Option<Outcome>,
}

pub struct Outcome {
    pub plan: String,
    /// What the plan cannot count; empty for nothing.
    pub uncounted: String,
    pub periods: Vec<PeriodRow>,
    pub earners: Vec<Mover>,
    /// How many more there are; empty for none.
    pub more: String,
    pub ranks: Vec<RankRow>,
    pub more_ranks: String,
}

pub struct PeriodRow {
    pub name: String,
    pub cv: String,
    pub was: Amount,
    pub was_share: String,
    pub then: Amount,
    pub then_share: String,
    pub difference: Amount,
}

pub struct RankRow {
    pub distributor: Link,
    pub period: String,
    pub was: String,
    pub now: String,
    pub change: Pill,
}

#[derive(Clone, Deserialize)]
pub struct Wish {
    /// Hash of a published plan; empty for the document.
    #[serde(default)]
    plan: String,
    #[serde(default)]
    document: String,
    #[serde(default)]
    periods: String,
    /// The button.
    #[serde(default)]
    step: String,
}

/// Earners, and rank changes, that the page shows.
const SHOWN: usize = 200;
/// Periods that are calculated while somebody waits.
const MOST: usize = 24;

pub async fn page(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let wish =
        Wish { plan: String::new(), document: String::new(), periods: "3".to_owned(), step: String::new() };
    blank(&viewer, &desk, wish, Wrong::default(), vec![]).await
}

pub async fn calculate(viewer: Operator, desk: Desk, form: Form<Wish>) -> Result<HttpResponse, Denied> {
    let mut wish = form.0;
    wish.document = as_written(&wish.document);
    let last = wish.periods.trim().parse().ok().filter(|last| (1..=MOST).contains(last));
    let Some(last) = last else {
        let wrong = Wrong::default().with("periods", format!("Write a number from 1 to {MOST}."));
        return blank(&viewer, &desk, wish, wrong, vec![]).await;
    };
    let plan = match chosen(&viewer, &desk, &wish).await? {
        Chosen::Plan(plan) => plan,
        Chosen::Problems(problems) => return blank(&viewer, &desk, wish, Wrong::default(), problems).await,
        Chosen::Nothing => {
            let wrong = Wrong::default().with("plan", "Choose a plan, or paste a document below.");
            return blank(&viewer, &desk, wish, wrong, vec![]).await;
        }
    };
    let order: Vec<String> = plan.ranks().to_vec();
    let turn = desk.state.turns.take()?;
    let read = desk.read(&viewer, "periods", move |conn| {
        let _turn = turn;
        tried(conn, &plan, last)
    });
    let (mut shell, tried) = read.await?;
    shell.here = "/admin/simulate".to_owned();
    let (found, names) = match tried {
        Ok(found) => found,
        Err(problem) => {
            let wrong = Wrong::default().with("form", super::notices::sentence(&problem));
            return blank(&viewer, &desk, wish, wrong, vec![]).await;
        }
    };
    if wish.step == "csv" {
        return csv(&found);
    }
    let (_, plans) = desk.read(&viewer, "periods", published).await?;
    desk.show(&SimulatePage {
        shell,
        plans,
        plan: wish.plan,
        document: wish.document,
        periods: wish.periods,
        wrong: Wrong::default(),
        problems: vec![],
        outcome: Some(outcome(&found, &names, &order)),
    })
}

async fn blank(
    viewer: &Session,
    desk: &Desk,
    wish: Wish,
    wrong: Wrong,
    problems: Vec<PlanProblem>,
) -> Result<HttpResponse, Denied> {
    let (mut shell, plans) = desk.read(viewer, "periods", published).await?;
    shell.here = "/admin/simulate".to_owned();
    let sound = wrong.is_empty() && problems.is_empty();
    let status = if sound { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let Wish { plan, document, periods, .. } = wish;
    desk.show_as(
        status,
        &SimulatePage { shell, plans, plan, document, periods, wrong, problems, outcome: None },
    )
}

/// Hash and name, the newest first, each once.
fn published(conn: &mut Conn) -> Result<Vec<(String, String)>, DbError> {
    let mut plans: Vec<(String, String)> = vec![];
    for publication in crate::plans::publications(conn)?.into_iter().rev() {
        let hash = hex::encode(&publication.plan_hash);
        if plans.iter().all(|(known, _)| *known != hash) {
            let from = publication.effective_from.format("%Y-%m-%d");
            plans.push((hash, format!("{}, effective from {from}", publication.name)));
        }
    }
    Ok(plans)
}

enum Chosen {
    Plan(Box<Plan>),
    Problems(Vec<PlanProblem>),
    Nothing,
}

async fn chosen(viewer: &Session, desk: &Desk, wish: &Wish) -> Result<Chosen, Denied> {
    if !wish.plan.is_empty() {
        let (hash, known) = (wish.plan.clone(), desk.state.plans.clone());
        let (_, found) = desk
            .read(viewer, "periods", move |conn| {
                let published = known.get(conn)?;
                Ok(published
                    .all()
                    .find(|plan| plan.hash().to_string() == hash)
                    .map(|plan| plan.as_ref().clone()))
            })
            .await?;
        return Ok(found.map_or(Chosen::Nothing, |plan| Chosen::Plan(Box::new(plan))));
    }
    if wish.document.trim().is_empty() {
        return Ok(Chosen::Nothing);
    }
    Ok(match Plan::parse(&wish.document) {
        Ok(plan) => Chosen::Plan(Box::new(plan)),
        Err(problems) => Chosen::Problems(problems),
    })
}

type Tried = Result<(WhatIf, HashMap<String, String>), String>;

/// A problem that a person can mend is a value.
fn tried(conn: &mut Conn, plan: &Plan, last: usize) -> Result<Tried, DbError> {
    let found = match periods::what_if(conn, plan, last) {
        Ok(found) => found,
        Err(CalculationProblem::Db(error)) => return Err(error),
        Err(problem) => return Ok(Err(problem.to_string())),
    };
    let shown: Vec<String> = sums(&found).into_iter().take(SHOWN).map(|sum| sum.distributor_id).collect();
    let names = names(distributors::profiles(conn, &shown)?);
    Ok(Ok((found, names)))
}

/// Over all periods, the greatest difference first; whoever gets the same in the end is not here.
fn sums(found: &WhatIf) -> Vec<Moved> {
    let mut sums: BTreeMap<&str, (Decimal, Decimal)> = BTreeMap::new();
    for earner in found.periods.iter().flat_map(|period| &period.earners) {
        let sum = sums.entry(earner.distributor_id.as_str()).or_default();
        sum.0 += earner.held.decimal();
        sum.1 += earner.other.decimal();
    }
    let moved = |(id, (before, now)): (&str, (Decimal, Decimal))| Moved {
        distributor_id: id.to_owned(),
        name: None,
        before,
        now,
    };
    let mut all: Vec<Moved> = sums.into_iter().map(moved).filter(|moved| moved.before != moved.now).collect();
    all.sort_by_key(|moved| std::cmp::Reverse((moved.now - moved.before).abs()));
    all
}

fn outcome(found: &WhatIf, names: &HashMap<String, String>, order: &[String]) -> Outcome {
    let currency = found.periods.first().map_or("", |period| period.currency.as_str());
    let sums = sums(found);
    let left = i64::try_from(sums.len().saturating_sub(SHOWN)).unwrap_or(i64::MAX);
    let all_ranks: usize = found.periods.iter().map(|period| period.ranks.len()).sum();
    let more_ranks = i64::try_from(all_ranks.saturating_sub(SHOWN)).unwrap_or(i64::MAX);
    let named = |sum: Moved| Moved { name: names.get(&sum.distributor_id).cloned(), ..sum };
    Outcome {
        plan: found.plan.clone(),
        uncounted: uncounted(found),
        periods: found.periods.iter().map(period_row).collect(),
        earners: sums.into_iter().take(SHOWN).map(|sum| moved(named(sum), currency)).collect(),
        more: match left {
            0 => String::new(),
            left => format!("And {} more; the CSV has everybody.", plural(left, "earner")),
        },
        ranks: found.periods.iter().flat_map(|period| rank_rows(period, order)).take(SHOWN).collect(),
        more_ranks: match more_ranks {
            0 => String::new(),
            left => format!("And {} more.", plural(left, "change")),
        },
    }
}

fn uncounted(found: &WhatIf) -> String {
    let counts = || found.periods.iter().map(|period| &period.other.counts);
    let lines: i64 = counts().map(|counts| counts.unknown_class).sum();
    let orders: i64 = counts().map(|counts| counts.other_currency).sum();
    let mut told = vec![];
    if lines > 0 {
        let lines = plural(lines, "order line");
        told.push(format!(
            "This plan does not have the commission classes of {lines}: they count for nothing."
        ));
    }
    if orders > 0 {
        let orders = plural(orders, "order");
        told.push(format!("It is in another currency than {orders}, and does not count them."));
    }
    told.join(" ")
}

fn period_row(period: &PeriodUnder) -> PeriodRow {
    let money = |amount| words::amount(amount, &period.currency);
    let was = period.held.paid.decimal() + period.held.paid_by_orders.decimal();
    let then = period.other.paid.decimal() + period.other.paid_by_orders.decimal();
    let share = |share: Option<Decimal>| share.map_or_else(|| "–".to_owned(), format::percent);
    PeriodRow {
        name: period.period.clone(),
        cv: format::grouped(&format::plain(period.other.cv.decimal())),
        was: money(was),
        was_share: share(period.held.share),
        then: money(then),
        then_share: share(period.other.share),
        difference: money(period.difference.decimal()),
    }
}

fn rank_rows(period: &PeriodUnder, order: &[String]) -> Vec<RankRow> {
    let told = |rank: &Option<String>| rank.clone().unwrap_or_else(|| "no rank".to_owned());
    let row = |change: &periods::RankChange| RankRow {
        distributor: words::distributor_link(change.distributor_id.as_str()),
        period: period.period.clone(),
        was: told(&change.held),
        now: told(&change.other),
        change: ranks::change(change.held.as_deref(), change.other.as_deref(), order),
    };
    period.ranks.iter().map(row).collect()
}

/// One row an earner and period. What could be read as a formula is made harmless; amounts are numbers.
fn csv(found: &WhatIf) -> Result<HttpResponse, Denied> {
    let text = sheet(found).map_err(|error| {
        tracing::error!(%error, "the sheet cannot be written");
        Refusal::internal()
    })?;
    let name = "attachment; filename=\"what-if.csv\"";
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_DISPOSITION, name)).content_type("text/csv; charset=utf-8");
    Ok(answer.body(text))
}

fn sheet(found: &WhatIf) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(vec![]);
    sheet.write_record([
        "period",
        "distributor_id",
        "currency",
        "as_it_was",
        "with_this_plan",
        "difference",
    ])?;
    for period in &found.periods {
        for earner in &period.earners {
            let number = |amount: crate::core::fixed::Fixed| amount.decimal().normalize().to_string();
            sheet.write_record([
                harmless(&period.period).as_ref(),
                harmless(earner.distributor_id.as_str()).as_ref(),
                &period.currency,
                &number(earner.held),
                &number(earner.other),
                &number(earner.difference),
            ])?;
        }
    }
    sheet.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fixed::Fixed;
    use crate::core::ids::DistributorId;
    use crate::periods::Winner;

    fn winner(id: &str, held: i64, other: i64) -> Winner {
        let fixed = |amount: i64| Fixed::of(amount.into()).unwrap();
        Winner {
            distributor_id: DistributorId::new(id),
            held: fixed(held),
            other: fixed(other),
            difference: fixed(other - held),
        }
    }

    fn found(periods: Vec<Vec<Winner>>) -> WhatIf {
        let under = |earners| PeriodUnder {
            period: "2026-01".to_owned(),
            currency: "USD".to_owned(),
            held: Default::default(),
            other: Default::default(),
            difference: Fixed::ZERO,
            earners,
            ranks: vec![],
        };
        WhatIf {
            plan: "Sample".to_owned(),
            plan_hash: String::new(),
            periods: periods.into_iter().map(under).collect(),
        }
    }

    #[test]
    fn differences_are_summed_over_the_periods() {
        let found = found(vec![vec![winner("a", 10, 20), winner("b", 5, 0)], vec![winner("a", 20, 10)]]);
        let told: Vec<(String, Decimal)> =
            sums(&found).into_iter().map(|sum| (sum.distributor_id, sum.now - sum.before)).collect();
        assert_eq!(told, [("b".to_owned(), Decimal::from(-5))], "a gets the same in the end");
    }

    #[test]
    fn the_sheet_calculates_nothing() {
        let sheet = sheet(&found(vec![vec![winner("=cmd|'x'", 10, 4)]])).unwrap();
        let text = String::from_utf8(sheet).unwrap();
        assert_eq!(text.lines().nth(1), Some("2026-01,'=cmd|'x',USD,10,4,-6"));
    }
}
