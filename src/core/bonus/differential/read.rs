//! The differential part of a plan document.

use rust_decimal::Decimal;

use super::{BY, Bracket, By, Differential, INVERTED, Inverted, Steps};
use crate::core::bonus::Names;
use crate::core::bonus::leaders::{Scope, read_by_rank, read_volume};
use crate::core::bonus::read::RankName;
use crate::core::fixed::Fixed;
use crate::core::plan::read::{Item, Table};

/// More rates than any plan has; a pair of them is a state of a climb.
const MOST_RATES: usize = 100;

impl Differential {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        names: &Names<'_>,
        pool: Option<Decimal>,
    ) -> Option<Self> {
        let scope = Scope::read(table, names, pool);
        let by = table.optional("by").map_or(Some(By::Gv), |item| item.word(&BY));
        let inverted =
            table.optional("when_inverted").map_or(Some(Inverted::default()), |item| item.word(&INVERTED));
        let breakaway = table.optional("breakaway").map(|item| RankName::read(&item, names));
        let (brackets, rates) = (table.optional("brackets"), table.optional("rates"));
        // Rates are looked at also where something else is wrong.
        let (known, by) = (scope.clone().unwrap_or_default(), by?);
        let item = match by {
            By::Rank => choose(table, rates, brackets, ("rates", "rates = { silver = \"0.05\" }", by)),
            _ => choose(
                table,
                brackets,
                rates,
                ("brackets", "brackets = [{ from = \"100\", rate = \"0.03\" }]", by),
            ),
        }?;
        let steps = match by {
            By::Rank => {
                let rate = |_: &RankName, item: &Item<'_>| known.read_rate(item, pool);
                read_by_rank(&item, names, "silver = \"0.05\"", rate).map(Steps::Ranks)
            }
            _ => read_brackets(&item, &known, pool).map(Steps::Brackets),
        };
        let (steps, inverted) = (steps?, inverted?);
        check_size(&item, &steps);
        let breakaway = breakaway.map_or(Some(None), |rank| rank.map(Some))?;
        let read = Self { scope: scope?, by, steps, inverted, breakaway };
        read.scope.check_most(&item, "the highest rate is", read.highest(), pool);
        Some(read)
    }
}

/// The one of two keys that belongs to `by`.
fn choose<'d>(
    table: &Table<'_>,
    right: Option<Item<'d>>,
    wrong: Option<Item<'d>>,
    (key, example, by): (&str, &str, By),
) -> Option<Item<'d>> {
    let by = crate::core::plan::word(&BY, &by);
    if let Some(wrong) = wrong {
        wrong.problem(
            format!("by = {by:?} goes with {key} and not with this"),
            format!("write {example} in its place"),
        );
        return None;
    }
    if right.is_none() {
        table.problem(format!("{key} is missing"), format!("add {example}"));
    }
    right
}

/// One line of `brackets` as it is written.
struct Written<'d> {
    item: Item<'d>,
    from: Fixed,
    rate: Decimal,
    to: Option<(Item<'d>, Fixed)>,
}

fn read_brackets(item: &Item<'_>, scope: &Scope, pool: Option<Decimal>) -> Option<Vec<Bracket>> {
    let lines = item.list()?;
    if lines.is_empty() {
        item.problem("nobody would ever be paid", "add { from = \"100\", rate = \"0.03\" }");
    }
    let written: Vec<Option<Written<'_>>> =
        lines.into_iter().map(|line| read_bracket(line, scope, pool)).collect();
    for pair in written.windows(2) {
        if let [Some(lower), Some(upper)] = pair {
            check_neighbours(lower, upper);
        }
    }
    if let Some(Some(Written { to: Some((to, _)), .. })) = written.last() {
        to.problem("nothing is said of volumes above the last bracket", "remove to: the last one has no end");
    }
    let bracket = |line: Option<Written<'_>>| line.map(|line| Bracket { from: line.from, rate: line.rate });
    written.into_iter().map(bracket).collect()
}

fn read_bracket<'d>(item: Item<'d>, scope: &Scope, pool: Option<Decimal>) -> Option<Written<'d>> {
    let table = item.table()?;
    let from = table.required("from", "from = \"100\"").and_then(|item| read_volume(&item));
    let rate = table.required("rate", "rate = \"0.03\"").and_then(|item| scope.read_rate(&item, pool));
    let to = table.optional("to").map(|item| read_volume(&item).map(|volume| (item, volume)));
    table.finish();
    let to = to.map_or(Some(None), |to| to.map(Some))?;
    Some(Written { item, from: from?, rate: rate?, to })
}

/// A bracket ends where the next begins.
fn check_neighbours(lower: &Written<'_>, upper: &Written<'_>) {
    if upper.from <= lower.from {
        upper.item.problem(
            format!("the bracket from {} comes after the one from {}", upper.from, lower.from),
            "write brackets from the lowest to the highest, each from once",
        );
        return;
    }
    if upper.rate < lower.rate {
        upper.item.problem(
            format!("the rate falls from {} to {} where the volume rises", lower.rate, upper.rate),
            format!("write a rate of at least {}", lower.rate),
        );
    }
    let Some((to, end)) = &lower.to else { return };
    let what = match end.cmp(&upper.from) {
        std::cmp::Ordering::Equal => return,
        std::cmp::Ordering::Less => format!("no bracket covers volumes between {end} and {}", upper.from),
        std::cmp::Ordering::Greater => format!("two brackets cover volumes between {} and {end}", upper.from),
    };
    to.problem(
        what,
        format!("write to = \"{}\", or remove to: a bracket ends where the next begins", upper.from),
    );
}

fn check_size(item: &Item<'_>, steps: &Steps) {
    let count = match steps {
        Steps::Brackets(brackets) => brackets.len(),
        Steps::Ranks(rates) => rates.len(),
    };
    if count > MOST_RATES {
        item.problem(
            format!("{count} rates are more than can be calculated"),
            format!("use at most {MOST_RATES}"),
        );
    }
}
