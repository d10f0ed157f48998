//! One period, loaded as it was pinned and calculated: for a run, for its proof, for the question "what if".

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::gather::{Counts, Gatherer, each_page};
use super::problem::CalculationProblem;
use super::repo::carried::carried;
use super::repo::facts;
use super::repo::periods::Period;
use super::scope::Scope;
use super::words::RunStage;
use crate::core::bonus::Bonus;
use crate::core::fixed::TooLarge;
use crate::core::genealogy::Genealogy;
use crate::core::period::{
    Carried, Earnings, Gathered, People, PeriodInput, PeriodResult, Span, Stage, calculate_period,
};
use crate::core::placement::Placement;
use crate::core::plan::{Plan, PlanHash};
use crate::db::{Conn, DbError};
use crate::distributors;
use crate::plans::Published;

/// Everything that a period is calculated from.
#[derive(Debug)]
pub struct Loaded {
    pub plan: Arc<Plan>,
    pub span: Span,
    pub people: People,
    pub sold: Gathered,
    pub carried: Carried,
    pub counts: Counts,
}

/// A period with what came of it.
#[derive(Debug)]
pub struct Recalculated {
    pub plan: Arc<Plan>,
    pub span: Span,
    pub people: People,
    pub sold: Gathered,
    pub carried: Carried,
    pub counts: Counts,
    pub result: PeriodResult,
}

/// Which period, which facts, who was known when.
#[derive(Clone, Debug)]
pub struct Pinned<'a> {
    pub period: &'a Period,
    pub scope: Scope,
    pub known_at: DateTime<Utc>,
    pub plan: PlanHash,
    /// The run and the period whose standings and lots are carried into this one.
    pub carried: Option<(Uuid, Uuid)>,
}

/// Told what is done and how far it is; answers that it has to stop.
pub type Progress<'a> = dyn FnMut(RunStage, i64, i64) -> Result<(), CalculationProblem> + 'a;

impl Pinned<'_> {
    pub fn plan(&self, published: &Published) -> Result<Arc<Plan>, DbError> {
        let missing = || DbError::Damaged(format!("plan {} is not stored", self.plan));
        published.by_hash(self.plan).cloned().ok_or_else(missing)
    }

    pub fn people(&self, conn: &mut Conn, plan: &Plan) -> Result<People, DbError> {
        KnownTrees::at(conn, self.known_at)?.trees().people(conn, plan, self.period)
    }

    pub fn load(
        &self,
        conn: &mut Conn,
        published: &Published,
        progress: &mut Progress<'_>,
    ) -> Result<Loaded, CalculationProblem> {
        let plan = self.plan(published)?;
        let people = self.people(conn, &plan)?;
        let carried = match self.carried {
            Some((run, period)) => carried(conn, run, period)?,
            None => Carried::default(),
        };
        let (sold, counts) = self.gather(conn, &plan, &people, progress)?;
        Ok(Loaded { plan, span: span(self.period), people, sold, carried, counts })
    }

    pub fn gather(
        &self,
        conn: &mut Conn,
        plan: &Plan,
        people: &People,
        progress: &mut Progress<'_>,
    ) -> Result<(Gathered, Counts), CalculationProblem> {
        let total = facts::about(conn, &self.scope)?;
        progress(RunStage::Loading, 0, total)?;
        let mut gatherer = Gatherer::new(conn, plan, people)?;
        let mut read = 0;
        each_page(conn, &self.scope, |conn, page| {
            gatherer.page(conn, page)?;
            read += i64::try_from(page.len()).unwrap_or(0);
            progress(RunStage::Loading, read, total.max(read))
        })?;
        Ok(gatherer.finish())
    }
}

/// Both trees as they were known at an instant.
pub struct KnownTrees {
    genealogy: Genealogy,
    placement: Placement,
    known_at: DateTime<Utc>,
}

