//! Money scenarios as text: one fact a line, and what is expected to come of it.
//!
//! [`Scenario::parse`] turns a file into plain values, so that another runner can drive the same file through
//! the whole app; [`run`] drives it through the pure core: assess, calculate, post the difference. Used by the
//! tests and by `upline scenario FILE`, with which an operator writes down the case in dispute. It reads no
//! file, stores nothing and knows no clock. The format is in `docs/scenarios.md`.

mod book;
mod check;
mod expect;
mod orders;
mod parse;
mod run;
mod words;

use crate::core::genealogy::DistributorVersion;
use crate::core::ids::DistributorId;
use crate::core::order::Report;
use crate::core::plan::Plan;
use crate::core::sku::SkuMapping;

pub use expect::{Expectation, Part, VerdictWord, Volume};
pub use run::{Failure, OrderOutcome, Outcome, run};

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
