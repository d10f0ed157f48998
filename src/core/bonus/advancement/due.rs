//! What is due to whom.

use rust_decimal::Decimal;

use super::{Advancement, PaysFor, Skipped};
use crate::core::bonus::Bonus;
use crate::core::bonus::read::RankName;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::money::allocate;
use crate::core::period::{CarriedStanding, Measure, NO_RANK, NOBODY, Stage, index};
use crate::core::volume::VolumeKind;

/// A rank that pays somebody in this period, or begins to be due in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub rank: u16,
    /// Which part is paid, from 1; `None` when it waits.
    pub part: Option<u16>,
    pub amount: Fixed,
}

/// Whose volume, own and of the group, is all gone since the standings were noted: ranks stand after a refund,
/// but nobody is paid for a rank that nothing sold is left of.
pub(super) struct Gone(Vec<bool>);

impl Gone {
    pub fn of(stage: &Stage<'_>) -> Result<Self, TooLarge> {
        let people = stage.input.people;
        let own = stage.input.sold.get(&Measure::of(VolumeKind::Pv));
        let mut groups = stage.input.sold.get(&Measure::of(stage.plan.group.volume)).to_vec();
        groups.resize(people.len(), Fixed::ZERO);
        let mut gone = vec![false; people.len()];
        for person in (0..u32::try_from(people.len()).map_err(|_| TooLarge)?).rev() {
            let group = groups.get(index(person)).copied().unwrap_or_default();
            let sponsor = Some(people.sponsor(person)).filter(|sponsor| *sponsor != NOBODY);
            if let Some(above) = sponsor.and_then(|sponsor| groups.get_mut(index(sponsor))) {
                *above = above.add(group)?;
            }
            let own = own.get(index(person)).copied().unwrap_or_default();
            let had = |volume: Option<Fixed>| volume.is_some_and(|volume| volume > Fixed::ZERO);
            let leg = stage.standings.legs.get(index(person)).map(|leg| leg.gv);
            let sold = had(leg) || had(stage.standings.pv.get(index(person)).copied());
            if let Some(gone) = gone.get_mut(index(person)) {
                *gone = sold && group <= Fixed::ZERO && own <= Fixed::ZERO;
            }
        }
        Ok(Self(gone))
    }

    fn has(&self, person: u32) -> bool {
        self.0.get(index(person)).copied().unwrap_or(false)
    }
}

impl Advancement {
    pub(super) fn due(
        &self,
        bonus: &Bonus,
        stage: &Stage<'_>,
        gone: &Gone,
        person: u32,
    ) -> Result<Vec<Due>, TooLarge> {
        match self.pays_for {
            _ if gone.has(person) => Ok(vec![]),
            PaysFor::Once => self.once(bonus, stage, person),
            PaysFor::EachPeriod => Ok(self.each_period(bonus, stage, person).into_iter().collect()),
        }
    }

    fn each_period(&self, bonus: &Bonus, stage: &Stage<'_>, person: u32) -> Option<Due> {
        let rank = stage.rank(person).filter(|_| stage.earns(bonus, person))?;
        let (name, amount) = self.amounts.iter().find(|(known, _)| known.place == rank)?;
        let held = self.held <= 1 || streak(name, rank, carried(stage, person)) >= self.held;
        held.then_some(Due { rank, part: Some(1), amount: *amount })
    }

    /// A rank begins to be due when its title is reached for the first time. It pays a part in every period in
    /// which it is held, for long enough, by somebody who earns; otherwise the part waits.
    fn once(&self, bonus: &Bonus, stage: &Stage<'_>, person: u32) -> Result<Vec<Due>, TooLarge> {
        let title = stage.standings.title.get(index(person)).copied().unwrap_or(NO_RANK);
        if !self.amounts.first().is_some_and(|(lowest, _)| lowest.reached_by(title)) {
            return Ok(vec![]);
        }
        let carried = carried(stage, person);
        let begun = self.reached(stage, title, had(stage, person, carried));
        let advanced = carried.and_then(|standing| standing.advanced.get(&bonus.id));
        let now = held_now(stage, person);
        let mut due = vec![];
        for (rank, amount) in &self.amounts {
            let paid = advanced.and_then(|ranks| ranks.get(&rank.id)).copied();
            let begins = paid.is_none() && begun.contains(&rank.place);
            let paid = if begins { Some(0) } else { paid };
            let Some(paid) = paid.filter(|paid| *paid < self.instalments) else { continue };
            let pays = stage.earns(bonus, person) && streak(rank, now, carried) >= self.held;
            if pays {
                let part = paid.saturating_add(1);
                due.push(Due {
                    rank: rank.place,
                    part: Some(part),
                    amount: self.part(stage, *amount, paid)?,
                });
            } else if begins {
                due.push(Due { rank: rank.place, part: None, amount: Fixed::ZERO });
            }
        }
        Ok(due)
    }

    /// Ranks with an amount whose title is reached in this period, after the title `before`. Of a title that the
    /// plan no longer knows it cannot be told what lies above it, so nothing is paid for a second time.
    fn reached(&self, stage: &Stage<'_>, title: u16, before: Option<&String>) -> Vec<u16> {
        let known = before.map(|before| stage.plan.ranks().iter().position(|rank| rank == before));
        let above = match known {
            None => 0,
            Some(Some(before)) => before.saturating_add(1),
            Some(None) => return vec![],
        };
        let new = |rank: &u16| usize::from(*rank) >= above && *rank <= title;
        let mut reached: Vec<u16> = self.amounts.iter().map(|(rank, _)| rank.place).filter(new).collect();
        if self.skipped == Skipped::Highest {
            reached = reached.pop().into_iter().collect();
        }
        reached
    }

    /// Parts in the currency's units that sum to the amount exactly; the odd units come first.
    fn part(&self, stage: &Stage<'_>, amount: Fixed, paid: u16) -> Result<Fixed, TooLarge> {
        if self.instalments == 1 {
            return Ok(amount);
        }
        let scale = stage.plan.currency().exponent().unwrap_or(0);
        let parts = allocate(amount.decimal(), &vec![Decimal::ONE; usize::from(self.instalments)], scale);
        Fixed::of(parts.get(usize::from(paid)).copied().unwrap_or_default())
    }
}

/// The title before this period. Whoever is closed for the first time brought the rank along that was given by
/// hand.
fn had<'a>(stage: &Stage<'a>, person: u32, carried: Option<&'a CarriedStanding>) -> Option<&'a String> {
    match carried {
        Some(standing) => standing.title.as_ref(),
        None => stage.input.people.get(person).and_then(|who| stage.plan.ranks().get(usize::from(who.rank))),
    }
}

fn carried<'a>(stage: &Stage<'a>, person: u32) -> Option<&'a CarriedStanding> {
    stage.input.people.id(person).and_then(|id| stage.input.carried.standing(id))
}

/// The rank of this period: what its conditions give, or what is paid where they give none.
fn held_now(stage: &Stage<'_>, person: u32) -> u16 {
    let achieved = stage.standings.achieved.get(index(person)).copied().unwrap_or(NO_RANK);
    if achieved == NO_RANK { stage.standings.rank(person) } else { achieved }
}

/// For how many periods in a row a rank or a higher one is held, this one included.
fn streak(rank: &RankName, now: u16, carried: Option<&CarriedStanding>) -> u16 {
    if !rank.reached_by(now) {
        return 0;
    }
    let before = carried.and_then(|standing| standing.streaks.get(&rank.id)).copied().unwrap_or(0);
    before.saturating_add(1)
}
