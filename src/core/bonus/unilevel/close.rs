//! Levels at the close of a period, up the sponsors or up the placement tree.

use super::Unilevel;
use crate::core::bonus::Bonus;
use crate::core::fixed::TooLarge;
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};

impl PeriodBonus for Unilevel {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![bonus.measure(self.classes.clone())]
    }

    fn calculate(&self, _bonus: &Bonus, _stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        Ok(RawBonus::default())
    }

    fn sources(&self, _bonus: &Bonus, _stage: &Stage<'_>, _earner: u32) -> Result<Vec<Source>, TooLarge> {
        Ok(vec![])
    }

    fn trace(&self, _bonus: &Bonus, _stage: &Stage<'_>, _source: u32) -> Vec<TraceStep> {
        vec![]
    }
}
