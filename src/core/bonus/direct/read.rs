//! The direct part of a plan document.

use rust_decimal::Decimal;

use super::{Direct, Rates, TIERS_BY, Tier, Tiers, TiersBy};
use crate::core::bonus::read::read_classes;
use crate::core::bonus::{Names, Pays};
use crate::core::fixed::Rate;
use crate::core::plan::read::{Item, Table};

impl Direct {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        names: &Names<'_>,
        pool: Option<Decimal>,
        pays: Option<Pays>,
    ) -> Option<Self> {
        let Some(tiers) = table.optional("tiers") else {
            return read_rates(table, names, pool).map(|rates| Self { rates: Rates::ByClass(rates) });
        };
        if let Some(rates) = table.optional("rates") {
            rates.problem("the tiers have the rates", "remove rates or tiers");
        }
        if pays == Some(Pays::Order) {
            tiers.problem("the tier is known at the close of a period", "add pays = \"period\"");
        }
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let by = table.optional("tiers_by").map_or(Some(TiersBy::CustomerPv), |item| item.word(&TIERS_BY));
        let read = read_tiers(&tiers)?;
        check_pool(&tiers, read.iter().map(|tier| tier.share), pool);
        let classes = classes.map_or(Some(None), |classes| classes.map(Some))?;
        Some(Self { rates: Rates::Tiered(Tiers { classes, by: by?, tiers: read }) })
    }
}

fn read_rates(table: &Table<'_>, names: &Names<'_>, pool: Option<Decimal>) -> Option<Vec<(String, Decimal)>> {
    let item = table.required("rates", "rates = \"0.20\" or a table with a rate per class")?;
    let mut rates = if item.is_table() { read_by_class(&item, names)? } else { read_for_all(&item, names)? };
    rates.sort();
    check_pool(&item, rates.iter().map(|(_, rate)| *rate), pool);
    Some(rates)
}

fn check_pool(item: &Item<'_>, rates: impl Iterator<Item = Decimal>, pool: Option<Decimal>) {
    let most = rates.max().unwrap_or_default();
    if let Some(pool) = pool.filter(|pool| most > *pool) {
        item.problem(
            format!("a rate of {most} is above the pool of {pool}"),
            "raise the pool or lower the rate",
        );
    }
}

fn read_for_all(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<(String, Decimal)>> {
    let rate = item.rate()?;
    Some(names.class_ids().into_iter().map(|class| (class, rate)).collect())
}

fn read_by_class(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<(String, Decimal)>> {
    let mut rates = Vec::new();
    let known = names.class_ids();
    for (class, rate) in item.entries()? {
        if !known.iter().any(|id| id == class) {
            rate.unknown("commission class", class, &known.iter().map(String::as_str).collect::<Vec<_>>());
        }
        rates.extend(rate.rate().map(|rate| (class.to_owned(), rate)));
    }
    if rates.is_empty() {
        item.problem("no class has a rate", "add one, such as standard = \"0.20\"");
    }
    Some(rates)
}

/// Each ends where the next begins, so there are no gaps; below the first nothing is paid.
fn read_tiers(item: &Item<'_>) -> Option<Vec<Tier>> {
    let mut tiers: Vec<Tier> = vec![];
    for item in item.list()? {
        let Some(tier) = read_tier(&item) else { continue };
        if tiers.last().is_some_and(|last| tier.from <= last.from) {
            item.problem(
                format!("the tier from {} does not begin above the one before", tier.from),
                "write the tiers from the lowest to the highest, each from another volume",
            );
        }
        tiers.push(tier);
    }
    if tiers.is_empty() {
        item.problem("there is no tier", "add one, such as { from = \"0\", rate = \"0.20\" }");
    }
    Some(tiers)
}

fn read_tier(item: &Item<'_>) -> Option<Tier> {
    let table = item.table()?;
    let from = table
        .required("from", "from = \"500\"")
        .and_then(|item| item.amount_within(Decimal::ZERO, Decimal::from(1_000_000_000)));
    let share = table.required("rate", "rate = \"0.25\"").and_then(|item| item.rate());
    table.finish();
    Some(Tier { from: from?, share: share?, rate: Rate::of(share?) })
}
