//! How the volume of a group climbs to the leaders above it.

use super::Override;
use crate::core::bonus::Bonus;
use crate::core::bonus::leaders::{self, Ladder};
use crate::core::bonus::read::RankName;
use crate::core::fixed::Rate;
use crate::core::period::{Climb, Stage, Step, index};

/// State 0 is inside of the group, up to its head. Then come the states that wait for the first leader, one for
/// each rate that a head can have, then one for each further leader.
pub(super) struct Leaders {
    ladder: Ladder,
    differential: bool,
    floor: Rate,
    generations: Vec<Rate>,
    part: Part,
    heads: Vec<bool>,
    stands: Vec<u16>,
    earns: Vec<bool>,
}

/// Who is paid: the way is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    First,
    Further,
}

impl Leaders {
    pub fn of(rules: &Override, bonus: &Bonus, stage: &Stage<'_>, part: Part) -> Self {
        let rate = |written| rules.scope.rate(bonus, written);
        let ladder = Ladder::of(rules.rates.iter().map(|(_, written)| rate(*written)));
        let people = stage.input.people;
        let stands = |person| {
            let rank = stage.rank(person);
            let own = rules.rates.iter().find(|(known, _)| Some(known.place) == rank);
            own.map_or(0, |(_, written)| ladder.step(rate(*written)))
        };
        Self {
            differential: rules.differential,
            floor: rate(rules.floor),
            generations: rules.generations.iter().map(|written| rate(*written)).collect(),
            part,
            heads: Self::heads(rules, stage),
            stands: leaders::everybody(people, stands),
            earns: leaders::everybody(people, |person| stage.earns(bonus, person)),
            ladder,
        }
    }

    pub fn heads(rules: &Override, stage: &Stage<'_>) -> Vec<bool> {
        let is_head = |boundary: &RankName, person| boundary.reached_by(stage.standings.rank(person));
        leaders::everybody(stage.input.people, |person| is_head(&rules.boundary, person))
    }

    pub fn is_head(&self, person: u32) -> bool {
        leaders::is_set(&self.heads, person)
    }

    /// Which leader above the head a state waits for, from 1; `None` inside of the group.
    pub fn generation(&self, state: u16) -> Option<u16> {
        let waits = state.checked_sub(1)?;
        Some(waits.saturating_sub(self.firsts().saturating_sub(1)).saturating_add(1))
    }

    /// The rate of the group's head, in a state that waits for the first leader.
    pub fn head_rate(&self, state: u16) -> Option<Rate> {
        let head = state.checked_sub(1).filter(|head| *head < self.firsts())?;
        Some(self.ladder.rate(head))
    }

    /// Whether somebody is the leader that a state waits for.
    pub fn leads(&self, person: u32, state: u16) -> bool {
        let first = self.head_rate(state).is_some();
        let ranks = self.is_head(person) || (first && self.stands(person) > 0);
        ranks && leaders::is_set(&self.earns, person)
    }

    /// The first leader's own rate.
    pub fn own_rate(&self, person: u32) -> Rate {
        self.ladder.rate(self.stands(person))
    }

    pub fn stands(&self, person: u32) -> u16 {
        self.stands.get(index(person)).copied().unwrap_or(0)
    }

    /// How many states wait for the first leader.
    fn firsts(&self) -> u16 {
        if self.differential { self.ladder.steps() } else { 1 }
    }

    fn rate(&self, person: u32, state: u16, generation: u16) -> Rate {
        if let Some(head) = self.head_rate(state) {
            let own = self.own_rate(person);
            let above = Rate(own.0.saturating_sub(head.0));
            return if self.differential { above.max(self.floor).max(Rate::ZERO) } else { own };
        }
        let further = generation.checked_sub(2).and_then(|at| self.generations.get(usize::from(at)));
        further.copied().unwrap_or(Rate::ZERO)
    }

    fn pays(&self, generation: u16) -> bool {
        match self.part {
            Part::All => true,
            Part::First => generation == 1,
            Part::Further => generation > 1,
        }
    }
}

impl Climb for Leaders {
    fn states(&self) -> u16 {
        let further = u16::try_from(self.generations.len()).unwrap_or(0);
        self.firsts().saturating_add(further).saturating_add(1)
    }

    fn start(&self, _person: u32) -> Option<u16> {
        Some(0)
    }

    fn step(&self, person: u32, state: u16) -> Step {
        let Some(generation) = self.generation(state) else {
            let head = if self.differential { self.stands(person) } else { 0 };
            let next = if self.is_head(person) { head.saturating_add(1) } else { 0 };
            return Step { pays: None, next: Some(next) };
        };
        if !self.leads(person, state) {
            return Step { pays: None, next: Some(state) };
        }
        let rate = self.rate(person, state, generation);
        let pays = (!rate.is_zero() && self.pays(generation)).then_some((generation, rate));
        let next = self.firsts().saturating_add(generation);
        Step { pays, next: Some(next).filter(|next| *next < self.states()) }
    }
}
