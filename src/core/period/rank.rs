//! The first phases: volumes, who is active, who qualifies, who has which rank.
//!
//! A rank can ask for legs with ranks in them. Whoever is in a leg stands after its top, so one pass from the
//! back knows every rank below before it is asked for: the least fixpoint, whatever the order of visiting.

mod carry;
mod sides;
#[cfg(test)]
mod tests;

use super::PeriodInput;
use super::carried::CarriedStanding;
use super::condition::{Condition, Facts, Qualified, Unmet, VolumeOfLeg};
use super::gathered::{Buyers, Measure};
use super::people::{NO_RANK, Person, index};
use super::run::Stage;
use super::standings::Standings;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::genealogy::Status;
use crate::core::plan::{ActiveRule, Plan, Promotion, RankRule, asking_for_rank, in_order};
use crate::core::volume::VolumeKind;
pub(super) use carry::carry;

pub(super) fn stand(plan: &Plan, input: PeriodInput<'_>) -> Result<Standings, TooLarge> {
    let mut judge = Judge::new(plan, input)?;
    for person in (0..u32::try_from(input.people.len()).map_err(|_| TooLarge)?).rev() {
        judge.person(person)?;
    }
    Ok(judge.standings)
}

pub(super) fn is_active(rule: &ActiveRule, person: &Person, pv: Fixed) -> bool {
    person.enrolled
        && rule.statuses.contains(&person.status)
        && rule.min_pv.is_none_or(|least| pv.decimal() >= least)
}

impl Stage<'_> {
    /// What a condition of a bonus, a gate or a page is asked of.
    pub fn facts(&self, person: u32) -> Facts<'_> {
        facts(self.standings, self.input, person, self.standings.rank(person))
    }

    pub fn meets(&self, condition: &Condition, person: u32) -> Result<bool, TooLarge> {
        condition.is_met(&self.facts(person))
    }

    pub fn unmet(&self, condition: &Condition, person: u32) -> Result<Vec<Unmet>, TooLarge> {
        condition.unmet(&self.facts(person), self.plan)
    }
}

/// Everybody after their downline.
struct Judge<'a> {
    plan: &'a Plan,
    input: PeriodInput<'a>,
    before: Vec<Option<&'a CarriedStanding>>,
    /// What of each person counts towards the groups above.
    counting: Vec<Fixed>,
    /// Group volume with the own one, without legs that broke away.
    not_broken: Vec<Fixed>,
    default_rank: u16,
    decides: bool,
    /// Qualifications that ranks can ask for, and those that ask for a rank, each in their order.
    first: Vec<u16>,
    last: Vec<u16>,
    standings: Standings,
}

impl<'a> Judge<'a> {
    fn new(plan: &'a Plan, input: PeriodInput<'a>) -> Result<Self, TooLarge> {
        let len = input.people.len();
        let sums = |measure: Measure| {
            let mut sums = input.sold.get(&measure).to_vec();
            sums.resize(len, Fixed::ZERO);
            sums
        };
        let customers = Measure { buyers: Buyers::Customers, ..Measure::of(VolumeKind::Pv) };
        let order = in_order(&plan.qualifications).unwrap_or_default();
        let last = asking_for_rank(&plan.qualifications, &order);
        let bonuses = plan.bonuses.iter().zip(0u16..).filter(|(bonus, _)| bonus.requires.is_some());
        let standings = Standings {
            pv: sums(Measure::of(VolumeKind::Pv)),
            customer_pv: sums(customers),
            gv: vec![Fixed::ZERO; len],
            pgv: vec![Fixed::ZERO; len],
            active: vec![false; len],
            achieved: vec![NO_RANK; len],
            paid_as: vec![NO_RANK; len],
            title: vec![NO_RANK; len],
            qualified: vec![vec![false; len]; plan.qualifications.len()],
            met: vec![vec![false; len]; plan.qualifications.len()],
            legs: vec![VolumeOfLeg { gv: Fixed::ZERO, best: NO_RANK }; len],
            recruits: vec![0; len],
            weaker_side: sides::weaker(plan, input)?,
            eligible: bonuses.map(|(_, at)| (at, vec![false; len])).collect(),
            ..Standings::default()
        };
        Ok(Self {
            plan,
            input,
            before: carry::before(input),
            counting: sums(Measure::of(plan.group.volume)),
            not_broken: vec![Fixed::ZERO; len],
            default_rank: place(plan, plan.default_rank.as_deref()),
            decides: plan.rank_rules.decide(),
            first: order.into_iter().filter(|at| !last.contains(at)).collect(),
            last,
            standings,
        })
    }

