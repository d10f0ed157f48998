//! An adjustment: what later facts change of closed periods, one after the other in the order of time.
//!
//! A closed period is calculated again when something was told of its orders since, or when the period before
//! leaves it something else. What it should have paid by its plan's refund policy, less everything that was posted
//! for it so far, is what the adjustment posts into the open period.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::calculate::{Loaded, Pinned, Progress, Recalculated, span};
use super::problem::CalculationProblem;
use super::repo::carried::carried as stored;
use super::repo::periods::{self, Period};
use super::repo::runs::{self, Run, RunPeriod};
use super::repo::{changed, posted};
use super::rows::{AwardRow, PoolRow, Rows};
use super::scope::Scope;
use super::words::{RunStage, Status};
use crate::core::fixed::Fixed;
use crate::core::journal::Seal;
use crate::core::period::{Carried, NamedAward, PeriodEvent, adjusted, difference};
use crate::core::plan::Plan;
use crate::db::{Conn, DbError};
use crate::plans::Published;

/// What an adjustment changes of a closed period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    pub period: String,
    /// Of refunds, as the period's plan says: now, same_period or average_rate.
    pub policy: String,
    pub awards: usize,
    /// Below zero where more is taken back than is given.
    pub amount: Fixed,
    /// Orders of distributors who were not known when the period was frozen: they count for nothing.
    #[serde(default)]
    pub unknown_distributor: i64,
}

/// What an adjustment has found.
pub struct Adjusted {
    pub rows: Rows,
    pub corrected: Vec<Corrected>,
    /// The period that was asked for, as it should be now.
    pub kept: Option<Recalculated>,
}

pub fn calculate(
    conn: &mut Conn,
    run: &Run,
    periods: &[Period],
    published: &Published,
    keep: Option<Uuid>,
    progress: &mut Progress<'_>,
) -> Result<Adjusted, CalculationProblem> {
    let found = Adjusted { rows: Rows::default(), corrected: vec![], kept: None };
    let mut work = Work { run, published, keep, left: None, found };
    let mut before: Option<&Period> = None;
    for period in periods {
        // A run that is proven later sees only the periods that were closed when it was made.
        if period.status != Status::Closed {
            break;
        }
        work.period(conn, period, before, progress)?;
        before = Some(period);
    }
    let mut found = work.found;
    found.rows.hash = hash(&found.rows);
    Ok(found)
}

/// Whether a closed period has to be calculated again: its orders or what the period before leaves it have changed
/// since the last run that was posted for it.
fn is_stale(
    conn: &mut Conn,
    period: &Period,
    scope: &Scope,
    carried_run: Option<Uuid>,
    based_on: i32,
) -> Result<bool, DbError> {
    let Some(last) = runs::last_of_period(conn, period.period_id, based_on)? else { return Ok(false) };
    Ok(carried_run != last.carried_run_id || changed::is_changed(conn, scope, last.cutoff_seq)?)
}

/// Closed periods with which an adjustment would begin, the oldest first: what they leave may change later ones too.
pub fn changed_since(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let (all, last) = (periods::all(conn)?, runs::last_posted(conn)?);
    let mut stale = vec![];
    let mut before: Option<&Period> = None;
    for period in all.iter().take_while(|period| period.status == Status::Closed) {
        let carried_run = match before {
            Some(before) => runs::carry_of(conn, before.period_id, last)?,
            None => None,
        };
        if is_stale(conn, period, &Scope::of(period, before, i64::MAX), carried_run, last)? {
            stale.push(period.name.clone());
        }
        before = Some(period);
    }
    Ok(stale)
}

struct Work<'a> {
    run: &'a Run,
    published: &'a Published,
    keep: Option<Uuid>,
    /// What the period before leaves, where this run says it anew.
    left: Option<Carried>,
    found: Adjusted,
}

