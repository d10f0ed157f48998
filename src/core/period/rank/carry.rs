//! What the next period is told, and what this one was.

use std::collections::BTreeMap;

use super::super::PeriodInput;
use super::super::carried::{Carried, CarriedStanding, Lot};
use super::super::people::{NO_RANK, index};
use super::super::run::{Advance, Left};
use super::super::standings::Standings;
use super::place;
use crate::core::bonus::Family;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::plan::Plan;

/// By person: what an earlier period left. Both are sorted by id, so one look at each is enough.
pub(super) fn before<'a>(input: PeriodInput<'a>) -> Vec<Option<&'a CarriedStanding>> {
    let mut before = vec![None; input.people.len()];
    let mut carried = input.carried.standings.iter().peekable();
    for person in input.people.sorted() {
        let Some(id) = input.people.id(*person) else { continue };
        while carried.next_if(|(other, _)| *other < id).is_some() {}
        if let Some((_, standing)) = carried.next_if(|(other, _)| *other == id)
            && let Some(place) = before.get_mut(index(*person))
        {
            *place = Some(standing);
        }
    }
    before
}

/// What the next period is told. Whoever is not there any more keeps what it had.
pub(in super::super) fn carry(
    plan: &Plan,
    input: PeriodInput<'_>,
    standings: &Standings,
    left: Left,
) -> Result<Carried, TooLarge> {
    let before = before(input);
    let mut advanced: BTreeMap<u32, Vec<(u16, Advance)>> = BTreeMap::new();
    for (bonus, advance) in left.advanced {
        advanced.entry(advance.person).or_default().push((bonus, advance));
    }
    let next = Next::new(plan, standings);
    let mut kept = BTreeMap::new();
    for person in input.people.sorted() {
        let was = before.get(index(*person)).copied().flatten();
        let paid = advanced.get(person).map(Vec::as_slice).unwrap_or_default();
        let standing = next.standing(*person, was, paid)?;
        if let Some(id) = input.people.id(*person).filter(|_| standing != CarriedStanding::default()) {
            kept.insert(id.clone(), standing);
        }
    }
    let gone = input.carried.standings.iter().filter(|(id, _)| input.people.find(id).is_none());
    kept.extend(gone.map(|(id, standing)| (id.clone(), standing.clone())));
    let mut lots = left.lots;
    lots.extend(input.carried.lots.iter().filter(|lot| !has_lots(plan, lot)).cloned());
    Ok(Carried { standings: kept, lots })
}

/// A lot of a bonus that the plan does not have waits for one that has it again, and is not older by that.
fn has_lots(plan: &Plan, lot: &Lot) -> bool {
    plan.bonuses.iter().any(|bonus| bonus.id == lot.bonus && matches!(bonus.family, Family::Binary(_)))
}

struct Next<'a> {
    plan: &'a Plan,
    standings: &'a Standings,
    default_rank: u16,
    /// A bonus pays for ranks that are held.
    advances: bool,
    /// A bonus goes by the group volume of all periods.
    accumulates: bool,
}

impl<'a> Next<'a> {
    fn new(plan: &'a Plan, standings: &'a Standings) -> Self {
        let any = |asks: fn(&Family) -> bool| plan.bonuses.iter().any(|bonus| asks(&bonus.family));
        Self {
            plan,
            standings,
            default_rank: place(plan, plan.default_rank.as_deref()),
            advances: any(|family| matches!(family, Family::Advancement(_))),
            accumulates: any(|family| matches!(family, Family::Differential(d) if d.is_cumulative())),
        }
    }

    fn standing(
        &self,
        person: u32,
        was: Option<&CarriedStanding>,
        paid: &[(u16, Advance)],
    ) -> Result<CarriedStanding, TooLarge> {
        let of = |ranks: &[u16]| ranks.get(index(person)).copied().unwrap_or(NO_RANK);
        let achieved = of(&self.standings.achieved);
        Ok(CarriedStanding {
            title: self.title(of(&self.standings.title)),
            rank: self.name(achieved),
            streaks: self.streaks(achieved, was),
            cumulative_gv: self.cumulative_gv(person, was)?,
            qualified: self.qualified(person, was),
            advanced: self.advanced(was, paid),
        })
    }

    /// Where ranks are only ever given by hand and reaching one is paid, it has to be known that somebody was here
    /// without.
    fn title(&self, title: u16) -> Option<String> {
        if self.advances && !self.plan.rank_rules.decide() {
            return self.plan.ranks.get(usize::from(title)).cloned();
        }
        self.name(title)
    }

    fn cumulative_gv(&self, person: u32, was: Option<&CarriedStanding>) -> Result<Fixed, TooLarge> {
        if !self.accumulates {
            return Ok(Fixed::ZERO);
        }
        let gv = self.standings.gv.get(index(person)).copied().unwrap_or_default();
        gv.add(was.map_or(Fixed::ZERO, |was| was.cumulative_gv))
    }

    /// Whoever has none has the default rank, so that one is not kept.
    fn name(&self, rank: u16) -> Option<String> {
        let name = self.plan.ranks.get(usize::from(rank)).filter(|_| rank != self.default_rank);
        name.cloned()
    }

    /// Only where a bonus pays for ranks that are held.
    fn streaks(&self, achieved: u16, was: Option<&CarriedStanding>) -> BTreeMap<String, u16> {
        if !self.advances || achieved == NO_RANK {
            return BTreeMap::new();
        }
        let lowest = if self.default_rank == NO_RANK { 0 } else { usize::from(self.default_rank) + 1 };
        let held = self.plan.ranks.get(lowest..=usize::from(achieved)).unwrap_or_default();
        let so_far = |rank: &String| was.and_then(|was| was.streaks.get(rank)).copied().unwrap_or(0);
        held.iter().map(|rank| (rank.clone(), so_far(rank).saturating_add(1))).collect()
    }

    fn qualified(&self, person: u32, was: Option<&CarriedStanding>) -> BTreeMap<String, u16> {
        let mut left = BTreeMap::new();
        for (one, met) in self.plan.qualifications.iter().zip(&self.standings.met) {
            let was = was.and_then(|was| was.qualified.get(&one.id)).copied().unwrap_or(0);
            let met = met.get(index(person)).copied().unwrap_or(false);
            let periods = if met { one.carried } else { was.saturating_sub(1) };
            if periods > 0 {
                left.insert(one.id.clone(), periods);
            }
        }
        left
    }

    fn advanced(
        &self,
        was: Option<&CarriedStanding>,
        paid: &[(u16, Advance)],
    ) -> BTreeMap<String, BTreeMap<String, u16>> {
        let mut advanced = was.map(|was| was.advanced.clone()).unwrap_or_default();
        for (bonus, advance) in paid {
            let Some(rank) = self.plan.ranks.get(usize::from(advance.rank)) else { continue };
            let of_bonus = advanced.entry(self.plan.award_name(*bonus).to_owned()).or_default();
            let paid = of_bonus.entry(rank.clone()).or_insert(0);
            *paid = paid.saturating_add(advance.parts);
        }
        advanced
    }
}
