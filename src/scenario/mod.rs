//! Money scenarios as text: one fact a line, and what is expected to come of it.
//!
//! [`Scenario::parse`] turns a file into plain values, so that another runner can drive the same file through
//! the whole app; [`run`] drives it through the pure core: assess, calculate, post the difference, close periods
//! and adjust them. Used by the tests and by `upline scenario FILE`, with which an operator writes down the case in dispute. It reads no
//! file, stores nothing and knows no clock. The format is in `docs/scenarios.md`.

mod book;
mod check;
mod close;
mod expect;
mod facts;
mod opening;
mod orders;
mod parse;
mod positions;
mod run;
mod span;
mod words;

use crate::core::genealogy::DistributorVersion;
use crate::core::ids::DistributorId;
use crate::core::order::Report;
use crate::core::period::{CarriedStanding, Lot, Span};
use crate::core::placement::PlacementVersion;
use crate::core::plan::Plan;
use crate::core::sku::SkuMapping;

pub use expect::{Earner, Expectation, OfPeriod, Part, StandingVolume, VerdictWord, Volume};
pub use run::{Failure, OrderOutcome, Outcome, PeriodOutcome, run};

#[derive(Clone, Debug)]
pub struct Scenario {
    pub title: String,
    pub plan: Plan,
    /// The document itself, for a runner that publishes it.
    pub plan_text: String,
    /// The first is the store of every order that names none.
    pub stores: Vec<Store>,
    /// In the order of the file: later facts are learned later.
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub slug: String,
    pub platform: String,
    /// Ordered places of attribution.
    pub places: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// In the file, from 1.
    pub line: usize,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Distributor(DistributorVersion),
    /// The store is named by its slug and not by `mapping.store`.
    Sku {
        store: Option<String>,
        mapping: SkuMapping,
    },
    /// A store tells something; the same may be told again.
    Deliver {
        store: String,
        report: Report,
    },
    /// An admin decides who an order is attributed to.
    Assign {
        order: String,
        distributor: DistributorId,
    },
    /// A position in the placement tree.
    Place(PlacementVersion),
    /// Everybody without a position gets the one that the plan's spillover rule finds.
    PlaceAll,
    /// Volume that an earlier period left at a position.
    Carry(Lot),
    /// What earlier periods left of a distributor.
    Standing {
        distributor: DistributorId,
        standing: CarriedStanding,
    },
    /// The period is calculated with what is known so far, and posted.
    Close(Span),
    /// What is known by now of the orders of closed periods is posted into the open one.
    Adjust,
    Expect(Expectation),
}

/// What is wrong with a scenario file itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScenarioProblem {
    pub line: usize,
    pub message: String,
}

impl Scenario {
    /// `load` gives the text of a plan file that the scenario names, by the path as it is written.
    pub fn parse(
        text: &str,
        load: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Vec<ScenarioProblem>> {
        parse::parse(text, &load)
    }
}

#[cfg(test)]
mod tests;
