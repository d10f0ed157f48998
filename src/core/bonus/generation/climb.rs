//! How volume climbs from leader to leader.

use rust_decimal::Decimal;

use super::{Boundary, Generation};
use crate::core::bonus::Bonus;
use crate::core::bonus::leaders;
use crate::core::bonus::read::RankName;
use crate::core::fixed::Rate;
use crate::core::period::{Climb, Stage, Step, index};

/// Generations counted by people of one rank and above. A state is how many of them the volume has passed.
pub(super) struct Line {
    boundary: RankName,
    bit: u16,
    own: bool,
    gross: bool,
    generations: u16,
    /// By row and generation, as a share of the base.
    rates: Vec<Vec<Rate>>,
    leaders: Vec<bool>,
    /// Leaders who are passed without being counted.
    uncounted: Vec<bool>,
    /// By person: which row it is paid by, from 1; 0 for none.
    rows: Vec<u16>,
    earns: Vec<bool>,
}

impl Line {
    /// `bit` is where the line's empty groups are noted.
    pub fn of(
        rules: &Generation,
        (bonus, stage): (&Bonus, &Stage<'_>),
        bit: u16,
        boundary: &RankName,
        rows: &[(RankName, Vec<Decimal>)],
    ) -> Self {
        let people = stage.input.people;
        let own = rules.boundary == Boundary::Own;
        let leads = |person| boundary.reached_by(stage.standings.rank(person));
        let row = |person| {
            let rank = stage.rank(person);
            let row = rows.iter().zip(1u16..).find(|((known, _), _)| Some(known.place) == rank);
            row.map_or(0, |(_, row)| row)
        };
        let written = |(_, rates): &(RankName, Vec<Decimal>)| {
            rates.iter().map(|rate| rules.scope.rate(bonus, *rate)).collect::<Vec<_>>()
        };
        let is_empty = |person| {
            let noted = stage.standings.own(stage.bonus, person);
            rules.skips_empty && noted & mask(bit) != 0
        };
        let longest = rows.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0);
        Self {
            boundary: boundary.clone(),
            bit,
            own,
            gross: rules.gross,
            generations: u16::try_from(longest).unwrap_or(u16::MAX),
            rates: rows.iter().map(written).collect(),
            leaders: leaders::everybody(people, leads),
            uncounted: leaders::everybody(people, is_empty),
            rows: leaders::everybody(people, row),
            earns: leaders::everybody(people, |person| stage.earns(bonus, person)),
        }
    }

    pub fn leaders(&self) -> &[bool] {
        &self.leaders
    }

    pub fn leads(&self, person: u32) -> bool {
        leaders::is_set(&self.leaders, person)
    }

    pub fn bit(&self) -> i64 {
        mask(self.bit)
    }

    /// Whether somebody is paid on this line at all.
    pub fn pays(&self, person: u32) -> bool {
        self.row(person) > 0
    }

    /// Whether this line says what somebody is paid or why not: the only one does, else that of the rank.
    pub fn judges(&self, stage: &Stage<'_>, person: u32) -> bool {
        !self.own || stage.rank(person) == Some(self.boundary.place)
    }

    /// What somebody is paid on its generation, counted from 1.
    pub fn rate_of(&self, person: u32, generation: u16) -> Rate {
        let row = usize::from(self.row(person)).checked_sub(1).and_then(|row| self.rates.get(row));
        let at = usize::from(generation).checked_sub(1);
        row.zip(at).and_then(|(row, at)| row.get(at)).copied().unwrap_or(Rate::ZERO)
    }

    fn row(&self, person: u32) -> u16 {
        self.rows.get(index(person)).copied().unwrap_or(0)
    }

    /// On volume that has reached this generation.
    fn rate(&self, person: u32, generation: u16) -> Rate {
        if !self.gross {
            return self.rate_of(person, generation);
        }
        let each = (1..=generation).map(|generation| self.rate_of(person, generation).0);
        Rate(each.fold(0i64, i64::saturating_add))
    }
}

/// Of the bit that a line notes.
fn mask(bit: u16) -> i64 {
    1i64.checked_shl(u32::from(bit)).unwrap_or(0)
}

impl Climb for Line {
    fn states(&self) -> u16 {
        self.generations.saturating_add(1)
    }

    fn start(&self, _person: u32) -> Option<u16> {
        Some(0)
    }

    fn step(&self, person: u32, state: u16) -> Step {
        let leads = self.leads(person);
        let earns = leads && state > 0 && leaders::is_set(&self.earns, person);
        let rate = if earns { self.rate(person, state) } else { Rate::ZERO };
        let counts = leads && !leaders::is_set(&self.uncounted, person);
        let passed = state.saturating_add(u16::from(counts));
        let next = match passed <= self.generations {
            true => Some(passed),
            false => Some(self.generations).filter(|_| self.gross),
        };
        Step { pays: (!rate.is_zero()).then_some((state, rate)), next }
    }
}
