//! What a run writes: its result by names, ready for the tables.

use uuid::Uuid;

use super::repo::runs::RunPeriod;
use crate::core::engine::EventKind;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{CarriedStanding, Lot};

#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// By period, bonus, distributor and position; numbered from 1 in this order.
    pub awards: Vec<AwardRow>,
    pub cuts: Vec<CutRow>,
    /// By period and bonus.
    pub pools: Vec<PoolRow>,
    pub standings: Vec<StandingRow>,
    pub lots: Vec<(Uuid, Lot)>,
    pub periods: Vec<RunPeriod>,
    pub hash: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwardRow {
    pub period_id: Uuid,
    pub bonus: String,
    pub distributor: DistributorId,
    pub position: String,
    pub base: Fixed,
    pub earned: Fixed,
    pub amount: Fixed,
    /// Nothing where nothing is paid.
    pub kind: Option<EventKind>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRow {
    /// Number of the award.
    pub award_no: i32,
    pub by: String,
    pub amount: Fixed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRow {
    pub period_id: Uuid,
    pub bonus: String,
    pub pool: Fixed,
    pub paid: Fixed,
    pub breakage: Fixed,
    pub rounding: Fixed,
}

#[derive(Clone, Debug)]
pub struct StandingRow {
    pub period_id: Uuid,
    pub distributor: DistributorId,
    pub active: bool,
    pub pv: Fixed,
    pub gv: Fixed,
    pub pgv: Fixed,
    pub achieved: Option<String>,
    pub paid_as: Option<String>,
    pub title: Option<String>,
    pub carried: CarriedStanding,
}

impl PoolRow {
    pub fn is_zero(&self) -> bool {
        [self.pool, self.paid, self.breakage, self.rounding].iter().all(|amount| amount.is_zero())
    }

    pub fn less(&self, posted: &Self) -> Result<Self, TooLarge> {
        Ok(Self {
            period_id: self.period_id,
            bonus: self.bonus.clone(),
            pool: self.pool.sub(posted.pool)?,
            paid: self.paid.sub(posted.paid)?,
            breakage: self.breakage.sub(posted.breakage)?,
            rounding: self.rounding.sub(posted.rounding)?,
        })
    }
}

impl Rows {
    pub fn paid(&self) -> Result<Fixed, TooLarge> {
        Fixed::sum(self.awards.iter().map(|award| award.amount))
    }

    /// Names the first bonus whose awards are not what its pool says that it pays, or whose pool does not close.
    pub fn check(&self) -> Result<(), String> {
        let mut awards = self.awards.as_slice();
        for pool in &self.pools {
            let ours = awards.iter().take_while(|award| award.is_of(pool)).count();
            let (of_pool, rest) = awards.split_at_checked(ours).unwrap_or((awards, &[]));
            awards = rest;
            let paid = Fixed::sum(of_pool.iter().map(|award| award.amount));
            let parts = Fixed::sum([pool.paid, pool.breakage, pool.rounding]);
            if paid != Ok(pool.paid) || parts != Ok(pool.pool) {
                return Err(format!(
                    "the bonus {} does not add up: its awards or the parts of its pool of {}",
                    pool.bonus, pool.pool
                ));
            }
        }
        match awards.first() {
            Some(award) => Err(format!("the bonus {} has awards and no pool", award.bonus)),
            None => Ok(()),
        }
    }
}

impl AwardRow {
    pub fn is_of(&self, pool: &PoolRow) -> bool {
        self.period_id == pool.period_id && self.bonus == pool.bonus
    }
}
