//! The last phase: gates, caps and deductions.
//!
//! What is taken off an award goes to the breakage of its bonus. Amounts that an order of the period was already
//! paid count towards caps, and cannot be lowered any more.

mod gates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Measure;
use super::people::{NOBODY, index};
use super::result::{BonusPool, Cut, PeriodAward};
use super::run::Stage;
use crate::core::fixed::{DIGITS, Exact, Fixed, Rate, TooLarge};
use crate::core::money::{Rounding, allocate, round};
use crate::core::plan::{CAPS_IN_ORDER, Cap, CapPer, Deduction, Most};
use crate::core::volume::VolumeKind;
pub(super) use gates::judge;

/// Lowers `amount` of awards, moves what they lose to the breakage of their bonus' pool, and says which gate or
/// cap took it. Deductions are awards of their own, below zero.
pub(super) fn cut(
    stage: &Stage<'_>,
    awards: &mut Vec<PeriodAward>,
    pools: &mut Vec<BonusPool>,
) -> Result<Vec<Cut>, TooLarge> {
    let limits = &stage.plan.limits;
    if limits.is_empty() {
        return Ok(vec![]);
    }
    let scale = stage.plan.currency().exponent().unwrap_or(DIGITS);
    let mut cutting = Cutting { stage, scale, awards, taken_back: BTreeMap::new(), cuts: vec![] };
    for (at, gate) in limits.gates.iter().enumerate() {
        cutting.close(gate, stage.plan.gate_place(at))?;
    }
    let order = cutting.order();
    for per in CAPS_IN_ORDER {
        for cap in limits.caps.iter().filter(|cap| cap.per == per) {
            cutting.cap(cap, &order)?;
        }
    }
    let cuts = std::mem::take(&mut cutting.cuts);
    let deducted = cutting.deduct(&limits.deductions)?;
    for cut in &cuts {
        let bonus = awards.get(index(cut.award)).map(|award| award.bonus);
        let Some(pool) = pools.iter_mut().find(|pool| Some(pool.bonus) == bonus) else { continue };
        pool.paid = pool.paid.sub(cut.amount)?;
        pool.breakage = pool.breakage.add(cut.amount)?;
    }
    pools.extend(deducted);
    Ok(cuts)
}

struct Cutting<'c> {
    stage: &'c Stage<'c>,
    /// Digits of the currency.
    scale: u32,
    awards: &'c mut Vec<PeriodAward>,
    /// By bonus and person: awards of what a gate took back.
    taken_back: BTreeMap<(u16, u32), usize>,
    cuts: Vec<Cut>,
}

