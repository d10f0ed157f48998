//! Unilevel: a rate per rank and level up the sponsors, with or without compression.
//!
//! Level 0 is the attributed distributor, level 1 its sponsor. Walking is one pass from the bottom to the top;
//! what differs between the compression modes is only who takes a level with it (see [`Unilevel::keeps_level`]).

mod close;
mod read;

use rust_decimal::Decimal;

use super::{Bonus, Finding, OrderBonus, Place, Terms, Visited, Walk, WalkEnd};
use crate::core::engine::UplineMember;
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted, word};

#[derive(Clone, Debug)]
pub struct Unilevel {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    /// Levels go up the placement tree and not the sponsors.
    matrix: bool,
    start_level: u16,
    depth: u16,
    compression: Compression,
    rates_of_pool: bool,
    rows: Rows,
    /// The highest rate of each level, over all ranks.
    highest: Vec<Decimal>,
}

/// The first column belongs to `start_level`.
#[derive(Clone, Debug)]
enum Rows {
    Everybody(Vec<Decimal>),
    ByRank(Vec<(String, Vec<Decimal>)>),
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
}

const MODES: [(&str, CompressionMode); 3] = [
    ("none", CompressionMode::None),
    ("inactive_skip", CompressionMode::InactiveSkip),
    ("slot_fill", CompressionMode::SlotFill),
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
        if self.start_level != 1 {
            out.number(&format!("{path}.start_level"), self.start_level.into());
        }
        if self.compression.mode != CompressionMode::None {
            out.text(&format!("{path}.compression.mode"), word(&MODES, &self.compression.mode));
        }
        if let Some(skips) = self.compression.max_skips {
            out.number(&format!("{path}.compression.max_skips"), skips.into());
        }
        if self.rates_of_pool {
            out.text(&format!("{path}.rates_of"), "pool");
        }
        match &self.rows {
            Rows::Everybody(rates) => out.numbers(&format!("{path}.rates"), rates),
            Rows::ByRank(rows) => {
                for (rank, rates) in rows {
                    out.numbers(&format!("{path}.rates.{}", quoted(rank)), rates);
                }
            }
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let last = self.start_level.saturating_add(self.depth).saturating_sub(1);
        let mut sentences = vec![format!("Pays levels {} to {last} up the sponsors.", self.start_level)];
        sentences.push(
            match self.compression.mode {
                CompressionMode::None => "Everybody takes a level; what is not earned is breakage.",
                CompressionMode::InactiveSkip => "Inactive ancestors take no level.",
                CompressionMode::SlotFill => {
                    "A level goes to the next active ancestor whose rank is paid at it."
                }
            }
            .to_owned(),
        );
        if let Some(skips) = self.compression.max_skips {
            sentences.push(format!("At most {skips} ancestors are passed over."));
        }
        if self.rates_of_pool {
            sentences.push("Rates are shares of the pool.".to_owned());
        }
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only for the classes {}.", classes.join(", ")));
        }
        let cells =
            |rates: &[Decimal]| (0..usize::from(self.depth)).map(|at| rates.get(at).copied()).collect();
        let rows = match &self.rows {
            Rows::Everybody(rates) => vec![("Everybody".to_owned(), cells(rates))],
            Rows::ByRank(rows) => rows.iter().map(|(rank, rates)| (rank.clone(), cells(rates))).collect(),
        };
        let columns = (self.start_level..=last).map(|level| format!("Level {level}")).collect();
        let rates = Grid { corner: "Rank".to_owned(), columns, rows };
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "unilevel") }
    }

    /// What an active ancestor is at a level of the table.
    fn at_level(&self, terms: &Terms<'_>, member: &UplineMember, column: usize) -> Finding {
        let rank = member.rank.as_deref().or(terms.default_rank);
        let rates = match (&self.rows, rank) {
            (Rows::Everybody(rates), _) => rates,
            (Rows::ByRank(_), None) => return Finding::NoRank,
            (Rows::ByRank(rows), Some(rank)) => match rows.iter().find(|(known, _)| known == rank) {
                Some((_, rates)) => rates,
                None => return Finding::UnknownRank { rank: rank.to_owned() },
            },
        };
        match rates.get(column) {
            Some(rate) if !rate.is_zero() => Finding::Earns { rate: Some(*rate) },
            _ => Finding::NoRate { rank: rank.map(str::to_owned) },
        }
    }

    /// Whether somebody takes the level with it although it is not paid.
    fn keeps_level(&self, finding: &Finding, column: Option<usize>, skips: u16) -> bool {
        if self.compression.max_skips.is_some_and(|most| skips >= most) {
            return true;
        }
        // A level that pays nobody cannot be filled: whoever is active takes it.
        let fillable = column.and_then(|column| self.highest.get(column)).is_some_and(|rate| !rate.is_zero());
        match (self.compression.mode, finding) {
            (CompressionMode::None, _) | (_, Finding::Earns { .. } | Finding::BelowStart) => true,
            (_, Finding::NotEnrolled | Finding::Inactive { .. } | Finding::BelowMinPv { .. }) => false,
            (CompressionMode::InactiveSkip, _) => true,
            (CompressionMode::SlotFill, _) => !fillable,
        }
    }

    /// Below the first paid level nobody is looked at, so compression begins at that level.
    fn find(&self, terms: &Terms<'_>, member: &UplineMember, column: Option<usize>) -> Finding {
        let Some(column) = column else { return Finding::BelowStart };
        terms.inactive(member).unwrap_or_else(|| self.at_level(terms, member, column))
    }
}

impl OrderBonus for Unilevel {
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk {
        let mut walk = Walk { visited: Vec::new(), ended: WalkEnd::Top, places: Vec::new() };
        let (mut level, mut skips) = (0u16, 0u16);
        for (at, member) in upline.iter().enumerate() {
            let column = level.checked_sub(self.start_level).map(usize::from);
            let finding = self.find(terms, member, column);
            if let Finding::Earns { rate: Some(rate) } = finding {
                walk.places.push(Place { level, member: at, rate });
            }
            let keeps = self.keeps_level(&finding, column, skips);
            walk.visited.push(Visited {
                distributor: member.distributor.clone(),
                distance: u32::try_from(at).unwrap_or(u32::MAX),
                level: keeps.then_some(level),
                finding,
            });
            if !keeps {
                skips = skips.saturating_add(1);
                continue;
            }
            level = level.saturating_add(1);
            if level >= self.start_level.saturating_add(self.depth) {
                walk.ended = WalkEnd::Depth;
                break;
            }
        }
        walk
    }

    fn rate(&self, place: &Place, _class: &str) -> Decimal {
        place.rate
    }

    fn most(&self, _class: &str) -> Option<Decimal> {
        Some(self.highest.iter().sum())
    }

    fn rates_are_of_pool(&self) -> bool {
        self.rates_of_pool
    }
}
