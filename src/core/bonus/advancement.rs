//! Rank advancement: a sum for a rank that is reached, once or as long as it is kept.
//!
//! Once: when a title is reached for the first time it begins to be due, and what of it was paid is carried from
//! period to period. Each period: for being paid as a rank.

mod due;
mod read;
#[cfg(test)]
mod tests;

use super::read::RankName;
use super::{Bonus, Finding, leaders};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::period::{Advance, Measure, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted};
use due::{Due, Gone};

#[derive(Clone, Debug)]
pub struct Advancement {
    amounts: Vec<(RankName, Fixed)>,
    pays_for: PaysFor,
    /// In so many periods in a row the rank has to be held, this one included.
    held: u16,
    /// In so many parts it is paid, one a period.
    instalments: u16,
    skipped: Skipped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PaysFor {
    /// Reaching a title for the first time.
    #[default]
    Once,
    /// Being paid as a rank.
    EachPeriod,
}

/// When a title is reached and others with it that lie below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipped {
    #[default]
    PaysEach,
    Highest,
}

impl Advancement {
    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        for (rank, amount) in &self.amounts {
            out.number(&format!("{path}.amounts.{}", quoted(&rank.id)), amount.decimal());
        }
        if self.pays_for == PaysFor::EachPeriod {
            out.text(&format!("{path}.pays_for"), "each_period");
        }
        if self.held != 1 {
            out.number(&format!("{path}.held"), self.held.into());
        }
        if self.instalments != 1 {
            out.number(&format!("{path}.instalments"), self.instalments.into());
        }
        if self.skipped == Skipped::Highest {
            out.text(&format!("{path}.skipped"), "highest");
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let mut sentences = vec![match self.pays_for {
            PaysFor::Once => "Pays an amount once, for reaching a title for the first time.".to_owned(),
            PaysFor::EachPeriod => "Pays an amount in every period, for being paid as a rank.".to_owned(),
        }];
        // Amounts are no rates, so they stand here and not in a grid of shares.
        sentences.extend(self.amounts.iter().map(|(rank, amount)| format!("{}: {amount}.", rank.id)));
        if self.held > 1 {
            sentences.push(format!("The rank has to be held for {} periods in a row.", self.held));
        }
        if self.instalments > 1 {
            sentences.push(format!(
                "It is paid in {} parts, one in each period in which the rank is held.",
                self.instalments
            ));
        }
        if self.skipped == Skipped::Highest {
            sentences.push("Who reaches several titles at once is paid for the highest.".to_owned());
        }
        BonusDescription {
            sentences,
            rates: Grid::default(),
            ..BonusDescription::of(bonus, "rank_advancement")
        }
    }
}

impl PeriodBonus for Advancement {
    fn measures(&self, _bonus: &Bonus) -> Vec<Measure> {
        vec![]
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let (mut raw, gone) = (RawBonus::default(), Gone::of(stage)?);
        for person in (0u32..).take(stage.input.people.len()) {
            let mut sum = Fixed::ZERO;
            for due in self.due(bonus, stage, &gone, person)? {
                sum = sum.add(due.amount)?;
                if self.pays_for == PaysFor::Once {
                    let (rank, parts) = (due.rank, u16::from(due.part.is_some()));
                    raw.advanced.push(Advance { person, rank, parts });
                }
            }
            if !sum.is_zero() {
                let exact = Exact::from_fixed(sum);
                raw.pool = raw.pool.add(exact)?;
                raw.awards.push(RawAward { person, position: None, base: sum, exact });
            }
        }
        Ok(raw)
    }

    /// One for each rank: its level is the rank's place in the plan, counted from 1.
    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let part = |due: Due| Source {
            person: earner,
            position: None,
            level: due.rank.saturating_add(1),
            base: due.amount,
            rate: Rate::ONE,
            exact: Exact::from_fixed(due.amount),
            period: None,
        };
        let due = self
            .due(bonus, stage, &Gone::of(stage)?, earner)?
            .into_iter()
            .filter(|due| !due.amount.is_zero());
        Ok(due.map(part).collect())
    }

    /// Nothing climbs: the only one it comes to is the very person.
    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let due = Gone::of(stage).and_then(|gone| self.due(bonus, stage, &gone, source)).unwrap_or_default();
        let finding = if due.iter().any(|due| due.part.is_some()) {
            Finding::Earns { rate: None }
        } else if let Some(finding) = leaders::why_not(bonus, stage, source) {
            finding
        } else if stage.rank(source).is_none() {
            Finding::NoRank
        } else {
            Finding::NothingDue
        };
        leaders::visit(stage, source, 0, None, finding).into_iter().collect()
    }
}
