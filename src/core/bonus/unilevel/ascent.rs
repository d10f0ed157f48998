//! A ladder at the close of a period: everybody's standing in it, and the tree that its levels go up.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::ladder::{Height, Ladder, Met, Who};
use crate::core::bonus::{Bonus, Finding, Visited, why_inactive};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{
    Climb, NOBODY, Positions, RawAward, RawBonus, Source, Stage, Step, TraceStep, arrivals, climb,
    climb_from, index,
};

/// Nodes are persons, or positions of the placement tree.
pub(in crate::core::bonus) struct Ascent<'a> {
    ladder: &'a Ladder,
    bonus: &'a Bonus,
    stage: Stage<'a>,
    /// By person.
    who: Vec<Who>,
    parents: Cow<'a, [u32]>,
    positions: Option<&'a Positions>,
}

impl<'a> Ascent<'a> {
    /// Up the sponsors.
    pub fn new(ladder: &'a Ladder, bonus: &'a Bonus, stage: &Stage<'a>) -> Self {
        let stage = *stage;
        let people = stage.input.people;
        let who = |(person, _)| Who {
            active: stage.is_active(bonus, person),
            eligible: stage.standings.is_eligible(stage.bonus, person),
            rank: stage.rank(person),
        };
        let who = (0u32..).zip(people.all()).map(who).collect();
        Self { ladder, bonus, stage, who, parents: Cow::Owned(people.sponsors()), positions: None }
    }

    /// Up the placement tree.
    pub fn placed(ladder: &'a Ladder, bonus: &'a Bonus, stage: &Stage<'a>) -> Self {
        let positions = &stage.input.people.positions;
        let parents = Cow::Borrowed(positions.parents());
        Self { parents, positions: Some(positions), ..Self::new(ladder, bonus, stage) }
    }

    pub fn parents(&self) -> &[u32] {
        &self.parents
    }

    /// What everybody has, by node: a person's volume enters the placement tree at its first position.
    pub fn entering<'v>(&self, by_person: &'v [Fixed]) -> Result<Cow<'v, [Fixed]>, TooLarge> {
        let Some(positions) = self.positions else { return Ok(Cow::Borrowed(by_person)) };
        let mut entering = vec![Fixed::ZERO; positions.len()];
        for (person, volume) in (0u32..).zip(by_person) {
            let first = self.node_of(person).and_then(|node| entering.get_mut(index(node)));
            if let Some(sum) = first {
                *sum = sum.add(*volume)?;
            }
        }
        Ok(Cow::Owned(entering))
    }

    pub fn awards(&self, by_person: &[Fixed]) -> Result<Vec<RawAward>, TooLarge> {
        let climbed = climb(self, &self.parents, &self.entering(by_person)?)?;
        let award = |got: crate::core::period::Climbed| RawAward {
            person: self.person(got.person),
            position: self.positions.map(|_| got.person),
            base: got.base,
            exact: got.exact,
        };
        Ok(climbed.into_iter().map(award).collect())
    }

    /// The parts of what somebody earns, by source; `position` is the one that earned.
    pub fn sources(&self, by_person: &[Fixed], earner: u32) -> Result<Vec<Source>, TooLarge> {
        let entering = self.entering(by_person)?;
        let one = [earner];
        let nodes = self.positions.map_or(&one[..], |positions| positions.of(earner));
        let mut sources = vec![];
        for node in nodes {
            for (from, state) in arrivals(self, &self.parents, &entering, *node)? {
                let Some((level, rate)) = self.step(*node, state).pays else { continue };
                let base = entering.get(index(from)).copied().unwrap_or_default();
                let position = self.positions.map(|_| *node);
                let (person, exact) = (self.person(from), base.times(rate));
                sources.push(Source { person, position, level, base, rate, exact, period: None });
            }
        }
        Ok(sources)
    }

    /// Everybody whom the volume of `source` comes to, and the first beyond where levels stop.
    pub fn trace(&self, source: u32) -> Vec<TraceStep> {
        let Some(node) = self.node_of(source) else { return vec![] };
        let mut steps: Vec<TraceStep> = vec![];
        let mut beyond = None;
        climb_from(self, &self.parents, node, |node, state, _| {
            let (who, at) = (self.who(node), self.ladder.height(state));
            let rung = self.ladder.meet(who, at);
            beyond = rung.stopped.then(|| self.parents.get(index(node)).copied()).flatten();
            self.visit(node, &mut steps, rung.takes.then_some(at.level), self.finding(node, rung.met, at));
            true
        });
        if let Some(above) = beyond.filter(|above| *above != NOBODY) {
            self.visit(above, &mut steps, None, Finding::BeyondStop);
        }
        steps
    }

    fn visit(&self, node: u32, steps: &mut Vec<TraceStep>, level: Option<u16>, finding: Finding) {
        let distance = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        let id = self.stage.input.people.id(self.person(node));
        let distributor = id.cloned().unwrap_or_else(|| DistributorId::new(""));
        steps.push(Visited { distributor, distance, level, finding });
    }

    fn finding(&self, node: u32, met: Met, at: Height) -> Finding {
        let (person, who) = (self.person(node), self.who(node));
        let rank = who.rank.and_then(|rank| self.stage.plan.ranks().get(usize::from(rank)));
        self.ladder
            .told(met, (who, at), rank.map(String::as_str), || self.stage.why_inactive(self.bonus, person))
    }

    /// Where a person's volume begins; `None` for somebody without a position.
    fn node_of(&self, person: u32) -> Option<u32> {
        match self.positions {
            Some(positions) => positions.of(person).first().copied(),
            None => Some(person),
        }
    }

    fn person(&self, node: u32) -> u32 {
        self.positions.map_or(node, |positions| positions.owner(node))
    }

    /// A position of nobody is not active.
    fn who(&self, node: u32) -> Who {
        self.who.get(index(self.person(node))).copied().unwrap_or_default()
    }
}

