//! A result by names: from the arrays of the engine to the rows of the tables.

use uuid::Uuid;

use super::calculate::{Pinned, Recalculated};
use super::repo::runs::RunPeriod;
use super::rows::{AwardRow, CutRow, PoolRow, StandingRow};
use crate::core::bonus::Pays;
use crate::core::engine::EventKind;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{Lot, NO_RANK, PeriodAward, Person, index};
use crate::core::plan::Plan;

impl Recalculated {
    /// By bonus, distributor and position.
    pub fn award_rows(&self, period_id: Uuid) -> Vec<AwardRow> {
        let row = |award: &PeriodAward| AwardRow {
            period_id,
            bonus: self.plan.award_name(award.bonus).to_owned(),
            distributor: self.id(award.person),
            position: self.position(award.position),
            base: award.base,
            earned: award.earned,
            amount: award.amount,
            kind: kind(&self.plan, award),
        };
        self.result.awards.iter().map(row).collect()
    }

    /// Of awards that are numbered from 1 in the order of the result.
    pub fn cut_rows(&self) -> Vec<CutRow> {
        let row = |cut: &crate::core::period::Cut| CutRow {
            award_no: i32::try_from(cut.award).unwrap_or(i32::MAX).saturating_add(1),
            by: cut.by.clone(),
            amount: cut.amount,
        };
        self.result.cuts.iter().map(row).collect()
    }

    /// By bonus, as the awards are.
    pub fn pool_rows(&self, period_id: Uuid) -> Result<Vec<PoolRow>, TooLarge> {
        let mut rows: Vec<PoolRow> = vec![];
        for pool in &self.result.pools {
            let row = PoolRow {
                period_id,
                bonus: self.plan.award_name(pool.bonus).to_owned(),
                pool: pool.pool,
                paid: pool.paid,
                breakage: pool.breakage,
                rounding: pool.rounding,
            };
            match rows.last_mut().filter(|last| last.bonus == row.bonus) {
                Some(last) => *last = last.plus(&row)?,
                None => rows.push(row),
            }
        }
        Ok(rows)
    }

    /// Whoever has anything to be told of, by id.
    pub fn standing_rows(&self, period_id: Uuid) -> Vec<StandingRow> {
        let person = |person: &u32| Some((*person, self.people.get(*person)?));
        let everybody = self.people.sorted().iter().filter_map(person);
        everybody.filter_map(|(person, who)| self.standing_row(period_id, person, who)).collect()
    }

    fn standing_row(&self, period_id: Uuid, person: u32, who: &Person) -> Option<StandingRow> {
        let standings = &self.result.standings;
        let distributor = self.id(person);
        let volume = |of: &[Fixed]| of.get(index(person)).copied().unwrap_or_default();
        let rank = |of: &[u16]| {
            let rank = of.get(index(person)).copied().filter(|rank| *rank != NO_RANK)?;
            self.plan.ranks().get(usize::from(rank)).cloned()
        };
        let row = StandingRow {
            period_id,
            active: standings.active.get(index(person)).copied().unwrap_or(false),
            pv: volume(&standings.pv),
            gv: volume(&standings.gv),
            pgv: volume(&standings.pgv),
            achieved: rank(&standings.achieved),
            paid_as: rank(&standings.paid_as),
            title: rank(&standings.title),
            carried: self.result.next.standing(&distributor).cloned().unwrap_or_default(),
            distributor,
        };
        let is_told = row.active
            || who.rank != NO_RANK
            || [row.pv, row.gv, row.pgv].iter().any(|volume| !volume.is_zero())
            || row.paid_as.is_some()
            || row.carried != Default::default();
        is_told.then_some(row)
    }

    pub fn lot_rows(&self, period_id: Uuid) -> Vec<(Uuid, Lot)> {
        self.result.next.lots.iter().map(|lot| (period_id, lot.clone())).collect()
    }

    pub fn period_row(&self, pinned: &Pinned<'_>, carries: bool) -> RunPeriod {
        RunPeriod {
            period_id: pinned.period.period_id,
            cutoff_seq: pinned.scope.cutoff,
            known_at: pinned.known_at,
            plan_hash: pinned.plan.0.to_vec(),
            carried_run_id: pinned.carried.map(|(run, _)| run),
            carries,
            result_hash: Some(self.hash().to_vec()),
        }
    }

    pub fn id(&self, person: u32) -> DistributorId {
        self.people.id(person).cloned().unwrap_or_else(|| DistributorId::new(""))
    }

    fn position(&self, position: Option<u32>) -> String {
        position.and_then(|position| self.people.positions.id(position)).unwrap_or_default().to_owned()
    }
}

impl PoolRow {
    pub fn plus(&self, other: &Self) -> Result<Self, TooLarge> {
        Ok(Self {
            period_id: self.period_id,
            bonus: self.bonus.clone(),
            pool: self.pool.add(other.pool)?,
            paid: self.paid.add(other.paid)?,
            breakage: self.breakage.add(other.breakage)?,
            rounding: self.rounding.add(other.rounding)?,
        })
    }
}

/// What is taken of an order bonus is forfeited; a deduction is an adjustment, it takes nothing back.
fn kind(plan: &Plan, award: &PeriodAward) -> Option<EventKind> {
    let of_orders = || plan.bonuses().get(usize::from(award.bonus)).is_some_and(|b| b.pays == Pays::Order);
    match award.amount.cmp(&Fixed::ZERO) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(EventKind::Earn),
        std::cmp::Ordering::Less if of_orders() => Some(EventKind::Forfeit),
        std::cmp::Ordering::Less => Some(EventKind::Adjust),
    }
}
