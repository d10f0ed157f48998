//! Pages that say why there is no page, and what was found for a search.

use askama::Template;

use super::format::Link;
use super::shell::Shell;

/// 403, 404, 500 and their kin.
#[derive(Template)]
#[template(path = "admin/notice.html")]
pub struct NoticePage {
    pub shell: Shell,
    pub status: u16,
    pub title: String,
    pub text: String,
    /// What support needs to find the log line.
    pub request_id: String,
}

#[derive(Template)]
#[template(path = "admin/search.html")]
pub struct SearchPage {
    pub shell: Shell,
    pub groups: Vec<(String, Vec<Link>)>,
}
