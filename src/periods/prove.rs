//! A run once more from what it is pinned to, without writing: for the proofs and for explanations.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::calculate::Recalculated;
use super::problem::CalculationProblem;
use super::repo::rows::{StoredAward, StoredPool};
use super::repo::runs::Run;
use super::repo::{self, rows as tables};
use super::rows::{AwardRow, PoolRow, Rows};
use super::words::{RunKind, RunStage};
use super::{adjust, single};
use crate::core::period::NamedAward;
use crate::db::{Conn, DbError};
use crate::plans::Published;

/// Nobody waits for it.
fn unwatched(_: RunStage, _: i64, _: i64) -> Result<(), CalculationProblem> {
    Ok(())
}

/// What the run writes when it is calculated now.
pub fn rows_of(conn: &mut Conn, published: &Published, run: &Run) -> Result<Rows, CalculationProblem> {
    let periods = repo::periods::all(conn)?;
    if run.kind == RunKind::Adjustment {
        return Ok(adjust::calculate(conn, run, &periods, published, None, &mut unwatched)?.rows);
    }
    Ok(single::calculate(conn, run, &periods, published, &mut unwatched)?.1)
}

/// A period as the run has it: its own, or one that an adjustment corrects. `None` when the run has nothing to do
/// with the period.
pub fn recalculate(
    conn: &mut Conn,
    published: &Published,
    run: &Run,
    period_id: Uuid,
) -> Result<Option<Recalculated>, CalculationProblem> {
    let periods = repo::periods::all(conn)?;
    if run.kind == RunKind::Adjustment {
        return Ok(adjust::calculate(conn, run, &periods, published, Some(period_id), &mut unwatched)?.kept);
    }
    if period_id != run.period_id {
        return Ok(None);
    }
    Ok(Some(single::calculate(conn, run, &periods, published, &mut unwatched)?.0))
}

/// What earlier runs had posted of the same award.
pub fn posted_before(conn: &mut Conn, run: &Run, award: &StoredAward) -> Result<Decimal, DbError> {
    if run.kind != RunKind::Adjustment {
        return Ok(Decimal::ZERO);
    }
    let of = |known: &NamedAward| {
        (&*known.bonus, known.distributor.as_str(), &*known.position)
            == (&*award.bonus, &*award.distributor_id, &*award.position)
    };
    let posted = repo::posted::awards(conn, award.period_id, run.based_on)?;
    Ok(posted.iter().find(|known| of(known)).map(|known| known.amount.decimal()).unwrap_or_default())
}

/// One thing of a posted run that is not what its facts give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunDifference {
    pub run_id: Uuid,
    pub period: String,
    pub what: String,
    pub stored: String,
    pub recalculated: String,
}

impl RunDifference {
    /// A run that cannot be calculated again at all.
    pub fn failed(run: &Run, problem: &str) -> Self {
        Self {
            run_id: run.run_id,
            period: run.period.clone(),
            what: "calculation".to_owned(),
            stored: "posted".to_owned(),
            recalculated: problem.to_owned(),
        }
    }
}

/// A posted run beside the same run calculated again.
#[derive(Debug)]
pub struct Proven {
    pub rows: Rows,
    pub differences: Vec<RunDifference>,
}

/// Awards named in a proof at most; the hash says whether there are others.
const NAMED: usize = 100;

/// Compares the hash of the result, every award and every pool.
pub fn prove(conn: &mut Conn, published: &Published, run: &Run) -> Result<Proven, CalculationProblem> {
    let rows = rows_of(conn, published, run)?;
    let mut comparison = Comparison { run, differences: vec![] };
    let stored_hash = run.result_hash.clone().unwrap_or_default();
    comparison.compare("result hash", &stored_hash, &hex::encode(rows.hash));
    comparison.awards(&stored_awards(conn, run.run_id)?, &rows.awards);
    comparison.pools(&tables::pools(conn, run.run_id)?, &rows.pools);
    Ok(Proven { differences: comparison.differences, rows })
}

const PAGE: i64 = 20_000;

fn stored_awards(conn: &mut Conn, run_id: Uuid) -> Result<Vec<StoredAward>, DbError> {
    let mut all: Vec<StoredAward> = vec![];
    loop {
        let page = tables::awards(conn, run_id, all.last().map_or(0, |last| last.award_no), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

struct Comparison<'a> {
    run: &'a Run,
    differences: Vec<RunDifference>,
}

type Key<'a> = (Uuid, &'a str, &'a str, &'a str);

impl Comparison<'_> {
    fn compare(&mut self, what: &str, stored: &str, recalculated: &str) {
        if stored != recalculated && self.differences.len() < NAMED {
            self.differences.push(RunDifference {
                run_id: self.run.run_id,
                period: self.run.period.clone(),
                what: what.to_owned(),
                stored: stored.to_owned(),
                recalculated: recalculated.to_owned(),
            });
        }
    }

    fn amounts(&mut self, what: &str, stored: Decimal, recalculated: Decimal) {
        let text = |amount: Decimal| amount.normalize().to_string();
        self.compare(what, &text(stored), &text(recalculated));
    }

    fn awards(&mut self, stored: &[StoredAward], recalculated: &[AwardRow]) {
        let mut sums: BTreeMap<Key<'_>, (Decimal, Decimal)> = BTreeMap::new();
        for award in stored {
            let key = (award.period_id, &*award.bonus, &*award.distributor_id, &*award.position);
            sums.entry(key).or_default().0 += award.amount;
        }
        for award in recalculated {
            let key = (award.period_id, &*award.bonus, award.distributor.as_str(), &*award.position);
            sums.entry(key).or_default().1 += award.amount.decimal();
        }
        for ((_, bonus, distributor, position), (stored, recalculated)) in sums {
            if stored != recalculated {
                let what = format!("{bonus} for {distributor} {position}");
                self.amounts(what.trim_end(), stored, recalculated);
            }
        }
    }

    fn pools(&mut self, stored: &[StoredPool], recalculated: &[PoolRow]) {
        let mut sums: BTreeMap<(Uuid, &str), [Decimal; 4]> = BTreeMap::new();
        for pool in stored {
            sums.insert(
                (pool.period_id, &pool.bonus),
                [pool.pool, Decimal::ZERO, pool.breakage, Decimal::ZERO],
            );
        }
        for pool in recalculated {
            let sum = sums.entry((pool.period_id, &pool.bonus)).or_default();
            let [_, again, _, breakage] = sum;
            (*again, *breakage) = (pool.pool.decimal(), pool.breakage.decimal());
        }
        for ((_, bonus), [pool, pool_again, breakage, breakage_again]) in sums {
            self.amounts(&format!("pool of {bonus}"), pool, pool_again);
            self.amounts(&format!("breakage of {bonus}"), breakage, breakage_again);
        }
    }
}
