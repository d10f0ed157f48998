//! Ranks and qualifications: what they ask, and when a promotion counts.

use super::read::Table;
use super::{Canonical, Plan};
use crate::core::bonus::Names;
use crate::core::period::Condition;

/// By the places of `Plan::ranks`. Where no rank asks for anything, everybody has the rank that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankRules {
    pub rules: Vec<RankRule>,
    pub promotion: Promotion,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankRule {
    /// To reach the rank for the first time. Without it the rank is only given by hand.
    pub achieve: Option<Condition>,
    /// To be paid as it by whoever reached it before; the same as `achieve` where it is not given.
    pub maintain: Option<Condition>,
}

/// From when on bonuses pay by a rank that a period's volumes gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    #[default]
    SamePeriod,
    NextPeriod,
}

/// A condition with a name; it can hold on for some periods after it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    pub id: String,
    pub condition: Condition,
    /// For how many periods after it was met it still holds.
    pub carried: u16,
}

impl RankRules {
    /// Whether periods decide ranks at all.
    pub fn decide(&self) -> bool {
        self.rules.iter().any(|rule| rule.achieve.is_some() || rule.maintain.is_some())
    }
}

/// Ranks with their rules, and qualifications. `names.ranks` and `names.qualifications` are known already.
pub(super) fn read(root: &Table<'_>, names: &Names<'_>) -> (RankRules, Vec<Qualification>) {
    let _ = (root, names);
    (RankRules::default(), vec![])
}

pub(super) fn canonical(_plan: &Plan, _out: &mut Canonical) {}
