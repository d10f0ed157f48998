//! Generations: from one leader down to the next.
//!
//! The first generation of a leader are the leaders next below, each with their own group; the second are those
//! next below these. Volume climbs with the number of leaders that it has passed: that is the generation it is
//! of for everybody further up. Where generations are counted by people of the earner's own rank there is one
//! climb for each rank that is paid.

mod climb;
mod read;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use super::leaders::Scope;
use super::read::RankName;
use super::{Bonus, Finding, leaders};
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::{
    Measure, PeriodBonus, RawBonus, Source, Stage, Step, TraceStep, climb as climb_up, climb_from,
};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted};
use climb::Line;

#[derive(Clone, Debug)]
pub struct Generation {
    scope: Scope,
    boundary: Boundary,
    /// By the earner's rank: a rate per generation, the nearest first.
    rows: Vec<(RankName, Vec<Decimal>)>,
    /// A leader whose group has no volume is not counted.
    skips_empty: bool,
    /// A leader stands for its whole downline and not only for its group.
    gross: bool,
}

/// Somebody on the way of a volume, and on which line, in which generation and with what result it came there.
type Arrival<'a> = (u32, Option<(&'a Line, u16, Step)>);

/// Who begins a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Boundary {
    /// Everybody of at least this rank.
    Rank(RankName),
    /// Everybody of at least the earner's rank.
    Own,
}

impl Generation {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.scope.covers(class)
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        self.scope.canonical(path, out);
        match &self.boundary {
            Boundary::Rank(rank) => out.text(&format!("{path}.boundary.rank"), &rank.id),
            Boundary::Own => out.text(&format!("{path}.boundary"), "own"),
        }
        for (rank, rates) in &self.rows {
            out.numbers(&format!("{path}.rates.{}", quoted(&rank.id)), rates);
        }
        if self.skips_empty {
            out.text(&format!("{path}.empty"), "skips");
        }
        if self.gross {
            out.text(&format!("{path}.volume"), "gross");
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let who = match &self.boundary {
            Boundary::Rank(rank) => {
                format!("A generation begins with everybody of at least rank {}.", rank.id)
            }
            Boundary::Own => {
                "A generation begins with everybody of at least the earner's own rank.".to_owned()
            }
        };
        let volume = match self.gross {
            true => "It is their whole downline.",
            false => "It ends where the next generation begins.",
        };
        let mut sentences = vec![who, volume.to_owned()];
        if self.skips_empty {
            sentences.push("A generation without any volume is not counted.".to_owned());
        }
        self.scope.describe(&mut sentences);
        let longest = self.generations();
        let row = |(rank, rates): &(RankName, Vec<Decimal>)| {
            (rank.id.clone(), (0..longest).map(|at| rates.get(usize::from(at)).copied()).collect())
        };
        let rates = Grid {
            corner: "Rank".to_owned(),
            columns: (1..=longest).map(|generation| format!("Generation {generation}")).collect(),
            rows: self.rows.iter().map(row).collect(),
        };
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "generation") }
    }

    /// How many generations are paid at most.
    fn generations(&self) -> u16 {
        let longest = self.rows.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0);
        u16::try_from(longest).unwrap_or(u16::MAX)
    }

    /// What a volume can be paid in all. `None`: as often as there are leaders above it, and on as many lines as
    /// ranks are paid, where no pool holds them.
    fn most(&self, pool: Option<Decimal>) -> Option<Decimal> {
        if self.gross || self.skips_empty || (self.boundary == Boundary::Own && pool.is_none()) {
            return None;
        }
        let at = |generation: usize| self.rows.iter().filter_map(move |(_, rates)| rates.get(generation));
        let generations = 0..usize::from(self.generations());
        Some(match self.boundary {
            Boundary::Rank(_) => generations.filter_map(|generation| at(generation).max()).sum(),
            Boundary::Own => generations.flat_map(at).sum(),
        })
    }

    fn lines(&self, bonus: &Bonus, stage: &Stage<'_>) -> Vec<Line> {
        match &self.boundary {
            Boundary::Rank(rank) => vec![Line::of(self, (bonus, stage), 0, rank, &self.rows)],
            Boundary::Own => {
                let one = |(bit, row): (u16, &(RankName, Vec<Decimal>))| {
                    Line::of(self, (bonus, stage), bit, &row.0, std::slice::from_ref(row))
                };
                (0..).zip(&self.rows).map(one).collect()
            }
        }
    }

    /// The line that somebody is paid on, and what it found there.
    fn find(
        &self,
        (bonus, stage): (&Bonus, &Stage<'_>),
        person: u32,
        at: Option<(&Line, u16, Step)>,
    ) -> (Option<u16>, Finding) {
        let Some((line, generation, step)) = at else {
            let finding = leaders::why_not(bonus, stage, person);
            return (None, finding.unwrap_or_else(|| leaders::no_rate(stage, person)));
        };
        if let Some((level, rate)) = step.pays {
            return (Some(level), leaders::earns(rate));
        }
        if generation == 0 {
            return (None, if line.leads(person) { Finding::HeadsGroup } else { Finding::InGroup });
        }
        let level = line.leads(person).then_some(generation);
        let finding = leaders::why_not(bonus, stage, person);
        (level, finding.unwrap_or_else(|| leaders::no_rate(stage, person)))
    }
}

