//! What past periods would have cost under another plan. Writes nothing.
//!
//! Both sides are calculated from the same facts, the newest there are: once under the plan that held, with what
//! the orders were really paid, and once under the other one, with every order calculated again on its upline as it
//! stood. A period that follows another one builds on what that one would have left.

mod orders;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use self::orders::Orders;
use super::calculate::{KnownTrees, Trees, all_knowledge, last_instant, span};
use super::gather::{Counts, Gatherer, each_page};
use super::problem::CalculationProblem;
use super::repo;
use super::repo::carried::carried;
use super::repo::periods::Period;
use super::scope::Scope;
use super::summary::share;
use crate::commissions;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{
    Carried, Gathered, Measure, NO_RANK, People, PeriodInput, PeriodResult, calculate_period, index,
};
use crate::core::plan::Plan;
use crate::core::volume::VolumeKind;
use crate::db::{Conn, DbError};
use crate::plans::Plans;

#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    pub plan: String,
    pub plan_hash: String,
    /// In the order of time.
    pub periods: Vec<PeriodUnder>,
}

/// One period under the plan that held and under the other one.
#[derive(Clone, Debug, Serialize)]
pub struct PeriodUnder {
    pub period: String,
    pub currency: String,
    pub held: Cost,
    pub other: Cost,
    /// What the other plan would have cost more.
    pub difference: Fixed,
    /// Everybody who would have earned another sum, the greatest difference first.
    pub earners: Vec<Winner>,
    /// Everybody who would have been paid as another rank, by id.
    pub ranks: Vec<RankChange>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Cost {
    pub cv: Fixed,
    /// At the close.
    pub paid: Fixed,
    /// With the orders, at once.
    pub paid_by_orders: Fixed,
    /// Of both together in CV, to four digits. None without CV.
    pub share: Option<Decimal>,
    pub counts: Counts,
}

/// Below zero is a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Winner {
    pub distributor_id: DistributorId,
    pub held: Fixed,
    pub other: Fixed,
    pub difference: Fixed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RankChange {
    pub distributor_id: DistributorId,
    pub held: Option<String>,
    pub other: Option<String>,
}

/// The last periods under another plan, as many as there are up to `last`. Closed and open ones count alike.
pub fn what_if(conn: &mut Conn, other: &Plan, last: usize) -> Result<WhatIf, CalculationProblem> {
    let known_at = all_knowledge();
    let published = Plans::default().get(conn)?;
    let periods = repo::periods::all(conn)?;
    let known = KnownTrees::at(conn, known_at)?;
    let trees = known.trees();
    let cutoff = commissions::newest_seq(conn)?;
    let first = periods.len().saturating_sub(last);
    let mut left: Option<[Carried; 2]> = None;
    let mut found =
        WhatIf { plan: other.name().to_owned(), plan_hash: other.hash().to_string(), periods: vec![] };
    for at in first..periods.len() {
        let Some(period) = periods.get(at) else { continue };
        let before = at.checked_sub(1).and_then(|at| periods.get(at));
        let Some(held) = published.at(last_instant(period)) else { continue };
        let work = Work { period, scope: Scope::of(period, before, cutoff), trees };
        let [held_carried, other_carried] = match left.take() {
            Some(left) => left,
            None => left_by(conn, before)?,
        };
        let as_held = work.under(conn, held, held_carried, None)?;
        let as_other = work.under(conn, other, other_carried, Some(Orders::new(other, trees.genealogy)))?;
        found.periods.push(work.compare((held, &as_held), (other, &as_other))?);
        left = Some([as_held.result.next, as_other.result.next]);
    }
    Ok(found)
}

/// What a closed period has left, for both sides.
pub(super) fn left_by(conn: &mut Conn, before: Option<&Period>) -> Result<[Carried; 2], DbError> {
    let Some(before) = before else { return Ok(Default::default()) };
    let posted = repo::runs::last_posted(conn)?;
    let Some(run) = repo::runs::carry_of(conn, before.period_id, posted)? else {
        return Ok(Default::default());
    };
    let left = carried(conn, run, before.period_id)?;
    Ok([left.clone(), left])
}

pub(super) struct Work<'a> {
    pub period: &'a Period,
    pub scope: Scope,
    pub trees: Trees<'a>,
}

/// A period under one plan.
pub(super) struct Under {
    people: People,
    pub cost: Cost,
    /// With the orders and at the close.
    paid_to: BTreeMap<DistributorId, Fixed>,
    pub result: PeriodResult,
}

