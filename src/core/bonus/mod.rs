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
mod fast_start;
mod generation;
mod leaders;
mod matching;
mod overriding;
mod pool;
#[cfg(test)]
mod testing;
mod unilevel;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::engine::UplineMember;
use super::genealogy::Status;
use super::ids::DistributorId;
use super::period::{Condition, Measure, PeriodBonus, Window};
use super::plan::read::{Item, Table};
use super::plan::{ActiveRule, BonusDescription, Canonical, Class, PlacementRule, Plan, word};
use super::volume::{VolumeKind, VolumeRules};
pub use advancement::Advancement;
pub use binary::Binary;
pub use differential::Differential;
pub use direct::Direct;
pub use fast_start::FastStart;
pub use generation::Generation;
pub use matching::Matching;
pub use overriding::Override;
pub use pool::Pool;
pub(crate) use pool::check_shares;
pub use unilevel::{Compression, CompressionMode, Unilevel};

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

#[derive(Clone, Debug)]
pub enum Family {
    Advancement(Advancement),
    Binary(Binary),
    Differential(Differential),
    Direct(Direct),
    FastStart(FastStart),
    Generation(Generation),
    Matching(Matching),
    /// On breakaway groups.
    Override(Override),
    Pool(Pool),
    /// A matrix too: a unilevel on the placement tree.
    Unilevel(Unilevel),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyWord {
    Advancement,
    Binary,
    Differential,
    Direct,
    FastStart,
    Generation,
    Matching,
    Matrix,
    Override,
    Pool,
    Unilevel,
}

pub(crate) const FAMILIES: [(&str, FamilyWord); 11] = [
    ("direct", FamilyWord::Direct),
    ("unilevel", FamilyWord::Unilevel),
    ("matrix", FamilyWord::Matrix),
    ("fast_start", FamilyWord::FastStart),
    ("differential", FamilyWord::Differential),
    ("override", FamilyWord::Override),
    ("generation", FamilyWord::Generation),
    ("binary", FamilyWord::Binary),
    ("matching", FamilyWord::Matching),
    ("pool", FamilyWord::Pool),
    ("rank_advancement", FamilyWord::Advancement),
];

impl FamilyWord {
    /// Whether rates are applied to a volume of orders.
    fn has_base(self) -> bool {
        !matches!(self, Self::Matching | Self::Advancement)
    }

    pub fn pays_with_orders(self) -> bool {
        self.pays() == Pays::Order
    }

    fn pays(self) -> Pays {
        match self {
            Self::Direct | Self::FastStart | Self::Unilevel => Pays::Order,
            _ => Pays::Period,
        }
    }
}

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

/// What a bonus has to know of the plan to judge an ancestor.
pub(crate) struct Terms<'p> {
    pub active: &'p ActiveRule,
    pub ranks: &'p [String],
    pub default_rank: Option<&'p str>,
    pub ordered_at: DateTime<Utc>,
}

/// A bonus that is emitted as soon as its order is known.
pub(crate) trait OrderBonus {
    /// Goes up from the attributed distributor and says of each ancestor what it found.
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk;

    /// What a place that earns is paid on a line of `class`.
    fn rate(&self, place: &Place, class: &str) -> Decimal;

    /// The most that a line of `class` can be paid; `None`: just what it is paid.
    fn most(&self, class: &str) -> Option<Decimal>;

    /// Whether rates are a share of the pool and not of the base.
    fn rates_are_of_pool(&self) -> bool;
}

/// Somebody in the upline who earns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub level: u16,
    /// Position in the upline.
    pub member: usize,
    pub rate: Decimal,
}

