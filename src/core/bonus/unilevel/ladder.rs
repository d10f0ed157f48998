//! Levels that climb: what somebody is at a level, who takes one, and where what climbs goes on.
//!
//! [`Ladder::meet`] decides for an order's upline and at the close alike, so the two can only say the same. What
//! differs between the compression modes is only who takes a level with it (see [`Ladder::takes_level`]).

use rust_decimal::Decimal;

use super::{Compression, CompressionMode, MODES};
use crate::core::bonus::Finding;
use crate::core::bonus::read::RankName;
use crate::core::fixed::Rate;
use crate::core::plan::{Canonical, Grid, quoted, word};

/// Level 0 is where it begins, level 1 that one's parent.
#[derive(Clone, Debug)]
pub(in crate::core::bonus) struct Ladder {
    pub start_level: u16,
    pub depth: u16,
    pub compression: Compression,
    /// Levels do not go beyond the first of at least this rank.
    pub stop_at: Option<RankName>,
    /// Levels are generations: from the first paid level on only who has at least this rank is a rung.
    pub boundary: Option<RankName>,
    pub rows: Rows,
    /// The highest rate of each level, over all ranks.
    pub highest: Vec<Decimal>,
}

/// By the place of the rank in the plan.
#[derive(Clone, Debug)]
pub(in crate::core::bonus) enum Rows {
    Everybody(Row),
    ByRank(Vec<(String, Row)>),
}

/// The first column belongs to the first paid level.
#[derive(Clone, Debug)]
pub(in crate::core::bonus) struct Row {
    /// As they are written.
    pub shares: Vec<Decimal>,
    /// What a volume is multiplied with.
    pub rates: Vec<Rate>,
}

/// What decides over somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::core::bonus) struct Who {
    pub active: bool,
    /// Meets what the bonus asks besides.
    pub eligible: bool,
    pub rank: Option<u16>,
}

/// How far up it is already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::core::bonus) struct Height {
    pub level: u16,
    /// How many were passed over; not counted where any number may be.
    pub skips: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::bonus) enum Met {
    BelowStart,
    Inactive,
    /// Not of the rank that begins a generation.
    Bystander,
    NotEligible,
    NoRank,
    /// The rank is not paid at this level.
    Unpaid,
    Earns,
}

/// What becomes of a level at somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::bonus) struct Rung {
    pub met: Met,
    /// Whether the level stays here.
    pub takes: bool,
    /// Where the parent is met; `None` when nobody above is paid.
    pub next: Option<Height>,
    /// It ends here because of the rank, and not because the levels do.
    pub stopped: bool,
}

impl Ladder {
    pub fn meet(&self, who: Who, at: Height) -> Rung {
        let met = self.judge(who, at);
        let takes = self.takes_level(met, at);
        let above = match (takes, self.compression.max_skips, met) {
            (true, _, _) => Height { level: at.level.saturating_add(1), ..at },
            (false, None, _) | (false, _, Met::Bystander) => at,
            (false, Some(_), _) => Height { skips: at.skips.saturating_add(1), ..at },
        };
        let goes_on = above.level < self.end();
        let stopped = goes_on && self.is_stopped_by(who);
        Rung { met, takes, next: (goes_on && !stopped).then_some(above), stopped }
    }

    /// Below the first paid level nobody is looked at, so compression begins at that level; but who is not
    /// part of the tree is nowhere part of it.
    fn judge(&self, who: Who, at: Height) -> Met {
        if !who.active && self.compression.mode == CompressionMode::Structural {
            return Met::Inactive;
        }
        let Some(column) = self.column(at) else { return Met::BelowStart };
        if self
            .boundary
            .as_ref()
            .is_some_and(|boundary| !who.rank.is_some_and(|rank| boundary.reached_by(rank)))
        {
            return Met::Bystander;
        }
        if !who.active {
            return Met::Inactive;
        }
        if !who.eligible {
            return Met::NotEligible;
        }
        let Some(row) = self.rows.of(who.rank) else { return Met::NoRank };
        match row.rates.get(column) {
            Some(rate) if !rate.is_zero() => Met::Earns,
            _ => Met::Unpaid,
        }
    }

    fn takes_level(&self, met: Met, at: Height) -> bool {
        use CompressionMode as Mode;
        match (self.compression.mode, met) {
            (_, Met::Bystander) | (Mode::Structural, Met::Inactive) => false,
            _ if self.compression.max_skips.is_some_and(|most| at.skips >= most) => true,
            (Mode::None, _) | (_, Met::Earns | Met::BelowStart) => true,
            (_, Met::Inactive) => false,
            (Mode::InactiveSkip | Mode::Structural, _) => true,
            // A level that pays nobody cannot be filled: whoever is active takes it.
            (Mode::SlotFill, _) => !self.pays_anybody(at),
        }
    }

    fn pays_anybody(&self, at: Height) -> bool {
        let highest = self.column(at).and_then(|column| self.highest.get(column));
        highest.is_some_and(|rate| !rate.is_zero())
    }

    fn is_stopped_by(&self, who: Who) -> bool {
        let there = who.active || self.compression.mode != CompressionMode::Structural;
        there && self.stop_at.as_ref().is_some_and(|stop| who.rank.is_some_and(|rank| stop.reached_by(rank)))
    }

    /// The level after the last one that is paid.
    pub fn end(&self) -> u16 {
        self.start_level.saturating_add(self.depth)
    }

