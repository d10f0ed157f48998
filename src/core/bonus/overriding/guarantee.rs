//! The leadership guarantee: what a leader with too little group volume of its own leaves to the next above.
//!
//! A leader is paid its rate on the groups below, less its rate on what its own group misses; never less than
//! nothing. What is withheld is the next leader's, as if it came from this leader's group, and is withheld there
//! again if that one's own group is too small. Above the last leader it is breakage.

use super::Override;
use super::climb::{Leaders, Part};
use crate::core::bonus::{Bonus, leaders};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::period::{Climbed, NOBODY, Source, Stage, index};

/// The first leader of groups.
const FIRST: u16 = 1;

/// An amount that went from a leader to the next one above, where there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub from: u32,
    pub to: Option<u32>,
    missing: Fixed,
    rate: Rate,
    pub exact: Exact,
}

impl Override {
    /// `first` is what first leaders are paid before anything is withheld.
    pub(super) fn withheld(
        &self,
        bonus: &Bonus,
        stage: &Stage<'_>,
        first: &[Climbed],
    ) -> Result<Vec<Moved>, TooLarge> {
        let Some(guarantee) = self.guarantee else { return Ok(vec![]) };
        let rules = Leaders::of(self, bonus, stage, Part::First);
        let above = next_leaders(&rules, stage);
        let mut income = vec![Exact::ZERO; above.len()];
        for got in first {
            if let Some(income) = income.get_mut(index(got.person)) {
                *income = got.exact;
            }
        }
        let mut moved = vec![];
        for person in leaders::from_the_back(stage.input.people)? {
            let has = income.get(index(person)).copied().unwrap_or(Exact::ZERO);
            let group = Fixed(stage.standings.own(stage.bonus, person));
            let missing = guarantee.sub(group)?.max(Fixed::ZERO);
            let rate = rules.own_rate(person);
            let exact = missing.times(rate).min(has);
            if exact <= Exact::ZERO {
                continue;
            }
            let to = above.get(index(person)).copied().filter(|leader| *leader != NOBODY);
            if let Some(income) = to.and_then(|to| income.get_mut(index(to))) {
                *income = income.add(exact)?;
            }
            moved.push(Moved { from: person, to, missing, rate, exact });
        }
        Ok(moved)
    }
}

/// By person: the next leader above, or [`NOBODY`].
fn next_leaders(rules: &Leaders, stage: &Stage<'_>) -> Vec<u32> {
    let people = stage.input.people;
    let mut above: Vec<u32> = Vec::with_capacity(people.len());
    for person in (0u32..).take(people.len()) {
        let sponsor = people.sponsor(person);
        let further = above.get(index(sponsor)).copied().unwrap_or(NOBODY);
        above.push(if rules.leads(sponsor, FIRST) { sponsor } else { further });
    }
    above
}

impl Moved {
    /// As a part of the award of `earner`, from whom or to whom it went.
    pub fn source_of(&self, earner: u32) -> Result<Option<Source>, TooLarge> {
        let part = |person, base, rate, exact| {
            Some(Source { person, position: None, level: FIRST, base, rate, exact, period: None })
        };
        if self.from == earner {
            let base = Fixed::ZERO.sub(self.missing)?;
            let exact = Exact::ZERO.sub(self.exact)?;
            // Where there was less to withhold than the guarantee asks, it is no volume times a rate.
            let whole = base.times(self.rate) == exact;
            let (base, rate) = if whole { (base, self.rate) } else { (Fixed::ZERO, Rate::ZERO) };
            return Ok(part(self.from, base, rate, exact));
        }
        Ok(if self.to == Some(earner) { part(self.from, Fixed::ZERO, Rate::ZERO, self.exact) } else { None })
    }
}
