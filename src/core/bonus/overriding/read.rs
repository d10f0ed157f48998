//! The override part of a plan document.

use rust_decimal::Decimal;

use super::Override;
use crate::core::bonus::Names;
use crate::core::bonus::leaders::{Scope, read_by_rank, read_rates, read_volume};
use crate::core::bonus::read::RankName;
use crate::core::plan::read::Table;

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
        let generations = table
            .optional("generations")
            .map(|item| read_rates(&item, &known, pool, "leaders above a group"));
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