pub(crate) struct Walk {
    pub visited: Vec<Visited>,
    pub ended: WalkEnd,
    pub places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalkEnd {
    /// There is nobody above.
    Top,
    /// Every level of the bonus was reached; whoever is above is beyond its depth.
    Depth,
}

/// One ancestor as a bonus saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visited {
    pub distributor: DistributorId,
    /// Steps above the attributed distributor.
    pub distance: u32,
    /// The level it stood on; none when compression passed it over, so that the level went further up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u16>,
    #[serde(flatten)]
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    Earns {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Decimal>,
    },
    /// A position of a binary: what it did with somebody's volume on one of its sides.
    Leg {
        position: String,
        side: u16,
        /// Whether its owner earns in the period at all.
        earns: bool,
        matched: Decimal,
        carried: Decimal,
        flushed: Decimal,
    },
    /// Below the first level that the bonus pays.
    BelowStart,
    NotEnrolled,
    /// The status does not count as active.
    Inactive {
        status: super::genealogy::Status,
    },
    /// Too little personal volume.
    BelowMinPv {
        pv: Decimal,
        min_pv: Decimal,
    },
    /// Has no rank, and the plan names none for such.
    NoRank,
    /// Has a rank that the plan does not know.
    UnknownRank {
        rank: String,
    },
    /// The rank is not paid at this level.
    NoRate {
        rank: Option<String>,
    },
    /// Does not meet what the bonus asks besides being active.
    NotEligible,
    /// Above somebody whose rank ends the levels.
    BeyondStop,
    /// Enrolled too long ago, or at a time that nobody knows.
    OutsideWindow {
        days: u16,
    },
    /// Too little volume for the first tier.
    BelowTier {
        volume: Decimal,
        least: Decimal,
    },
    /// So much was paid below, or stands there, and the own rate is not above it.
    PaidBelow {
        rate: Decimal,
    },
    /// Inside of the group that the volume is of; leaders above its head are paid on it.
    InGroup,
    /// The head of that group.
    HeadsGroup,
    /// No rank advancement is due.
    NothingDue,
}

impl Finding {
    /// The word of it, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Earns { .. } => "earns",
            Self::Leg { .. } => "leg",
            Self::BelowStart => "below_start",
            Self::NotEnrolled => "not_enrolled",
            Self::Inactive { .. } => "inactive",
            Self::BelowMinPv { .. } => "below_min_pv",
            Self::NoRank => "no_rank",
            Self::UnknownRank { .. } => "unknown_rank",
            Self::NoRate { .. } => "no_rate",
            Self::NotEligible => "not_eligible",
            Self::BeyondStop => "beyond_stop",
            Self::OutsideWindow { .. } => "outside_window",
            Self::BelowTier { .. } => "below_tier",
            Self::PaidBelow { .. } => "paid_below",
            Self::InGroup => "in_group",
            Self::HeadsGroup => "heads_group",
            Self::NothingDue => "nothing_due",
        }
    }
}

impl Bonus {
    pub(crate) fn read(table: &Table<'_>, id: &str, names: &Names<'_>) -> Option<Self> {
        let word = table.required("family", "family = \"unilevel\"").and_then(|i| i.word(&FAMILIES));
        let Some(word) = word else {
            // Which other keys there may be depends on the family.
            table.ignore_rest();
            return None;
        };
        let base_item =
            if word.has_base() { table.required("base", "base = \"net\" or base = \"cv\"") } else { None };
        let base = match word.has_base() {
            true => base_item.as_ref().and_then(|item| item.word(&BASES)),
            false => Some(Base::Cv),
        };
        let active = table.optional("active").map(|item| super::plan::parse::read_active(&item));
        let pool = table.optional("pool").map(|item| item.rate());
        let pays = table.optional("pays").map_or(Some(word.pays()), |item| read_pays(&item, word));
        let provisional = table.optional("provisional").is_some_and(|item| read_provisional(&item, pays));
        let requires = table.optional("requires").map(|item| super::plan::read_condition(&item, names));
        if let (Some(Pays::Order), false, Some(_)) = (pays, provisional, &requires) {
            table.problem(
                "requires is known at the close, and this bonus is paid with the order",
                "add pays = \"period\" or provisional = true",
            );
        }
        let known_pool = pool.flatten();
        let family = match word {
            FamilyWord::Advancement => Advancement::read(table, names).map(Family::Advancement),
            FamilyWord::Binary => Binary::read(table, names).map(Family::Binary),
            FamilyWord::Differential => {
                Differential::read(table, names, known_pool).map(Family::Differential)
            }
            FamilyWord::Direct => Direct::read(table, names, known_pool, pays).map(Family::Direct),
            FamilyWord::FastStart => {
                FastStart::read(table, id, names, known_pool, pays).map(Family::FastStart)
            }
            FamilyWord::Generation => Generation::read(table, names, known_pool).map(Family::Generation),
            FamilyWord::Matching => Matching::read(table, id, names, known_pool).map(Family::Matching),
            FamilyWord::Override => Override::read(table, names, known_pool).map(Family::Override),
            FamilyWord::Pool => Pool::read(table, names).map(Family::Pool),
            FamilyWord::Matrix | FamilyWord::Unilevel => {
                let matrix = word == FamilyWord::Matrix;
                Unilevel::read(table, names, known_pool, matrix).map(Family::Unilevel)
            }
        };
        let bonus = Self {
            id: id.to_owned(),
            base: base?,
            active: active.flatten(),
            pool: known_pool,
            pays: pays?,
            provisional,
            requires: requires.flatten(),
            withheld: vec![],
            family: family?,
        };
        bonus.check_base(base_item, names);
        Some(bonus)
    }

