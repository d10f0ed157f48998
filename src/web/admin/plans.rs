//! Plans: which version decides from when, a version in words and as written, checking and publishing one.

use askama::Template;

use super::code::Code;
use super::format::{Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/plans.html")]
pub struct PlansPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub hash: String,
    pub name: String,
    pub state: Pill,
    pub effective_from: Option<When>,
    pub published_by: String,
    pub created_at: When,
}

#[derive(Template)]
#[template(path = "admin/plan.html")]
pub struct PlanPage {
    pub shell: Shell,
    pub hash: String,
    pub name: String,
    pub state: Pill,
    pub facts: Vec<(String, String)>,
    pub sections: Vec<Section>,
    pub source: Code,
    pub publications: Vec<Publication>,
    pub problem: Option<String>,
}

pub struct Publication {
    pub effective_from: When,
    pub published_at: When,
    pub published_by: String,
}

/// One part of the document in words; a rate table where there is one.
pub struct Section {
    pub title: String,
    pub text: Vec<String>,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

#[derive(Template)]
#[template(path = "admin/plan_check.html")]
pub struct CheckPage {
    pub shell: Shell,
    pub document: String,
    pub checked: Option<Checked>,
}

/// What was found in a pasted document.
pub struct Checked {
    pub problems: Vec<Problem>,
    pub source: Code,
    pub hash: String,
    pub known: bool,
    pub sections: Vec<Section>,
}

pub struct Problem {
    pub line: Option<usize>,
    pub text: String,
}
