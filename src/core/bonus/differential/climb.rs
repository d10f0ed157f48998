//! How volume climbs a stairstep.

use super::{Differential, Inverted, Steps};
use crate::core::bonus::leaders::{self, Ladder};
use crate::core::bonus::{Bonus, Finding};
use crate::core::period::{Climb, Stage, Step, index};

/// Where everybody stands on the ladder of rates.
///
/// A state is the step that was paid below, and where the plan passes up also the highest that stands below;
/// the second is never lower than the first.
pub(super) struct Stairs {
    ladder: Ladder,
    inverted: Inverted,
    stands: Vec<u16>,
    earns: Vec<bool>,
    walls: Vec<bool>,
}

#[derive(Clone, Copy)]
struct Below {
    paid: u16,
    stands: u16,
}

impl Stairs {
    pub fn of(rules: &Differential, bonus: &Bonus, stage: &Stage<'_>) -> Self {
        let written: Vec<_> = match &rules.steps {
            Steps::Brackets(brackets) => brackets.iter().map(|bracket| bracket.rate).collect(),
            Steps::Ranks(rates) => rates.iter().map(|(_, rate)| *rate).collect(),
        };
        let ladder = Ladder::of(written.into_iter().map(|rate| rules.scope.rate(bonus, rate)));
        let people = stage.input.people;
        let wall = |person| {
            let rank = stage.standings.rank(person);
            rules.breakaway.as_ref().is_some_and(|wall| wall.reached_by(rank))
        };
        Self {
            stands: leaders::everybody(people, |person| ladder.step(rules.rate_of(bonus, stage, person))),
            earns: leaders::everybody(people, |person| stage.earns(bonus, person)),
            walls: leaders::everybody(people, wall),
            inverted: rules.inverted,
            ladder,
        }
    }

    /// Why the volume paid somebody or not.
    pub fn find(
        &self,
        rules: &Differential,
        bonus: &Bonus,
        stage: &Stage<'_>,
        (person, state, step): (u32, u16, Step),
    ) -> Finding {
        if let Some((_, rate)) = step.pays {
            return leaders::earns(rate);
        }
        if let Some(finding) = leaders::why_not(bonus, stage, person) {
            return finding;
        }
        match &rules.steps {
            _ if self.stands(person) > 0 => {
                Finding::PaidBelow { rate: self.ladder.rate(self.below(state).stands).decimal() }
            }
            Steps::Brackets(_) => Finding::BelowStart,
            Steps::Ranks(_) => leaders::no_rate(stage, person),
        }
    }

    fn stands(&self, person: u32) -> u16 {
        self.stands.get(index(person)).copied().unwrap_or(0)
    }

    fn below(&self, state: u16) -> Below {
        match self.inverted {
            Inverted::Clamp => Below { paid: state, stands: state },
            Inverted::PassUp => {
                let mut below = Below { paid: state, stands: 0 };
                while below.paid > below.stands {
                    below.paid -= below.stands + 1;
                    below.stands += 1;
                }
                below
            }
        }
    }

    fn state(&self, below: Below) -> u16 {
        match self.inverted {
            Inverted::Clamp => below.paid,
            Inverted::PassUp => triangle(below.stands).saturating_add(below.paid),
        }
    }
}

/// States of all lower steps.
fn triangle(steps: u16) -> u16 {
    steps.saturating_mul(steps.saturating_add(1)) / 2
}

impl Climb for Stairs {
    fn states(&self) -> u16 {
        match self.inverted {
            Inverted::Clamp => self.ladder.steps(),
            Inverted::PassUp => triangle(self.ladder.steps()),
        }
    }

    fn start(&self, _person: u32) -> Option<u16> {
        Some(0)
    }

    fn step(&self, person: u32, state: u16) -> Step {
        let (mut below, own) = (self.below(state), self.stands(person));
        let earns = leaders::is_set(&self.earns, person) && own > below.paid && own >= below.stands;
        let pays = earns.then(|| (0, self.ladder.above(own, below.paid)));
        if earns {
            below.paid = own;
        }
        below.stands = match self.inverted {
            Inverted::Clamp => below.paid,
            Inverted::PassUp => below.stands.max(own),
        };
        let next = (!leaders::is_set(&self.walls, person)).then(|| self.state(below));
        Step { pays, next }
    }
}
