//! Distributors: the list, one person's page, and the sponsor tree that opens branch by branch.

use askama::Template;

use super::format::{Amount, Link, Pager, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/distributors.html")]
pub struct DistributorsPage {
    pub shell: Shell,
    pub filter: Filter,
    pub statuses: Vec<&'static str>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// What the URL says; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub q: String,
    pub status: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.status.is_empty()
    }
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub sponsor: Option<Link>,
    pub rank: String,
    pub country: String,
    pub joined: When,
}

#[derive(Template)]
#[template(path = "admin/distributor.html")]
pub struct DistributorPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub facts: Vec<(String, String)>,
    pub codes: Vec<String>,
    /// What stands to be paid, by currency.
    pub payable: Vec<Amount>,
    pub earned: Vec<Amount>,
    pub standing: Vec<Standing>,
    pub statement: Vec<StatementRow>,
    pub pager: Pager,
    /// `2026-11-21`, empty for now.
    pub as_of: String,
    pub upline: Vec<Node>,
    pub downline: Branch,
}

/// What was true from an instant on.
pub struct Standing {
    pub from: Option<When>,
    pub status: Pill,
    pub sponsor: Option<Link>,
    pub rank: String,
    pub recorded_at: When,
    pub recorded_by: String,
}

pub struct StatementRow {
    pub event_id: String,
    pub at: When,
    pub order: Link,
    pub kind: Pill,
    pub bonus: String,
    pub level: String,
    pub amount: Amount,
}

/// The children of one distributor; also the answer to the request that opens a branch.
#[derive(Template)]
#[template(path = "admin/branch.html")]
pub struct Branch {
    pub as_of: String,
    pub nodes: Vec<Node>,
    /// Children beyond those that are shown.
    pub more: usize,
    pub parent: String,
}

pub struct Node {
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub rank: String,
    pub children: usize,
}
