//! Caps of the company: in which share everybody was lowered, and the same share once more after a refund.

use super::Cutting;
use crate::core::fixed::{DIGITS, Fixed, TooLarge};
use crate::core::period::people::index;
use crate::core::period::result::PeriodAward;
use crate::core::period::standings::{Capped, Lowered};
use crate::core::plan::Cap;

type Whose = (u16, u32, Option<u32>);

impl Cutting<'_> {
    /// As any cap; in which share it lowered the awards is noted.
    pub(super) fn cap_company(
        &mut self,
        place: u16,
        cap: &Cap,
        of: &[u32],
        before: Fixed,
        most: Fixed,
    ) -> Result<(), TooLarge> {
        let found: Vec<(u32, Fixed)> =
            of.iter().filter_map(|at| Some((*at, self.award(*at)?.amount))).filter(above_zero).collect();
        self.cap_together(cap, of, before, most)?;
        let kept = |at: &u32| self.award(*at).map_or(Fixed::ZERO, |award| award.amount);
        let mut share = Lowered {
            kept: Fixed::sum(found.iter().map(|(at, _)| kept(at)))?,
            of: Fixed::sum(found.iter().map(|(_, amount)| *amount))?,
            odd: vec![],
        };
        if share.kept >= share.of {
            return Ok(());
        }
        for (at, amount) in &found {
            if kept(at) > self.part(&share, *amount, false)? {
                share.odd.extend(self.award(*at).map(whose));
            }
        }
        share.odd.sort_unstable();
        self.caps.insert(place, Capped { most, share: Some(share) });
        Ok(())
    }

    /// What is refunded of one earner's awards neither charges nor pays another.
    pub(super) fn lower_as_before(&mut self, place: u16, cap: &Cap, of: &[u32]) -> Result<(), TooLarge> {
        let Some(share) = self.caps.get(&place).and_then(|noted| noted.share.clone()) else { return Ok(()) };
        for at in of {
            let Some(award) = self.awards.get(index(*at)).filter(|award| award.amount > Fixed::ZERO) else {
                continue;
            };
            let (amount, odd) = (award.amount, share.odd.binary_search(&whose(award)).is_ok());
            let keep = self.part(&share, amount, odd)?.min(amount);
            self.lower(*at, keep, &cap.id)?;
        }
        Ok(())
    }

    /// Of an award, in whole units of the currency.
    fn part(&self, share: &Lowered, amount: Fixed, up: bool) -> Result<Fixed, TooLarge> {
        let unit = 10i128.checked_pow(DIGITS.saturating_sub(self.scale)).ok_or(TooLarge)?;
        let whole = i128::from(share.of.0).checked_mul(unit).ok_or(TooLarge)?;
        let product = i128::from(amount.0).checked_mul(i128::from(share.kept.0)).ok_or(TooLarge)?;
        let (units, rest) = (product.checked_div(whole), product.checked_rem(whole));
        let units = units.ok_or(TooLarge)? + i128::from(up && rest != Some(0));
        let kept = units.checked_mul(unit).ok_or(TooLarge)?;
        i64::try_from(kept).map(Fixed).map_err(|_| TooLarge)
    }
}

fn above_zero((_, amount): &(u32, Fixed)) -> bool {
    *amount > Fixed::ZERO
}

fn whose(award: &PeriodAward) -> Whose {
    (award.bonus, award.person, award.position)
}
