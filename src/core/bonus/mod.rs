//! What a bonus pays, one file per family.
//!
//! A family reads its own part of the plan document, says who it would pay on an upline and at which rate, and
//! describes itself. It never sees money: bases, rounding and breakage are the engine's, the same for all.

mod direct;
mod unilevel;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::engine::UplineMember;
use super::ids::DistributorId;
use super::plan::read::Table;
use super::plan::{ActiveRule, BonusDescription, Canonical, Class, Plan, word};
pub use direct::Direct;
pub use unilevel::{Compression, CompressionMode, Unilevel};

#[derive(Clone, Debug)]
pub struct Bonus {
    pub id: String,
    pub base: Base,
    /// Who counts as active for this bonus, where it differs from the plan.
    pub active: Option<ActiveRule>,
    /// The most that a line gives to this bonus, as a share of the base.
    pub pool: Option<Decimal>,
    pub family: Family,
}

/// What rates are applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    Net,
    Cv,
}

const BASES: [(&str, Base); 2] = [("net", Base::Net), ("cv", Base::Cv)];

#[derive(Clone, Debug)]
pub enum Family {
    Direct(Direct),
    Unilevel(Unilevel),
}

const FAMILIES: [(&str, &str); 2] = [("direct", "direct"), ("unilevel", "unilevel")];

/// What other parts of the document declare.
pub(crate) struct Names<'n> {
    pub classes: &'n [Class],
    pub ranks: &'n [String],
}

impl Names<'_> {
    fn class_ids(&self) -> Vec<String> {
        self.classes.iter().map(|class| class.id.clone()).collect()
    }
}

/// What a bonus has to know of the plan to judge an ancestor.
pub(crate) struct Terms<'p> {
    pub active: &'p ActiveRule,
    pub default_rank: Option<&'p str>,
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
}

impl Finding {
    /// The word of it, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Earns { .. } => "earns",
            Self::BelowStart => "below_start",
            Self::NotEnrolled => "not_enrolled",
            Self::Inactive { .. } => "inactive",
            Self::BelowMinPv { .. } => "below_min_pv",
            Self::NoRank => "no_rank",
            Self::UnknownRank { .. } => "unknown_rank",
            Self::NoRate { .. } => "no_rate",
        }
    }
}

impl Bonus {
    pub(crate) fn read(table: &Table<'_>, id: &str, names: &Names<'_>) -> Option<Self> {
        let family = table.required("family", "family = \"unilevel\"").and_then(|i| i.word(&FAMILIES));
        let base_item = table.required("base", "base = \"net\" or base = \"cv\"");
        let base = base_item.as_ref().and_then(|item| item.word(&BASES));
        let active = table.optional("active").map(|item| super::plan::parse::read_active(&item));
        let pool = table.optional("pool").map(|item| item.rate());
        let known_pool = pool.flatten();
        let family = match family? {
            "direct" => Direct::read(table, names, known_pool).map(Family::Direct),
            _ => Unilevel::read(table, names, known_pool).map(Family::Unilevel),
        };
        let bonus = Self {
            id: id.to_owned(),
            base: base?,
            active: active.flatten(),
            pool: known_pool,
            family: family?,
        };
        let earns_cv = |class: &&Class| bonus.covers(&class.id) && !class.volumes.cv.is_none();
        if let (Base::Cv, Some(item)) = (bonus.base, base_item)
            && !names.classes.iter().any(|class| earns_cv(&class))
        {
            item.problem(
                "no commission class of this bonus has a CV, so it would never pay",
                "give one a cv, such as cv = { of_net = \"1\" }, or use base = \"net\"",
            );
        }
        Some(bonus)
    }

    pub(crate) fn rules(&self) -> &dyn OrderBonus {
        match &self.family {
            Family::Direct(direct) => direct,
            Family::Unilevel(unilevel) => unilevel,
        }
    }

    pub(crate) fn covers(&self, class: &str) -> bool {
        match &self.family {
            Family::Direct(direct) => direct.covers(class),
            Family::Unilevel(unilevel) => unilevel.covers(class),
        }
    }

    pub(crate) fn active_rule<'p>(&'p self, plan: &'p Plan) -> &'p ActiveRule {
        self.active.as_ref().unwrap_or(&plan.active)
    }

    pub(crate) fn walk(&self, plan: &Plan, upline: &[UplineMember]) -> Walk {
        let terms = Terms { active: self.active_rule(plan), default_rank: plan.default_rank.as_deref() };
        self.rules().walk(&terms, upline)
    }

    pub(crate) fn canonical(&self, path: &str, out: &mut Canonical) {
        out.text(&format!("{path}.base"), word(&BASES, &self.base));
        if let Some(active) = &self.active {
            out.text(&format!("{path}.active"), "own");
            out.active(&format!("{path}.active"), active);
        }
        if let Some(pool) = self.pool {
            out.number(&format!("{path}.pool"), pool);
        }
        match &self.family {
            Family::Direct(direct) => direct.canonical(path, out),
            Family::Unilevel(unilevel) => unilevel.canonical(path, out),
        }
    }

    pub(crate) fn describe(&self) -> BonusDescription {
        match &self.family {
            Family::Direct(direct) => direct.describe(self),
            Family::Unilevel(unilevel) => unilevel.describe(self),
        }
    }
}

impl Terms<'_> {
    /// Why somebody does not count as active; `None` when it does.
    pub fn inactive(&self, member: &UplineMember) -> Option<Finding> {
        if !member.enrolled {
            return Some(Finding::NotEnrolled);
        }
        if !self.active.statuses.contains(&member.status) {
            return Some(Finding::Inactive { status: member.status });
        }
        let min_pv = self.active.min_pv.filter(|min_pv| member.pv < *min_pv)?;
        Some(Finding::BelowMinPv { pv: member.pv, min_pv })
    }
}
