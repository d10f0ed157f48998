//! A small company for the tests of bonuses: who is there, what was sold, what comes of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    Carried, Gathered, LineVolume, People, PeriodInput, PeriodResult, PositionAt, SoldLine, Span,
    calculate_period,
};
use crate::core::fixed::Fixed;
use crate::core::genealogy::{DistributorVersion, Genealogy, Status};
use crate::core::ids::DistributorId;
use crate::core::plan::Plan;

pub(crate) struct Case {
    pub plan: Plan,
    versions: Vec<DistributorVersion>,
    placed: Vec<PositionAt>,
    sold: Vec<Sale>,
    emitted: Vec<(String, String, Decimal)>,
    pub carried: Carried,
    pub span: Span,
}

struct Sale {
    who: String,
    class: String,
    net: Decimal,
    quantity: Decimal,
    own: bool,
    at: DateTime<Utc>,
}

pub(crate) struct Ran {
    pub plan: Plan,
    pub people: People,
    pub sold: Gathered,
    pub result: PeriodResult,
}

/// The head of a plan in dollars and months, with one class `goods` whose volumes are its net.
pub(crate) const HEAD: &str = r#"
[plan]
id = "test"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[class]]
id = "goods"
pv = { of_net = "1" }
qv = { of_net = "1" }
cv = { of_net = "1" }
"#;

impl Case {
    /// `rest` follows [`HEAD`].
    pub fn new(rest: &str) -> Self {
        let text = format!("{HEAD}{rest}");
        let plan = Plan::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let at = |text: &str| text.parse().unwrap();
        let span = Span {
            start: at("2026-01-01T00:00:00Z"),
            end: at("2026-02-01T00:00:00Z"),
            name: "2026-01".to_owned(),
        };
        let (versions, placed, sold, emitted) = (vec![], vec![], vec![], vec![]);
        Self { plan, versions, placed, sold, emitted, carried: Carried::default(), span }
    }

    /// Somebody active; without a sponsor when that is empty, without a rank when that is.
    pub fn person(&mut self, id: &str, sponsor: &str, rank: &str) -> &mut Self {
        self.person_with(id, sponsor, rank, Status::Active, None)
    }

    pub fn person_with(
        &mut self,
        id: &str,
        sponsor: &str,
        rank: &str,
        status: Status,
        enrolled: Option<&str>,
    ) -> &mut Self {
        self.versions.push(DistributorVersion {
            id: DistributorId::new(id),
            sponsor: (!sponsor.is_empty()).then(|| DistributorId::new(sponsor)),
            status,
            rank: (!rank.is_empty()).then(|| rank.to_owned()),
            from: None,
            enrolled_at: enrolled.map(|at| at.parse().unwrap()),
        });
        self
    }

    /// A position of the same name as its owner.
    pub fn place(&mut self, id: &str, parent: &str, side: u16) -> &mut Self {
        self.position(id, id, parent, side)
    }

    pub fn position(&mut self, position: &str, owner: &str, parent: &str, side: u16) -> &mut Self {
        self.placed.push(PositionAt {
            position: position.to_owned(),
            owner: DistributorId::new(owner),
            parent: (!parent.is_empty()).then(|| parent.to_owned()),
            side,
        });
        self
    }

    /// A customer's order of `goods` in the middle of the month.
    pub fn sells(&mut self, who: &str, net: Decimal) -> &mut Self {
        self.sells_at(who, "goods", net, false, "2026-01-15T00:00:00Z")
    }

    pub fn sells_at(&mut self, who: &str, class: &str, net: Decimal, own: bool, at: &str) -> &mut Self {
        let (who, class, at) = (who.to_owned(), class.to_owned(), at.parse().unwrap());
        self.sold.push(Sale { who, class, net, quantity: Decimal::ONE, own, at });
        self
    }

    /// An order of the period paid this at once.
    pub fn emitted(&mut self, bonus: &str, who: &str, amount: Decimal) -> &mut Self {
        self.emitted.push((bonus.to_owned(), who.to_owned(), amount));
        self
    }

    /// Facts in the other order: nothing may depend on it.
    pub fn reversed(&mut self) -> &mut Self {
        self.versions.reverse();
        self.placed.reverse();
        self.sold.reverse();
        self.emitted.reverse();
        self
    }

    pub fn run(&self) -> Ran {
        let genealogy = Genealogy::build(self.versions.clone()).unwrap();
        let at = self.span.end - chrono::TimeDelta::microseconds(1);
        let people = People::at(&genealogy, at, self.plan.ranks(), self.placed.clone());
        let mut sold = Gathered::new(&self.plan, &people);
        let person = |id: &str| people.find(&DistributorId::new(id)).unwrap();
        for sale in &self.sold {
            let class = self.plan.class(&sale.class).unwrap();
            let volumes = class.volumes.of(sale.net, sale.net, sale.quantity).unwrap();
            let line = SoldLine {
                person: person(&sale.who),
                class: &sale.class,
                own: sale.own,
                ordered_at: sale.at,
                net: Fixed::of(sale.net).unwrap(),
                volumes: LineVolume::of(&volumes).unwrap(),
            };
            sold.line(&line).unwrap();
        }
        for (bonus, who, amount) in &self.emitted {
            sold.emitted(bonus, person(who), Fixed::of(*amount).unwrap()).unwrap();
        }
        let input = PeriodInput { span: &self.span, people: &people, sold: &sold, carried: &self.carried };
        let result = calculate_period(&self.plan, input).unwrap();
        Ran { plan: self.plan.clone(), people, sold, result }
    }
}

impl Ran {
    /// By bonus and distributor, over all positions; what is zero is not here.
    pub fn paid(&self) -> BTreeMap<(String, String), Decimal> {
        let mut paid = BTreeMap::new();
        for award in &self.result.awards {
            let who = self.people.id(award.person).unwrap().to_string();
            let bonus = self.plan.award_name(award.bonus).to_owned();
            *paid.entry((bonus, who)).or_insert(Decimal::ZERO) += award.amount.decimal();
        }
        paid.retain(|_, amount| !amount.is_zero());
        paid
    }

    pub fn pays(&self, bonus: &str, who: &str) -> Decimal {
        self.paid().get(&(bonus.to_owned(), who.to_owned())).copied().unwrap_or_default()
    }

    pub fn hash(&self) -> [u8; 32] {
        self.result.hash(&self.plan, &self.people)
    }

    /// What must hold of every result, whatever the plan.
    pub fn check(&self) {
        for pool in &self.result.pools {
            let parts = pool.paid.0 + pool.breakage.0 + pool.rounding.0;
            assert_eq!(
                parts,
                pool.pool.0,
                "the pool of {} does not add up",
                self.plan.award_name(pool.bonus)
            );
            let awards = self.result.awards.iter().filter(|award| award.bonus == pool.bonus);
            assert_eq!(awards.map(|award| award.amount.0).sum::<i64>(), pool.paid.0);
        }
    }
}
