//! Why a commission event of a run is what it is: from everybody's volume to the posting.
//!
//! The run is calculated again from what it was pinned to, and the bonus says itself what the award is made of: by
//! the same rules that paid it.

use std::fmt;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::explain::told;
use crate::commissions::{self, StoredEvent};
use crate::core::bonus::Pays;
use crate::core::engine::Visited;
use crate::core::fixed::{Exact, Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{NO_RANK, PeriodAward, Source, index};
use crate::core::plan::RefundPolicy;
use crate::db::{Conn, DbError};
use crate::ledger;
use crate::periods::{self, CalculationProblem, Period, Recalculated, Run, RunKind, StoredAward};
use crate::plans::Plans;

/// Everything that made one commission event of a run. Amounts are in `currency`.
#[derive(Clone, Debug, Serialize)]
pub struct RunExplanation {
    pub event_id: Uuid,
    pub distributor_id: String,
    pub bonus: String,
    /// Of a binary or a matrix; empty otherwise.
    pub position: String,
    pub amount: Decimal,
    pub currency: String,
    pub kind: String,
    pub created_at: DateTime<Utc>,
    pub run_id: Uuid,
    pub run_kind: String,
    /// The period that it is posted into, and the one that it is of: another one for an adjustment.
    pub posted_into: String,
    pub period: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub plan_name: String,
    pub plan_hash: String,
    pub result_hash: String,
    pub standing: StandingTold,
    /// What the period pays as this run has it. `None`: nothing any more.
    pub award: Option<AwardTold>,
    /// Of an adjustment under a plan that takes refunds back at the average rate: what the award is then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageTold>,
    /// Posted for the period by earlier runs.
    pub posted_before: Decimal,
    /// What the award is made of, the greatest part first.
    pub sources: Vec<SourceTold>,
    /// Parts that are too many to be named.
    pub more_sources: usize,
    /// The sum of all parts before rounding.
    pub exact: Decimal,
    /// The ways of the greatest parts: everybody they came to and why that one was paid or not.
    pub traces: Vec<Trace>,
    pub pool: Option<PoolTold>,
    /// `run_id/number`
    pub journal_entry: String,
}

/// How the earner stood in the period.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StandingTold {
    pub active: bool,
    /// Whether it meets what the bonus asks.
    pub eligible: bool,
    pub rank: Option<String>,
    pub pv: Fixed,
    pub gv: Fixed,
    pub pgv: Fixed,
}

#[derive(Clone, Debug, Serialize)]
pub struct AwardTold {
    pub base: Fixed,
    /// Rounded, before cuts.
    pub earned: Fixed,
    pub cuts: Vec<CutTold>,
    pub amount: Fixed,
}

/// `paid` by the run that closed the period, times what is left of its base.
#[derive(Clone, Debug, Serialize)]
pub struct AverageTold {
    pub paid: Decimal,
    pub base_then: Decimal,
    pub base_now: Fixed,
    /// Before rounding.
    pub exact: Decimal,
}

#[derive(Clone, Debug, Serialize)]
pub struct CutTold {
    pub by: String,
    pub amount: Fixed,
}

#[derive(Clone, Debug, Serialize)]
pub struct SourceTold {
    pub distributor_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub position: String,
    pub level: u16,
    pub base: Fixed,
    pub rate: Decimal,
    pub exact: Decimal,
    /// The period that the volume is of, where it is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    pub source: String,
    pub steps: Vec<Visited>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PoolTold {
    pub pool: Fixed,
    pub paid: Fixed,
    pub breakage: Fixed,
    pub rounding: Fixed,
}

const SOURCES: usize = 50;
const TRACES: usize = 5;

/// `None` when there is no such event, or when it is of an order: see [`super::explain`].
pub fn explain_run(conn: &mut Conn, event_id: Uuid) -> Result<Option<RunExplanation>, CalculationProblem> {
    let Some(event) = commissions::event(conn, event_id)? else { return Ok(None) };
    let Some(run) = periods::run(conn, event.order_id)? else { return Ok(None) };
    let damaged = || DbError::Damaged(format!("commission event {event_id} has no award"));
    let award_no = periods::award_no(event_id);
    let award = periods::awards(conn, run.run_id, award_no - 1, 1)?.into_iter().next().ok_or_else(damaged)?;
    let all = periods::periods(conn)?;
    let period = all.into_iter().find(|period| period.period_id == award.period_id).ok_or_else(damaged)?;
    let published = Plans::default().get(conn)?;
    let found = periods::recalculate(conn, &published, &run, period.period_id)?.ok_or_else(damaged)?;
    let posted_before = periods::posted_before(conn, &run, &award)?;
    let is_average = run.kind == RunKind::Adjustment && found.plan.refunds() == RefundPolicy::AverageRate;
    let closed = match (period.run_id, is_average) {
        (Some(closed), true) => periods::award_like(conn, closed, &award)?,
        _ => None,
    };
    Ok(Some(Told { event, run, award, period, closed, found: &found }.explain(posted_before)?))
}

struct Told<'a> {
    event: StoredEvent,
    run: Run,
    award: StoredAward,
    period: Period,
    /// The same award of the run that closed the period, where the new one is a share of it.
    closed: Option<StoredAward>,
    found: &'a Recalculated,
}

