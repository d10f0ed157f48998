//! The log of everything the stores sent: what was decided about it, its exact bytes, and what it changed.

use askama::Template;

use super::code::Code;
use super::format::{Link, Pager, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/deliveries.html")]
pub struct DeliveriesPage {
    pub shell: Shell,
    pub filter: Filter,
    /// Slugs to choose from.
    pub stores: Vec<String>,
    /// Value in the URL, and the words for it.
    pub states: Vec<(&'static str, &'static str)>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// What the URL says; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub store: String,
    pub state: String,
    pub q: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.store.is_empty() && self.state.is_empty() && self.q.is_empty()
    }
}

pub struct Row {
    pub id: String,
    pub at: When,
    pub store: Link,
    pub topic: String,
    pub verdict: Pill,
    /// One sentence about the verdict, where it needs one.
    pub why: String,
    pub order: Option<Link>,
    pub size: String,
    pub repeats: String,
}

#[derive(Template)]
#[template(path = "admin/delivery.html")]
pub struct DeliveryPage {
    pub shell: Shell,
    pub id: String,
    pub at: When,
    pub store: Link,
    pub topic: String,
    pub verdict: Pill,
    pub why: String,
    pub facts: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub payload: Code,
    pub size: String,
    pub changes: Vec<Change>,
    pub attempts: Vec<Attempt>,
    pub can_process: bool,
}

/// One thing that this delivery did to an order.
pub struct Change {
    pub pill: Pill,
    pub text: String,
    pub order: Option<Link>,
}

pub struct Attempt {
    pub at: When,
    pub outcome: Pill,
    pub detail: String,
}
