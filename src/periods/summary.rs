//! What a review shows of a run.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::adjust::Corrected;
use super::calculate::Recalculated;
use super::gather::Counts;
use super::problem::CalculationProblem;
use super::repo::periods::Period;
use super::repo::summary::{Held, Mover, earlier, held, movers};
use super::rows::{AwardRow, Rows};
use super::scope::Scope;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::money::{Rounding, round};
use crate::core::period::Measure;
use crate::core::volume::VolumeKind;
use crate::db::{Conn, DbError};

/// The column `runs.summary`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub currency: String,
    pub totals: Totals,
    pub bonuses: Vec<BonusTotal>,
    /// Who is paid by the run, and who is active and is not.
    pub earners: usize,
    pub active: usize,
    pub zero_earners: usize,
    pub counts: Counts,
    /// Orders of the period that wait for a person.
    pub held: Vec<Held>,
    /// The last posted periods, the newest first.
    pub variance: Vec<Variance>,
    /// Against the last posted period.
    pub movers: Vec<Mover>,
    /// Whether the period before is closed, so that it has left what this one builds on.
    pub carried: bool,
    /// Of an adjustment.
    pub corrected: Vec<Corrected>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub cv: Fixed,
    /// By the run.
    pub pool: Fixed,
    pub paid: Fixed,
    pub breakage: Fixed,
    pub rounding: Fixed,
    /// With the orders, at once.
    pub paid_by_orders: Fixed,
    /// Of both together in CV, to four digits. None without CV.
    pub share: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BonusTotal {
    pub bonus: String,
    pub pool: Fixed,
    pub paid: Fixed,
    pub breakage: Fixed,
    pub rounding: Fixed,
    pub earners: usize,
}

/// A posted period beside this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variance {
    pub period: String,
    pub run_id: Uuid,
    pub totals: Totals,
}

/// How many posted periods a review looks back.
const LOOKS_BACK: i64 = 3;
const MOVERS: i64 = 10;

impl Summary {
    /// Of a run of one period.
    pub fn of(result: &Recalculated, rows: &Rows, carried: bool) -> Result<Self, CalculationProblem> {
        let cv = Fixed::sum(result.sold.get(&Measure::of(VolumeKind::Cv)).iter().copied())?;
        let mut summary = Self::of_rows(rows)?;
        summary.currency = result.plan.currency().to_string();
        summary.totals.cv = cv;
        summary.totals.paid_by_orders = result.counts.paid_by_orders;
        summary.totals.share = summary.totals.share_of_cv()?;
        let earning: BTreeSet<&str> = earners(&rows.awards).collect();
        let active = rows.standings.iter().filter(|row| row.active);
        summary.active = active.clone().count();
        summary.zero_earners = active.filter(|row| !earning.contains(row.distributor.as_str())).count();
        summary.counts = result.counts.clone();
        summary.carried = carried;
        Ok(summary)
    }

    /// Of an adjustment.
    pub fn of_adjustment(
        rows: &Rows,
        corrected: Vec<Corrected>,
        currency: String,
    ) -> Result<Self, CalculationProblem> {
        let unknown_distributor = corrected.iter().map(|corrected| corrected.unknown_distributor).sum();
        let counts = Counts { unknown_distributor, ..Counts::default() };
        Ok(Self { currency, corrected, counts, carried: true, ..Self::of_rows(rows)? })
    }

    fn of_rows(rows: &Rows) -> Result<Self, TooLarge> {
        let mut totals = Totals::default();
        let mut bonuses: BTreeMap<&str, BonusTotal> = BTreeMap::new();
        for pool in &rows.pools {
            totals.add([pool.pool, pool.paid, pool.breakage, pool.rounding])?;
            let nothing = || BonusTotal::none(&pool.bonus);
            let sum = bonuses.entry(&pool.bonus).or_insert_with(nothing);
            sum.add([pool.pool, pool.paid, pool.breakage, pool.rounding])?;
        }
        let mut paid: BTreeSet<(&str, &str)> = BTreeSet::new();
        for award in rows.awards.iter().filter(|award| !award.amount.is_zero()) {
            if paid.insert((&award.bonus, award.distributor.as_str()))
                && let Some(sum) = bonuses.get_mut(award.bonus.as_str())
            {
                sum.earners += 1;
            }
        }
        let earners = earners(&rows.awards).collect::<BTreeSet<_>>().len();
        Ok(Self { totals, bonuses: bonuses.into_values().collect(), earners, ..Self::default() })
    }

    /// What the database knows beside it. The run's awards are written.
    pub fn look_around(
        &mut self,
        conn: &mut Conn,
        run_id: Uuid,
        period: &Period,
        scope: &Scope,
    ) -> Result<(), DbError> {
        self.held = held(conn, scope)?;
        for posted in earlier(conn, period.starts_at, LOOKS_BACK)? {
            if self.variance.is_empty() {
                self.movers = movers(conn, run_id, posted.run_id, MOVERS)?;
            }
            let Some(summary) = posted.summary else { continue };
            let Self { totals, .. } = serde_json::from_value(summary)?;
            self.variance.push(Variance { period: posted.period, run_id: posted.run_id, totals });
        }
        Ok(())
    }
}

fn earners(awards: &[AwardRow]) -> impl Iterator<Item = &str> {
    awards.iter().filter(|award| !award.amount.is_zero()).map(|award| award.distributor.as_str())
}

impl Totals {
    fn add(&mut self, [pool, paid, breakage, rounding]: [Fixed; 4]) -> Result<(), TooLarge> {
        self.pool = self.pool.add(pool)?;
        self.paid = self.paid.add(paid)?;
        self.breakage = self.breakage.add(breakage)?;
        self.rounding = self.rounding.add(rounding)?;
        Ok(())
    }

    /// What the run and the orders pay together.
    pub fn payout(&self) -> Result<Fixed, TooLarge> {
        self.paid.add(self.paid_by_orders)
    }

    fn share_of_cv(&self) -> Result<Option<Decimal>, TooLarge> {
        share(self.payout()?, self.cv)
    }
}

/// To four digits; `None` of nothing.
pub fn share(part: Fixed, of: Fixed) -> Result<Option<Decimal>, TooLarge> {
    if of.is_zero() {
        return Ok(None);
    }
    let share = part.decimal().checked_div(of.decimal()).ok_or(TooLarge)?;
    Ok(Some(round(share, 4, Rounding::HalfEven).normalize()))
}

impl BonusTotal {
    fn none(bonus: &str) -> Self {
        let zero = Fixed::ZERO;
        Self { bonus: bonus.to_owned(), pool: zero, paid: zero, breakage: zero, rounding: zero, earners: 0 }
    }

    fn add(&mut self, [pool, paid, breakage, rounding]: [Fixed; 4]) -> Result<(), TooLarge> {
        self.pool = self.pool.add(pool)?;
        self.paid = self.paid.add(paid)?;
        self.breakage = self.breakage.add(breakage)?;
        self.rounding = self.rounding.add(rounding)?;
        Ok(())
    }
}
