//! The plan document: what a company promised to pay, as a value.
//!
//! Read from TOML by [`Plan::parse`], which names every problem at once with its line and fix, and never
//! changed afterwards: its hash is on every calculation. `docs/plan.md` is its reference. This room knows the
//! words of the document; what a bonus pays is in [`super::bonus`], who is paid is decided in [`super::engine`].

mod canonical;
mod conditions;
mod describe;
mod diff;
mod limits;
pub(crate) mod parse;
mod period;
mod placement;
mod problem;
mod ranks;
pub(crate) mod read;
mod schema;
mod volumes;

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bonus::{Bonus, Pays};
use super::genealogy::Status;
use super::money::{Currency, Rounding};
use super::period::{Buyers, Measure};
use super::volume::{VolumeKind, VolumeRules};
pub use canonical::PlanHash;
pub(crate) use canonical::{Canonical, quoted, word};
pub(crate) use conditions::read_condition;
pub use describe::{
    BonusDescription, ClassDescription, Grid, PlanDescription, QualificationDescription, RankDescription,
};
pub use diff::PlanChange;
pub(crate) use limits::{CAPS_IN_ORDER, read_amount};
pub use limits::{Cap, CapPer, CustomerShare, Deduction, Gate, Limits, Most};
pub use placement::{PlacementRule, Spillover, TreeKind};
pub use problem::PlanProblem;
pub use ranks::{Promotion, Qualification, RankRule, RankRules};
pub(crate) use ranks::{asking_for_rank, in_order};
pub use schema::schema;
pub use volumes::{GroupRule, Market};

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
    /// What each of `ranks` asks, and when a promotion counts.
    pub(crate) rank_rules: RankRules,
    /// In the order of the document.
    pub(crate) qualifications: Vec<Qualification>,
    /// The rank of a distributor who has none.
    pub(crate) default_rank: Option<String>,
    pub(crate) group: GroupRule,
    pub(crate) markets: Vec<Market>,
    pub(crate) placement: Option<PlacementRule>,
    pub(crate) limits: Limits,
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
    /// What the refunded lines were paid is taken back in the period that is open then; ranks and brackets of
    /// the closed period stand.
    Now,
    /// The closed period is calculated again without the refunded goods, ranks and brackets too; the difference
    /// is posted in the period that is open then.
    SamePeriod,
    /// As `now`, at the average that each award of the closed period was paid at.
    AverageRate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub id: String,
    pub volumes: VolumeRules,
    /// Where a market has other volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<(String, VolumeRules)>,
}

impl Class {
    pub fn volumes_in(&self, market: Option<&str>) -> &VolumeRules {
        let own = self.markets.iter().find(|(id, _)| Some(id.as_str()) == market);
        own.map_or(&self.volumes, |(_, volumes)| volumes)
    }
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

    pub fn rank_rules(&self) -> &RankRules {
        &self.rank_rules
    }

    pub fn placement(&self) -> Option<&PlacementRule> {
        self.placement.as_ref()
    }

    /// By id.
    pub fn bonuses(&self) -> &[Bonus] {
        &self.bonuses
    }

    pub(crate) fn order_bonuses(&self) -> impl Iterator<Item = &Bonus> {
        self.bonuses.iter().filter(|bonus| bonus.pays == Pays::Order)
    }

    /// Whether the close of a period pays anything, or decides ranks.
    pub fn has_period_bonuses(&self) -> bool {
        self.bonuses.iter().any(|bonus| bonus.pays == Pays::Period || bonus.provisional)
            || self.rank_rules.decide()
            || !self.limits.is_empty()
    }

    /// The market that orders of a store belong to.
    pub fn market_of(&self, store: &str) -> Option<&str> {
        let market = self.markets.iter().find(|market| market.stores.iter().any(|known| known == store));
        market.map(|market| market.id.as_str())
    }

    /// What [`super::period::PeriodAward::bonus`] names: a bonus, and after them all the deductions.
    pub fn award_name(&self, at: u16) -> &str {
        let at = usize::from(at);
        match self.bonuses.get(at) {
            Some(bonus) => &bonus.id,
            None => self.limits.deductions.get(at - self.bonuses.len()).map_or("", |d| d.id.as_str()),
        }
    }

    /// Every sum over lines that a period is calculated from.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        let customers = Measure { buyers: Buyers::Customers, ..Measure::of(VolumeKind::Pv) };
        let mut measures = vec![
            Measure::of(VolumeKind::Pv),
            customers,
            Measure::of(self.group.volume),
            Measure::of(VolumeKind::Cv),
        ];
        for bonus in self.bonuses.iter().filter(|bonus| bonus.pays == Pays::Period) {
            measures.extend(bonus.period_rules().measures(bonus));
        }
        measures.extend(self.limits.measures());
        measures.sort();
        measures.dedup();
        measures
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

    /// Whether it matters since when the attributed distributor has been enrolled.
    pub fn needs_enrolment(&self) -> bool {
        self.order_bonuses().any(|bonus| bonus.asks_enrolment())
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
