//! The first page: how much flows, how fast, what is held, whether the books agree, what needs a person now.

use askama::Template;

use super::chart::Chart;
use super::format::{Amount, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/dashboard.html")]
pub struct DashboardPage {
    pub shell: Shell,
    /// `7`, `30` or `90`.
    pub days: u32,
    /// The currency the money charts are drawn in, and the others that have figures.
    pub currency: String,
    pub currencies: Vec<String>,
    pub figures: Vec<Figure>,
    pub charts: Vec<Chart>,
    pub needs: Vec<Need>,
    pub speeds: Vec<Speed>,
    pub held: Vec<HeldCause>,
    pub books: Vec<Check>,
}

pub struct Figure {
    pub label: String,
    pub value: String,
    pub currency: String,
    pub under: String,
    pub href: String,
}

/// One thing that only a person can do.
pub struct Need {
    pub pill: Pill,
    pub text: String,
    pub detail: String,
    pub href: String,
    pub action: String,
}

/// A measured time against its target.
pub struct Speed {
    pub name: String,
    pub p50: String,
    pub p99: String,
    pub target: String,
    pub verdict: Pill,
    pub samples: String,
}

pub struct HeldCause {
    pub cause: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub href: String,
}

/// One proof that the books are right, with the time of the last one.
pub struct Check {
    pub name: String,
    pub verdict: Pill,
    pub detail: String,
    pub at: Option<When>,
}
