//! Binary: pays the weaker of the two sides of every position, and keeps what was not matched.

use rust_decimal::Decimal;

use super::{Bonus, Names};
use crate::core::fixed::TooLarge;
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};
use crate::core::plan::read::Table;
use crate::core::plan::{BonusDescription, Canonical};

#[derive(Clone, Debug)]
pub struct Binary {}

impl Binary {
    pub(super) fn read(table: &Table<'_>, names: &Names<'_>) -> Option<Self> {
        None
    }

    pub(super) fn covers(&self, _class: &str) -> bool {
        true
    }

    pub(super) fn canonical(&self, _path: &str, _out: &mut Canonical) {}

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        BonusDescription::of(bonus, "")
    }
}

impl PeriodBonus for Binary {
    fn measures(&self, _bonus: &Bonus) -> Vec<Measure> {
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
