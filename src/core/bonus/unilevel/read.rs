//! The unilevel part of a plan document, and the levels of other families that climb.

use rust_decimal::Decimal;

use super::ladder::{Ladder, Row, Rows};
use super::{Compression, CompressionMode, MODES, Unilevel};
use crate::core::bonus::Names;
use crate::core::bonus::read::{RankName, read_classes};
use crate::core::fixed::RATE_DIGITS;
use crate::core::fixed::Rate;
use crate::core::plan::read::{Item, Table};

/// More levels than any plan has ever paid.
const MOST_LEVELS: u16 = 1000;

impl Unilevel {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        names: &Names<'_>,
        pool: Option<Decimal>,
        matrix: bool,
    ) -> Option<Self> {
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let start_level = table.optional("start_level").map_or(Some(1), |item| item.whole(0, MOST_LEVELS));
        let rates_of_pool = table.optional("rates_of").map_or(Some(false), |item| {
            let of_pool = item.word(&[("base", false), ("pool", true)])?;
            if of_pool && pool.is_none() {
                item.problem("there is no pool to take a share of", "add pool = \"0.40\"");
            }
            Some(of_pool)
        });
        let most = match pool {
            Some(_) if rates_of_pool == Some(true) => (Decimal::ONE, "the whole pool"),
            Some(pool) => (pool, "the pool"),
            None => (Decimal::ONE, "the whole base"),
        };
        let of = pool.filter(|_| rates_of_pool == Some(true));
        let ladder = Ladder::read(table, names, &Frame { start_level, most: Some(most), of });
        Some(Self {
            matrix,
            classes: classes.map_or(Some(None), |classes| classes.map(Some))?,
            rates_of_pool: rates_of_pool?,
            ladder: ladder?,
        })
    }
}

/// What a family lays down for its levels.
pub(in crate::core::bonus) struct Frame {
    /// `None` only after a problem was noted.
    pub start_level: Option<u16>,
    /// The levels together pay no more than this share of something.
    pub most: Option<(Decimal, &'static str)>,
    /// The pool, where rates are shares of it.
    pub of: Option<Decimal>,
}

impl Ladder {
    /// `rates`, `depth`, `compression` and `stop_at`.
    pub fn read(table: &Table<'_>, names: &Names<'_>, frame: &Frame) -> Option<Self> {
        let depth_item = table.optional("depth");
        let depth = depth_item.as_ref().map(|item| item.whole(1, MOST_LEVELS));
        let compression_item = table.optional("compression");
        let compression =
            compression_item.as_ref().map_or(Some(Compression::default()), |item| read_compression(item));
        let stop_at = table.optional("stop_at").map(|item| RankName::read(&item, names));
        let rates = table.required("rates", "rates = [\"0.05\", \"0.03\"] or a table with a row per rank")?;
        let rows = match rates.is_array() {
            true => read_row(&rates, frame.of).map(Rows::Everybody),
            false => read_rows(&rates, names, frame.of),
        };
        let rows = rows?;
        let longest = rows.all().map(|row| row.shares.len()).max().unwrap_or(0);
        let written = u16::try_from(longest).ok().filter(|levels| (1..=MOST_LEVELS).contains(levels));
        if written.is_none() {
            rates.problem(
                format!("{longest} levels have a rate"),
                format!("give 1 to {MOST_LEVELS} levels a rate"),
            );
        }
        if let (Some(item), Some(Some(depth)), Some(written)) = (&depth_item, depth, written) {
            check_depth(item, depth, written);
        }
        let highest = rows.highest(longest);
        if let Some(most) = frame.most {
            check_sum(&rates, &highest, most);
        }
        let ladder = Self {
            start_level: frame.start_level?,
            depth: written?,
            compression: compression?,
            stop_at: stop_at.map_or(Some(None), |rank| rank.map(Some))?,
            boundary: None,
            rows,
            highest,
        };
        if let Some(item) = compression_item {
            ladder.check_states(&item);
        }
        Some(ladder)
    }

