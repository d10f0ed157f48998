//! Levels at the close of a period, up the sponsors or up the placement tree.

use super::Unilevel;
use super::ascent::Ascent;
use crate::core::bonus::Bonus;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};

impl PeriodBonus for Unilevel {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![bonus.measure(self.classes.clone())]
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let volumes = self.volumes(bonus, stage);
        let awards = self.ascent(bonus, stage).awards(volumes)?;
        // What nobody has a place for, or nobody above earns, is breakage.
        bonus.raw(awards, Fixed::sum(volumes.iter().copied())?, Some(self.ladder.most()))
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        self.ascent(bonus, stage).sources(self.volumes(bonus, stage), earner)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        self.ascent(bonus, stage).trace(source)
    }
}

impl Unilevel {
    fn volumes<'a>(&self, bonus: &Bonus, stage: &Stage<'a>) -> &'a [Fixed] {
        stage.input.sold.get(&bonus.measure(self.classes.clone()))
    }

    fn ascent<'a>(&'a self, bonus: &'a Bonus, stage: &Stage<'a>) -> Ascent<'a> {
        match self.matrix {
            true => Ascent::placed(&self.ladder, bonus, stage),
            false => Ascent::new(&self.ladder, bonus, stage),
        }
    }
}
