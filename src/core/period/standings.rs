//! How everybody stands in a period: who is active, with which rank, for which bonus.

use std::collections::BTreeMap;

use super::condition::VolumeOfLeg;
use super::people::{NO_RANK, index};
use crate::core::fixed::Fixed;

/// Arrays by person. A recalculation after a refund takes these as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    pub pv: Vec<Fixed>,
    pub customer_pv: Vec<Fixed>,
    pub gv: Vec<Fixed>,
    /// Group volume without the legs that broke away.
    pub pgv: Vec<Fixed>,
    /// By the plan's own rule; a bonus can have another.
    pub active: Vec<bool>,
    /// The rank that this period's conditions give.
    pub achieved: Vec<u16>,
    /// The rank that this period's bonuses are paid as.
    pub paid_as: Vec<u16>,
    /// The highest rank ever, this period's included.
    pub title: Vec<u16>,
    /// By qualification: who has it, met in this period or carried from an earlier one.
    pub qualified: Vec<Vec<bool>>,
    /// By qualification: who met it in this very period.
    pub met: Vec<Vec<bool>>,
    /// The leg that each person is the top of.
    pub legs: Vec<VolumeOfLeg>,
    /// How many active people each sponsored.
    pub recruits: Vec<u16>,
    /// Group volume of the weaker side of the placement tree; empty where the plan does not ask for it.
    pub weaker_side: Vec<Fixed>,
    /// By bonus that asks for something, and by gate: who meets it.
    pub eligible: BTreeMap<u16, Vec<bool>>,
    /// By cap: what a refund does not move, since others would pay for it or gain by it.
    pub caps: BTreeMap<u16, Capped>,
    /// By bonus that has standings of its own (a bracket, points): one number each.
    pub own: BTreeMap<u16, Vec<i64>>,
}

/// How a cap held, as far as it depends on what others sold or earn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capped {
    /// What it held at.
    pub most: Fixed,
    /// A cap of the company that was exceeded: in which share everybody was lowered.
    pub share: Option<Lowered>,
}

/// `kept` of `of` were left in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    pub kept: Fixed,
    pub of: Fixed,
    /// Bonus, person and position of the awards that were given an odd unit of the currency; sorted.
    pub odd: Vec<(u16, u32, Option<u32>)>,
}

impl Standings {
    /// [`NO_RANK`] for none.
    pub fn rank(&self, person: u32) -> u16 {
        self.paid_as.get(index(person)).copied().unwrap_or(NO_RANK)
    }

    pub fn is_eligible(&self, bonus: u16, person: u32) -> bool {
        self.eligible.get(&bonus).is_none_or(|who| who.get(index(person)).copied().unwrap_or(false))
    }

    /// What a bonus noted of a person; zero when it noted nothing.
    pub fn own(&self, bonus: u16, person: u32) -> i64 {
        self.own.get(&bonus).and_then(|all| all.get(index(person))).copied().unwrap_or(0)
    }
}
