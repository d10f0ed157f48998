//! Deductions: what is taken from everything that a period pays somebody.

use super::scale;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::money::{Rounding, round};
use crate::core::period::PeriodInput;
use crate::core::period::people::index;
use crate::core::period::result::{BonusPool, PeriodAward};
use crate::core::plan::{Deduction, Plan};

/// Awards below zero, added to the others. From everything that the period pays somebody, orders included; one
/// after the other, as long as there is something left.
pub(in crate::core::period) fn deduct(
    plan: &Plan,
    input: PeriodInput<'_>,
    awards: &mut Vec<PeriodAward>,
) -> Result<Vec<BonusPool>, TooLarge> {
    let deductions = &plan.limits.deductions;
    if deductions.is_empty() {
        return Ok(vec![]);
    }
    let paid = paid(plan, input, awards)?;
    let mut left = paid.clone();
    let mut pools = vec![];
    for (at, deduction) in deductions.iter().enumerate() {
        let bonus = u16::try_from(plan.bonuses.len().saturating_add(at)).map_err(|_| TooLarge)?;
        let mut sum = Fixed::ZERO;
        for (person, (base, left)) in (0u32..).zip(paid.iter().zip(&mut left)) {
            let taken = of(plan, deduction, *base)?.min(*left);
            if taken <= Fixed::ZERO {
                continue;
            }
            *left = left.sub(taken)?;
            sum = sum.sub(taken)?;
            let amount = Fixed::ZERO.sub(taken)?;
            let (position, base) = (None, *base);
            awards.push(PeriodAward { bonus, person, position, base, earned: amount, amount });
        }
        let (breakage, rounding) = (Fixed::ZERO, Fixed::ZERO);
        pools.push(BonusPool { bonus, pool: sum, paid: sum, breakage, rounding });
    }
    Ok(pools)
}

/// By person: of orders and of the close.
fn paid(plan: &Plan, input: PeriodInput<'_>, awards: &[PeriodAward]) -> Result<Vec<Fixed>, TooLarge> {
    let mut paid = vec![Fixed::ZERO; input.people.len()];
    let mut pay = |person: u32, amount: Fixed| match paid.get_mut(index(person)) {
        Some(sum) => sum.add(amount).map(|added| *sum = added),
        None => Ok(()),
    };
    for bonus in &plan.bonuses {
        for (person, amount) in input.sold.emitted_of(&bonus.id) {
            pay(person, amount)?;
        }
    }
    awards.iter().try_for_each(|award| pay(award.person, award.amount))?;
    Ok(paid)
}

/// The share is rounded as awards are.
fn of(plan: &Plan, deduction: &Deduction, base: Fixed) -> Result<Fixed, TooLarge> {
    let scale = scale(plan);
    let share = base.times(deduction.rate).round(scale, plan.rounding.mode)?;
    share.add(Fixed::of(round(deduction.amount.decimal(), scale, Rounding::Down))?)
}
