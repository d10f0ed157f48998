//! One commission event, rebuilt by hand: store, order, line, class, path, rate, rounding, posting.

use askama::Template;

use super::code::Code;
use super::format::{Amount, Link, Pill, When};
use super::order::Rung;
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/explain.html")]
pub struct ExplainPage {
    pub shell: Shell,
    pub event_id: String,
    pub amount: Amount,
    pub kind: Pill,
    pub at: When,
    pub distributor: Link,
    pub order: Link,
    /// One sentence that says it all.
    pub summary: String,
    pub steps: Vec<ExplainStep>,
    pub path: Vec<Rung>,
    pub snapshot: Code,
}

pub struct ExplainStep {
    pub title: String,
    pub text: String,
    /// The arithmetic, as somebody would write it on paper.
    pub sum: String,
    pub link: Option<Link>,
}
