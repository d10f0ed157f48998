//! The override part of a plan document.

use rust_decimal::Decimal;

use super::Override;
use crate::core::bonus::Names;
use crate::core::bonus::leaders::{RankName, Scope, read_by_rank, read_volume};
use crate::core::plan::read::{Item, Table};

/// More leaders than any plan has ever paid on one group.
const MOST_GENERATIONS: usize = 50;

impl Override {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        names: &Names<'_>,
        pool: Option<Decimal>,
    ) -> Option<Self> {
        let scope = Scope::read(table, names, pool);
        // Rates are looked at also where something else is wrong.
        let known = scope.clone().unwrap_or_default();
        let boundary =
            table.required("boundary", "boundary = \"gold\"").and_then(|item| RankName::read(&item, names));
        let rates_item = table.required("rates", "rates = { platinum = \"0.07\" }");
        let rates = rates_item.as_ref().and_then(|item| {
            read_by_rank(item, names, "platinum = \"0.07\"", |_, rate| known.read_rate(rate, pool))
        });
        let differential = table.optional("differential").map_or(Some(false), |item| item.flag());
        let floor = table.optional("floor").map(|item| {
            if differential == Some(false) {
                item.problem(
                    "only a difference of rates can have a floor",
                    "add differential = true or remove it",
                );
            }
            known.read_rate(&item, pool)
        });
        let generations = table.optional("generations").map(|item| read_generations(&item, &known, pool));
        let guarantee = table.optional("guarantee").map(|item| {
            if differential == Some(true) {
                item.problem(
                    "a leader whose rate differs from group to group has no one rate on what is missing",
                    "remove guarantee or differential",
                );
            }
            read_volume(&item)
        });
        let read = Self {
            scope: scope?,
            boundary: boundary?,
            rates: rates?,
            differential: differential?,
            floor: floor.map_or(Some(Decimal::ZERO), |floor| floor)?,
            generations: generations.map_or(Some(vec![]), |rates| rates)?,
            guarantee: guarantee
                .map_or(Some(None), |volume| volume.map(Some))?
                .filter(|least| !least.is_zero()),
        };
        if let Some(item) = rates_item {
            read.scope.check_most(&item, "a group can be paid", read.most(), pool);
        }
        Some(read)
    }
}

/// Zeros at the end say nothing.
fn read_generations(item: &Item<'_>, scope: &Scope, pool: Option<Decimal>) -> Option<Vec<Decimal>> {
    let items = item.list()?;
    let mut rates = items.iter().map(|item| scope.read_rate(item, pool)).collect::<Option<Vec<Decimal>>>()?;
    while rates.last().is_some_and(Decimal::is_zero) {
        rates.pop();
    }
    if rates.len() > MOST_GENERATIONS {
        item.problem(
            format!("{} leaders above a group have a rate", rates.len()),
            format!("give at most {MOST_GENERATIONS} a rate"),
        );
    }
    Some(rates)
}
