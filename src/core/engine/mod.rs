//! Who is paid what on an order, and what has to be posted so that it becomes true.
//!
//! [`calculate_order`] knows only its arguments, so the same order, upline and plan give the same calculation
//! for ever, byte for byte, in whatever order the lines come. [`difference`] compares with what was posted:
//! a new order, a refund, a cancellation and a re-delivery are all the same road.
//!
//! For every line and bonus `paid + breakage + rounding == pool`, exactly. Nothing here posts, and nothing
//! here knows why an order was held.

mod difference;
mod order;
mod settle;
mod upline;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::assess::{AssessedLine, Assessment};
pub use super::bonus::{Finding, Visited, WalkEnd};
use super::ids::DistributorId;
use super::money::Currency;
use super::plan::{Plan, PlanHash};
use super::volume::Volumes;
pub use difference::{EventDraft, EventKind, PostedAward, difference};
pub use upline::{UplineMember, take_upline, upline_of};

/// The part of an order that earns.
#[derive(Clone, Copy, Debug)]
pub struct CommissionOrder<'a> {
    pub currency: Currency,
    pub ordered_at: DateTime<Utc>,
    /// Slug of its store, which decides its market.
    pub store: &'a str,
    pub lines: &'a [CommissionLine],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionLine {
    /// The store's id of the line.
    pub line: String,
    pub class: String,
    /// What refunds have left of the net.
    pub net: Decimal,
    /// The net as it was sold; volumes per unit shrink in the share of `net` to `sold`.
    pub sold: Decimal,
    pub quantity: Decimal,
}

impl CommissionLine {
    /// The lines of an assessment that earn.
    pub fn of(assessment: &Assessment) -> Vec<Self> {
        assessment.lines.iter().filter_map(Self::of_line).collect()
    }

    /// `None` for a line that earns nothing.
    pub fn of_line(line: &AssessedLine) -> Option<Self> {
        line.earns().then(|| Self {
            line: line.line.clone(),
            class: line.commission_class.clone().unwrap_or_default(),
            net: line.net,
            sold: line.sold,
            quantity: line.quantity,
        })
    }
}

/// Everything that was decided, and everything that is needed to decide it again by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    pub plan_hash: PlanHash,
    pub currency: Currency,
    pub ordered_at: DateTime<Utc>,
    /// By line.
    pub lines: Vec<LineVolumes>,
    /// By bonus, level and line. What rounds to nothing is not here.
    pub awards: Vec<Award>,
    /// By bonus and line. What is zero throughout is not here.
    pub pools: Vec<PoolShare>,
    /// By bonus.
    pub walks: Vec<BonusWalk>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineVolumes {
    pub line: String,
    pub class: String,
    pub net: Decimal,
    #[serde(flatten)]
    pub volumes: Volumes,
}

/// What one line pays one earner: `amount` is `base * rate`, rounded as the plan says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Award {
    pub line: String,
    pub bonus: String,
    pub level: u16,
    pub distributor: DistributorId,
    pub amount: Decimal,
    pub rate: Decimal,
    pub base: Decimal,
}

/// What one line gives to one bonus, at the currency's scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolShare {
    pub line: String,
    pub bonus: String,
    pub pool: Decimal,
    pub paid: Decimal,
    /// What nobody was there to earn.
    pub breakage: Decimal,
    /// What rounding took or added; may be below zero.
    pub rounding: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BonusWalk {
    pub bonus: String,
    pub ended: WalkEnd,
    pub visited: Vec<Visited>,
}

/// Why an order cannot be calculated; all reasons at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(.reasons))]
pub struct EngineRefusal {
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("{0} is not a currency of ISO 4217; correct the order")]
    UnknownCurrency(Currency),
    #[error("the order is in {order}, the plan in {plan}; convert the order or publish a plan in {order}")]
    OtherCurrency { order: Currency, plan: Currency },
    #[error("the order has two lines {line:?}; a line needs an id of its own")]
    TwoLines { line: String },
    #[error(
        "line {line:?} has the commission class {class:?}, which is not in the plan; map it to a known one"
    )]
    UnknownClass { line: String, class: String },
    #[error("line {line:?} has a {what} below zero; correct the order")]
    Negative { line: String, what: &'static str },
    #[error("line {line:?} is too large to be calculated exactly; correct the order")]
    TooLarge { line: String },
}

fn told(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// `upline` starts with the attributed distributor; see [`upline_of`].
pub fn calculate_order(
    plan: &Plan,
    order: &CommissionOrder<'_>,
    upline: &[UplineMember],
) -> Result<Calculation, EngineRefusal> {
    order::calculate(plan, order, upline)
}

#[cfg(test)]
mod tests;
