//! Orders calculated again under another plan, each on its upline as it stood.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::core::engine::{CommissionLine, CommissionOrder, calculate_order, upline_of};
use crate::core::fixed::Fixed;
use crate::core::genealogy::Genealogy;
use crate::core::ids::DistributorId;
use crate::core::plan::Plan;
use crate::db::DbError;
use crate::periods::gather::{Gatherer, Line};
use crate::periods::problem::CalculationProblem;
use crate::periods::repo::facts::Fact;
use crate::periods::scope::Scope;

pub struct Orders<'a> {
    plan: &'a Plan,
    genealogy: &'a Genealogy,
    volumes: Volumes,
}

impl<'a> Orders<'a> {
    pub fn new(plan: &'a Plan, genealogy: &'a Genealogy) -> Self {
        Self { plan, genealogy, volumes: Volumes::default() }
    }

    /// Facts come in the order of time. Lines of a class that the plan does not know earn nothing.
    pub fn calculate(
        &mut self,
        fact: &Fact,
        gatherer: &mut Gatherer<'_>,
        scope: &Scope,
    ) -> Result<(), CalculationProblem> {
        let distributor = DistributorId::new(fact.distributor_id.as_str());
        let Some(node) = self.genealogy.node(&distributor) else { return Ok(()) };
        // A late order stands outside of its time: what was sold up to it is not known here.
        let is_late = fact.ordered_at < scope.starts_at;
        if !is_late {
            self.volumes.go_to(self.plan, fact.ordered_at);
        }
        let volumes = &self.volumes;
        let pv = |id: &DistributorId| if is_late { Decimal::ZERO } else { volumes.of(id) };
        let upline = upline_of(self.plan, self.genealogy, node, fact.ordered_at, pv);
        let lines = self.lines(fact)?;
        let order = CommissionOrder {
            currency: self.plan.currency(),
            ordered_at: fact.ordered_at,
            store: gatherer.store(fact),
            lines: &lines,
        };
        let calculation = calculate_order(self.plan, &order, &upline)
            .map_err(|refusal| CalculationProblem::Refused(format!("order {}: {refusal}", fact.order_id)))?;
        for award in &calculation.awards {
            gatherer.emitted(&award.bonus, award.distributor.clone(), Fixed::of(award.amount)?)?;
        }
        if !is_late {
            let pv = calculation.lines.iter().map(|line| line.volumes.pv).sum();
            self.volumes.add(distributor, pv);
        }
        Ok(())
    }

    fn lines(&self, fact: &Fact) -> Result<Vec<CommissionLine>, CalculationProblem> {
        let lines: Vec<Line<'_>> = serde_json::from_str(&fact.lines).map_err(DbError::from)?;
        let known = lines.into_iter().filter(|line| self.plan.class(&line.class).is_some());
        Ok(known
            .map(|line| CommissionLine {
                line: line.line.into_owned(),
                class: line.class.into_owned(),
                net: line.net,
                sold: line.sold,
                quantity: line.quantity,
            })
            .collect())
    }
}

/// Personal volumes so far in the period of the plan.
#[derive(Default)]
struct Volumes {
    since: Option<DateTime<Utc>>,
    at: Option<DateTime<Utc>>,
    sums: HashMap<DistributorId, Decimal>,
    /// Of orders of this very instant, which do not count for each other.
    waiting: Vec<(DistributorId, Decimal)>,
}

impl Volumes {
    fn go_to(&mut self, plan: &Plan, at: DateTime<Utc>) {
        if self.at == Some(at) {
            return;
        }
        for (distributor, pv) in self.waiting.drain(..) {
            *self.sums.entry(distributor).or_default() += pv;
        }
        let since = plan.period().bounds(at).map(|(since, _)| since);
        if since != self.since {
            self.sums.clear();
        }
        (self.at, self.since) = (Some(at), since);
    }

    fn of(&self, distributor: &DistributorId) -> Decimal {
        self.sums.get(distributor).copied().unwrap_or_default()
    }

    fn add(&mut self, distributor: DistributorId, pv: Decimal) {
        self.waiting.push((distributor, pv));
    }
}
