//! Commission classes, markets and group volume: what counts for whom, and where.

use rust_decimal::Decimal;

use super::parse::read_ids;
use super::read::{Item, Table};
use super::{Canonical, Class, Plan, word};
use crate::core::bonus::Names;
use crate::core::sku::CLASS_NONE;
use crate::core::volume::{VolumeKind, VolumeRule, VolumeRules};

/// How group volume is summed up the sponsors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// Which volume it is the sum of.
    pub volume: VolumeKind,
    /// Whether somebody's own volume is part of their group's.
    pub own: bool,
    /// From this rank on a leg breaks away: `pgv` does not count it.
    pub breakaway: Option<u16>,
}

impl Default for GroupRule {
    fn default() -> Self {
        Self { volume: VolumeKind::Qv, own: true, breakaway: None }
    }
}

pub(super) const GROUP_VOLUMES: [(&str, VolumeKind); 4] =
    [("qv", VolumeKind::Qv), ("pv", VolumeKind::Pv), ("cv", VolumeKind::Cv), ("net", VolumeKind::Net)];

/// Stores whose orders have volumes of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    pub id: String,
    /// Slugs of stores.
    pub stores: Vec<String>,
}

pub(super) fn read_group(root: &Table<'_>, names: &Names<'_>) -> GroupRule {
    let without = GroupRule::default();
    let Some(table) = root.optional("volumes").and_then(|item| item.table()) else { return without };
    let group = GroupRule {
        volume: table.optional("group").and_then(|i| i.word(&GROUP_VOLUMES)).unwrap_or(without.volume),
        own: table.optional("group_includes_own").and_then(|i| i.flag()).unwrap_or(without.own),
        breakaway: table.optional("breakaway_rank").and_then(|i| i.place_of("rank", names.ranks)),
    };
    table.finish();
    group
}

pub(super) fn read_markets(root: &Table<'_>) -> Vec<Market> {
    let mut markets: Vec<Market> = read_ids(root, "market", false, |table, id| {
        let stores = table.required("stores", "stores = [\"shop-eu\"]")?;
        let mut slugs: Vec<String> = vec![];
        for item in stores.list()? {
            slugs.extend(item.text().map(str::to_owned));
        }
        if slugs.is_empty() {
            stores.problem("no store belongs to this market", "name a store, such as [\"shop-eu\"]");
        }
        slugs.sort();
        slugs.dedup();
        Some(Market { id: id.to_owned(), stores: slugs })
    });
    tell_shared_stores(root, &markets);
    markets.sort_by(|a, b| a.id.cmp(&b.id));
    markets
}

/// An order has one market.
fn tell_shared_stores(root: &Table<'_>, markets: &[Market]) {
    for (at, market) in markets.iter().enumerate() {
        let mut before = markets.iter().take(at);
        let shared = before.find_map(|other| other.stores.iter().find(|store| market.stores.contains(store)));
        let Some(store) = shared else { continue };
        let entry =
            root.optional("market").and_then(|item| item.list()).and_then(|list| list.into_iter().nth(at));
        if let Some(item) = entry {
            item.problem(
                format!("the store {store:?} is in another market as well"),
                "name it in one of them",
            );
        }
    }
}

pub(super) fn read_class(table: &Table<'_>, id: &str, markets: &[Market]) -> Option<Class> {
    if id == CLASS_NONE {
        table.problem(format!("the class {CLASS_NONE:?} always earns nothing"), "choose another id");
    }
    let own = table.optional("markets").map(|item| item.entries().unwrap_or_default());
    let volumes = read_volumes(table, &VolumeRules::NONE)?;
    let ids: Vec<String> = markets.iter().map(|market| market.id.clone()).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut different = vec![];
    for (market, item) in own.unwrap_or_default() {
        if !names.contains(&market) {
            item.unknown("market", market, &names);
        }
        let Some(table) = item.table() else { continue };
        let in_market = read_volumes(&table, &volumes);
        table.finish();
        // As everywhere, so nothing of its own.
        if let Some(in_market) = in_market.filter(|in_market| *in_market != volumes) {
            different.push((market.to_owned(), in_market));
        }
    }
    different.sort_by(|a, b| a.0.cmp(&b.0));
    Some(Class { id: id.to_owned(), volumes, markets: different })
}

/// What is not given is as without.
fn read_volumes(table: &Table<'_>, without: &VolumeRules) -> Option<VolumeRules> {
    let volume = |key, without| table.optional(key).map_or(Some(without), |item| read_volume(&item));
    let (pv, qv) = (volume("pv", without.pv), volume("qv", without.qv));
    let (cv, wholesale) = (volume("cv", without.cv), volume("wholesale", without.wholesale));
    Some(VolumeRules { pv: pv?, qv: qv?, cv: cv?, wholesale: wholesale? })
}

fn read_volume(item: &Item<'_>) -> Option<VolumeRule> {
    const FIX: &str = "write { of_net = \"0.8\" } or { per_unit = \"50\" }";
    if !item.is_table() {
        item.problem("a volume says what it is taken from", FIX);
        return None;
    }
    let table = item.table()?;
    let of_net = table.optional("of_net");
    let per_unit = table.optional("per_unit");
    let rule = match (of_net, per_unit) {
        (Some(share), None) => {
            share.decimal_within(Decimal::ZERO, Decimal::ONE_HUNDRED).map(VolumeRule::OfNet)
        }
        (None, Some(volume)) => {
            volume.decimal_within(Decimal::ZERO, Decimal::from(1_000_000_000)).map(VolumeRule::PerUnit)
        }
        _ => {
            item.problem("a volume is either a share of net or so much per unit", FIX);
            None
        }
    };
    table.finish();
    rule.map(|rule| if rule.is_none() { VolumeRule::NONE } else { rule })
}

pub(super) fn canonical(plan: &Plan, out: &mut Canonical) {
    let (group, without) = (&plan.group, GroupRule::default());
    if group.volume != without.volume {
        out.text("volumes.group", word(&GROUP_VOLUMES, &group.volume));
    }
    if group.own != without.own {
        out.text("volumes.group_includes_own", "false");
    }
    if let Some(rank) = group.breakaway {
        let rank = out.rank(rank).to_owned();
        out.text("volumes.breakaway_rank", &rank);
    }
    for market in &plan.markets {
        out.texts(&format!("market.{}.stores", super::quoted(&market.id)), &market.stores);
    }
}