    fn person(&mut self, at: u32) -> Result<(), TooLarge> {
        let Some(person) = self.input.people.get(at) else { return Ok(()) };
        let pv = self.standings.pv.get(index(at)).copied().unwrap_or_default();
        put(&mut self.standings.active, at, is_active(&self.plan.active, person, pv));
        let below = self.group(at)?;
        let before = self.before.get(index(at)).copied().flatten();
        let title = higher(before.map_or(NO_RANK, |b| place(self.plan, b.title.as_deref())), person.rank);
        self.qualify(at, before, title, false)?;
        let counts = person.enrolled && person.status != Status::Terminated;
        let achieved = if counts { self.achieved(at, person, before, title)? } else { NO_RANK };
        put(&mut self.standings.achieved, at, achieved);
        put(&mut self.standings.title, at, higher(title, achieved));
        if let Some(leg) = self.standings.legs.get_mut(index(at)) {
            leg.best = higher(below, achieved);
        }
        let paid_as = self.paid_as(person, before, achieved);
        put(&mut self.standings.paid_as, at, paid_as);
        self.qualify(at, before, paid_as, true)?;
        self.eligible(at, paid_as)
    }

    /// Volumes of the group, from those of the legs. Answers with the best rank below.
    fn group(&mut self, at: u32) -> Result<u16, TooLarge> {
        let own = self.counting.get(index(at)).copied().unwrap_or_default();
        let (mut whole, mut not_broken) = (own, own);
        let (mut best, mut recruits) = (NO_RANK, 0u16);
        for child in self.input.people.children(at) {
            let Some(leg) = self.standings.legs.get(index(child)) else { continue };
            whole = whole.add(leg.gv)?;
            best = higher(best, leg.best);
            let rank = self.standings.rank(child);
            if !self.plan.group.breakaway.is_some_and(|from| rank != NO_RANK && rank >= from) {
                not_broken =
                    not_broken.add(self.not_broken.get(index(child)).copied().unwrap_or_default())?;
            }
            let active = self.standings.active.get(index(child)).copied().unwrap_or(false);
            recruits = recruits.saturating_add(u16::from(active));
        }
        let counted = |volume: Fixed| if self.plan.group.own { Ok(volume) } else { volume.sub(own) };
        let (gv, pgv) = (counted(whole)?, counted(not_broken)?);
        put(&mut self.standings.gv, at, gv);
        put(&mut self.standings.pgv, at, pgv);
        put(&mut self.standings.recruits, at, recruits);
        put(&mut self.not_broken, at, not_broken);
        if let Some(leg) = self.standings.legs.get_mut(index(at)) {
            leg.gv = whole;
        }
        Ok(best)
    }

    fn qualify(
        &mut self,
        at: u32,
        before: Option<&CarriedStanding>,
        rank: u16,
        last: bool,
    ) -> Result<(), TooLarge> {
        for which in if last { &self.last } else { &self.first } {
            let Some(one) = self.plan.qualifications.get(usize::from(*which)) else { continue };
            let met = one.condition.is_met(&facts(&self.standings, self.input, at, rank))?;
            let carried =
                before.is_some_and(|before| before.qualified.get(&one.id).is_some_and(|left| *left > 0));
            for (all, value) in
                [(&mut self.standings.met, met), (&mut self.standings.qualified, met || carried)]
            {
                if let Some(who) = all.get_mut(usize::from(*which)) {
                    put(who, at, value);
                }
            }
        }
        Ok(())
    }

