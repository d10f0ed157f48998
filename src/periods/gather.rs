//! Sums up what was sold in a period, fact by fact.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::problem::CalculationProblem;
use super::repo::facts::{self, Fact};
use super::scope::Scope;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::period::{Gathered, LineVolume, People, SoldLine};
use crate::core::plan::Plan;
use crate::db::{Conn, DbError};
use crate::ingest;

/// A line of a fact.
#[derive(Debug, Deserialize)]
pub struct Line<'a> {
    #[serde(borrow)]
    pub line: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub class: std::borrow::Cow<'a, str>,
    pub net: Decimal,
    pub sold: Decimal,
    pub quantity: Decimal,
}

/// What was read, and what could not be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub orders: i64,
    pub lines: i64,
    /// What the orders were paid at once.
    pub paid_by_orders: Fixed,
    /// Orders in another currency than the plan's.
    pub other_currency: i64,
    /// Orders of a distributor who was not known when the period was frozen.
    pub unknown_distributor: i64,
    /// Lines of commission classes that the plan does not have.
    #[serde(default)]
    pub unknown_class: i64,
}

/// The stores by their numbers: their slugs say which market they belong to.
pub struct Stores(HashMap<i32, String>);

impl Stores {
    pub fn of(conn: &mut Conn) -> Result<Self, DbError> {
        let stores = ingest::list_stores(conn)?;
        Ok(Self(stores.into_iter().map(|store| (store.id.0, store.slug)).collect()))
    }

    pub fn slug(&self, store_id: i32) -> &str {
        self.0.get(&store_id).map_or("", String::as_str)
    }
}

/// How many facts are read at once.
pub const PAGE: i64 = 10_000;

/// Reads every order of the scope once, those of the period's own time first and in its order, a page at a time.
pub fn each_page(
    conn: &mut Conn,
    scope: &Scope,
    mut page: impl FnMut(&mut Conn, &[Fact]) -> Result<(), CalculationProblem>,
) -> Result<(), CalculationProblem> {
    let mut after = (scope.starts_at, -1);
    loop {
        let facts = facts::in_time(conn, scope, after, PAGE)?;
        let Some(last) = facts.last() else { break };
        after = (last.ordered_at, last.seq);
        page(conn, &facts)?;
    }
    let mut after = 0;
    loop {
        let facts = facts::late(conn, scope, after, PAGE)?;
        let Some(last) = facts.last() else { return Ok(()) };
        after = last.first_seq;
        page(conn, &facts)?;
    }
}

pub struct Gatherer<'a> {
    plan: &'a Plan,
    people: &'a People,
    stores: Stores,
    currency: String,
    sold: Gathered,
    counts: Counts,
    /// What orders paid to whom, where that is asked for.
    pub paid_to: Option<BTreeMap<DistributorId, Fixed>>,
}

impl<'a> Gatherer<'a> {
    pub fn new(conn: &mut Conn, plan: &'a Plan, people: &'a People) -> Result<Self, DbError> {
        Ok(Self {
            plan,
            people,
            stores: Stores::of(conn)?,
            currency: plan.currency().to_string(),
            sold: Gathered::new(plan, people),
            counts: Counts::default(),
            paid_to: None,
        })
    }

    pub fn page(&mut self, conn: &mut Conn, facts: &[Fact]) -> Result<(), CalculationProblem> {
        let mut counted: Vec<(Uuid, i32)> = Vec::with_capacity(facts.len());
        for fact in facts {
            if self.fact(fact)? {
                counted.push((fact.order_id, fact.calculation_no));
            }
        }
        for paid in facts::emitted(conn, &counted)? {
            let earner = DistributorId::new(paid.distributor_id);
            self.emitted(&paid.bonus, earner, Fixed::of(paid.amount)?)?;
        }
        Ok(())
    }

    /// What an order was paid at once.
    pub fn emitted(&mut self, bonus: &str, earner: DistributorId, amount: Fixed) -> Result<(), TooLarge> {
        self.counts.paid_by_orders = self.counts.paid_by_orders.add(amount)?;
        if let Some(person) = self.people.find(&earner) {
            self.sold.emitted(bonus, person, amount)?;
        }
        if let Some(paid_to) = &mut self.paid_to {
            let sum = paid_to.entry(earner).or_default();
            *sum = sum.add(amount)?;
        }
        Ok(())
    }

    /// `false` when the order does not count.
    pub fn fact(&mut self, fact: &Fact) -> Result<bool, CalculationProblem> {
        if fact.currency != self.currency {
            self.counts.other_currency += 1;
            return Ok(false);
        }
        let Some(person) = self.people.find(&DistributorId::new(fact.distributor_id.as_str())) else {
            self.counts.unknown_distributor += 1;
            return Ok(false);
        };
        self.counts.orders += 1;
        let market = self.plan.market_of(self.stores.slug(fact.store_id));
        let lines: Vec<Line<'_>> = serde_json::from_str(&fact.lines).map_err(DbError::from)?;
        for line in &lines {
            self.counts.lines += 1;
            // A class that this plan does not know earns nothing by it.
            let Some(class) = self.plan.class(&line.class) else {
                self.counts.unknown_class += 1;
                continue;
            };
            let volumes = class.volumes_in(market).of(line.net, line.sold, line.quantity).ok_or(TooLarge)?;
            self.sold.line(&SoldLine {
                person,
                class: &line.class,
                own: fact.own,
                ordered_at: fact.ordered_at,
                net: Fixed::of(line.net)?,
                volumes: LineVolume::of(&volumes)?,
            })?;
        }
        Ok(true)
    }

    /// Slug of the store of a fact.
    pub fn store(&self, fact: &Fact) -> &str {
        self.stores.slug(fact.store_id)
    }

    pub fn finish(self) -> (Gathered, Counts) {
        (self.sold, self.counts)
    }
}
