//! Direct bonus: a share of each line to the attributed distributor, by commission class.

mod close;

use rust_decimal::Decimal;

use super::{Bonus, Finding, Names, OrderBonus, Place, Terms, Visited, Walk, WalkEnd};
use crate::core::engine::UplineMember;
use crate::core::plan::read::{Item, Table};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted};

#[derive(Clone, Debug)]
pub struct Direct {
    /// By class, in the order of the class ids; a class without a rate is not covered.
    rates: Vec<(String, Decimal)>,
}

impl Direct {
    pub(super) fn read(table: &Table<'_>, names: &Names<'_>, pool: Option<Decimal>) -> Option<Self> {
        let item = table.required("rates", "rates = \"0.20\" or a table with a rate per class")?;
        let mut rates =
            if item.is_table() { read_by_class(&item, names)? } else { read_for_all(&item, names)? };
        rates.sort();
        let most = rates.iter().map(|(_, rate)| *rate).max().unwrap_or_default();
        if pool.is_some_and(|pool| most > pool) {
            item.problem(
                format!("a rate of {most} is above the pool of {}", pool.unwrap_or_default()),
                "raise the pool or lower the rate",
            );
        }
        Some(Self { rates })
    }

    pub(super) fn covers(&self, class: &str) -> bool {
        self.find(class).is_some()
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        for (class, rate) in &self.rates {
            out.number(&format!("{path}.rates.{}", quoted(class)), *rate);
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let rows = self.rates.iter().map(|(class, rate)| (class.clone(), vec![Some(*rate)])).collect();
        BonusDescription {
            sentences: vec!["Pays the distributor to whom the order is attributed.".to_owned()],
            rates: Grid { corner: "Commission class".to_owned(), columns: vec!["Rate".to_owned()], rows },
            ..BonusDescription::of(bonus, "direct")
        }
    }

    fn find(&self, class: &str) -> Option<Decimal> {
        self.rates.iter().find(|(known, _)| known == class).map(|(_, rate)| *rate)
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

impl OrderBonus for Direct {
    fn walk(&self, terms: &Terms<'_>, upline: &[UplineMember]) -> Walk {
        let Some(member) = upline.first() else {
            return Walk { visited: vec![], ended: WalkEnd::Top, places: vec![] };
        };
        let finding = terms.inactive(member).unwrap_or(Finding::Earns { rate: None });
        let earns = matches!(finding, Finding::Earns { .. });
        let visited =
            Visited { distributor: member.distributor.clone(), distance: 0, level: Some(0), finding };
        let place = Place { level: 0, member: 0, rate: Decimal::ZERO };
        Walk {
            visited: vec![visited],
            ended: WalkEnd::Depth,
            places: if earns { vec![place] } else { vec![] },
        }
    }

    fn rate(&self, _place: &Place, class: &str) -> Decimal {
        self.find(class).unwrap_or_default()
    }

    fn most(&self, _class: &str) -> Option<Decimal> {
        None
    }

    fn rates_are_of_pool(&self) -> bool {
        false
    }
}