impl Work<'_> {
    /// `orders` calculates them again; without it they are as they were paid.
    pub(super) fn under(
        &self,
        conn: &mut Conn,
        plan: &Plan,
        carried: Carried,
        mut orders: Option<Orders<'_>>,
    ) -> Result<Under, CalculationProblem> {
        let people = self.trees.people(conn, plan, self.period)?;
        let mut gatherer = Gatherer::new(conn, plan, &people)?;
        gatherer.paid_to = Some(BTreeMap::new());
        each_page(conn, &self.scope, |conn, page| {
            let Some(orders) = &mut orders else { return gatherer.page(conn, page) };
            for fact in page {
                if gatherer.fact(fact)? {
                    orders.calculate(fact, &mut gatherer, &self.scope)?;
                }
            }
            Ok(())
        })?;
        let mut paid_to = gatherer.paid_to.take().unwrap_or_default();
        let (sold, counts) = gatherer.finish();
        let input = PeriodInput { span: &span(self.period), people: &people, sold: &sold, carried: &carried };
        let result = calculate_period(plan, input)?;
        add_awards(&mut paid_to, &people, &result)?;
        let cost = cost(&sold, &result, counts)?;
        Ok(Under { people, cost, paid_to, result })
    }

    fn compare(
        &self,
        (held, as_held): (&Plan, &Under),
        (other, as_other): (&Plan, &Under),
    ) -> Result<PeriodUnder, CalculationProblem> {
        let difference = as_other.cost.total()?.sub(as_held.cost.total()?)?;
        Ok(PeriodUnder {
            period: self.period.name.clone(),
            currency: other.currency().to_string(),
            held: as_held.cost.clone(),
            other: as_other.cost.clone(),
            difference,
            earners: differences(&as_held.paid_to, &as_other.paid_to)?,
            ranks: ranks((held, as_held), (other, as_other)),
        })
    }
}

impl Under {
    /// What everybody was paid at the close alone.
    pub(super) fn awarded(&self) -> Result<BTreeMap<DistributorId, Fixed>, TooLarge> {
        let mut sums = BTreeMap::new();
        add_awards(&mut sums, &self.people, &self.result)?;
        Ok(sums)
    }
}

fn add_awards(
    sums: &mut BTreeMap<DistributorId, Fixed>,
    people: &People,
    result: &PeriodResult,
) -> Result<(), TooLarge> {
    for award in &result.awards {
        let Some(id) = people.id(award.person) else { continue };
        let sum = sums.entry(id.clone()).or_default();
        *sum = sum.add(award.amount)?;
    }
    Ok(())
}

/// Whose sum is another one, the greatest difference first.
pub(super) fn differences(
    held: &BTreeMap<DistributorId, Fixed>,
    other: &BTreeMap<DistributorId, Fixed>,
) -> Result<Vec<Winner>, TooLarge> {
    let mut sums: BTreeMap<&DistributorId, (Fixed, Fixed)> = BTreeMap::new();
    for (id, paid) in held {
        sums.entry(id).or_default().0 = *paid;
    }
    for (id, paid) in other {
        sums.entry(id).or_default().1 = *paid;
    }
    let mut winners = vec![];
    for (id, (held, other)) in sums {
        let difference = other.sub(held)?;
        if !difference.is_zero() {
            winners.push(Winner { distributor_id: id.clone(), held, other, difference });
        }
    }
    winners.sort_by_key(|winner| {
        (std::cmp::Reverse(winner.difference.0.unsigned_abs()), winner.distributor_id.clone())
    });
    Ok(winners)
}

fn cost(sold: &Gathered, result: &PeriodResult, counts: Counts) -> Result<Cost, CalculationProblem> {
    let cv = Fixed::sum(sold.get(&Measure::of(VolumeKind::Cv)).iter().copied())?;
    let paid = Fixed::sum(result.awards.iter().map(|award| award.amount))?;
    let paid_by_orders = counts.paid_by_orders;
    Ok(Cost { cv, paid, paid_by_orders, share: share(paid.add(paid_by_orders)?, cv)?, counts })
}

impl Cost {
    fn total(&self) -> Result<Fixed, CalculationProblem> {
        Ok(self.paid.add(self.paid_by_orders)?)
    }
}

/// Only where both plans decide ranks is there anything to compare.
pub(super) fn ranks((held, as_held): (&Plan, &Under), (other, as_other): (&Plan, &Under)) -> Vec<RankChange> {
    let mut changes = vec![];
    for person in as_held.people.sorted() {
        let Some(id) = as_held.people.id(*person) else { continue };
        let before = paid_as(held, as_held, Some(*person));
        let after = paid_as(other, as_other, as_other.people.find(id));
        if before != after {
            changes.push(RankChange { distributor_id: id.clone(), held: before, other: after });
        }
    }
    changes
}

fn paid_as(plan: &Plan, under: &Under, person: Option<u32>) -> Option<String> {
    let rank = under.result.standings.paid_as.get(index(person?)).copied().filter(|rank| *rank != NO_RANK)?;
    plan.ranks().get(usize::from(rank)).cloned()
}
