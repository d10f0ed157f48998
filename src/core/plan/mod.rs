//! The plan document: what a company promised to pay, as a value.
//!
//! Read from TOML by [`Plan::parse`], which names every problem at once with its line and fix, and never
//! changed afterwards: its hash is on every calculation. `docs/plan.md` is its reference. This room knows the
//! words of the document; what a bonus pays is in [`super::bonus`], who is paid is decided in [`super::engine`].

mod canonical;
mod describe;
pub(crate) mod parse;
mod period;
mod problem;
pub(crate) mod read;

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bonus::Bonus;
use super::genealogy::Status;
use super::money::{Currency, Rounding};
use super::volume::VolumeRules;
pub use canonical::PlanHash;
pub(crate) use canonical::{Canonical, quoted, word};
pub use describe::{BonusDescription, Grid, PlanDescription};
pub use problem::PlanProblem;

#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) currency: Currency,
    pub(crate) rounding: RoundingRule,
    pub(crate) period: PeriodRule,
    pub(crate) active: ActiveRule,
    pub(crate) refunds: RefundPolicy,
    /// Lowest first, as in the document.
    pub(crate) ranks: Vec<String>,
    /// The rank of a distributor who has none.
    pub(crate) default_rank: Option<String>,
    /// By id, whatever the document's order.
    pub(crate) classes: Vec<Class>,
    /// By id, whatever the document's order.
    pub(crate) bonuses: Vec<Bonus>,
    canonical: String,
    hash: PlanHash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundingRule {
    pub mode: Rounding,
    pub stage: Stage,
}

/// When a fraction of the smallest unit is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Every award of every line for itself.
    Line,
    /// The sum of a bonus over the order's lines, per earner and level, given back to the lines exactly.
    Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodRule {
    pub cadence: Cadence,
    pub zone: Tz,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    Day,
    Week,
    Month,
    Quarter,
}

/// Who counts as active: for earning and for compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveRule {
    pub statuses: Vec<Status>,
    /// Least personal volume in the period up to the order.
    pub min_pv: Option<Decimal>,
}

impl Default for ActiveRule {
    fn default() -> Self {
        Self { statuses: vec![Status::Active], min_pv: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundPolicy {
    /// The difference is posted when the refund is learned, into the period that is open then.
    Now,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub id: String,
    pub volumes: VolumeRules,
}

impl Plan {
    /// Everything that is wrong with the document, or the plan.
    pub fn parse(text: &str) -> Result<Self, Vec<PlanProblem>> {
        parse::parse(text)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn period(&self) -> PeriodRule {
        self.period
    }

    pub fn refunds(&self) -> RefundPolicy {
        self.refunds
    }

    pub fn ranks(&self) -> &[String] {
        &self.ranks
    }

    pub fn class(&self, id: &str) -> Option<&Class> {
        self.classes
            .binary_search_by(|class| class.id.as_str().cmp(id))
            .ok()
            .and_then(|at| self.classes.get(at))
    }

    /// What SKU mappings may name.
    pub fn class_ids(&self) -> Vec<String> {
        self.classes.iter().map(|class| class.id.clone()).collect()
    }

    pub fn bonus_ids(&self) -> impl Iterator<Item = &str> {
        self.bonuses.iter().map(|bonus| bonus.id.as_str())
    }

    /// Whether anybody's standing depends on volume, so that callers can save themselves the sum.
    pub fn needs_pv(&self) -> bool {
        self.bonuses.iter().any(|bonus| bonus.active_rule(self).min_pv.is_some())
    }

    /// One text for all documents that mean the same: key order, comments, spacing, `0.10` or `0.1` and
    /// defaults that are written out make no difference. A value that is left at its default is not in it, so
    /// a key that the document learns later changes no hash of today.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// SHA-256 of [`Plan::canonical`].
    pub fn hash(&self) -> PlanHash {
        self.hash
    }

    pub fn describe(&self) -> PlanDescription {
        describe::describe(self)
    }
}

#[cfg(test)]
mod tests;