    /// The highest rank whose condition holds: to reach it above the title, to keep it up to the title.
    fn achieved(
        &self,
        at: u32,
        person: &Person,
        before: Option<&CarriedStanding>,
        title: u16,
    ) -> Result<u16, TooLarge> {
        if !self.decides {
            return Ok(or(person.rank, self.default_rank));
        }
        let facts = facts(&self.standings, self.input, at, title);
        let had = before.map_or(NO_RANK, |before| place(self.plan, before.title.as_deref()));
        let rules = &self.plan.rank_rules.rules;
        for rank in (0..u16::try_from(rules.len()).map_err(|_| TooLarge)?).rev() {
            let Some(rule) = rules.get(usize::from(rank)) else { continue };
            let had = had == rank || person.rank == rank;
            let reached = title != NO_RANK && title >= rank;
            let holds = match asked(rule, reached, had) {
                Asked::Never => false,
                Asked::Nothing => true,
                Asked::All(condition) => condition.is_met(&facts)?,
            };
            if holds {
                return Ok(rank);
            }
        }
        Ok(self.default_rank)
    }

    /// In the period after a promotion: the rank that was carried, or the one given by hand where that is higher.
    fn paid_as(&self, person: &Person, before: Option<&CarriedStanding>, achieved: u16) -> u16 {
        let rank = match (self.decides, self.plan.rank_rules.promotion) {
            (true, Promotion::SamePeriod) => return achieved,
            (true, Promotion::NextPeriod) => {
                let carried = before.and_then(|before| before.rank.as_deref());
                higher(place(self.plan, carried), person.rank)
            }
            (false, _) => person.rank,
        };
        or(rank, self.default_rank)
    }

    fn eligible(&mut self, at: u32, rank: u16) -> Result<(), TooLarge> {
        for (bonus, which) in self.plan.bonuses.iter().zip(0u16..) {
            let Some(condition) = &bonus.requires else { continue };
            let met = condition.is_met(&facts(&self.standings, self.input, at, rank))?;
            if let Some(who) = self.standings.eligible.get_mut(&which) {
                put(who, at, met);
            }
        }
        Ok(())
    }
}

enum Asked<'p> {
    Never,
    Nothing,
    All(&'p Condition),
}

/// `reached`: the title is this rank or higher. `had`: it was given by hand, or is the title itself; a rank that
/// is only given by hand is not had by those who went past it.
fn asked(rule: &RankRule, reached: bool, had: bool) -> Asked<'_> {
    match (&rule.achieve, rule.to_maintain()) {
        (None, _) if !had => Asked::Never,
        (None, None) => Asked::Nothing,
        (_, Some(condition)) if reached => Asked::All(condition),
        (Some(condition), _) => Asked::All(condition),
        (None, Some(_)) => Asked::Never,
    }
}

fn facts<'a>(standings: &'a Standings, input: PeriodInput<'a>, person: u32, rank: u16) -> Facts<'a> {
    let of = |volumes: &[Fixed]| volumes.get(index(person)).copied().unwrap_or_default();
    let legs = input.people.children(person);
    let enrolled_at = input.people.get(person).and_then(|person| person.enrolled_at);
    Facts {
        active: standings.active.get(index(person)).copied().unwrap_or(false),
        pv: of(&standings.pv),
        customer_pv: of(&standings.customer_pv),
        gv: of(&standings.gv),
        pgv: of(&standings.pgv),
        legs: standings.legs.get(index(legs.start)..index(legs.end)).unwrap_or(&[]),
        active_recruits: standings.recruits.get(index(person)).copied().unwrap_or(0),
        weaker_side: of(&standings.weaker_side),
        qualified: Qualified { all: &standings.qualified, person },
        rank,
        days: enrolled_at.map(|from| (input.span.end - from).num_days()),
    }
}

/// [`NO_RANK`] for none, and for one that the plan does not know.
fn place(plan: &Plan, rank: Option<&str>) -> u16 {
    let at = rank.and_then(|rank| plan.ranks.iter().position(|known| known == rank));
    at.and_then(|at| u16::try_from(at).ok()).unwrap_or(NO_RANK)
}

fn or(rank: u16, without: u16) -> u16 {
    if rank == NO_RANK { without } else { rank }
}

fn higher(a: u16, b: u16) -> u16 {
    match (a, b) {
        (NO_RANK, other) | (other, NO_RANK) => other,
        (a, b) => a.max(b),
    }
}

fn put<T>(all: &mut [T], person: u32, value: T) {
    if let Some(place) = all.get_mut(index(person)) {
        *place = value;
    }
}