impl PeriodBonus for Generation {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![self.scope.measure(bonus)]
    }

    /// Who leads a group without volume: a bit for each line, set where it is empty.
    fn judge(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        if !self.skips_empty {
            return Ok(vec![]);
        }
        let volumes = self.scope.volumes(bonus, stage);
        let mut empty = vec![0i64; stage.input.people.len()];
        for line in self.lines(bonus, stage) {
            let groups = leaders::groups(stage.input.people, volumes, line.leaders())?;
            for ((empty, group), leads) in empty.iter_mut().zip(groups).zip(line.leaders()) {
                if *leads && group <= Fixed::ZERO {
                    *empty |= line.bit();
                }
            }
        }
        Ok(empty)
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let volumes = self.scope.volumes(bonus, stage);
        let sponsors = stage.input.people.sponsors();
        let mut awards = vec![];
        // Nobody is paid on two lines, because nobody has two ranks.
        for line in self.lines(bonus, stage) {
            awards.extend(leaders::awards(climb_up(&line, &sponsors, volumes)?));
        }
        self.scope.raw(bonus, stage, self.most(bonus.pool), awards)
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let volumes = self.scope.volumes(bonus, stage);
        let lines = self.lines(bonus, stage);
        let Some(line) = lines.iter().find(|line| line.pays(earner)) else { return Ok(vec![]) };
        let reached = leaders::sources(line, stage.input.people, volumes, earner)?;
        if !self.gross {
            return Ok(reached);
        }
        // A gross volume is of every generation up to the one that it has reached.
        let each = |source: &Source| {
            let part = |generation| {
                let rate = line.rate_of(earner, generation);
                let exact = source.base.times(rate);
                (!rate.is_zero()).then(|| Source { level: generation, rate, exact, ..source.clone() })
            };
            (1..=source.level).filter_map(part).collect::<Vec<_>>()
        };
        Ok(reached.iter().flat_map(each).collect())
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let lines = self.lines(bonus, stage);
        let sponsors = stage.input.people.sponsors();
        let mut way: Vec<Arrival<'_>> = vec![];
        for line in &lines {
            let mut distance = 0;
            climb_from(line, &sponsors, source, |person, state, step| {
                if way.len() <= distance {
                    way.push((person, None));
                }
                let judges = line.judges(stage, person);
                if let Some((_, at)) = way.get_mut(distance).filter(|_| judges) {
                    *at = Some((line, state, step));
                }
                distance += 1;
                true
            });
        }
        let mut visited = vec![];
        for (person, at) in way {
            let (level, finding) = self.find((bonus, stage), person, at);
            visited.extend(leaders::visit(stage, person, visited.len(), level, finding));
        }
        visited
    }
}