impl Told<'_> {
    fn explain(self, posted_before: Decimal) -> Result<RunExplanation, TooLarge> {
        let person = self.found.people.find(&DistributorId::new(self.award.distributor_id.as_str()));
        let award = self.award(person);
        let average = self.average(award.as_ref());
        let (mut sources, traces) =
            if average.is_some() { Default::default() } else { self.sources(person)? };
        let exact = sources.iter().try_fold(Exact::ZERO, |sum, source| sum.add(source.exact))?.decimal()?;
        let more_sources = sources.len().saturating_sub(SOURCES);
        sources.truncate(SOURCES);
        let told = sources.iter().map(|source| self.source(source)).collect::<Result<_, _>>()?;
        Ok(RunExplanation {
            standing: person.map(|person| self.standing(person)).unwrap_or_default(),
            award,
            average,
            posted_before: posted_before.normalize(),
            sources: told,
            more_sources,
            exact: exact.normalize(),
            traces,
            pool: self.pool(),
            journal_entry: ledger::reference(self.run.run_id, self.event.calculation_no),
            event_id: self.event.event_id,
            distributor_id: self.event.distributor_id,
            bonus: self.event.bonus,
            position: self.award.position,
            amount: self.event.amount.normalize(),
            currency: self.event.currency,
            kind: self.event.kind,
            created_at: self.event.created_at,
            run_id: self.run.run_id,
            run_kind: self.run.kind.name().to_owned(),
            posted_into: self.run.period,
            period: self.period.name,
            starts_at: self.period.starts_at,
            ends_at: self.period.ends_at,
            plan_name: self.found.plan.name().to_owned(),
            plan_hash: self.found.plan.hash().to_string(),
            result_hash: self.run.result_hash.unwrap_or_default(),
        })
    }

    /// The parts of the award, the greatest first, and the ways of the greatest.
    fn sources(&self, person: Option<u32>) -> Result<(Vec<Source>, Vec<Trace>), TooLarge> {
        let (Some(person), Some((bonus, at, earnings))) = (person, self.found.bonus(&self.event.bonus)?)
        else {
            return Ok((vec![], vec![]));
        };
        if bonus.pays == Pays::Order {
            return Ok((vec![], vec![]));
        }
        let stage = self.found.stage(at, &earnings);
        let rules = bonus.period_rules();
        let mut sources = rules.sources(bonus, &stage, person)?;
        sources.retain(|source| self.is_of_position(source));
        sources.sort_by_key(|source| (std::cmp::Reverse(source.exact), source.level, source.person));
        let trace = |source: &Source| Trace {
            source: self.found.id(source.person).0,
            steps: rules.trace(bonus, &stage, source.person),
        };
        let traces = sources.iter().take(TRACES).map(trace).filter(|trace| !trace.steps.is_empty()).collect();
        Ok((sources, traces))
    }

    /// A source of a binary or a matrix names the position that it paid.
    fn is_of_position(&self, source: &Source) -> bool {
        let paid = source.position.and_then(|position| self.found.people.positions.id(position));
        self.award.position.is_empty() || paid.is_none_or(|paid| paid == self.award.position)
    }

    fn source(&self, source: &Source) -> Result<SourceTold, TooLarge> {
        let position = source.position.and_then(|position| self.found.people.positions.id(position));
        Ok(SourceTold {
            distributor_id: self.found.id(source.person).0,
            position: position.unwrap_or_default().to_owned(),
            level: source.level,
            base: source.base,
            rate: source.rate.decimal(),
            exact: source.exact.decimal()?.normalize(),
            period: source.period.clone(),
        })
    }

    fn standing(&self, person: u32) -> StandingTold {
        let (plan, standings) = (&self.found.plan, &self.found.result.standings);
        let volume = |of: &[Fixed]| of.get(index(person)).copied().unwrap_or_default();
        let at = plan.bonuses().iter().zip(0u16..).find(|(bonus, _)| bonus.id == self.event.bonus);
        let rank = Some(standings.rank(person)).filter(|rank| *rank != NO_RANK);
        StandingTold {
            active: standings.active.get(index(person)).copied().unwrap_or(false),
            eligible: at.is_none_or(|(_, at)| standings.is_eligible(at, person)),
            rank: rank.and_then(|rank| plan.ranks().get(usize::from(rank)).cloned()),
            pv: volume(&standings.pv),
            gv: volume(&standings.gv),
            pgv: volume(&standings.pgv),
        }
    }

    fn award(&self, person: Option<u32>) -> Option<AwardTold> {
        let result = &self.found.result;
        let is_ours = |award: &PeriodAward| {
            let position = award.position.and_then(|position| self.found.people.positions.id(position));
            Some(award.person) == person
                && self.found.plan.award_name(award.bonus) == self.event.bonus
                && position.unwrap_or_default() == self.award.position
        };
        let (at, award) = (0u32..).zip(&result.awards).find(|(_, award)| is_ours(award))?;
        let cuts = result.cuts.iter().filter(|cut| cut.award == at);
        let cuts = cuts.map(|cut| CutTold { by: cut.by.clone(), amount: cut.amount }).collect();
        Some(AwardTold { base: award.base, earned: award.earned, cuts, amount: award.amount })
    }

    /// What was not paid before has no average: its sources say it.
    fn average(&self, award: Option<&AwardTold>) -> Option<AverageTold> {
        let (closed, award) = (self.closed.as_ref()?, award?);
        let exact = closed.amount.checked_mul(award.base.decimal())?.checked_div(closed.base)?;
        Some(AverageTold {
            paid: closed.amount.normalize(),
            base_then: closed.base.normalize(),
            base_now: award.base,
            exact: exact.normalize(),
        })
    }

    fn pool(&self) -> Option<PoolTold> {
        let mut pools = self.found.result.pools.iter();
        let pool = pools.find(|pool| self.found.plan.award_name(pool.bonus) == self.event.bonus)?;
        Some(PoolTold { pool: pool.pool, paid: pool.paid, breakage: pool.breakage, rounding: pool.rounding })
    }
}

