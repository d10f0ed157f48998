//! The rank advancement part of a plan document.

use super::{Advancement, PaysFor, Skipped};
use crate::core::bonus::Names;
use crate::core::bonus::leaders::{read_by_rank, read_volume};
use crate::core::plan::read::{Item, Table};

/// More periods than any plan has ever asked for.
const MOST_PERIODS: u16 = 120;

impl Advancement {
    pub(in crate::core::bonus) fn read(table: &Table<'_>, names: &Names<'_>) -> Option<Self> {
        let amounts = table
            .required("amounts", "amounts = { silver = \"100\" }")
            .and_then(|item| read_by_rank(&item, names, "silver = \"100\"", |_, amount| read_amount(amount)));
        let words = [("once", PaysFor::Once), ("each_period", PaysFor::EachPeriod)];
        let pays_for = table.optional("pays_for").map_or(Some(PaysFor::default()), |item| item.word(&words));
        let held = table.optional("held").map_or(Some(1), |item| item.whole(1, MOST_PERIODS));
        let only_once = |item: &Item<'_>, what: &str| {
            if pays_for == Some(PaysFor::EachPeriod) {
                item.problem(
                    format!("{what}, and this amount comes in every period"),
                    "remove it or write pays_for = \"once\"",
                );
            }
        };
        let instalments = table.optional("instalments").map_or(Some(1), |item| {
            only_once(&item, "only what is paid once has instalments");
            item.whole(1, MOST_PERIODS)
        });
        let words = [("pays_each", Skipped::PaysEach), ("highest", Skipped::Highest)];
        let skipped = table.optional("skipped").map_or(Some(Skipped::default()), |item| {
            only_once(&item, "ranks can be skipped only where reaching them is paid");
            item.word(&words)
        });
        Some(Self {
            amounts: amounts?,
            pays_for: pays_for?,
            held: held?,
            instalments: instalments?,
            skipped: skipped?,
        })
    }
}

fn read_amount(item: &Item<'_>) -> Option<crate::core::fixed::Fixed> {
    let amount = read_volume(item)?;
    if amount.is_zero() {
        item.problem("this rank would be paid nothing", "write an amount above zero or remove the rank");
    }
    Some(amount)
}
