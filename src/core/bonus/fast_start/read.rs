//! The fast start part of a plan document.

use rust_decimal::Decimal;

use super::FastStart;
use crate::core::bonus::read::read_classes;
use crate::core::bonus::unilevel::ladder::Ladder;
use crate::core::bonus::unilevel::read::Frame;
use crate::core::bonus::{Names, Pays};
use crate::core::fixed::{DIGITS, Fixed};
use crate::core::plan::read::{Item, Table};

/// Ten years.
const MOST_DAYS: u16 = 3650;

impl FastStart {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        id: &str,
        names: &Names<'_>,
        pool: Option<Decimal>,
        pays: Option<Pays>,
    ) -> Option<Self> {
        let days = table.required("days", "days = 60").and_then(|item| item.whole(1, MOST_DAYS));
        let classes = table.optional("classes").map(|item| read_classes(&item, names));
        let cap = table.optional("cap_per_recruit").map(|item| read_cap(&item, pays));
        let withholds = table.optional("withholds").map(|item| read_withholds(&item, id, names));
        let most = pool.map_or((Decimal::ONE, "the whole base"), |pool| (pool, "the pool"));
        let ladder = Ladder::read(table, names, &Frame { start_level: Some(1), most: Some(most), of: None });
        Some(Self {
            days: days?,
            classes: classes.map_or(Some(None), |classes| classes.map(Some))?,
            ladder: ladder?,
            cap_per_recruit: cap.map_or(Some(None), |cap| cap.map(Some))?,
            withholds: withholds.unwrap_or(Some(vec![]))?,
        })
    }
}

/// Orders are paid one by one, so only the close knows what a recruit has brought in a period.
fn read_cap(item: &Item<'_>, pays: Option<Pays>) -> Option<Fixed> {
    if pays == Some(Pays::Order) {
        item.problem("what a recruit brings in a period is known at the close", "add pays = \"period\"");
    }
    item.amount_within(Decimal::new(1, DIGITS), Decimal::from(1_000_000_000))
}

fn read_withholds(item: &Item<'_>, id: &str, names: &Names<'_>) -> Option<Vec<String>> {
    let known: Vec<String> = names.bonuses.iter().map(|(id, _)| id.clone()).collect();
    let mut withholds = vec![];
    for item in item.list()? {
        let Some(from) = item.name_of("bonus", &known) else { continue };
        let volume = names.bonuses.iter().find(|(id, _)| *id == from).is_none_or(|(_, word)| word.has_base());
        if from == id {
            item.problem("a bonus cannot withhold volume from itself", "name other bonuses");
        } else if !volume {
            item.problem(
                format!("{from:?} is not paid on volume, so nothing can be withheld from it"),
                "name bonuses with a base",
            );
        }
        withholds.push(from);
    }
    withholds.sort();
    withholds.dedup();
    Some(withholds)
}
