//! What a bonus pays, one room per family.
//!
//! A family reads its own part of the plan document, says who it would pay and at which rate, and describes
//! itself. It rounds nothing: cents, breakage, gates and caps are the engine's, the same for all. What is paid
//! as soon as an order is known is an [`OrderBonus`]; what is paid at the close of a period is a
//! [`PeriodBonus`]; some families can be either.

mod advancement;
mod binary;
mod differential;
mod direct;
mod family;
mod fast_start;
mod finding;
mod generation;
mod leaders;
mod matching;
mod overriding;
mod pool;
mod proportion;
mod read;
#[cfg(test)]
mod testing;
mod unilevel;
mod walk;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::engine::UplineMember;
use super::period::{Condition, Measure, PeriodBonus, Window};
use super::plan::{ActiveRule, BonusDescription, Canonical, Class, PlacementRule, Plan, word};
use super::volume::VolumeKind;
pub use advancement::Advancement;
pub use binary::Binary;
pub use differential::Differential;
pub use direct::Direct;
pub use family::Family;
pub(crate) use family::{FAMILIES, FamilyWord};
pub use fast_start::FastStart;
pub use finding::{Finding, Visited};
pub use generation::Generation;
pub use matching::Matching;
pub use overriding::Override;
pub use pool::Pool;
pub(crate) use pool::check_shares;
pub use unilevel::{Compression, CompressionMode, Unilevel};
pub use walk::WalkEnd;
use walk::why_inactive;
pub(crate) use walk::{OrderBonus, Place, Terms, Walk};

#[derive(Clone, Debug)]
pub struct Bonus {
    pub id: String,
    pub base: Base,
    /// Who counts as active for this bonus, where it differs from the plan.
    pub active: Option<ActiveRule>,
    /// The most that a line gives to this bonus, as a share of the base.
    pub pool: Option<Decimal>,
    pub pays: Pays,
    /// Paid with the order, and forfeited at the close by whoever does not earn then.
    pub provisional: bool,
    /// What an earner has to meet in the period, besides being active.
    pub requires: Option<Condition>,
    /// By class: for so many days after the enrolment of whoever sells it, its volume belongs to a fast start
    /// that withholds it from this bonus.
    pub withheld: Vec<(String, u16)>,
    pub family: Family,
}

/// When a bonus is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    /// As soon as the order is known, on the standing at the order's time.
    Order,
    /// At the close, on the standing in the period.
    Period,
}

const PAYS: [(&str, Pays); 2] = [("order", Pays::Order), ("period", Pays::Period)];

/// What comes after what at the close of a period; ranks come before all of these, gates and caps after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Base,
    /// Reads the earnings of base bonuses.
    Matching,
    Pool,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Base, Self::Matching, Self::Pool];
}

/// What rates are applied to.
pub type Base = VolumeKind;

pub(crate) const BASES: [(&str, Base); 5] =
    [("net", Base::Net), ("cv", Base::Cv), ("pv", Base::Pv), ("qv", Base::Qv), ("margin", Base::Margin)];

/// What other parts of the document declare.
pub(crate) struct Names<'n> {
    pub classes: &'n [Class],
    pub ranks: &'n [String],
    pub qualifications: &'n [String],
    /// Ids of all bonuses, with their families: for those that read the earnings of others.
    pub bonuses: &'n [(String, FamilyWord)],
    pub placement: Option<PlacementRule>,
}

impl Names<'_> {
    pub(crate) fn class_ids(&self) -> Vec<String> {
        self.classes.iter().map(|class| class.id.clone()).collect()
    }
}

impl Bonus {
    /// `None` for a family that is only paid at the close.
    pub(crate) fn order_rules(&self) -> Option<&dyn OrderBonus> {
        match (&self.family, self.pays) {
            (Family::Direct(direct), Pays::Order) => Some(direct),
            (Family::FastStart(fast_start), Pays::Order) => Some(fast_start),
            (Family::Unilevel(unilevel), Pays::Order) => Some(unilevel),
            _ => None,
        }
    }

    pub(crate) fn period_rules(&self) -> &dyn PeriodBonus {
        match &self.family {
            Family::Advancement(advancement) => advancement,
            Family::Binary(binary) => binary,
            Family::Differential(differential) => differential,
            Family::Direct(direct) => direct,
            Family::FastStart(fast_start) => fast_start,
            Family::Generation(generation) => generation,
            Family::Matching(matching) => matching,
            Family::Override(overriding) => overriding,
            Family::Pool(pool) => pool,
            Family::Unilevel(unilevel) => unilevel,
        }
    }

    /// Whether it is paid on a volume of orders.
    pub fn has_base(&self) -> bool {
        self.family.word().has_base()
    }

