//! Fast start: the first days of a recruit pay the sponsors above.

use rust_decimal::Decimal;

use super::{Bonus, Names, OrderBonus, Place, Terms, Walk, WalkEnd};
use crate::core::engine::UplineMember;
use crate::core::fixed::TooLarge;
use crate::core::period::{Measure, PeriodBonus, RawBonus, Source, Stage, TraceStep};
use crate::core::plan::read::Table;
use crate::core::plan::{BonusDescription, Canonical};

#[derive(Clone, Debug)]
pub struct FastStart {}

impl FastStart {
    pub(super) fn read(table: &Table<'_>, names: &Names<'_>, pool: Option<Decimal>) -> Option<Self> {
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

impl PeriodBonus for FastStart {
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

impl OrderBonus for FastStart {
    fn walk(&self, _terms: &Terms<'_>, _upline: &[UplineMember]) -> Walk {
        Walk { visited: vec![], ended: WalkEnd::Depth, places: vec![] }
    }

    fn rate(&self, place: &Place, _class: &str) -> Decimal {
        place.rate
    }

    fn most(&self, _class: &str) -> Option<Decimal> {
        None
    }

    fn rates_are_of_pool(&self) -> bool {
        false
    }
}