    fn check_states(&self, item: &Item<'_>) {
        let skips = self.compression.max_skips.map_or(1, |most| u32::from(most) + 1);
        if u32::from(self.end()) * skips > u32::from(u16::MAX) {
            item.problem(
                format!("{} levels with so many ancestors passed over are too many", self.end()),
                "lower max_skips, or remove it: then any number is passed over",
            );
        }
    }
}

fn read_compression(item: &Item<'_>) -> Option<Compression> {
    if !item.is_table() {
        return item.word(&MODES).map(|mode| Compression { mode, max_skips: None });
    }
    let table = item.table()?;
    let mode = table.required("mode", "mode = \"inactive_skip\"").and_then(|item| item.word(&MODES));
    let max_skips = table.optional("max_skips").map(|skips| {
        if mode == Some(CompressionMode::None) {
            skips.problem("nobody is skipped without compression", "choose a mode or remove max_skips");
        }
        if mode == Some(CompressionMode::Structural) {
            skips.problem(
                "the inactive are no part of the tree, so nobody is passed over",
                "remove max_skips or choose mode = \"inactive_skip\"",
            );
        }
        skips.whole(0, MOST_LEVELS)
    });
    table.finish();
    let max_skips = max_skips.map_or(Some(None), |skips| skips.map(Some))?;
    Some(Compression { mode: mode?, max_skips })
}

/// A rate per level; zeros at the end say nothing.
fn read_row(item: &Item<'_>, of: Option<Decimal>) -> Option<Row> {
    let mut shares = item.list()?.iter().map(Item::rate).collect::<Option<Vec<Decimal>>>()?;
    while shares.last().is_some_and(Decimal::is_zero) {
        shares.pop();
    }
    let factors: Vec<Decimal> =
        shares.iter().map(|share| (share * of.unwrap_or(Decimal::ONE)).normalize()).collect();
    if factors.iter().any(|factor| factor.scale() > RATE_DIGITS) {
        item.problem(
            format!("a rate times the pool has more than {RATE_DIGITS} digits after the point"),
            "shorten the rates or the pool",
        );
    }
    Some(Row { shares, rates: factors.into_iter().map(Rate::of).collect() })
}

/// Every rank needs its row, so that a rank that was forgotten is seen.
fn read_rows(item: &Item<'_>, names: &Names<'_>, of: Option<Decimal>) -> Option<Rows> {
    let entries = item.entries()?;
    let known: Vec<&str> = names.ranks.iter().map(String::as_str).collect();
    for (rank, row) in &entries {
        if !known.contains(rank) {
            row.unknown("rank", rank, &known);
        }
    }
    let mut rows = Vec::new();
    for rank in names.ranks {
        match entries.iter().find(|(name, _)| name == rank) {
            Some((_, row)) => rows.extend(read_row(row, of).map(|row| (rank.clone(), row))),
            None => item.problem(
                format!("the rank {rank:?} has no row"),
                format!("add {rank} = [\"0.05\"], or {rank} = [] if it earns nothing"),
            ),
        }
    }
    Some(Rows::ByRank(rows))
}

fn check_depth(item: &Item<'_>, depth: u16, written: u16) {
    if written > depth {
        item.problem(
            format!("rates go {written} levels deep, the depth is {depth}"),
            format!("raise depth to {written} or remove the rates beyond"),
        );
    }
    if written < depth {
        item.problem(
            format!("the depth is {depth}, but nobody is paid beyond {written} levels"),
            format!("lower depth to {written} or add rates"),
        );
    }
}

/// A line fills each level at most once, so it never pays more than the highest rate of every level together.
fn check_sum(rates: &Item<'_>, highest: &[Decimal], (limit, what): (Decimal, &str)) {
    let most: Decimal = highest.iter().sum();
    if most > limit {
        rates.problem(
            format!("the levels add up to {most}, more than {what} of {limit}"),
            "lower the rates or raise the pool",
        );
    }
}

impl Rows {
    fn highest(&self, levels: usize) -> Vec<Decimal> {
        let at = |level| self.all().filter_map(|row| row.shares.get(level)).max().copied();
        (0..levels).map(|level| at(level).unwrap_or_default()).collect()
    }
}
