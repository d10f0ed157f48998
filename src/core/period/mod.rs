//! A whole period through every bonus of its plan that is paid at the close.
//!
//! [`calculate_period`] knows only its arguments: the plan, everybody as of the period's end ([`People`]), what
//! was sold ([`Gathered`]) and what earlier periods left behind ([`Carried`]). Phases run in one order: volumes,
//! ranks, base bonuses, matching, pools, then gates, caps and deductions. Nothing recurses; every pass is linear
//! in the number of distributors, and the result does not depend on the order of the input.
//!
//! A period is calculated again with other volumes to find out what a refund takes back: see [`Recalculation`].

mod adjust;
mod carried;
mod climb;
mod condition;
mod cut;
mod gathered;
mod hash;
mod people;
mod positions;
mod rank;
mod result;
mod run;
mod settle;
mod standings;
#[cfg(test)]
pub(crate) mod testing;

use chrono::{DateTime, Utc};

use super::fixed::TooLarge;
use super::plan::Plan;
pub use adjust::{NamedAward, PeriodEvent, adjusted, difference};
pub use carried::{Carried, CarriedStanding, Lot};
pub(crate) use climb::{Climb, Climbed, Paid, Step, Trails, arrivals, climb, climb_from};
pub use condition::{Condition, Facts, LegRule, Qualified, Unmet, VolumeOfLeg};
pub use gathered::{Buyers, Gathered, LineVolume, Measure, SoldLine, Window};
pub(crate) use people::index;
pub use people::{NO_RANK, NOBODY, People, Person};
pub use positions::{PositionAt, Positions};
pub use result::{BonusPool, Cut, PeriodAward, PeriodResult};
pub use run::{Advance, Earnings, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep};
pub use standings::Standings;

/// When the period was: half-open, as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// How lots and people name it, such as `2026-01`.
    pub name: String,
}

/// Everything that a period is calculated from.
#[derive(Clone, Copy)]
pub struct PeriodInput<'a> {
    pub span: &'a Span,
    pub people: &'a People,
    pub sold: &'a Gathered,
    pub carried: &'a Carried,
}

/// Which standings (active, ranks, brackets, points) hold.
#[derive(Clone, Copy)]
pub enum Recalculation<'a> {
    /// Those that follow from the volumes given.
    Full,
    /// Those that held before: only amounts follow the volumes. A refund takes back what its lines paid, and
    /// nobody else's rank moves.
    Frozen(&'a Standings),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodRefusal {
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error("the plan's currency {0} is not in ISO 4217")]
    UnknownCurrency(super::money::Currency),
}

/// Who earns what in a period.
pub fn calculate_period(plan: &Plan, input: PeriodInput<'_>) -> Result<PeriodResult, PeriodRefusal> {
    run::run(plan, input, Recalculation::Full)
}

/// The same with standings that are given: see [`Recalculation`].
pub fn recalculate_period(
    plan: &Plan,
    input: PeriodInput<'_>,
    standings: Recalculation<'_>,
) -> Result<PeriodResult, PeriodRefusal> {
    run::run(plan, input, standings)
}
