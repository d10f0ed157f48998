//! The keys that all bonuses share, and the names that many of them refer to; the rest of a `[[bonus]]` is its
//! family's.

use super::{
    Advancement, BASES, Base, Binary, Bonus, Differential, Direct, FAMILIES, Family, FamilyWord, FastStart,
    Generation, Matching, Names, Override, PAYS, Pays, Pool, Unilevel,
};
use crate::core::period::NO_RANK;
use crate::core::plan::read::{Item, Table};
use crate::core::plan::{Class, parse, read_condition, word};
use crate::core::volume::VolumeRules;

impl Bonus {
    pub(crate) fn read(table: &Table<'_>, id: &str, names: &Names<'_>) -> Option<Self> {
        let word = table.required("family", "family = \"unilevel\"").and_then(|i| i.word(&FAMILIES));
        let Some(word) = word else {
            // Which other keys there may be depends on the family.
            table.ignore_rest();
            return None;
        };
        let base_item =
            if word.has_base() { table.required("base", "base = \"net\" or base = \"cv\"") } else { None };
        let base = match word.has_base() {
            true => base_item.as_ref().and_then(|item| item.word(&BASES)),
            false => Some(Base::Cv),
        };
        let active = table.optional("active").map(|item| parse::read_active(&item));
        let pool = table.optional("pool").map(|item| match word.no_pool() {
            None => item.rate(),
            Some((why, fix)) => {
                item.problem(why, fix);
                None
            }
        });
        let pays = table.optional("pays").map_or(Some(word.pays()), |item| read_pays(&item, word));
        let provisional = table.optional("provisional").is_some_and(|item| read_provisional(&item, pays));
        let requires = table.optional("requires").map(|item| read_condition(&item, names));
        if let (Some(Pays::Order), false, Some(_)) = (pays, provisional, &requires) {
            table.problem(
                "requires is known at the close, and this bonus is paid with the order",
                "add pays = \"period\" or provisional = true",
            );
        }
        let known_pool = pool.flatten();
        let family = match word {
            FamilyWord::Advancement => Advancement::read(table, names).map(Family::Advancement),
            FamilyWord::Binary => Binary::read(table, names).map(Family::Binary),
            FamilyWord::Differential => {
                Differential::read(table, names, known_pool).map(Family::Differential)
            }
            FamilyWord::Direct => Direct::read(table, names, known_pool, pays).map(Family::Direct),
            FamilyWord::FastStart => {
                FastStart::read(table, id, names, known_pool, pays).map(Family::FastStart)
            }
            FamilyWord::Generation => Generation::read(table, names, known_pool).map(Family::Generation),
            FamilyWord::Matching => Matching::read(table, id, names, known_pool).map(Family::Matching),
            FamilyWord::Override => Override::read(table, names, known_pool).map(Family::Override),
            FamilyWord::Pool => Pool::read(table, names).map(Family::Pool),
            FamilyWord::Matrix | FamilyWord::Unilevel => {
                let matrix = word == FamilyWord::Matrix;
                Unilevel::read(table, names, known_pool, matrix).map(Family::Unilevel)
            }
        };
        let bonus = Self {
            id: id.to_owned(),
            base: base?,
            active: active.flatten(),
            pool: known_pool,
            pays: pays?,
            provisional,
            requires: requires.flatten(),
            withheld: vec![],
            family: family?,
        };
        bonus.check_base(base_item, names);
        Some(bonus)
    }

    fn check_base(&self, base_item: Option<Item<'_>>, names: &Names<'_>) {
        let gives = |volumes: &VolumeRules| match self.base {
            Base::Net => true,
            Base::Cv => !volumes.cv.is_none(),
            Base::Pv => !volumes.pv.is_none(),
            Base::Qv => !volumes.qv.is_none(),
            Base::Margin => !volumes.wholesale.is_none(),
        };
        let anywhere = |class: &Class| gives(&class.volumes) || class.markets.iter().any(|(_, v)| gives(v));
        let has = |class: &&Class| self.covers(&class.id) && anywhere(class);
        let Some(item) = base_item.filter(|_| !names.classes.iter().any(|class| has(&class))) else { return };
        let what = match self.base {
            Base::Margin => "wholesale",
            base => word(&BASES, &base),
        };
        item.problem(
            format!("no commission class of this bonus has a {}, so it would never pay", what.to_uppercase()),
            format!("give one a {what}, such as {what} = {{ of_net = \"1\" }}, or use base = \"net\""),
        );
    }
}

fn read_pays(item: &Item<'_>, word: FamilyWord) -> Option<Pays> {
    let pays = item.word(&PAYS)?;
    if pays == Pays::Order && word.pays() == Pays::Period {
        item.problem("this family needs the whole period", "remove pays, or write pays = \"period\"");
        return None;
    }
    Some(pays)
}

fn read_provisional(item: &Item<'_>, pays: Option<Pays>) -> bool {
    let provisional = item.flag().unwrap_or(false);
    if provisional && pays == Some(Pays::Period) {
        item.problem("only what is paid with the order can be provisional", "remove provisional");
    }
    provisional
}

/// The classes that a bonus covers.
pub(super) fn read_classes(item: &Item<'_>, names: &Names<'_>) -> Option<Vec<String>> {
    let known = names.class_ids();
    let mut classes: Vec<String> =
        item.list()?.iter().filter_map(|item| item.name_of("commission class", &known)).collect();
    if classes.is_empty() {
        item.problem("the bonus covers no class", "name one, or remove classes to cover all");
    }
    classes.sort();
    classes.dedup();
    Some(classes)
}

/// A rank that the document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RankName {
    /// Place in the plan's ranks.
    pub place: u16,
    pub id: String,
}

impl RankName {
    pub fn read(item: &Item<'_>, names: &Names<'_>) -> Option<Self> {
        let id = item.name_of("rank", names.ranks)?;
        Self::find(&id, names)
    }

    pub fn find(id: &str, names: &Names<'_>) -> Option<Self> {
        let place = names.ranks.iter().position(|known| known == id)?;
        Some(Self { place: u16::try_from(place).ok()?, id: id.to_owned() })
    }

    /// Whether somebody of `rank` stands at least here.
    pub fn reached_by(&self, rank: u16) -> bool {
        rank != NO_RANK && rank >= self.place
    }
}
