//! Matching at the close of a period: what climbs is what others have earned.

use super::Matching;
use crate::core::bonus::Bonus;
use crate::core::bonus::unilevel::ascent::Ascent;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};

impl PeriodBonus for Matching {
    fn measures(&self, _bonus: &Bonus) -> Vec<Measure> {
        vec![]
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let earned = self.earned(stage)?;
        let awards = Ascent::new(&self.ladder, bonus, stage).awards(&earned)?;
        bonus.raw(awards, Fixed::sum(earned.iter().copied())?, Some(self.ladder.most()))
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        Ascent::new(&self.ladder, bonus, stage).sources(&self.earned(stage)?, earner)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        Ascent::new(&self.ladder, bonus, stage).trace(source)
    }
}

impl Matching {
    /// By person, of orders and of the close, before gates and caps. What was forfeited counts against it.
    fn earned(&self, stage: &Stage<'_>) -> Result<Vec<Fixed>, TooLarge> {
        let bonuses = (0u16..).zip(stage.plan.bonus_ids());
        let matched: Vec<u16> =
            bonuses.filter(|(_, id)| self.of.iter().any(|of| of == id)).map(|(at, _)| at).collect();
        let earned = |person| Fixed::sum(matched.iter().map(|bonus| stage.earnings.of(*bonus, person)));
        (0u32..).take(stage.input.people.len()).map(earned).collect()
    }
}
