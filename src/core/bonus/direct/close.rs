//! A direct bonus at the close of a period: on everything a distributor sold in it.

use super::Direct;
use crate::core::bonus::Bonus;
use crate::core::fixed::TooLarge;
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};

impl PeriodBonus for Direct {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![]
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