impl Work<'_> {
    fn period(
        &mut self,
        conn: &mut Conn,
        period: &Period,
        before: Option<&Period>,
        progress: &mut Progress<'_>,
    ) -> Result<(), CalculationProblem> {
        let left = self.left.take();
        let scope = Scope::of(period, before, self.run.cutoff_seq);
        let carried_run = match (&left, before) {
            (Some(_), _) => Some(self.run.run_id),
            (None, Some(before)) => runs::carry_of(conn, before.period_id, self.run.based_on)?,
            (None, None) => None,
        };
        if !is_stale(conn, period, &scope, carried_run, self.run.based_on)? {
            return Ok(());
        }
        let closed = Closed::load(conn, period, before, self, progress)?;
        let carried = match (left, carried_run.zip(before)) {
            (Some(left), _) => left,
            (None, Some((run, before))) => stored(conn, run, before.period_id)?,
            (None, None) => Carried::default(),
        };
        self.correct(conn, closed, scope, (carried, carried_run), progress)
    }

    /// Calculates the period with the newest facts, and what that changes.
    fn correct(
        &mut self,
        conn: &mut Conn,
        closed: Closed<'_>,
        scope: Scope,
        (carried, carried_run): (Carried, Option<Uuid>),
        progress: &mut Progress<'_>,
    ) -> Result<(), CalculationProblem> {
        let Closed { mut pinned, official } = closed;
        let Recalculated { plan, people, result: first, .. } = official;
        pinned.scope = scope;
        let (sold, counts) = pinned.gather(conn, &plan, &people, progress)?;
        progress(RunStage::Calculating, 0, 0)?;
        let newest = Loaded { plan, span: span(pinned.period), people, sold, carried, counts };
        let wanted = adjusted(&newest.plan, &first, newest.input())?;
        let now = newest.with(wanted);
        let period_id = pinned.period.period_id;
        let (awards, pools) = self.owed(conn, period_id, &now)?;
        let left_before = runs::carry_of(conn, period_id, self.run.based_on)?;
        let left_before = left_before.map(|run| stored(conn, run, period_id)).transpose()?;
        let carries = left_before.as_ref() != Some(&now.result.next);
        let found = &mut self.found;
        let row = RunPeriod { carried_run_id: carried_run, ..now.period_row(&pinned, carries) };
        found.rows.periods.push(row);
        if carries {
            found.rows.standings.extend(now.standing_rows(period_id));
            found.rows.lots.extend(now.lot_rows(period_id));
            self.left = Some(now.result.next.clone());
        }
        found.corrected.push(Corrected {
            period: pinned.period.name.clone(),
            policy: policy(&now.plan).to_owned(),
            awards: awards.len(),
            amount: Fixed::sum(awards.iter().map(|award| award.amount))?,
            unknown_distributor: now.counts.unknown_distributor,
        });
        found.rows.awards.extend(awards);
        found.rows.pools.extend(pools);
        if self.keep == Some(period_id) {
            found.kept = Some(now);
        }
        Ok(())
    }

    /// What is wanted, less what was posted.
    fn owed(
        &self,
        conn: &mut Conn,
        period_id: Uuid,
        now: &Recalculated,
    ) -> Result<(Vec<AwardRow>, Vec<PoolRow>), CalculationProblem> {
        let posted = posted::awards(conn, period_id, self.run.based_on)?;
        let wanted = now.result.named(&now.plan, &now.people);
        let events = difference(&now.plan, &posted, &wanted)?;
        let bases = Bases::of(&posted, &wanted);
        let row = |event| bases.row(period_id, event);
        let awards = events.into_iter().map(row).collect::<Result<Vec<AwardRow>, _>>()?;
        let mut pools = pools(posted::pools(conn, period_id, self.run.based_on)?, now.pool_rows(period_id)?)?;
        pools.retain(|pool| !pool.is_zero() || awards.iter().any(|award| award.bonus == pool.bonus));
        Ok((awards, pools))
    }
}

/// The period as its official run had it.
struct Closed<'p> {
    pinned: Pinned<'p>,
    official: Recalculated,
}

