//! Binary: pays the weaker of the two sides of every position, and keeps what was not matched.
//!
//! A side has this period's volume of everybody below it and what earlier periods left there as lots, the oldest
//! first. Who is paid and at which rate is decided in `judge`; what is matched follows the volumes, so that a
//! refund on either side undoes the match and moves nobody's rate.

mod cycles;
mod describe;
mod explain;
mod queue;
mod read;
mod settle;
mod sides;
#[cfg(test)]
mod tests;
mod tree;

use super::{Bonus, word};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::period::{Lot, Measure, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep};
use crate::core::plan::{Canonical, quoted};
pub use cycles::Pair;
use settle::Settled;
use sides::Side;
use tree::Tree;

#[derive(Clone, Debug)]
pub struct Binary {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    mode: Mode,
    worth: Worth,
    carry: Carry,
    /// The most that a side keeps.
    max_carry: Option<Fixed>,
    /// For how many periods after its own a volume can still be matched.
    expires_after: Option<u16>,
    inactive: Inactive,
    /// The most that a position is paid for a period.
    cap: Option<Fixed>,
    above_cap: AboveCap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// All of the weaker side is matched.
    WeakLeg,
    /// Whole pairs are matched.
    Cycles {
        unit: Pair,
        /// The very first cycle of a position.
        first: Option<Pair>,
    },
}

/// What is paid for what was matched.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Worth {
    /// So much for every cycle.
    Cycle(Fixed),
    /// A share of the weaker side's volume: for everybody, by the rank's name, or from so much personal volume on.
    Rate(Rate),
    ByRank(Vec<(String, Rate)>),
    ByPv(Vec<(Fixed, Rate)>),
}

/// What stays of volume that was not matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carry {
    Forward,
    /// Only by how much one side is ahead of the other.
    NetOff,
    FullFlush,
}

/// What stays where the owner does not earn in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inactive {
    Keep,
    Flush,
}

/// What becomes of volume that was matched beyond the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AboveCap {
    Flush,
    Keep,
}

const CARRIES: [(&str, Carry); 3] =
    [("carry_forward", Carry::Forward), ("net_off", Carry::NetOff), ("full_flush", Carry::FullFlush)];
const INACTIVE: [(&str, Inactive); 2] = [("keep", Inactive::Keep), ("flush", Inactive::Flush)];
const ABOVE_CAP: [(&str, AboveCap); 2] = [("flush", AboveCap::Flush), ("keep", AboveCap::Keep)];

/// The side of a lot without volume: it notes that the position has made its first cycle, and in which period.
const CYCLED: u16 = 2;