    fn column(&self, at: Height) -> Option<usize> {
        at.level.checked_sub(self.start_level).map(usize::from)
    }

    fn row(&self, who: Who, at: Height) -> Option<(&Row, usize)> {
        Some((self.rows.of(who.rank)?, self.column(at)?))
    }

    /// As the document has it.
    pub fn share(&self, who: Who, at: Height) -> Option<Decimal> {
        self.row(who, at).and_then(|(row, column)| row.shares.get(column)).copied()
    }

    pub fn rate(&self, who: Who, at: Height) -> Rate {
        self.row(who, at).and_then(|(row, column)| row.rates.get(column)).copied().unwrap_or_default()
    }

    /// The most that can be paid, as a share of what climbs.
    pub fn most(&self) -> Decimal {
        self.highest.iter().sum()
    }

    /// Heights as the states of a climb.
    pub fn states(&self) -> u16 {
        self.end().saturating_mul(self.skip_states())
    }

    pub fn state(&self, at: Height) -> u16 {
        at.level.saturating_mul(self.skip_states()).saturating_add(at.skips)
    }

    pub fn height(&self, state: u16) -> Height {
        let of = self.skip_states();
        Height {
            level: state.checked_div(of).unwrap_or_default(),
            skips: state.checked_rem(of).unwrap_or_default(),
        }
    }

    /// Once as many were passed over as may be, nobody is passed over any more.
    fn skip_states(&self) -> u16 {
        self.compression.max_skips.map_or(1, |most| most.saturating_add(1))
    }

    /// The reason in full. `rank` is the name of it, where it has one; the plan may not know it.
    pub fn told(
        &self,
        met: Met,
        (who, at): (Who, Height),
        rank: Option<&str>,
        inactive: impl FnOnce() -> Finding,
    ) -> Finding {
        let named = || rank.map(str::to_owned);
        match met {
            Met::BelowStart => Finding::BelowStart,
            Met::Inactive => inactive(),
            Met::NotEligible => Finding::NotEligible,
            Met::NoRank => named().map_or(Finding::NoRank, |rank| Finding::UnknownRank { rank }),
            Met::Bystander | Met::Unpaid => Finding::NoRate { rank: named() },
            Met::Earns => Finding::Earns { rate: self.share(who, at) },
        }
    }

    pub fn canonical(&self, path: &str, out: &mut Canonical) {
        if self.start_level != 1 {
            out.number(&format!("{path}.start_level"), self.start_level.into());
        }
        if self.compression.mode != CompressionMode::None {
            out.text(&format!("{path}.compression.mode"), word(&MODES, &self.compression.mode));
        }
        if let Some(skips) = self.compression.max_skips {
            out.number(&format!("{path}.compression.max_skips"), skips.into());
        }
        for (key, rank) in [("stop_at", &self.stop_at), ("boundary", &self.boundary)] {
            if let Some(rank) = rank {
                out.text(&format!("{path}.{key}"), &rank.id);
            }
        }
        match &self.rows {
            Rows::Everybody(row) => out.numbers(&format!("{path}.rates"), &row.shares),
            Rows::ByRank(rows) => {
                for (rank, row) in rows {
                    out.numbers(&format!("{path}.rates.{}", quoted(rank)), &row.shares);
                }
            }
        }
    }

    /// What compression does, in a sentence or two.
    pub fn sentences(&self) -> Vec<String> {
        let mode = match self.compression.mode {
            CompressionMode::None => "Everybody takes a level; what is not earned is breakage.",
            CompressionMode::InactiveSkip => "Inactive ancestors take no level.",
            CompressionMode::SlotFill => "A level goes to the next active ancestor whose rank is paid at it.",
            CompressionMode::Structural => {
                "The inactive are no part of the tree: what they sell counts for the first active above."
            }
        };
        let mut sentences = vec![mode.to_owned()];
        if let Some(skips) = self.compression.max_skips {
            sentences.push(format!("At most {skips} ancestors are passed over."));
        }
        if let Some(rank) = &self.stop_at {
            sentences.push(format!("No further than the first of at least the rank {}.", rank.id));
        }
        sentences
    }

    /// The rates, with a column for each level or generation.
    pub fn grid(&self, column: &str) -> Grid {
        let cells = |row: &Row| (0..usize::from(self.depth)).map(|at| row.shares.get(at).copied()).collect();
        let rows = match &self.rows {
            Rows::Everybody(row) => vec![("Everybody".to_owned(), cells(row))],
            Rows::ByRank(rows) => rows.iter().map(|(rank, row)| (rank.clone(), cells(row))).collect(),
        };
        let columns = (self.start_level..self.end()).map(|level| format!("{column} {level}")).collect();
        Grid { corner: "Rank".to_owned(), columns, rows }
    }
}

impl Rows {
    /// `None` where rates go by rank and there is none.
    pub fn of(&self, rank: Option<u16>) -> Option<&Row> {
        match self {
            Self::Everybody(row) => Some(row),
            Self::ByRank(rows) => rows.get(usize::from(rank?)).map(|(_, row)| row),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Row> {
        let (one, many) = match self {
            Self::Everybody(row) => (Some(row), &[][..]),
            Self::ByRank(rows) => (None, rows.as_slice()),
        };
        one.into_iter().chain(many.iter().map(|(_, row)| row))
    }
}