impl Climb for Ascent<'_> {
    fn states(&self) -> u16 {
        self.ladder.states()
    }

    fn start(&self, _node: u32) -> Option<u16> {
        Some(self.ladder.state(Height::default()))
    }

    fn step(&self, node: u32, state: u16) -> Step {
        let (who, at) = (self.who(node), self.ladder.height(state));
        let rung = self.ladder.meet(who, at);
        Step {
            pays: (rung.met == Met::Earns).then(|| (at.level, self.ladder.rate(who, at))),
            next: rung.next.map(|next| self.ladder.state(next)),
        }
    }
}

impl Stage<'_> {
    /// Why somebody does not count as active for a bonus.
    pub(in crate::core::bonus) fn why_inactive(&self, bonus: &Bonus, person: u32) -> Finding {
        let Some(who) = self.input.people.get(person) else { return Finding::NotEnrolled };
        let pv = self.standings.pv.get(index(person)).copied().unwrap_or_default();
        why_inactive(bonus.active_rule(self.plan), who.enrolled, who.status, pv.decimal())
            .unwrap_or(Finding::Inactive { status: who.status })
    }
}

impl Bonus {
    /// The awards with the pool they come from: the declared share of `base`, else `most` of it, else just what
    /// is paid.
    pub(in crate::core::bonus) fn raw(
        &self,
        awards: Vec<RawAward>,
        base: Fixed,
        most: Option<Decimal>,
    ) -> Result<RawBonus, TooLarge> {
        let paid = awards.iter().try_fold(Exact::ZERO, |sum, award| sum.add(award.exact))?;
        let share = self.pool.or(most).map(|share| base.times(Rate::of(share)));
        // Where earnings were taken back, the most is less than nothing, and nothing may have been paid.
        let pool = share.map_or(paid, |pool| pool.max(paid));
        Ok(RawBonus { awards, pool, ..RawBonus::default() })
    }
}
