//! What a move in one of the trees does to the bonuses of periods that are not frozen yet. Writes nothing.
//!
//! Each of them is calculated twice from the newest facts under the plan that holds: with the trees as they are,
//! and with the moved ones. What the orders were paid at once stays as it is posted on both sides. A period that
//! follows another one builds on what that one would leave.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::calculate::{KnownTrees, Trees, last_instant};
use super::problem::CalculationProblem;
use super::repo;
use super::repo::periods::Period;
use super::run::frozen_pins;
use super::scope::Scope;
use super::what_if::{RankChange, Under, Winner, Work, differences, left_by, ranks};
use super::words::Status;
use crate::commissions;
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::Carried;
use crate::core::plan::{Plan, PlanHash};
use crate::db::{Conn, DbError};
use crate::plans::{Plans, Published};

/// Both trees as they are, and with the move. One of them may be the same.
#[derive(Clone, Copy, Debug)]
pub struct MovedTrees<'a> {
    /// From when on the move holds; nothing is another one before.
    pub from: DateTime<Utc>,
    pub before: Trees<'a>,
    pub after: Trees<'a>,
}

/// The bonuses of one period, without what its orders were paid at once.
#[derive(Clone, Debug, Serialize)]
pub struct PeriodMoved {
    pub period: String,
    pub status: Status,
    pub currency: String,
    pub before: Fixed,
    pub after: Fixed,
    pub difference: Fixed,
    /// Everybody who would be paid another sum, the greatest difference first.
    pub earners: Vec<EarnerMoved>,
    /// Everybody who would be paid as another rank.
    pub ranks: Vec<RankMoved>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EarnerMoved {
    pub distributor_id: DistributorId,
    pub before: Fixed,
    pub after: Fixed,
    pub difference: Fixed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RankMoved {
    pub distributor_id: DistributorId,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Every period that is neither frozen nor closed and ends after the move, in the order of time.
pub fn move_effect(conn: &mut Conn, moved: MovedTrees<'_>) -> Result<Vec<PeriodMoved>, CalculationProblem> {
    let periods = repo::periods::all(conn)?;
    let is_reached = |period: &Period| !period.status.is_frozen() && period.ends_at > moved.from;
    if !periods.iter().any(is_reached) {
        return Ok(vec![]);
    }
    let published = Plans::default().get(conn)?;
    let cutoff = commissions::newest_seq(conn)?;
    let closed = periods.iter().take_while(|period| period.status == Status::Closed).count();
    let mut left: Option<[Carried; 2]> = None;
    let mut found = vec![];
    for (at, period) in periods.iter().enumerate().skip(closed) {
        let before = at.checked_sub(1).and_then(|at| periods.get(at));
        let [stands, would] = match left.take() {
            Some(left) => left,
            None => left_by(conn, before)?,
        };
        let Some(plan) = published.at(last_instant(period)) else { continue };
        let scope = Scope::of(period, before, cutoff);
        let as_it_is = Work { period, scope, trees: moved.before };
        if !is_reached(period) {
            let next = match frozen_pins(period)? {
                Some(_) => frozen(conn, &published, period, before, stands)?,
                None => as_it_is.under(conn, plan, stands, None)?.result.next,
            };
            left = Some([next.clone(), next]);
            continue;
        }
        let stands = as_it_is.under(conn, plan, stands, None)?;
        let would = Work { trees: moved.after, ..as_it_is }.under(conn, plan, would, None)?;
        found.push(compare(period, plan, &stands, &would)?);
        left = Some([stands.result.next, would.result.next]);
    }
    Ok(found)
}

/// What a period leaves whose run is not posted yet: the move does not reach what it is frozen to.
fn frozen(
    conn: &mut Conn,
    published: &Published,
    period: &Period,
    before: Option<&Period>,
    carried: Carried,
) -> Result<Carried, CalculationProblem> {
    let damaged = || DbError::Damaged(format!("what period {} is frozen to", period.name));
    let pins = frozen_pins(period)?.ok_or_else(damaged)?;
    let plan = published.by_hash(PlanHash(pins.plan_hash)).ok_or_else(damaged)?;
    let known = KnownTrees::at(conn, pins.known_at)?;
    let scope = Scope::of(period, before, pins.cutoff_seq);
    let work = Work { period, scope, trees: known.trees() };
    Ok(work.under(conn, plan, carried, None)?.result.next)
}

fn compare(
    period: &Period,
    plan: &Plan,
    stands: &Under,
    would: &Under,
) -> Result<PeriodMoved, CalculationProblem> {
    let earners = differences(&stands.awarded()?, &would.awarded()?)?;
    let (before, after) = (stands.cost.paid, would.cost.paid);
    Ok(PeriodMoved {
        period: period.name.clone(),
        status: period.status,
        currency: plan.currency().to_string(),
        before,
        after,
        difference: after.sub(before)?,
        earners: earners.into_iter().map(EarnerMoved::from).collect(),
        ranks: ranks((plan, stands), (plan, would)).into_iter().map(RankMoved::from).collect(),
    })
}

impl From<Winner> for EarnerMoved {
    fn from(Winner { distributor_id, held, other, difference }: Winner) -> Self {
        Self { distributor_id, before: held, after: other, difference }
    }
}

impl From<RankChange> for RankMoved {
    fn from(RankChange { distributor_id, held, other }: RankChange) -> Self {
        Self { distributor_id, before: held, after: other }
    }
}
