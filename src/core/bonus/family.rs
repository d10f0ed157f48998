//! The families of bonuses, and the words that the document has for them.

use super::{
    Advancement, Binary, Differential, Direct, FastStart, Generation, Matching, Override, Pays, Pool,
    Unilevel,
};

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
    pub(super) fn has_base(self) -> bool {
        !matches!(self, Self::Matching | Self::Advancement)
    }

    /// Why a declared pool would say nothing, and what to write instead; `None` where one can be declared.
    pub(super) fn no_pool(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Binary => Some((
                "a binary has no pool: it pays what its sides match",
                "remove it; cap = \"5000\" limits a position, and a [[cap]] the bonus",
            )),
            Self::Pool => Some(("what this bonus divides is its share", "remove it, and change share")),
            Self::Advancement => Some((
                "amounts are no shares of a volume, so there is no pool",
                "remove it, and limit the bonus by a [[cap]] if it needs a limit",
            )),
            _ => None,
        }
    }

    pub fn pays_with_orders(self) -> bool {
        self.pays() == Pays::Order
    }

    pub(super) fn pays(self) -> Pays {
        match self {
            Self::Direct | Self::FastStart | Self::Unilevel => Pays::Order,
            _ => Pays::Period,
        }
    }
}

impl Family {
    pub(super) fn word(&self) -> FamilyWord {
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