impl RunExplanation {
    /// What should stand after this run.
    pub fn target(&self) -> Decimal {
        self.award.as_ref().map_or(Decimal::ZERO, |award| award.amount.decimal())
    }
}

/// The same as plain text, for the terminal and for support.
impl fmt::Display for RunExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "commission event {}", self.event_id)?;
        writeln!(
            f,
            "  {} {} {} to distributor {}: {}{}",
            self.kind,
            self.amount,
            self.currency,
            self.distributor_id,
            self.bonus,
            if self.position.is_empty() { String::new() } else { format!(" position {}", self.position) }
        )?;
        writeln!(f, "period {}, from {} up to {}", self.period, self.starts_at, self.ends_at)?;
        writeln!(f, "  {} run {}, posted into {}", self.run_kind, self.run_id, self.posted_into)?;
        writeln!(f, "  result {}", self.result_hash)?;
        writeln!(f, "plan {} ({})", self.plan_name, self.plan_hash)?;
        let StandingTold { active, eligible, rank, pv, gv, pgv } = &self.standing;
        let active = if *active { "active" } else { "not active" };
        let eligible = if *eligible { "" } else { ", does not meet what the bonus asks" };
        let rank = rank.as_deref().unwrap_or("none");
        writeln!(f, "  {active}, rank {rank}, PV {pv}, GV {gv}, PGV {pgv}{eligible}")?;
        self.fmt_sources(f)?;
        self.fmt_amount(f)?;
        writeln!(f, "posted in journal entry {} at {}", self.journal_entry, self.created_at)
    }
}

impl RunExplanation {
    fn fmt_sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for source in &self.sources {
            let SourceTold { distributor_id, level, base, rate, exact, period, .. } = source;
            let of = period.as_ref().map(|period| format!(" of {period}")).unwrap_or_default();
            let whose = if distributor_id.is_empty() { "everybody" } else { distributor_id };
            match rate.is_zero() {
                // Paid by the piece, as a cycle is, and shared among the volume behind it.
                true => writeln!(f, "  level {level}: {whose}{of} {base}, its part is {exact}")?,
                false => writeln!(f, "  level {level}: {whose}{of} {base} x {rate} = {exact}")?,
            }
        }
        if self.more_sources > 0 {
            writeln!(f, "  and {} smaller parts", self.more_sources)?;
        }
        for trace in &self.traces {
            writeln!(f, "  the way of the volume of {}", trace.source)?;
            for step in &trace.steps {
                writeln!(f, "    {}", told(step))?;
            }
        }
        Ok(())
    }

    fn fmt_amount(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(award) = &self.award {
            if !self.sources.is_empty() {
                writeln!(f, "  {} in all, {} after rounding", self.exact, award.earned)?;
            }
            if let Some(AverageTold { paid, base_then, base_now, exact }) = &self.average {
                writeln!(f, "  {paid} was paid x base {base_now} now / base {base_then} then = {exact}")?;
                writeln!(f, "  {} after rounding", award.earned)?;
            }
            for cut in &award.cuts {
                writeln!(f, "  less {} by {}", cut.amount, cut.by)?;
            }
        }
        if let Some(PoolTold { pool, paid, breakage, rounding }) = &self.pool {
            writeln!(
                f,
                "  the bonus' pool {pool} = paid {paid} + breakage {breakage} + rounding {rounding}"
            )?;
        }
        writeln!(
            f,
            "  should stand at {}, stood at {}: difference {}",
            self.target(),
            self.posted_before,
            self.amount
        )
    }
}
