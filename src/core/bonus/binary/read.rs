//! The binary part of a plan document.

use rust_decimal::Decimal;

use super::{ABOVE_CAP, AboveCap, Binary, CARRIES, Carry, INACTIVE, Inactive, Mode, Pair, Worth};
use crate::core::bonus::Names;
use crate::core::bonus::read::read_classes;
use crate::core::fixed::{Fixed, Rate};
use crate::core::plan::read::{Item, Table};
use crate::core::plan::read_amount;

/// More periods than anybody would wait for.
const MOST_PERIODS: u16 = 1000;

impl Binary {
    pub(in crate::core::bonus) fn read(table: &Table<'_>, names: &Names<'_>) -> Option<Self> {
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let mode = read_mode(table);
        let worth = read_worth(table, names);
        let carry = table.optional("carry").map_or(Some(Carry::Forward), |item| item.word(&CARRIES));
        let kept = |key, what: &str| {
            let item = table.optional(key)?;
            if carry == Some(Carry::FullFlush) {
                item.problem(
                    format!("nothing stays, so there is {what}"),
                    format!("remove {key} or choose another carry"),
                );
            }
            Some(item)
        };
        let max_carry = kept("max_carry", "nothing to limit").map(|item| read_amount(&item));
        let expires_after =
            kept("expires_after", "nothing to expire").map(|item| item.whole(1, MOST_PERIODS));
        let inactive =
            kept("inactive", "nothing to keep").map_or(Some(Inactive::Keep), |item| item.word(&INACTIVE));
        let cap = table.optional("cap").map(|item| read_amount(&item));
        let above_cap = table.optional("above_cap").map_or(Some(AboveCap::Flush), |item| {
            let above = item.word(&ABOVE_CAP)?;
            if cap.is_none() {
                item.problem("there is no cap to be above", "add cap = \"5000\" or remove above_cap");
            }
            if above == AboveCap::Keep && carry.is_some_and(|carry| carry != Carry::Forward) {
                item.problem(
                    "volume above the cap can only stay where unmatched volume stays",
                    "write carry = \"carry_forward\" or above_cap = \"flush\"",
                );
            }
            Some(above)
        });
        if let (Some(Mode::WeakLeg), Some(Worth::Cycle(_))) = (&mode, &worth) {
            table.problem(
                "pay is for every cycle, and this mode has none",
                "write rate = \"0.10\" instead of pay",
            );
        }
        Some(Self {
            classes: classes.map_or(Some(None), |classes| classes.map(Some))?,
            mode: mode?,
            worth: worth?,
            carry: carry?,
            max_carry: max_carry.map_or(Some(None), |most| most.map(Some))?,
            expires_after: expires_after.map_or(Some(None), |after| after.map(Some))?,
            inactive: inactive?,
            cap: cap.map_or(Some(None), |cap| cap.map(Some))?,
            above_cap: above_cap?,
        })
    }
}

fn read_mode(table: &Table<'_>) -> Option<Mode> {
    let mode = table.required("mode", "mode = \"weak_leg\" or mode = \"cycles\"");
    let cycles = mode.and_then(|item| item.word(&[("weak_leg", false), ("cycles", true)]));
    let (unit, first) = (table.optional("unit"), table.optional("first_pair"));
    match cycles {
        Some(true) => {
            if unit.is_none() {
                table.problem(
                    "unit is missing",
                    "add unit = [\"200\", \"200\"], what a cycle takes of both sides",
                );
            }
            let first = first.map(|item| read_pair(&item));
            let unit = unit.and_then(|item| read_pair(&item));
            Some(Mode::Cycles { unit: unit?, first: first.map_or(Some(None), |first| first.map(Some))? })
        }
        Some(false) => {
            for item in unit.iter().chain(&first) {
                item.problem("only cycles have units", "write mode = \"cycles\" or remove it");
            }
            Some(Mode::WeakLeg)
        }
        None => None,
    }
}

/// The smaller one is given by whichever side is weaker, so their order says nothing.
fn read_pair(item: &Item<'_>) -> Option<Pair> {
    let units: Vec<Fixed> = item.list()?.iter().map(read_amount).collect::<Option<_>>()?;
    match units.as_slice() {
        [one, other] => Some(Pair { small: *one.min(other), large: *one.max(other) }),
        _ => {
            item.problem(
                format!("a cycle takes of two sides, not of {}", units.len()),
                "write two volumes, such as [\"200\", \"200\"]",
            );
            None
        }
    }
}

fn read_worth(table: &Table<'_>, names: &Names<'_>) -> Option<Worth> {
    let given = [
        table.optional("pay").map(|item| read_amount(&item).map(Worth::Cycle)),
        table.optional("rate").map(|item| read_rate(&item).map(Worth::Rate)),
        table.optional("rates").map(|item| read_by_rank(&item, names).map(Worth::ByRank)),
        table.optional("rates_by_pv").map(|item| read_by_pv(&item).map(Worth::ByPv)),
    ];
    let mut given = given.into_iter().flatten();
    let worth = given.next();
    if worth.is_none() || given.next().is_some() {
        table.problem(
            "it has to say in one way what a match is worth",
            "write one of rate, rates (by rank), rates_by_pv, or pay (for a cycle)",
        );
    }
    worth.flatten()
}

fn read_rate(item: &Item<'_>) -> Option<Rate> {
    let rate = item.rate()?;
    if rate.is_zero() {
        item.problem("it would never pay", "write a rate above 0, such as \"0.10\"");
    }
    Some(Rate::of(rate))
}

/// Every rank needs its rate, so that a rank that was forgotten is seen.
fn read_by_rank(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<(String, Rate)>> {
    let entries = item.entries()?;
    let known: Vec<&str> = names.ranks.iter().map(String::as_str).collect();
    for (rank, rate) in &entries {
        if !known.contains(rank) {
            rate.unknown("rank", rank, &known);
        }
    }
    let mut rates = vec![];
    for rank in names.ranks {
        match entries.iter().find(|(name, _)| name == rank) {
            Some((_, rate)) => rates.extend(rate.rate().map(|rate| (rank.clone(), Rate::of(rate)))),
            None => item.problem(
                format!("the rank {rank:?} has no rate"),
                format!("add {rank} = \"0.10\", or {rank} = \"0\" if it earns nothing"),
            ),
        }
    }
    if rates.iter().all(|(_, rate)| rate.is_zero()) {
        item.problem("it would never pay", "give a rank a rate above 0");
    }
    Some(rates)
}

fn read_by_pv(item: &Item<'_>) -> Option<Vec<(Fixed, Rate)>> {
    let mut brackets: Vec<(Fixed, Rate)> = vec![];
    for entry in item.list()? {
        let Some(table) = entry.table() else { continue };
        let from_item = table.required("from", "from = \"100\"");
        let from =
            from_item.as_ref().and_then(|i| i.decimal_within(Decimal::ZERO, Decimal::from(1_000_000_000)));
        let rate = table.required("rate", "rate = \"0.10\"").and_then(|item| read_rate(&item));
        table.finish();
        let (Some(from), Some(rate)) = (from.and_then(|from| Fixed::of(from).ok()), rate) else { continue };
        if let Some(item) = from_item.filter(|_| brackets.last().is_some_and(|(last, _)| from <= *last)) {
            item.problem("it is not above the one before", "write the lowest bracket first, each once");
        }
        brackets.push((from, rate));
    }
    if brackets.is_empty() {
        item.problem("it would never pay", "add { from = \"100\", rate = \"0.10\" }");
    }
    Some(brackets)
}