impl Binary {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        if let Some(classes) = &self.classes {
            out.texts(&format!("{path}.classes"), classes);
        }
        match self.mode {
            Mode::WeakLeg => out.text(&format!("{path}.mode"), "weak_leg"),
            Mode::Cycles { unit, first } => {
                out.text(&format!("{path}.mode"), "cycles");
                out.numbers(&format!("{path}.unit"), &[unit.small.decimal(), unit.large.decimal()]);
                if let Some(first) = first {
                    let pair = [first.small.decimal(), first.large.decimal()];
                    out.numbers(&format!("{path}.first_pair"), &pair);
                }
            }
        }
        self.worth.canonical(path, out);
        if self.carry != Carry::Forward {
            out.text(&format!("{path}.carry"), word(&CARRIES, &self.carry));
        }
        if let Some(most) = self.max_carry {
            out.number(&format!("{path}.max_carry"), most.decimal());
        }
        if let Some(after) = self.expires_after {
            out.number(&format!("{path}.expires_after"), after.into());
        }
        if self.inactive != Inactive::Keep {
            out.text(&format!("{path}.inactive"), word(&INACTIVE, &self.inactive));
        }
        if let Some(cap) = self.cap {
            out.number(&format!("{path}.cap"), cap.decimal());
        }
        if self.above_cap != AboveCap::Flush {
            out.text(&format!("{path}.above_cap"), word(&ABOVE_CAP, &self.above_cap));
        }
    }

    /// What the next period finds at a position.
    fn leave(&self, tree: &Tree<'_>, position: u32, settled: &Settled<'_>, lots: &mut Vec<Lot>) {
        let like = |side: u16| Lot {
            bonus: tree.bonus.id.clone(),
            position: tree.positions().id(position).unwrap_or_default().to_owned(),
            side,
            age: 0,
            period: tree.stage.input.span.name.clone(),
            volume: Fixed::ZERO,
        };
        for side in Side::BOTH {
            let rest = &settled.sides.get(side).rest;
            if !rest.is_empty() {
                lots.extend(rest.lots(&like(side.number())));
            }
        }
        if settled.cycled && matches!(self.mode, Mode::Cycles { first: Some(_), .. }) {
            lots.push(tree.first_cycle(position).cloned().unwrap_or_else(|| like(CYCLED)));
        }
    }

    /// A lot whose position is not there waits for it, as long as lots wait.
    fn wait(&self, lot: &Lot) -> Option<Lot> {
        let older = Lot { age: lot.age.saturating_add(1), ..lot.clone() };
        let late = self.expires_after.is_some_and(|after| older.age >= after);
        match lot.side {
            CYCLED => Some(lot.clone()),
            _ => Some(older).filter(|_| !late),
        }
    }
}

impl Worth {
    fn canonical(&self, path: &str, out: &mut Canonical) {
        match self {
            Self::Cycle(pay) => out.number(&format!("{path}.pay"), pay.decimal()),
            Self::Rate(rate) => out.number(&format!("{path}.rate"), rate.decimal()),
            Self::ByRank(rates) => {
                for (rank, rate) in rates {
                    out.number(&format!("{path}.rates.{}", quoted(rank)), rate.decimal());
                }
            }
            Self::ByPv(brackets) => {
                for (from, rate) in brackets {
                    out.number(&format!("{path}.rates_by_pv.{}", quoted(&from.to_string())), rate.decimal());
                }
            }
        }
    }
}

impl PeriodBonus for Binary {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![bonus.measure(self.classes.clone())]
    }

    /// Everybody's rate, where it is not the same for all.
    fn judge(&self, _bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        let everybody = (0u32..).take(stage.input.people.len());
        match &self.worth {
            Worth::Cycle(_) | Worth::Rate(_) => Ok(vec![]),
            Worth::ByRank(rates) => {
                let rate = |person| stage.rank(person).and_then(|rank| rates.get(usize::from(rank)));
                Ok(everybody.map(|person| rate(person).map_or(0, |(_, rate)| rate.0)).collect())
            }
            Worth::ByPv(brackets) => {
                let rate = |pv: &Fixed| brackets.iter().rev().find(|(from, _)| pv >= from);
                Ok(stage.standings.pv.iter().map(|pv| rate(pv).map_or(0, |(_, rate)| rate.0)).collect())
            }
        }
    }

    /// The pool is what all positions earned before their caps.
    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let tree = Tree::new(self, bonus, stage)?;
        let mut raw = RawBonus::default();
        for position in (0u32..).take(tree.positions().len()) {
            let Some(settled) = tree.settled(position)? else { continue };
            raw.pool = raw.pool.add(settled.earned)?;
            if settled.paid != Exact::ZERO {
                let person = tree.positions().owner(position);
                let (base, exact) = (settled.base, settled.paid);
                raw.awards.push(RawAward { person, position: Some(position), base, exact });
            }
            self.leave(&tree, position, &settled, &mut raw.lots);
        }
        raw.lots.extend(tree.elsewhere().filter_map(|lot| self.wait(lot)));
        Ok(raw)
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        Tree::new(self, bonus, stage)?.sources(earner)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        Tree::new(self, bonus, stage).and_then(|tree| tree.trace(source)).unwrap_or_default()
    }
}
