//! The matching part of a plan document.

use rust_decimal::Decimal;

use super::Matching;
use crate::core::bonus::read::RankName;
use crate::core::bonus::unilevel::ladder::Ladder;
use crate::core::bonus::unilevel::read::Frame;
use crate::core::bonus::{FamilyWord, Names};
use crate::core::plan::read::{Item, Table};

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Level,
    Generation,
}

const BY: [(&str, By); 2] = [("level", By::Level), ("generation", By::Generation)];

impl Matching {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        id: &str,
        names: &Names<'_>,
        pool: Option<Decimal>,
    ) -> Option<Self> {
        let of = table.required("of", "of = [\"team\"], the bonuses that are matched");
        let of = of.and_then(|item| read_of(&item, id, names));
        let by = table.optional("by").map_or(Some(By::Level), |item| item.word(&BY));
        let boundary = read_boundary(table, by, names);
        let most = pool.map(|pool| (pool, "the pool"));
        let ladder = Ladder::read(table, names, &Frame { start_level: Some(1), most, of: None });
        Some(Self { of: of?, ladder: Ladder { boundary: boundary?, ..ladder? } })
    }
}

/// Base bonuses only: whatever else there is has not been calculated when a match is.
fn read_of(item: &Item<'_>, id: &str, names: &Names<'_>) -> Option<Vec<String>> {
    let known: Vec<String> = names.bonuses.iter().map(|(id, _)| id.clone()).collect();
    let mut of = vec![];
    for item in item.list()? {
        let Some(name) = item.name_of("bonus", &known) else { continue };
        match names.bonuses.iter().find(|(id, _)| *id == name).map(|(_, word)| *word) {
            _ if name == id => {
                item.problem("a match of itself would never come to an end", "name base bonuses");
            }
            Some(FamilyWord::Matching) => item.problem(
                format!("{name:?} is a match too, and matches never feed each other"),
                "name the base bonuses that it matches",
            ),
            Some(FamilyWord::Pool) => item
                .problem(format!("{name:?} is a pool, which is paid after all matches"), "name base bonuses"),
            _ => of.push(name),
        }
    }
    if of.is_empty() {
        item.problem("there is nothing to match", "name a base bonus, such as of = [\"team\"]");
    }
    of.sort();
    of.dedup();
    Some(of)
}

fn read_boundary(table: &Table<'_>, by: Option<By>, names: &Names<'_>) -> Option<Option<RankName>> {
    const KEY: &str = "boundary = \"director\", the rank that ends a generation";
    match by {
        Some(By::Generation) => {
            table.required("boundary", KEY).and_then(|item| RankName::read(&item, names)).map(Some)
        }
        _ => {
            if let Some(item) = table.optional("boundary") {
                item.problem("levels have no boundary", "remove it, or write by = \"generation\"");
            }
            by.map(|_| None)
        }
    }
}
