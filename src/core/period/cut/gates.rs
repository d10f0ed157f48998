//! Gates: who meets them, and what stays of an award behind a closed one.

use std::collections::BTreeMap;

use super::Cutting;
use crate::core::bonus::Bonus;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::money::round;
use crate::core::period::people::{NOBODY, index};
use crate::core::period::result::PeriodAward;
use crate::core::period::{Cut, People, PeriodInput, Stage};
use crate::core::plan::{CustomerShare, Gate};

/// Notes who meets every gate, so that a refund that is calculated later opens and closes none.
pub(in crate::core::period) fn judge(stage: &Stage<'_>) -> Result<BTreeMap<u16, Vec<bool>>, TooLarge> {
    let mut noted = BTreeMap::new();
    for (at, gate) in stage.plan.limits.gates.iter().enumerate() {
        let mut met = match &gate.customer_share {
            Some(share) => meets(share, stage.input)?,
            None => vec![true; stage.input.people.len()],
        };
        if let Some(condition) = &gate.requires {
            for (person, met) in (0u32..).zip(&mut met).filter(|(_, met)| **met) {
                *met = stage.meets(condition, person)?;
            }
        }
        noted.insert(stage.plan.gate_place(at), met);
    }
    Ok(noted)
}

/// Who sold nothing has no share of customers.
fn meets(share: &CustomerShare, input: PeriodInput<'_>) -> Result<Vec<bool>, TooLarge> {
    let [customers, all] = share.measures().map(|measure| input.sold.get(&measure).to_vec());
    let (customers, all) = match share.group {
        true => (grouped(input.people, customers)?, grouped(input.people, all)?),
        false => (customers, all),
    };
    let least = share.least.decimal();
    let met = |(customers, all): (&Fixed, &Fixed)| {
        let exact = customers.decimal().checked_div(all.decimal());
        exact.is_some_and(|exact| round(exact, share.digits, share.mode) >= least)
    };
    Ok(customers.iter().zip(&all).map(met).collect())
}

/// Everybody's own and that of everybody below.
fn grouped(people: &People, mut volumes: Vec<Fixed>) -> Result<Vec<Fixed>, TooLarge> {
    for person in (0..u32::try_from(people.len()).map_err(|_| TooLarge)?).rev() {
        let own = volumes.get(index(person)).copied().unwrap_or_default();
        let sponsor = Some(people.sponsor(person)).filter(|sponsor| *sponsor != NOBODY);
        if let Some(above) = sponsor.and_then(|sponsor| volumes.get_mut(index(sponsor))) {
            *above = above.add(own)?;
        }
    }
    Ok(volumes)
}

impl Cutting<'_> {
    /// `place` is where the standings note who meets the gate.
    pub(super) fn close(&mut self, gate: &Gate, place: u16) -> Result<(), TooLarge> {
        for at in (0u32..).take(self.awards.len()) {
            let Some(award) = self.award(at) else { continue };
            let (bonus, person, amount) = (award.bonus, award.person, award.amount);
            let shut =
                gate.of.binary_search(&bonus).is_ok() && !self.stage.standings.is_eligible(place, person);
            if shut && amount > Fixed::ZERO {
                self.lower(at, self.share(amount, gate.else_pays)?, &gate.id)?;
            }
        }
        for bonus in &gate.of {
            let Some(provisional) = self.stage.plan.bonuses.get(usize::from(*bonus)) else { continue };
            if provisional.provisional {
                self.take_back(gate, place, *bonus, provisional)?;
            }
        }
        Ok(())
    }

    /// What orders were paid provisionally is not an award of the close: what the gate takes back becomes one.
    fn take_back(&mut self, gate: &Gate, place: u16, at: u16, bonus: &Bonus) -> Result<(), TooLarge> {
        let stage = self.stage;
        let earners = stage.input.sold.emitted_of(&bonus.id).map(|(person, _)| person);
        for person in earners.filter(|who| !stage.standings.is_eligible(place, *who)) {
            let emitted = self.stage.earnings.of(at, person);
            let known = self.taken_back.get(&(at, person)).copied();
            let taken = known.and_then(|known| self.awards.get(known)).map_or(Fixed::ZERO, |a| a.amount);
            let stands = emitted.add(taken)?;
            let amount = stands.sub(self.share(stands, gate.else_pays)?)?;
            if amount <= Fixed::ZERO {
                continue;
            }
            let place = known.unwrap_or(self.awards.len());
            if known.is_none() {
                let (bonus, position, zero) = (at, None, Fixed::ZERO);
                let nothing =
                    PeriodAward { bonus, person, position, base: emitted, earned: zero, amount: zero };
                self.awards.push(nothing);
                self.taken_back.insert((at, person), place);
            }
            if let Some(award) = self.awards.get_mut(place) {
                award.amount = award.amount.sub(amount)?;
            }
            let award = u32::try_from(place).map_err(|_| TooLarge)?;
            self.cuts.push(Cut { award, by: gate.id.clone(), amount });
        }
        Ok(())
    }
}
