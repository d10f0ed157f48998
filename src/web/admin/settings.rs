//! Users, API tokens and the audit log.

use askama::Template;

use super::format::{Pager, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/settings.html")]
pub struct SettingsPage {
    pub shell: Shell,
    pub users: Vec<User>,
    pub tokens: Vec<Token>,
    pub stores: Vec<String>,
    pub audit: Vec<AuditRow>,
    pub pager: Pager,
    /// A token or one-time link, shown once.
    pub fresh: Option<(String, String)>,
    pub problem: Option<String>,
}

pub struct User {
    pub id: i32,
    pub email: String,
    pub role: Pill,
    pub created_at: When,
    pub seen_at: Option<When>,
    pub disabled: bool,
}

pub struct Token {
    pub id: i32,
    pub name: String,
    pub scope: Pill,
    pub store: String,
    pub created_at: When,
    pub revoked_at: Option<When>,
}

pub struct AuditRow {
    pub at: When,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub detail: String,
}