    /// What volumes it is paid on, at the close of a period.
    pub(crate) fn measure(&self, classes: Option<Vec<String>>) -> Measure {
        Measure { classes, withheld: self.withheld.clone(), ..Measure::of(self.base) }
    }

    pub fn phase(&self) -> Phase {
        match &self.family {
            Family::Matching(_) => Phase::Matching,
            Family::Pool(_) => Phase::Pool,
            _ => Phase::Base,
        }
    }

    pub(crate) fn covers(&self, class: &str) -> bool {
        match &self.family {
            Family::Direct(direct) => direct.covers(class),
            Family::Unilevel(unilevel) => unilevel.covers(class),
            Family::FastStart(fast_start) => fast_start.covers(class),
            Family::Differential(differential) => differential.covers(class),
            Family::Generation(generation) => generation.covers(class),
            Family::Override(overriding) => overriding.covers(class),
            Family::Binary(binary) => binary.covers(class),
            Family::Pool(pool) => pool.covers(class),
            Family::Matching(_) | Family::Advancement(_) => true,
        }
    }

    /// Whether a line of an order counts. `enrolled_at` is that of the attributed distributor.
    pub(crate) fn covers_line(
        &self,
        class: &str,
        enrolled_at: Option<DateTime<Utc>>,
        ordered_at: DateTime<Utc>,
    ) -> bool {
        let window = match &self.family {
            Family::FastStart(fast_start) => fast_start.window(),
            _ => Window::Always,
        };
        let withheld =
            |(of, days): &(String, u16)| of == class && Window::First(*days).holds(enrolled_at, ordered_at);
        self.covers(class) && window.holds(enrolled_at, ordered_at) && !self.withheld.iter().any(withheld)
    }

    pub(crate) fn active_rule<'p>(&'p self, plan: &'p Plan) -> &'p ActiveRule {
        self.active.as_ref().unwrap_or(&plan.active)
    }

    /// On the upline of an order; nobody for a bonus that is paid at the close.
    pub(crate) fn walk(&self, plan: &Plan, upline: &[UplineMember], ordered_at: DateTime<Utc>) -> Walk {
        let terms = Terms {
            active: self.active_rule(plan),
            ranks: plan.ranks(),
            default_rank: plan.default_rank.as_deref(),
            ordered_at,
        };
        match self.order_rules() {
            Some(rules) => rules.walk(&terms, upline),
            None => Walk { visited: vec![], ended: WalkEnd::Depth, places: vec![] },
        }
    }

    pub(crate) fn canonical(&self, path: &str, out: &mut Canonical) {
        let family = self.family.word();
        out.text(&format!("{path}.family"), word(&FAMILIES, &family));
        if family.has_base() {
            out.text(&format!("{path}.base"), word(&BASES, &self.base));
        }
        if let Some(active) = &self.active {
            out.text(&format!("{path}.active"), "own");
            out.active(&format!("{path}.active"), active);
        }
        if let Some(pool) = self.pool {
            out.number(&format!("{path}.pool"), pool);
        }
        if self.pays != family.pays() {
            out.text(&format!("{path}.pays"), word(&PAYS, &self.pays));
        }
        if self.provisional {
            out.text(&format!("{path}.provisional"), "true");
        }
        if let Some(condition) = &self.requires {
            out.condition(&format!("{path}.requires"), condition);
        }
        match &self.family {
            Family::Advancement(advancement) => advancement.canonical(path, out),
            Family::Binary(binary) => binary.canonical(path, out),
            Family::Differential(differential) => differential.canonical(path, out),
            Family::Direct(direct) => direct.canonical(path, out),
            Family::FastStart(fast_start) => fast_start.canonical(path, out),
            Family::Generation(generation) => generation.canonical(path, out),
            Family::Matching(matching) => matching.canonical(path, out),
            Family::Override(overriding) => overriding.canonical(path, out),
            Family::Pool(pool) => pool.canonical(path, out),
            Family::Unilevel(unilevel) => unilevel.canonical(path, out),
        }
    }

    pub(crate) fn describe(&self) -> BonusDescription {
        match &self.family {
            Family::Advancement(advancement) => advancement.describe(self),
            Family::Binary(binary) => binary.describe(self),
            Family::Differential(differential) => differential.describe(self),
            Family::Direct(direct) => direct.describe(self),
            Family::FastStart(fast_start) => fast_start.describe(self),
            Family::Generation(generation) => generation.describe(self),
            Family::Matching(matching) => matching.describe(self),
            Family::Override(overriding) => overriding.describe(self),
            Family::Pool(pool) => pool.describe(self),
            Family::Unilevel(unilevel) => unilevel.describe(self),
        }
    }
}
