//! Differential (stairstep): everybody is paid up to their bracket, less what was paid below.
//!
//! Volume climbs with the highest rate that it has paid so far. Who stands above that rate is paid the
//! difference, who does not is paid nothing; so a volume pays its way's highest rate and never more, and nobody's
//! part is below zero, however ranks are inverted.

mod climb;
mod judge;
mod read;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use super::leaders::Scope;
use super::read::RankName;
use super::{Bonus, leaders};
use crate::core::fixed::{Fixed, Rate, TooLarge};
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep, climb as climb_up};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted, word};
use climb::Stairs;

#[derive(Clone, Debug)]
pub struct Differential {
    scope: Scope,
    by: By,
    steps: Steps,
    inverted: Inverted,
    /// Volume does not rise above a head of at least this rank.
    breakaway: Option<RankName>,
}

/// What decides the rate of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Gv,
    Pgv,
    /// Group volume of all periods so far, this one included.
    CumulativeGv,
    Pv,
    Rank,
}

const BY: [(&str, By); 5] = [
    ("gv", By::Gv),
    ("pgv", By::Pgv),
    ("cumulative_gv", By::CumulativeGv),
    ("pv", By::Pv),
    ("rank", By::Rank),
];

#[derive(Clone, Debug)]
enum Steps {
    /// Rising.
    Brackets(Vec<Bracket>),
    Ranks(Vec<(RankName, Decimal)>),
}

/// From `from` on, up to the next bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bracket {
    from: Fixed,
    rate: Decimal,
}

/// What somebody is held against who stands lower than somebody below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inverted {
    /// What was paid below.
    #[default]
    Clamp,
    /// Also the highest rate that stands below, although it was not paid: what its owner leaves passes up to the
    /// first who stands at least as high.
    PassUp,
}

const INVERTED: [(&str, Inverted); 2] = [("clamp", Inverted::Clamp), ("pass_up", Inverted::PassUp)];

impl Differential {
    /// Whether the group volume of earlier periods counts.
    pub(in crate::core) fn is_cumulative(&self) -> bool {
        self.by == By::CumulativeGv
    }

    pub(super) fn covers(&self, class: &str) -> bool {
        self.scope.covers(class)
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        self.scope.canonical(path, out);
        out.text(&format!("{path}.by"), word(&BY, &self.by));
        match &self.steps {
            Steps::Brackets(brackets) => {
                for (at, bracket) in brackets.iter().enumerate() {
                    out.numbers(
                        &format!("{path}.brackets[{at:04}]"),
                        &[bracket.from.decimal(), bracket.rate],
                    );
                }
            }
            Steps::Ranks(rates) => {
                for (rank, rate) in rates {
                    out.number(&format!("{path}.rates.{}", quoted(&rank.id)), *rate);
                }
            }
        }
        if self.inverted != Inverted::default() {
            out.text(&format!("{path}.when_inverted"), word(&INVERTED, &self.inverted));
        }
        if let Some(rank) = &self.breakaway {
            out.text(&format!("{path}.breakaway"), &rank.id);
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let by = match self.by {
            By::Gv => "group volume of the period",
            By::Pgv => "group volume of the period without legs that broke away",
            By::CumulativeGv => "group volume of all periods so far",
            By::Pv => "personal volume of the period",
            By::Rank => "rank",
        };
        let mut sentences = vec![
            format!("Everybody has the rate of their {by}."),
            "Pays own rate on own volume, and on each leg own rate less what was paid below.".to_owned(),
        ];
        if self.inverted == Inverted::PassUp {
            sentences.push(
                "What somebody does not earn passes up to the first who stands at least as high.".to_owned(),
            );
        }
        if let Some(rank) = &self.breakaway {
            sentences.push(format!("The volume of a group stops at its head from rank {} on.", rank.id));
        }
        self.scope.describe(&mut sentences);
        BonusDescription { sentences, rates: self.grid(), ..BonusDescription::of(bonus, "differential") }
    }

    fn grid(&self) -> Grid {
        let (corner, rows) = match &self.steps {
            Steps::Brackets(brackets) => {
                let row = |bracket: &Bracket| (bracket.from.to_string(), vec![Some(bracket.rate)]);
                ("Volume from", brackets.iter().map(row).collect())
            }
            Steps::Ranks(rates) => {
                ("Rank", rates.iter().map(|(rank, rate)| (rank.id.clone(), vec![Some(*rate)])).collect())
            }
        };
        Grid { corner: corner.to_owned(), columns: vec!["Rate".to_owned()], rows }
    }

    fn highest(&self) -> Decimal {
        match &self.steps {
            Steps::Brackets(brackets) => brackets.iter().map(|bracket| bracket.rate).max(),
            Steps::Ranks(rates) => rates.iter().map(|(_, rate)| *rate).max(),
        }
        .unwrap_or_default()
    }

    /// As a share of the base.
    fn rate_of(&self, bonus: &Bonus, stage: &Stage<'_>, person: u32) -> Rate {
        let written = match &self.steps {
            Steps::Brackets(brackets) => {
                let noted = usize::try_from(stage.standings.own(stage.bonus, person)).unwrap_or(0);
                noted.checked_sub(1).and_then(|at| brackets.get(at)).map(|bracket| bracket.rate)
            }
            Steps::Ranks(rates) => {
                let rank = stage.rank(person);
                rates.iter().find(|(known, _)| Some(known.place) == rank).map(|(_, rate)| *rate)
            }
        };
        self.scope.rate(bonus, written.unwrap_or_default())
    }
}

impl PeriodBonus for Differential {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![self.scope.measure(bonus)]
    }

    /// The number of the bracket, from 1; 0 below the first.
    fn judge(&self, _bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        match &self.steps {
            Steps::Brackets(brackets) => judge::brackets(self.by, brackets, stage),
            // Ranks are standings of the plan.
            Steps::Ranks(_) => Ok(vec![]),
        }
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let stairs = Stairs::of(self, bonus, stage);
        let volumes = self.scope.volumes(bonus, stage);
        let climbed = climb_up(&stairs, &stage.input.people.sponsors(), volumes)?;
        self.scope.raw(bonus, stage, Some(self.highest()), leaders::awards(climbed))
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let stairs = Stairs::of(self, bonus, stage);
        let volumes = self.scope.volumes(bonus, stage);
        leaders::sources(&stairs, stage.input.people, volumes, earner)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let stairs = Stairs::of(self, bonus, stage);
        leaders::tell(stage, &stairs, source, |person, state, step| {
            (None, stairs.find(self, bonus, stage, (person, state, step)))
        })
    }
}
