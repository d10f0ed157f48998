//! Unilevel and matrix: a rate per rank and level up the sponsors or up the placement tree, with or without
//! compression.
//!
//! Level 0 is the attributed distributor, level 1 its sponsor. The levels themselves are a [`ladder`], which
//! fast start and matching climb too.

pub(super) mod ascent;
mod close;
pub(super) mod ladder;
pub(super) mod read;
mod walk;

use rust_decimal::Decimal;

use super::{Bonus, OrderBonus, Place, Terms, Walk};
use crate::core::engine::UplineMember;
use crate::core::plan::{BonusDescription, Canonical};
use ladder::Ladder;

#[derive(Clone, Debug)]
pub struct Unilevel {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    /// Levels go up the placement tree and not the sponsors.
    matrix: bool,
    rates_of_pool: bool,
    ladder: Ladder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    pub mode: CompressionMode,
    /// After so many were passed over, everybody takes a level as without compression.
    pub max_skips: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionMode {
    /// Everybody takes a level; what an inactive or unranked ancestor does not earn is breakage.
    #[default]
    None,
    /// An inactive ancestor takes no level; an active one does, also where its rank is not paid.
    InactiveSkip,
    /// A level goes to the next ancestor who is active and whose rank is paid at it.
    SlotFill,
    /// The tree without its inactive members: what they sell is the first active one's above.
    Structural,
}

const MODES: [(&str, CompressionMode); 4] = [
    ("none", CompressionMode::None),
    ("inactive_skip", CompressionMode::InactiveSkip),
    ("slot_fill", CompressionMode::SlotFill),
    ("structural", CompressionMode::Structural),
];

impl Unilevel {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
    }

    pub(super) fn is_matrix(&self) -> bool {
        self.matrix
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        if let Some(classes) = &self.classes {
            out.texts(&format!("{path}.classes"), classes);
        }
        if self.rates_of_pool {
            out.text(&format!("{path}.rates_of"), "pool");
        }
        self.ladder.canonical(path, out);
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let (first, last) = (self.ladder.start_level, self.ladder.end().saturating_sub(1));
        let tree = if self.matrix { "the placement tree" } else { "the sponsors" };
        let mut sentences = vec![format!("Pays levels {first} to {last} up {tree}.")];
        sentences.extend(self.ladder.sentences());
        if self.rates_of_pool {
            sentences.push("Rates are shares of the pool.".to_owned());
        }
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only for the classes {}.", classes.join(", ")));
        }
        let family = if self.matrix { "matrix" } else { "unilevel" };
        BonusDescription {
            sentences,
            rates: self.ladder.grid("Level"),
            ..BonusDescription::of(bonus, family)
        }
    }
}

impl OrderBonus for Unilevel {
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk {
        self.ladder.walk(terms, upline)
    }

    fn rate(&self, place: &Place, _class: &str) -> Decimal {
        place.rate
    }

    fn most(&self, _class: &str) -> Option<Decimal> {
        Some(self.ladder.most())
    }

    fn rates_are_of_pool(&self) -> bool {
        self.rates_of_pool
    }
}

#[cfg(test)]
mod tests;
