//! A run of one period: official or unofficial.

use super::calculate::{Pinned, Progress, Recalculated};
use super::problem::CalculationProblem;
use super::repo::periods::Period;
use super::repo::runs::{self, Run};
use super::rows::Rows;
use super::scope::Scope;
use super::words::RunStage;
use crate::db::{Conn, DbError};
use crate::plans::Published;

/// The period of an id among all, with the one before it.
pub fn find(periods: &[Period], period_id: uuid::Uuid) -> Result<(&Period, Option<&Period>), DbError> {
    let missing = || DbError::Damaged(format!("period {period_id} of a run"));
    let at = periods.iter().position(|period| period.period_id == period_id).ok_or_else(missing)?;
    let before = at.checked_sub(1).and_then(|at| periods.get(at));
    Ok((periods.get(at).ok_or_else(missing)?, before))
}

/// What the run of one period is pinned to.
pub fn pinned<'p>(
    conn: &mut Conn,
    run: &Run,
    periods: &'p [Period],
) -> Result<Pinned<'p>, CalculationProblem> {
    let (period, before) = find(periods, run.period_id)?;
    let row = runs::run_periods(conn, run.run_id)?.into_iter().find(|row| row.period_id == period.period_id);
    let carried = row.and_then(|row| row.carried_run_id);
    Ok(Pinned {
        period,
        scope: Scope::of(period, before, run.cutoff_seq),
        known_at: run.known_at,
        plan: run.plan()?,
        carried: carried.zip(before.map(|before| before.period_id)),
    })
}

pub fn calculate(
    conn: &mut Conn,
    run: &Run,
    periods: &[Period],
    published: &Published,
    progress: &mut Progress<'_>,
) -> Result<(Recalculated, Rows), CalculationProblem> {
    let pinned = pinned(conn, run, periods)?;
    let loaded = pinned.load(conn, published, progress)?;
    progress(RunStage::Calculating, 0, 0)?;
    let recalculated = loaded.calculate()?;
    let period_id = pinned.period.period_id;
    let rows = Rows {
        awards: recalculated.award_rows(period_id),
        cuts: recalculated.cut_rows(),
        pools: recalculated.pool_rows(period_id)?,
        standings: recalculated.standing_rows(period_id),
        lots: recalculated.lot_rows(period_id),
        periods: vec![recalculated.period_row(&pinned, true)],
        hash: recalculated.hash(),
    };
    Ok((recalculated, rows))
}
