//! The last phase: gates, caps and deductions.

use super::result::{BonusPool, Cut, PeriodAward};
use super::run::Stage;
use crate::core::fixed::TooLarge;

/// Lowers `amount` of awards, moves what they lose to the breakage of their bonus' pool, and says which gate or
/// cap took it. Deductions are awards of their own, below zero.
pub(super) fn cut(
    _stage: &Stage<'_>,
    _awards: &mut Vec<PeriodAward>,
    _pools: &mut Vec<BonusPool>,
) -> Result<Vec<Cut>, TooLarge> {
    Ok(vec![])
}
