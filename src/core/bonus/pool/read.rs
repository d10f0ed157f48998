//! The pool part of a plan document, and what all pools together may promise.

use rust_decimal::Decimal;

use super::{POINTS_OF, Pool, Shares};
use crate::core::bonus::read::read_classes;
use crate::core::bonus::{BASES, Base, Names};
use crate::core::fixed::{Fixed, Rate};
use crate::core::plan::read::{Item, Table};
use crate::core::plan::read_amount;

impl Pool {
    pub(in crate::core::bonus) fn read(table: &Table<'_>, names: &Names<'_>) -> Option<Self> {
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let share = table.required("share", "share = \"0.02\" of the base").and_then(|item| {
            let share = item.rate()?;
            if share.is_zero() {
                item.problem("the pool would always be empty", "write a share above 0, such as \"0.02\"");
            }
            Some(Rate::of(share))
        });
        let by_rank = table.optional("shares").map(|item| read_by_rank(&item, names));
        let by_points = table.optional("points").map(|item| read_points(&item));
        let by = match (by_rank, by_points) {
            (Some(shares), None) | (None, Some(shares)) => shares,
            _ => {
                table.problem(
                    "a pool is divided either by shares or by points",
                    "write shares = { gold = \"1\" } or points = { of = \"pgv\", rate = \"0.06\" }",
                );
                None
            }
        };
        let per_share_cap = table.optional("per_share_cap").map(|item| read_amount(&item));
        Some(Self {
            classes: classes.map_or(Some(None), |classes| classes.map(Some))?,
            share: share?,
            by: by?,
            per_share_cap: per_share_cap.map_or(Some(None), |cap| cap.map(Some))?,
        })
    }
}

/// Ranks that are not named have no shares: a pool is for few.
fn read_by_rank(item: &Item<'_>, names: &Names<'_>) -> Option<Shares> {
    let entries = item.entries()?;
    let known: Vec<&str> = names.ranks.iter().map(String::as_str).collect();
    for (rank, shares) in &entries {
        if !known.contains(rank) {
            shares.unknown("rank", rank, &known);
        }
    }
    let mut shares = vec![];
    for rank in names.ranks {
        let own = entries.iter().find(|(name, _)| name == rank);
        shares.push((rank.clone(), own.map_or(Some(Fixed::ZERO), |(_, item)| read_amount(item))?));
    }
    if entries.is_empty() {
        item.problem("nobody has a share", "name a rank, such as gold = \"1\"");
    }
    Some(Shares::ByRank(shares))
}

fn read_points(item: &Item<'_>) -> Option<Shares> {
    let table = item.table()?;
    let of = table.required("of", "of = \"pgv\"").and_then(|item| item.word(&POINTS_OF));
    let rate = table.required("rate", "rate = \"0.06\"").and_then(|item| {
        let rate = item.decimal_within(Decimal::ZERO, Decimal::ONE_THOUSAND)?;
        if rate.is_zero() {
            item.problem("nobody would have a point", "write points for each unit, such as \"0.06\"");
        }
        Some(Rate::of(rate))
    });
    table.finish();
    Some(Shares::Points { of: of?, rate: rate? })
}

/// Pools promise a share of what was sold whoever qualifies: together not more than all of it, in any class.
pub(crate) fn check_shares(root: &Table<'_>, names: &Names<'_>) {
    let mut promised: Vec<(Base, &str, Decimal)> = vec![];
    for item in root.optional("bonus").and_then(|item| item.list()).unwrap_or_default() {
        let Some(pool) = item.is_table().then(|| item.table()).flatten().and_then(|table| declared(&table))
        else {
            continue;
        };
        let covered = |class: &&crate::core::plan::Class| {
            pool.classes.as_ref().is_none_or(|classes| classes.contains(&class.id))
        };
        let mut over = None;
        for class in names.classes.iter().filter(covered) {
            let known =
                promised.iter_mut().find(|(base, id, _)| (*base, *id) == (pool.base, class.id.as_str()));
            let sum = match known {
                Some((_, _, sum)) => {
                    *sum += pool.share;
                    *sum
                }
                None => {
                    promised.push((pool.base, &class.id, pool.share));
                    pool.share
                }
            };
            over = over.max(Some(sum).filter(|sum| *sum > Decimal::ONE));
        }
        if let Some(sum) = over {
            pool.item.problem(
                format!("with the pools before, {sum} of the base is promised, more than all of it"),
                "lower the shares so that they add up to at most 1",
            );
        }
    }
}

struct Declared<'d> {
    item: Item<'d>,
    base: Base,
    share: Decimal,
    classes: Option<Vec<String>>,
}

/// Only what is right; what is wrong with the rest is told where the bonus is read.
fn declared<'d>(table: &Table<'d>) -> Option<Declared<'d>> {
    let text = |key| table.optional(key).and_then(|item| item.text().map(str::to_owned));
    text("family").filter(|family| family == "pool")?;
    let base = text("base").and_then(|base| BASES.iter().find(|(word, _)| *word == base))?.1;
    let item = table.optional("share")?;
    let classes = table.optional("classes").and_then(|item| item.list());
    let classes = classes.map(|list| list.iter().filter_map(|item| item.text().map(str::to_owned)).collect());
    let share = item.rate()?;
    Some(Declared { item, base, share, classes })
}
