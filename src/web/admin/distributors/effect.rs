//! What a move does to the bonuses of periods, as a part of the page that shows it.

use askama::Template;

use super::super::format::{Amount, Link};
use super::super::words;
use crate::core::fixed::Fixed;
use crate::db::DbError;
use crate::periods::{self, CalculationProblem, EarnerMoved, MovedTrees, PeriodMoved, RankMoved};
use crate::reports::Conn;

/// Earners and ranks that are listed; the rest is only counted.
const LISTED: usize = 200;

#[derive(Default, Template)]
#[template(path = "admin/distributor_move_periods.html")]
pub struct PeriodEffect {
    /// `sponsor` or `place`.
    pub of: &'static str,
    /// Why there are no figures.
    pub problem: String,
    pub periods: Vec<PeriodRow>,
    pub earners: Vec<EarnerRow>,
    pub more_earners: usize,
    pub ranks: Vec<RankRow>,
    pub more_ranks: usize,
}

pub struct PeriodRow {
    pub period: Link,
    pub before: Amount,
    pub after: Amount,
    pub difference: Amount,
}

pub struct EarnerRow {
    pub distributor: Link,
    pub period: String,
    pub before: Amount,
    pub after: Amount,
    pub difference: Amount,
}

pub struct RankRow {
    pub distributor: Link,
    pub period: String,
    pub before: String,
    pub after: String,
}

/// A problem of the calculation does not keep anybody from moving.
pub fn of(conn: &mut Conn, of: &'static str, moved: MovedTrees<'_>) -> Result<PeriodEffect, DbError> {
    match periods::move_effect(conn, moved) {
        Ok(found) => Ok(told(of, &found)),
        Err(CalculationProblem::Db(error)) => Err(error),
        Err(problem) => Ok(PeriodEffect { of, problem: problem.to_string(), ..PeriodEffect::default() }),
    }
}

fn told(of: &'static str, found: &[PeriodMoved]) -> PeriodEffect {
    let earners: Vec<_> =
        found.iter().flat_map(|period| period.earners.iter().map(move |earner| (period, earner))).collect();
    let ranks: Vec<_> =
        found.iter().flat_map(|period| period.ranks.iter().map(move |rank| (period, rank))).collect();
    PeriodEffect {
        of,
        problem: String::new(),
        periods: found.iter().map(period_row).collect(),
        more_earners: earners.len().saturating_sub(LISTED),
        earners: earners.into_iter().take(LISTED).map(earner_row).collect(),
        more_ranks: ranks.len().saturating_sub(LISTED),
        ranks: ranks.into_iter().take(LISTED).map(rank_row).collect(),
    }
}

fn period_row(found: &PeriodMoved) -> PeriodRow {
    let money = |sum: Fixed| words::amount(sum.decimal(), &found.currency);
    PeriodRow {
        period: Link::new(format!("/admin/periods/{}", words::encoded(&found.period)), &found.period),
        before: money(found.before),
        after: money(found.after),
        difference: money(found.difference),
    }
}

fn earner_row((found, earner): (&PeriodMoved, &EarnerMoved)) -> EarnerRow {
    let money = |sum: Fixed| words::amount(sum.decimal(), &found.currency);
    EarnerRow {
        distributor: words::distributor_link(earner.distributor_id.as_str()),
        period: found.period.clone(),
        before: money(earner.before),
        after: money(earner.after),
        difference: money(earner.difference),
    }
}

fn rank_row((found, rank): (&PeriodMoved, &RankMoved)) -> RankRow {
    let named = |rank: &Option<String>| rank.clone().unwrap_or_else(|| "no rank".to_owned());
    RankRow {
        distributor: words::distributor_link(rank.distributor_id.as_str()),
        period: found.period.clone(),
        before: named(&rank.before),
        after: named(&rank.after),
    }
}
