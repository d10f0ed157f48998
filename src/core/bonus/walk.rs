//! The upline of an order as a bonus goes through it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Finding, Visited};
use crate::core::engine::UplineMember;
use crate::core::genealogy::Status;
use crate::core::plan::ActiveRule;

/// What a bonus has to know of the plan to judge an ancestor.
pub(crate) struct Terms<'p> {
    pub active: &'p ActiveRule,
    pub ranks: &'p [String],
    pub default_rank: Option<&'p str>,
    pub ordered_at: DateTime<Utc>,
}

/// A bonus that is emitted as soon as its order is known.
pub(crate) trait OrderBonus {
    /// Goes up from the attributed distributor and says of each ancestor what it found.
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk;

    /// What a place that earns is paid on a line of `class`.
    fn rate(&self, place: &Place, class: &str) -> Decimal;

    /// The most that a line of `class` can be paid; `None`: just what it is paid.
    fn most(&self, class: &str) -> Option<Decimal>;

    /// Whether rates are a share of the pool and not of the base.
    fn rates_are_of_pool(&self) -> bool;
}

/// Somebody in the upline who earns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub level: u16,
    /// Position in the upline.
    pub member: usize,
    pub rate: Decimal,
}

pub(crate) struct Walk {
    pub visited: Vec<Visited>,
    pub ended: WalkEnd,
    pub places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalkEnd {
    /// There is nobody above.
    Top,
    /// Every level of the bonus was reached; whoever is above is beyond its depth.
    Depth,
}

impl Terms<'_> {
    /// Why somebody does not count as active; `None` when it does.
    pub fn inactive(&self, member: &UplineMember) -> Option<Finding> {
        why_inactive(self.active, member.enrolled, member.status, member.pv)
    }
}

/// `None` for somebody who counts as active.
pub(super) fn why_inactive(
    rule: &ActiveRule,
    enrolled: bool,
    status: Status,
    pv: Decimal,
) -> Option<Finding> {
    if !enrolled {
        return Some(Finding::NotEnrolled);
    }
    if !rule.statuses.contains(&status) {
        return Some(Finding::Inactive { status });
    }
    let min_pv = rule.min_pv.filter(|min_pv| pv < *min_pv)?;
    Some(Finding::BelowMinPv { pv, min_pv })
}
