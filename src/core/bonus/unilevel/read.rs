//! The unilevel part of a plan document.

use rust_decimal::Decimal;

use super::{Compression, CompressionMode, MODES, Rows, Unilevel};
use crate::core::bonus::Names;
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
        let depth_item = table.optional("depth");
        let depth = depth_item.as_ref().map(|item| item.whole(1, MOST_LEVELS));
        let compression =
            table.optional("compression").map_or(Some(Compression::default()), |i| read_compression(&i));
        let rates_of_pool = table.optional("rates_of").map_or(Some(false), |item| {
            let of_pool = item.word(&[("base", false), ("pool", true)])?;
            if of_pool && pool.is_none() {
                item.problem("there is no pool to take a share of", "add pool = \"0.40\"");
            }
            Some(of_pool)
        });
        let rates = table.required("rates", "rates = [\"0.05\", \"0.03\"] or a table with a row per rank");
        let rates = rates?;
        let rows =
            if rates.is_array() { read_row(&rates).map(Rows::Everybody) } else { read_rows(&rates, names) };
        let rows = rows?;
        let longest = rows.longest();
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
        check_sum(&rates, &highest, pool, rates_of_pool?);
        Some(Self {
            matrix,
            classes: classes.map_or(Some(None), |classes| classes.map(Some))?,
            start_level: start_level?,
            depth: written?,
            compression: compression?,
            rates_of_pool: rates_of_pool?,
            rows,
            highest,
        })
    }
}

fn read_classes(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<String>> {
    let known = names.class_ids();
    let mut classes: Vec<String> =
        item.list()?.iter().filter_map(|item| item.name_of("commission class", &known)).collect();
    if classes.is_empty() {
        item.problem("the bonus covers no class", "name one, or remove classes to cover all");
    }
    classes.sort();
    classes.dedup();
    Some(classes)
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
        skips.whole(0, MOST_LEVELS)
    });
    table.finish();
    let max_skips = max_skips.map_or(Some(None), |skips| skips.map(Some))?;
    Some(Compression { mode: mode?, max_skips })
}

/// A rate per level; zeros at the end say nothing.
fn read_row(item: &Item<'_>) -> Option<Vec<Decimal>> {
    let mut rates = item.list()?.iter().map(Item::rate).collect::<Option<Vec<Decimal>>>()?;
    while rates.last().is_some_and(Decimal::is_zero) {
        rates.pop();
    }
    Some(rates)
}

/// Every rank needs its row, so that a rank that was forgotten is seen.
fn read_rows(item: &Item<'_>, names: &Names<'_>) -> Option<Rows> {
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
            Some((_, row)) => rows.extend(read_row(row).map(|rates| (rank.clone(), rates))),
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
fn check_sum(rates: &Item<'_>, highest: &[Decimal], pool: Option<Decimal>, of_pool: bool) {
    let most: Decimal = highest.iter().sum();
    let (limit, what) = match pool {
        Some(pool) if !of_pool => (pool, "the pool"),
        Some(_) => (Decimal::ONE, "the whole pool"),
        None => (Decimal::ONE, "the whole base"),
    };
    if most > limit {
        rates.problem(
            format!("the levels add up to {most}, more than {what} of {limit}"),
            "lower the rates or raise the pool",
        );
    }
}

impl Rows {
    fn longest(&self) -> usize {
        match self {
            Self::Everybody(rates) => rates.len(),
            Self::ByRank(rows) => rows.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0),
        }
    }

    fn highest(&self, levels: usize) -> Vec<Decimal> {
        match self {
            Self::Everybody(rates) => rates.clone(),
            Self::ByRank(rows) => {
                let at = |level| rows.iter().filter_map(|(_, rates)| rates.get(level)).max().copied();
                (0..levels).map(|level| at(level).unwrap_or_default()).collect()
            }
        }
    }
}
