//! The sign-in page, by password or by the one-time link that the console prints.

use askama::Template;

use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/login.html")]
pub struct LoginPage {
    pub shell: Shell,
    pub email: String,
    /// Why the last try failed; never which half of it was wrong.
    pub problem: Option<String>,
    pub next: String,
}
