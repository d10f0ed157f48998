//! The first phases: volumes, who is active, who qualifies, who has which rank.
//!
//! A rank can ask for legs with ranks in them. Whoever is in a leg stands after its top, so one pass from the
//! back knows every rank below before it is asked for: the least fixpoint, whatever the order of visiting.

use super::PeriodInput;
use super::carried::Carried;
use super::people::Person;
use super::run::Left;
use super::standings::Standings;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::plan::{ActiveRule, Plan};

pub(super) fn stand(_plan: &Plan, _input: PeriodInput<'_>) -> Result<Standings, TooLarge> {
    Ok(Standings::default())
}

/// What the next period is told.
pub(super) fn carry(
    _plan: &Plan,
    _input: PeriodInput<'_>,
    _standings: &Standings,
    left: Left,
) -> Result<Carried, TooLarge> {
    Ok(Carried { lots: left.lots, ..Carried::default() })
}

pub(super) fn is_active(rule: &ActiveRule, person: &Person, pv: Fixed) -> bool {
    person.enrolled
        && rule.statuses.contains(&person.status)
        && rule.min_pv.is_none_or(|least| pv.decimal() >= least)
}
