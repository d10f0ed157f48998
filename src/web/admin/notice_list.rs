//! Notices: what a person should know although nobody asked.

use actix_web::HttpResponse;
use askama::Template;

use super::desk::Desk;
use super::format::{Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::notices::{self, Known};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/notices.html")]
pub struct NoticesPage {
    pub shell: Shell,
    pub open: Vec<Row>,
    pub over: Vec<Row>,
}

pub struct Row {
    pub severity: Pill,
    pub subject: String,
    pub body: String,
    pub key: String,
    /// Slug and page of the store.
    pub store: Option<(String, String)>,
    pub raised_at: When,
    pub last_raised_at: When,
    pub times: i32,
    pub resolved_at: Option<When>,
}

pub async fn page(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, found) = desk.read(&viewer, "notices", |conn| notices::list(conn, false)).await?;
    let (open, over) = found.into_iter().map(row).partition(|row: &Row| row.resolved_at.is_none());
    desk.show(&NoticesPage { shell, open, over })
}

fn row(notice: Known) -> Row {
    let tone = match notice.severity.as_str() {
        "alarm" => Tone::Bad,
        "warning" => Tone::Warn,
        _ => Tone::Muted,
    };
    let page = |slug: String| (format!("/admin/stores/{}", words::encoded(&slug)), slug);
    Row {
        severity: Pill::new(tone, notice.severity),
        subject: notice.subject,
        body: notice.body,
        key: notice.key,
        store: notice.store.map(page).map(|(href, slug)| (slug, href)),
        raised_at: When(notice.raised_at),
        last_raised_at: When(notice.last_raised_at),
        times: notice.times,
        resolved_at: notice.resolved_at.map(When),
    }
}
