//! The orders of one day, added up, and what is said of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Compared, Difference, Item, Sums};
use crate::core::assess::Verdict;
use crate::core::money::Currency;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Store, evidence and ledger agree, and nothing waits.
    Ok,
    /// They agree, and what does not earn waits for a named reason.
    Explained,
    NotOk,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Explained => "explained",
            Self::NotOk => "not_ok",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Ok, Self::Explained, Self::NotOk].into_iter().find(|state| state.name() == name)
    }
}

/// The first names of a list that may be long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    pub all: u64,
    pub first: BTreeSet<String>,
}

const NAMED: usize = 1000;

impl Names {
    fn add(&mut self, name: &str) {
        self.all += 1;
        self.first.insert(name.to_owned());
        if self.first.len() > NAMED {
            self.first.pop_last();
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Day {
    pub currencies: BTreeMap<Currency, Sums>,
    /// By order.
    #[serde(skip)]
    pub differences: Vec<Difference>,
    /// Orders that are still being worked on.
    pub in_flight: Names,
    /// When the oldest order was made that is neither explained by the ledger nor by a rule.
    pub oldest_unexplained: Option<DateTime<Utc>>,
}

/// How much of what should earn the ledger explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub worth: Decimal,
    pub explained: Decimal,
}

impl Share {
    /// `None`: nothing had to be explained.
    pub fn ratio(&self) -> Option<Decimal> {
        // Never up to one: a hundred percent is only said when it is so.
        let ratio = self.explained.checked_div(self.worth)?;
        Some(if ratio < Decimal::ONE { ratio.trunc_with_scale(6) } else { ratio })
    }
}

impl Day {
    pub fn add(&mut self, compared: Compared) {
        if compared.in_flight() {
            self.in_flight.add(&compared.order);
        }
        for item in &compared.items {
            self.currencies.entry(item.currency).or_default().add(item);
            if !item.is_explained() && !is_exempt_and_agrees(item) {
                self.oldest_unexplained = earliest(self.oldest_unexplained, item.ordered_at);
            }
        }
        self.differences.extend(compared.differences);
    }

    /// In a shape that does not depend on the sequence in which orders were added.
    pub fn finish(mut self) -> Self {
        self.differences.sort();
        self.currencies.values_mut().for_each(Sums::normalize);
        self
    }

    /// `asked`: the store was. `complete`: everything of the day was read.
    pub fn state(&self, asked: bool, complete: bool) -> State {
        let sums = || self.currencies.values();
        if !complete || !self.differences.is_empty() || sums().any(|sums| !sums.off.is_zero()) {
            return State::NotOk;
        }
        let waits = sums().any(|sums| sums.held.orders > 0 || sums.awaiting > 0);
        if !asked || waits || self.in_flight.all > 0 { State::Explained } else { State::Ok }
    }

    pub fn share(&self, currency: Currency) -> Share {
        let sums = self.currencies.get(&currency);
        Share {
            worth: sums.map_or(Decimal::ZERO, |sums| sums.worth),
            explained: sums.map_or(Decimal::ZERO, |sums| sums.explained),
        }
    }

    /// Any money that nothing explains.
    pub fn drifts(&self) -> bool {
        self.currencies.values().any(|sums| !sums.off.is_zero())
    }
}

fn is_exempt_and_agrees(item: &Item) -> bool {
    matches!(item.verdict, Verdict::Exempt(_)) && item.agrees && !item.in_flight && item.off.is_zero()
}

fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}