impl KnownTrees {
    /// What was recorded later is not in them.
    pub fn at(conn: &mut Conn, known_at: DateTime<Utc>) -> Result<Self, DbError> {
        let genealogy = distributors::genealogy_known_at(conn, known_at)?;
        Ok(Self { genealogy, placement: distributors::placement_known_at(conn, known_at)?, known_at })
    }

    pub fn trees(&self) -> Trees<'_> {
        Trees { genealogy: &self.genealogy, placement: &self.placement, known_at: self.known_at }
    }
}

/// Who is above whom, by sponsors and by positions.
#[derive(Clone, Copy, Debug)]
pub struct Trees<'a> {
    pub genealogy: &'a Genealogy,
    pub placement: &'a Placement,
    known_at: DateTime<Utc>,
}

/// After everything that anybody can have recorded.
const ALL_KNOWLEDGE: i64 = 253_402_300_799;

impl<'a> Trees<'a> {
    /// With all that is known by now.
    pub fn now(genealogy: &'a Genealogy, placement: &'a Placement) -> Self {
        Self { genealogy, placement, known_at: all_knowledge() }
    }

    /// Everybody as they stood when the period ended, with positions where the plan has a tree of them. Where the
    /// plan decides ranks, a person's own one is what was given by hand: what an earlier close has decided is
    /// carried, and would otherwise never be lost again.
    pub fn people(&self, conn: &mut Conn, plan: &Plan, period: &Period) -> Result<People, DbError> {
        let at = last_instant(period);
        let positions = plan.placement().map(|_| self.placement.at(at));
        let mut people = People::at(self.genealogy, at, plan.ranks(), positions.unwrap_or_default());
        if plan.rank_rules().decide() {
            people.forget_ranks(&distributors::decided_ranks(conn, at, self.known_at)?);
        }
        Ok(people)
    }
}

pub fn all_knowledge() -> DateTime<Utc> {
    DateTime::<Utc>::from_timestamp(ALL_KNOWLEDGE, 0).unwrap_or_default()
}

/// The period does not contain its end.
pub fn last_instant(period: &Period) -> DateTime<Utc> {
    period.ends_at - TimeDelta::microseconds(1)
}

pub fn span(period: &Period) -> Span {
    Span { start: period.starts_at, end: period.ends_at, name: period.name.clone() }
}

impl Loaded {
    pub fn input(&self) -> PeriodInput<'_> {
        PeriodInput { span: &self.span, people: &self.people, sold: &self.sold, carried: &self.carried }
    }

    pub fn calculate(self) -> Result<Recalculated, CalculationProblem> {
        let result = calculate_period(&self.plan, self.input())?;
        Ok(self.with(result))
    }

    pub fn with(self, result: PeriodResult) -> Recalculated {
        let Self { plan, span, people, sold, carried, counts } = self;
        Recalculated { plan, span, people, sold, carried, counts, result }
    }
}

impl Recalculated {
    pub fn input(&self) -> PeriodInput<'_> {
        PeriodInput { span: &self.span, people: &self.people, sold: &self.sold, carried: &self.carried }
    }

    pub fn hash(&self) -> [u8; 32] {
        self.result.hash(&self.plan, &self.people)
    }

    /// The bonus of an id with its place in the plan, and what was earned before its phase: what
    /// [`Recalculated::stage`] needs. `None` for a deduction.
    pub fn bonus(&self, id: &str) -> Result<Option<(&Bonus, u16, Earnings)>, TooLarge> {
        let found = self.plan.bonuses().iter().zip(0u16..).find(|(bonus, _)| bonus.id == id);
        let Some((bonus, at)) = found else { return Ok(None) };
        let earnings = Earnings::before(&self.plan, self.input(), &self.result, bonus.phase())?;
        Ok(Some((bonus, at, earnings)))
    }

    /// The stage on which a bonus was calculated, for its explanation.
    pub fn stage<'a>(&'a self, at: u16, earnings: &'a Earnings) -> Stage<'a> {
        Stage {
            plan: &self.plan,
            bonus: at,
            input: self.input(),
            standings: &self.result.standings,
            earnings,
        }
    }
}
