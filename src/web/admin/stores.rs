//! Stores: connect one step by step, change its secrets without losing a delivery.

use askama::Template;

use super::format::{Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/stores.html")]
pub struct StoresPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub form: NewStore,
    pub problem: Option<String>,
}

pub struct Row {
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub state: Pill,
    pub last_delivery: Option<When>,
    pub secrets: usize,
}

#[derive(Clone, Debug, Default)]
pub struct NewStore {
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub attribution: String,
}

#[derive(Template)]
#[template(path = "admin/store.html")]
pub struct StorePage {
    pub shell: Shell,
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub state: Pill,
    pub webhook_url: String,
    /// What to do in the platform's own settings, in order.
    pub steps: Vec<String>,
    pub attribution: Vec<String>,
    pub secrets: Vec<Secret>,
    pub last_delivery: Option<When>,
    /// Shown once, right after it was made.
    pub fresh_secret: Option<String>,
    pub problem: Option<String>,
}

pub struct Secret {
    pub number: i32,
    pub created_at: When,
    pub retired_at: Option<When>,
}

impl StorePage {
    fn live(&self) -> usize {
        self.secrets.iter().filter(|secret| secret.retired_at.is_none()).count()
    }
}
