//! What came of a period.

use super::carried::Carried;
use super::standings::Standings;
use crate::core::fixed::Fixed;
use crate::core::plan::PlanHash;

#[derive(Debug)]
pub struct PeriodResult {
    pub plan_hash: PlanHash,
    /// By bonus, then by the earner's id and position. None is zero before its cuts, but for what a gate takes
    /// back of a provisional bonus.
    pub awards: Vec<PeriodAward>,
    /// By bonus.
    pub pools: Vec<BonusPool>,
    pub cuts: Vec<Cut>,
    pub standings: Standings,
    pub next: Carried,
}

/// What a bonus pays somebody for the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodAward {
    /// Place in the plan's bonuses, which are in the order of their ids; after them come the deductions.
    pub bonus: u16,
    pub person: u32,
    /// Of a binary or a matrix: the position that earned.
    pub position: Option<u32>,
    /// The volume (or the earnings) behind it.
    pub base: Fixed,
    /// At the currency's digits, before cuts.
    pub earned: Fixed,
    /// What is paid. Below zero for a deduction, and for what a provisional bonus takes back.
    pub amount: Fixed,
}

/// What a bonus could have paid and where all of it went: `paid + breakage + rounding == pool`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BonusPool {
    pub bonus: u16,
    pub pool: Fixed,
    pub paid: Fixed,
    pub breakage: Fixed,
    pub rounding: Fixed,
}

/// What a gate, a cap or an instalment took off an award; it is breakage of the award's bonus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Place in [`PeriodResult::awards`].
    pub award: u32,
    /// Id of the gate or cap.
    pub by: String,
    pub amount: Fixed,
}
