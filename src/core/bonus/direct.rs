//! Direct bonus: a share of each line to the attributed distributor, by commission class or by how much it
//! sells.

mod close;
mod read;

use rust_decimal::Decimal;

use super::{Bonus, Finding, OrderBonus, Place, Terms, Visited, Walk, WalkEnd};
use crate::core::engine::UplineMember;
use crate::core::fixed::{Fixed, Rate};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted, word};

#[derive(Clone, Debug)]
pub struct Direct {
    rates: Rates,
}

#[derive(Clone, Debug)]
enum Rates {
    /// In the order of the class ids; a class without a rate is not covered.
    ByClass(Vec<(String, Decimal)>),
    Tiered(Tiers),
}

/// The tier that somebody's volume of the period reaches pays its rate on all of the base.
#[derive(Clone, Debug)]
struct Tiers {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    by: TiersBy,
    /// Rising; each begins with its volume and ends before the next.
    tiers: Vec<Tier>,
}

#[derive(Clone, Copy, Debug)]
struct Tier {
    from: Fixed,
    share: Decimal,
    rate: Rate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TiersBy {
    CustomerPv,
    Pv,
}

const TIERS_BY: [(&str, TiersBy); 2] = [("customer_pv", TiersBy::CustomerPv), ("pv", TiersBy::Pv)];

impl Direct {
    pub(super) fn covers(&self, class: &str) -> bool {
        match &self.rates {
            Rates::ByClass(_) => self.find(class).is_some(),
            Rates::Tiered(tiers) => {
                tiers.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
            }
        }
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        match &self.rates {
            Rates::ByClass(rates) => {
                for (class, rate) in rates {
                    out.number(&format!("{path}.rates.{}", quoted(class)), *rate);
                }
            }
            Rates::Tiered(tiers) => {
                if let Some(classes) = &tiers.classes {
                    out.texts(&format!("{path}.classes"), classes);
                }
                if tiers.by != TiersBy::CustomerPv {
                    out.text(&format!("{path}.tiers_by"), word(&TIERS_BY, &tiers.by));
                }
                for (at, tier) in tiers.tiers.iter().enumerate() {
                    out.numbers(&format!("{path}.tiers[{at:04}]"), &[tier.from.decimal(), tier.share]);
                }
            }
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let mut sentences = vec!["Pays the distributor to whom the order is attributed.".to_owned()];
        let (corner, rows) = match &self.rates {
            Rates::ByClass(rates) => {
                let row = |(class, rate): &(String, Decimal)| (class.clone(), vec![Some(*rate)]);
                ("Commission class", rates.iter().map(row).collect())
            }
            Rates::Tiered(tiers) => {
                let what = tiers.by.told();
                sentences.push(format!("All of the base is paid at the tier that the {what} reaches."));
                if let Some(classes) = &tiers.classes {
                    sentences.push(format!("Only for the classes {}.", classes.join(", ")));
                }
                let row = |tier: &Tier| (format!("From {}", tier.from), vec![Some(tier.share)]);
                ("Volume of the period", tiers.tiers.iter().map(row).collect())
            }
        };
        let rates = Grid { corner: corner.to_owned(), columns: vec!["Rate".to_owned()], rows };
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "direct") }
    }

    fn find(&self, class: &str) -> Option<Decimal> {
        let Rates::ByClass(rates) = &self.rates else { return None };
        rates.iter().find(|(known, _)| known == class).map(|(_, rate)| *rate)
    }
}

impl TiersBy {
    fn told(self) -> &'static str {
        match self {
            Self::CustomerPv => "PV of customers' orders",
            Self::Pv => "PV",
        }
    }
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

    /// Tiers are known at the close only, and only paid then.
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

#[cfg(test)]
mod tests;