impl Cutting<'_> {
    /// Leaves `keep` of an award.
    fn lower(&mut self, at: u32, keep: Fixed, by: &str) -> Result<(), TooLarge> {
        let Some(award) = self.awards.get_mut(index(at)) else { return Ok(()) };
        let amount = award.amount.sub(keep)?;
        if !amount.is_zero() {
            award.amount = keep;
            self.cuts.push(Cut { award: at, by: by.to_owned(), amount });
        }
        Ok(())
    }

    /// Places of the awards by the earner's id, bonus and position: the order in which odd cents are given.
    fn order(&self) -> Vec<u32> {
        let people = self.stage.input.people;
        let mut place = vec![0u32; people.len()];
        for (person, at) in people.sorted().iter().zip(0u32..) {
            if let Some(place) = place.get_mut(index(*person)) {
                *place = at;
            }
        }
        let mut order: Vec<u32> = (0u32..).take(self.awards.len()).collect();
        order.sort_by_key(|at| {
            let award = self.awards.get(index(*at));
            award.map(|award| (place.get(index(award.person)).copied(), award.bonus, award.position))
        });
        order
    }

    fn award(&self, at: u32) -> Option<&PeriodAward> {
        self.awards.get(index(at))
    }

    fn cap(&mut self, cap: &Cap, order: &[u32]) -> Result<(), TooLarge> {
        let most = self.most(cap)?;
        let mut of: Vec<u32> = order.to_vec();
        of.retain(|at| self.award(*at).is_some_and(|award| cap.of.binary_search(&award.bonus).is_ok()));
        let (emitted, all) = self.emitted(cap)?;
        let whose = |at: &u32| {
            self.award(*at).map_or(NOBODY, |award| match cap.per {
                CapPer::Company => NOBODY,
                CapPer::Earner => award.person,
                CapPer::Position => award.position.unwrap_or(NOBODY),
            })
        };
        let mut of: Vec<(u32, u32)> = of.iter().map(|at| (whose(at), *at)).collect();
        if cap.per == CapPer::Position {
            of.retain(|(position, _)| *position != NOBODY);
            of.sort_by_key(|(position, _)| *position);
        }
        for group in of.chunk_by(|(a, _), (b, _)| a == b) {
            let whose = group.first().map_or(NOBODY, |(whose, _)| *whose);
            let before = match cap.per {
                CapPer::Company => all,
                CapPer::Earner => emitted.get(index(whose)).copied().unwrap_or_default(),
                CapPer::Position => Fixed::ZERO,
            };
            let of: Vec<u32> = group.iter().map(|(_, at)| *at).collect();
            self.cap_together(cap, &of, before, most)?;
        }
        Ok(())
    }

    /// In whole units of the currency, and never above what was promised.
    fn most(&self, cap: &Cap) -> Result<Fixed, TooLarge> {
        let most = match cap.most {
            Most::Amount(amount) => amount.decimal(),
            Most::ShareOfCv(share) => {
                let cv = self.stage.input.sold.get(&Measure::of(VolumeKind::Cv));
                Fixed::sum(cv.iter().copied())?.times(share).decimal()?
            }
        };
        Fixed::of(round(most, self.scale, Rounding::Down)).map(|most| most.max(Fixed::ZERO))
    }

    /// What orders were paid at once by the cap's bonuses: by person, and in all.
    fn emitted(&self, cap: &Cap) -> Result<(Vec<Fixed>, Fixed), TooLarge> {
        let mut by_person = vec![Fixed::ZERO; self.stage.input.people.len()];
        let mut all = Fixed::ZERO;
        for at in &cap.of {
            let Some(bonus) = self.stage.plan.bonuses.get(usize::from(*at)) else { continue };
            for (_, person, amount) in self.stage.input.sold.emitted_of(&bonus.id) {
                all = all.add(amount)?;
                if let Some(sum) = by_person.get_mut(index(person)) {
                    *sum = sum.add(amount)?;
                }
            }
        }
        Ok((by_person, all))
    }

    /// Awards that together, and with what was paid `before`, may be `most`: each gives in proportion.
    fn cap_together(&mut self, cap: &Cap, of: &[u32], before: Fixed, most: Fixed) -> Result<(), TooLarge> {
        let amounts = || of.iter().filter_map(|at| self.award(*at)).map(|award| award.amount);
        let above = Fixed::sum(amounts())?.add(before)?.sub(most)?;
        if above <= Fixed::ZERO {
            return Ok(());
        }
        let weights: Vec<Decimal> = amounts().map(|amount| amount.max(Fixed::ZERO).decimal()).collect();
        let lowerable = Fixed::sum(amounts().filter(|amount| *amount > Fixed::ZERO))?;
        let keep = lowerable.sub(above)?.max(Fixed::ZERO);
        if lowerable.is_zero() {
            return Ok(());
        }
        let parts = allocate(keep.decimal(), &weights, self.scale);
        for ((at, weight), part) in of.iter().zip(weights).zip(parts) {
            if !weight.is_zero() {
                self.lower(*at, Fixed::of(part)?, &cap.id)?;
            }
        }
        Ok(())
    }

    /// From everything that the period pays somebody, orders included; one after the other, as long as there is
    /// something left.
    fn deduct(&mut self, deductions: &[Deduction]) -> Result<Vec<BonusPool>, TooLarge> {
        let people = self.stage.input.people;
        let mut paid = vec![Fixed::ZERO; if deductions.is_empty() { 0 } else { people.len() }];
        let mut pay = |person: u32, amount: Fixed| match paid.get_mut(index(person)) {
            Some(sum) => sum.add(amount).map(|added| *sum = added),
            None => Ok(()),
        };
        for bonus in &self.stage.plan.bonuses {
            for (_, person, amount) in self.stage.input.sold.emitted_of(&bonus.id) {
                pay(person, amount)?;
            }
        }
        self.awards.iter().try_for_each(|award| pay(award.person, award.amount))?;
        let mut left = paid.clone();
        let mut pools = vec![];
        let first = self.stage.plan.bonuses.len();
        for (at, deduction) in deductions.iter().enumerate() {
            let bonus = u16::try_from(first.saturating_add(at)).map_err(|_| TooLarge)?;
            let mut sum = Fixed::ZERO;
            for (person, (base, left)) in (0u32..).zip(paid.iter().zip(&mut left)) {
                let taken = self.deduction(deduction, *base)?.min(*left);
                if taken <= Fixed::ZERO {
                    continue;
                }
                *left = left.sub(taken)?;
                sum = sum.sub(taken)?;
                let amount = Fixed::ZERO.sub(taken)?;
                let (position, base) = (None, *base);
                self.awards.push(PeriodAward { bonus, person, position, base, earned: amount, amount });
            }
            let (breakage, rounding) = (Fixed::ZERO, Fixed::ZERO);
            pools.push(BonusPool { bonus, pool: sum, paid: sum, breakage, rounding });
        }
        Ok(pools)
    }

    fn deduction(&self, deduction: &Deduction, base: Fixed) -> Result<Fixed, TooLarge> {
        let share = self.share(base, deduction.rate)?;
        share.add(Fixed::of(round(deduction.amount.decimal(), self.scale, Rounding::Down))?)
    }

    /// Rounded as awards are.
    fn share(&self, of: Fixed, rate: Rate) -> Result<Fixed, TooLarge> {
        let exact: Exact = of.times(rate);
        exact.round(self.scale, self.stage.plan.rounding.mode)
    }
}
