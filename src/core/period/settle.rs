//! From exact amounts to awards that can be paid, and where the rest of the pool went.
//!
//! An earner's award of a bonus is rounded once, whatever it is made of; every position of a binary or a matrix
//! is an earner of its own.

use super::result::{BonusPool, PeriodAward};
use super::run::RawBonus;
use crate::core::fixed::{Exact, Fixed, TooLarge};
use crate::core::money::Rounding;

#[derive(Clone, Copy)]
pub(super) struct Cents {
    pub scale: u32,
    pub mode: Rounding,
}

/// What rounds to nothing is no award. `breakage` is what nobody was there to earn; cuts come on top of it.
pub(super) fn settle(
    bonus: u16,
    raw: &RawBonus,
    cents: Cents,
    awards: &mut Vec<PeriodAward>,
) -> Result<BonusPool, TooLarge> {
    let (mut paid, mut left) = (Fixed::ZERO, raw.pool);
    for award in &raw.awards {
        left = left.sub(award.exact)?;
        let earned = award.exact.round(cents.scale, cents.mode)?;
        paid = paid.add(earned)?;
        if !earned.is_zero() {
            let (person, position, base) = (award.person, award.position, award.base);
            awards.push(PeriodAward { bonus, person, position, base, earned, amount: earned });
        }
    }
    let pool = raw.pool.round(cents.scale, cents.mode)?;
    let breakage = left.max(Exact::ZERO).round(cents.scale, cents.mode)?;
    let rounding = pool.sub(paid)?.sub(breakage)?;
    Ok(BonusPool { bonus, pool, paid, breakage, rounding })
}