    fn check_base(&self, base_item: Option<Item<'_>>, names: &Names<'_>) {
        let gives = |volumes: &VolumeRules| match self.base {
            Base::Net => true,
            Base::Cv => !volumes.cv.is_none(),
            Base::Pv => !volumes.pv.is_none(),
            Base::Qv => !volumes.qv.is_none(),
            Base::Margin => !volumes.wholesale.is_none(),
        };
        let anywhere = |class: &Class| gives(&class.volumes) || class.markets.iter().any(|(_, v)| gives(v));
        let has = |class: &&Class| self.covers(&class.id) && anywhere(class);
        let Some(item) = base_item.filter(|_| !names.classes.iter().any(|class| has(&class))) else { return };
        let what = match self.base {
            Base::Margin => "wholesale",
            base => word(&BASES, &base),
        };
        item.problem(
            format!("no commission class of this bonus has a {}, so it would never pay", what.to_uppercase()),
            format!("give one a {what}, such as {what} = {{ of_net = \"1\" }}, or use base = \"net\""),
        );
    }

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

impl Family {
    fn word(&self) -> FamilyWord {
        match self {
            Self::Advancement(_) => FamilyWord::Advancement,
            Self::Binary(_) => FamilyWord::Binary,
            Self::Differential(_) => FamilyWord::Differential,
            Self::Direct(_) => FamilyWord::Direct,
            Self::FastStart(_) => FamilyWord::FastStart,
            Self::Generation(_) => FamilyWord::Generation,
            Self::Matching(_) => FamilyWord::Matching,
            Self::Override(_) => FamilyWord::Override,
            Self::Pool(_) => FamilyWord::Pool,
            Self::Unilevel(unilevel) if unilevel.is_matrix() => FamilyWord::Matrix,
            Self::Unilevel(_) => FamilyWord::Unilevel,
        }
    }
}

fn read_pays(item: &Item<'_>, word: FamilyWord) -> Option<Pays> {
    let pays = item.word(&PAYS)?;
    if pays == Pays::Order && word.pays() == Pays::Period {
        item.problem("this family needs the whole period", "remove pays, or write pays = \"period\"");
        return None;
    }
    Some(pays)
}

fn read_provisional(item: &Item<'_>, pays: Option<Pays>) -> bool {
    let provisional = item.flag().unwrap_or(false);
    if provisional && pays == Some(Pays::Period) {
        item.problem("only what is paid with the order can be provisional", "remove provisional");
    }
    provisional
}

impl Terms<'_> {
    /// Why somebody does not count as active; `None` when it does.
    pub fn inactive(&self, member: &UplineMember) -> Option<Finding> {
        why_inactive(self.active, member.enrolled, member.status, member.pv)
    }
}

/// `None` for somebody who counts as active.
fn why_inactive(rule: &ActiveRule, enrolled: bool, status: Status, pv: Decimal) -> Option<Finding> {
    if !enrolled {
        return Some(Finding::NotEnrolled);
    }
    if !rule.statuses.contains(&status) {
        return Some(Finding::Inactive { status });
    }
    let min_pv = rule.min_pv.filter(|min_pv| pv < *min_pv)?;
    Some(Finding::BelowMinPv { pv, min_pv })
}
