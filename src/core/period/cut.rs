//! The last phase: gates, caps and deductions.
//!
//! What is taken off an award goes to the breakage of its bonus. Amounts that an order of the period was already
//! paid count towards caps, and cannot be lowered any more.

mod company;
mod deductions;
mod gates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Measure;
use super::people::{NOBODY, index};
use super::result::{BonusPool, Cut, PeriodAward};
use super::run::Stage;
use super::standings::Capped;
use crate::core::fixed::{DIGITS, Fixed, Rate, TooLarge};
use crate::core::money::{Rounding, allocate, round};
use crate::core::plan::{CAPS_IN_ORDER, Cap, CapPer, Most, Plan};
use crate::core::volume::VolumeKind;
pub(super) use deductions::deduct;
pub(super) use gates::judge;

/// Lowers `amount` of awards, moves what they lose to the breakage of their bonus' pool, and says which gate or
/// cap took it, and how caps held. Deductions are awards of their own, below zero. `frozen` is how caps held
/// before a refund: then they hold so again.
pub(super) fn cut(
    stage: &Stage<'_>,
    frozen: Option<&BTreeMap<u16, Capped>>,
    awards: &mut Vec<PeriodAward>,
    pools: &mut Vec<BonusPool>,
) -> Result<(Vec<Cut>, BTreeMap<u16, Capped>), TooLarge> {
    let limits = &stage.plan.limits;
    if limits.is_empty() {
        return Ok((vec![], BTreeMap::new()));
    }
    let (scale, noted) = (scale(stage.plan), frozen.cloned().unwrap_or_default());
    let (taken_back, cuts) = (BTreeMap::new(), vec![]);
    let mut cutting =
        Cutting { stage, scale, awards, taken_back, cuts, frozen: frozen.is_some(), caps: noted };
    for (at, gate) in limits.gates.iter().enumerate() {
        cutting.close(gate, stage.plan.gate_place(at))?;
    }
    let order = cutting.order();
    for per in CAPS_IN_ORDER {
        for (at, cap) in (0u16..).zip(&limits.caps).filter(|(_, cap)| cap.per == per) {
            cutting.cap(at, cap, &order)?;
        }
    }
    let (cuts, caps) = (cutting.cuts, cutting.caps);
    let deducted = deduct(stage.plan, stage.input, awards)?;
    for cut in &cuts {
        let bonus = awards.get(index(cut.award)).map(|award| award.bonus);
        let Some(pool) = pools.iter_mut().find(|pool| Some(pool.bonus) == bonus) else { continue };
        pool.paid = pool.paid.sub(cut.amount)?;
        pool.breakage = pool.breakage.add(cut.amount)?;
    }
    pools.extend(deducted);
    Ok((cuts, caps))
}

/// Digits of the plan's currency.
fn scale(plan: &Plan) -> u32 {
    plan.currency().exponent().unwrap_or(DIGITS)
}

struct Cutting<'c> {
    stage: &'c Stage<'c>,
    /// Digits of the currency.
    scale: u32,
    awards: &'c mut Vec<PeriodAward>,
    /// By bonus and person: awards of what a gate took back.
    taken_back: BTreeMap<(u16, u32), usize>,
    cuts: Vec<Cut>,
    /// Caps hold as they were noted.
    frozen: bool,
    caps: BTreeMap<u16, Capped>,
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

    /// `place` is where it is noted how the cap held.
    fn cap(&mut self, place: u16, cap: &Cap, order: &[u32]) -> Result<(), TooLarge> {
        let mut of: Vec<u32> = order.to_vec();
        of.retain(|at| self.award(*at).is_some_and(|award| cap.of.binary_search(&award.bonus).is_ok()));
        if self.frozen && cap.per == CapPer::Company {
            return self.lower_as_before(place, cap, &of);
        }
        let most = self.most(place, cap)?;
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
            match cap.per {
                CapPer::Company => self.cap_company(place, cap, &of, before, most)?,
                _ => self.cap_together(cap, &of, before, most)?,
            }
        }
        Ok(())
    }

    /// In whole units of the currency, and never above what was promised. A share of the company's CV is noted:
    /// what is refunded of others' orders moves nobody's cap.
    fn most(&mut self, place: u16, cap: &Cap) -> Result<Fixed, TooLarge> {
        if let Some(noted) = self.caps.get(&place) {
            return Ok(noted.most);
        }
        let exact = match cap.most {
            Most::Amount(amount) => amount.decimal(),
            Most::ShareOfCv(share) => {
                let cv = self.stage.input.sold.get(&Measure::of(VolumeKind::Cv));
                Fixed::sum(cv.iter().copied())?.times(share).decimal()?
            }
        };
        let most = Fixed::of(round(exact, self.scale, Rounding::Down))?.max(Fixed::ZERO);
        if matches!(cap.most, Most::ShareOfCv(_)) {
            self.caps.insert(place, Capped { most, share: None });
        }
        Ok(most)
    }

    /// What orders were paid at once by the cap's bonuses: by person, and in all.
    fn emitted(&self, cap: &Cap) -> Result<(Vec<Fixed>, Fixed), TooLarge> {
        let mut by_person = vec![Fixed::ZERO; self.stage.input.people.len()];
        let mut all = Fixed::ZERO;
        for at in &cap.of {
            let Some(bonus) = self.stage.plan.bonuses.get(usize::from(*at)) else { continue };
            for (person, amount) in self.stage.input.sold.emitted_of(&bonus.id) {
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

    /// Rounded as awards are.
    fn share(&self, of: Fixed, rate: Rate) -> Result<Fixed, TooLarge> {
        of.times(rate).round(self.scale, self.stage.plan.rounding.mode)
    }
}
