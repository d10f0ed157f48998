//! Reads a [`Condition`], wherever the document has one, and tells it.

use rust_decimal::Decimal;

use super::canonical::{Canonical, quoted};
use super::read::{Item, Table};
use crate::core::bonus::Names;
use crate::core::fixed::{Fixed, Rate};
use crate::core::period::{Condition, LegRule};

/// `None` only after a problem was noted. Zero asks for nothing, as does a key that is not there.
pub(crate) fn read_condition(item: &Item<'_>, names: &Names<'_>) -> Option<Condition> {
    let table = item.table()?;
    let condition = Condition {
        active: table.optional("active").and_then(|item| item.flag()).unwrap_or(false),
        pv: amount(&table, "pv"),
        customer_pv: amount(&table, "customer_pv"),
        gv: amount(&table, "gv"),
        max_per_leg: table.optional("max_per_leg").and_then(|item| read_share(&item, &table)),
        pgv: amount(&table, "pgv"),
        outside_strongest: amount(&table, "outside_strongest"),
        legs: table.optional("legs").map(|item| read_legs(&item, names)).unwrap_or_default(),
        leg_volume: table.optional("leg_volume").and_then(|item| read_leg_volume(&item)),
        recruits: table.optional("recruits").and_then(|item| item.whole(1, 10_000)),
        weaker_side: table.optional("weaker_side").and_then(|item| read_weaker_side(&item, names)),
        qualified: table.optional("qualified").map(|item| read_qualified(&item, names)).unwrap_or_default(),
        rank: table.optional("rank").and_then(|item| item.place_of("rank", names.ranks)),
        days: table.optional("days").and_then(|item| item.whole(1, 36_500)),
    };
    if !table.has_keys() {
        item.problem("it asks for nothing, so everybody meets it", "add a key, such as active = true");
    }
    table.finish();
    Some(condition)
}

fn amount(table: &Table<'_>, key: &'static str) -> Option<Fixed> {
    table.optional(key).and_then(|item| item.amount()).filter(|amount| !amount.is_zero())
}

/// The whole of what is asked may come from one leg: that is no limit.
fn read_share(item: &Item<'_>, table: &Table<'_>) -> Option<Rate> {
    if table.optional("gv").is_none() {
        item.problem(
            "max_per_leg is a share of the gv that is asked",
            "add gv = \"1000\" or remove max_per_leg",
        );
    }
    let share = item.rate()?;
    if share.is_zero() {
        item.problem("no leg would count at all", "write a share above 0, such as \"0.5\"");
    }
    Some(Rate::of(share)).filter(|_| share < Decimal::ONE)
}

fn read_legs(item: &Item<'_>, names: &Names<'_>) -> Vec<LegRule> {
    let mut legs: Vec<LegRule> = vec![];
    for item in item.list().unwrap_or_default() {
        let Some(table) = item.table() else { continue };
        let rank = table.required("rank", "rank = \"silver\"").and_then(|i| i.place_of("rank", names.ranks));
        let count = table.optional("count").map_or(Some(1), |i| i.whole(1, 10_000));
        table.finish();
        let (Some(rank), Some(count)) = (rank, count) else { continue };
        if legs.iter().any(|rule| rule.rank == rank) {
            item.problem("legs with this rank are asked for twice", "keep one, with the higher count");
        }
        legs.push(LegRule { rank, count });
    }
    legs.sort_by_key(|rule| rule.rank);
    legs
}

fn read_leg_volume(item: &Item<'_>) -> Option<(u16, Fixed)> {
    let table = item.table()?;
    let count = table.required("count", "count = 2").and_then(|i| i.whole(1, 10_000));
    let least = table.required("least", "least = \"1000\"").and_then(|i| i.amount());
    table.finish();
    Some((count?, least?))
}

fn read_weaker_side(item: &Item<'_>, names: &Names<'_>) -> Option<Fixed> {
    if names.placement.is_none_or(|rule| rule.tree.width() != 2) {
        item.problem(
            "there is no binary tree with two sides",
            "add [placement] with tree = \"binary\", or remove weaker_side",
        );
    }
    item.amount().filter(|amount| !amount.is_zero())
}

fn read_qualified(item: &Item<'_>, names: &Names<'_>) -> Vec<u16> {
    let place = |item: &Item<'_>| item.place_of("qualification", names.qualifications);
    let mut places: Vec<u16> = item.list().unwrap_or_default().iter().filter_map(place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

impl Canonical {
    pub fn condition(&mut self, path: &str, condition: &Condition) {
        if *condition == Condition::default() {
            self.empty(path);
        }
        if condition.active {
            self.text(&format!("{path}.active"), "true");
        }
        let volumes = [
            ("pv", condition.pv),
            ("customer_pv", condition.customer_pv),
            ("gv", condition.gv),
            ("pgv", condition.pgv),
            ("outside_strongest", condition.outside_strongest),
            ("weaker_side", condition.weaker_side),
        ];
        for (key, asked) in volumes {
            if let Some(asked) = asked {
                self.number(&format!("{path}.{key}"), asked.decimal());
            }
        }
        if let Some(share) = condition.max_per_leg {
            self.number(&format!("{path}.max_per_leg"), share.decimal());
        }
        for rule in &condition.legs {
            let rank = quoted(self.rank(rule.rank));
            self.number(&format!("{path}.legs.{rank}"), rule.count.into());
        }
        if let Some((count, least)) = condition.leg_volume {
            self.number(&format!("{path}.leg_volume.count"), count.into());
            self.number(&format!("{path}.leg_volume.least"), least.decimal());
        }
        if let Some(count) = condition.recruits {
            self.number(&format!("{path}.recruits"), count.into());
        }
        if !condition.qualified.is_empty() {
            let mut ids: Vec<String> =
                condition.qualified.iter().map(|at| self.qualification(*at).to_owned()).collect();
            ids.sort();
            self.texts(&format!("{path}.qualified"), &ids);
        }
        if let Some(rank) = condition.rank {
            let rank = self.rank(rank).to_owned();
            self.text(&format!("{path}.rank"), &rank);
        }
        if let Some(days) = condition.days {
            self.number(&format!("{path}.days"), days.into());
        }
    }
}