impl<'p> Closed<'p> {
    fn load(
        conn: &mut Conn,
        period: &'p Period,
        before: Option<&Period>,
        work: &Work<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Self, CalculationProblem> {
        let damaged = || DbError::Damaged(format!("the official run of period {}", period.name));
        let run_id = period.run_id.ok_or_else(damaged)?;
        let row = runs::run_periods(conn, run_id)?;
        let row = row.into_iter().find(|row| row.period_id == period.period_id).ok_or_else(damaged)?;
        let pinned = Pinned {
            period,
            scope: Scope::of(period, before, row.cutoff_seq),
            known_at: row.known_at,
            plan: row.plan()?,
            carried: row.carried_run_id.zip(before.map(|before| before.period_id)),
        };
        let official = pinned.load(conn, work.published, progress)?.calculate()?;
        if row.result_hash.as_deref() != Some(official.hash().as_slice()) {
            return Err(CalculationProblem::Refused(format!(
                "period {} calculated again is not what was posted; `upline replay --check` says where",
                period.name
            )));
        }
        Ok(Self { pinned, official })
    }
}

type Key<'a> = (&'a str, &'a str, &'a str);

/// How the base behind each award has changed.
struct Bases<'a>(BTreeMap<Key<'a>, (Fixed, Fixed)>);

impl<'a> Bases<'a> {
    fn of(posted: &'a [NamedAward], wanted: &'a [NamedAward]) -> Self {
        let mut bases: BTreeMap<Key<'a>, (Fixed, Fixed)> = BTreeMap::new();
        let key = |award: &'a NamedAward| {
            (award.bonus.as_str(), award.distributor.as_str(), award.position.as_str())
        };
        for award in posted {
            bases.entry(key(award)).or_default().0 = award.base;
        }
        for award in wanted {
            bases.entry(key(award)).or_default().1 = award.base;
        }
        Self(bases)
    }

    fn row(&self, period_id: Uuid, event: PeriodEvent) -> Result<AwardRow, CalculationProblem> {
        let key = (event.bonus.as_str(), event.distributor.as_str(), event.position.as_str());
        let (posted, wanted) = self.0.get(&key).copied().unwrap_or_default();
        Ok(AwardRow {
            period_id,
            base: wanted.sub(posted)?,
            bonus: event.bonus,
            distributor: event.distributor,
            position: event.position,
            earned: event.amount,
            amount: event.amount,
            kind: Some(event.kind),
        })
    }
}

/// By bonus: what the pools hold now, less what was posted of them.
fn pools(posted: Vec<PoolRow>, wanted: Vec<PoolRow>) -> Result<Vec<PoolRow>, CalculationProblem> {
    let mut sums: BTreeMap<String, (Option<PoolRow>, Option<PoolRow>)> = BTreeMap::new();
    for pool in posted {
        let sum = sums.entry(pool.bonus.clone()).or_default();
        sum.0 = Some(pool);
    }
    for pool in wanted {
        let sum = sums.entry(pool.bonus.clone()).or_default();
        sum.1 = Some(pool);
    }
    let mut rows = vec![];
    for (posted, wanted) in sums.into_values() {
        let nothing = |pool: &PoolRow| PoolRow {
            pool: Fixed::ZERO,
            paid: Fixed::ZERO,
            breakage: Fixed::ZERO,
            rounding: Fixed::ZERO,
            ..pool.clone()
        };
        let row = match (&posted, &wanted) {
            (Some(posted), Some(wanted)) => wanted.less(posted)?,
            (None, Some(wanted)) => wanted.clone(),
            (Some(posted), None) => nothing(posted).less(posted)?,
            (None, None) => continue,
        };
        rows.push(row);
    }
    Ok(rows)
}

/// Over the results of all corrected periods and everything that is posted for them.
fn hash(rows: &Rows) -> [u8; 32] {
    let mut seal = Seal::default();
    for period in &rows.periods {
        seal.bytes(period.period_id.as_bytes());
        seal.bytes(period.result_hash.as_deref().unwrap_or_default());
    }
    for award in &rows.awards {
        for text in [&award.bonus, &award.distributor.0, &award.position] {
            seal.text(text);
        }
        seal.integer(award.amount.0);
    }
    seal.finish()
}

fn policy(plan: &Plan) -> &'static str {
    use crate::core::plan::RefundPolicy;
    match plan.refunds() {
        RefundPolicy::Now => "now",
        RefundPolicy::SamePeriod => "same_period",
        RefundPolicy::AverageRate => "average_rate",
    }
}
