//! Plans: which version decides from when, a version in words and as written, and checking a document.
//!
//! Publishing one is in [`super::plan_publish`].

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Path};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::code::Code;
use super::desk::{Desk, nothing};
use super::format::{Pill, Tone, When};
use super::shell::Shell;
use super::{plan_diff, plan_publish, plan_words};
use crate::access::{Role, Session};
use crate::core::plan::{Plan, PlanHash, PlanProblem};
use crate::plans::{self, Publication};
use crate::reports::plans as report;
use crate::web::session::{Admin, Denied, Form, Viewer};

#[derive(Template)]
#[template(path = "admin/plans.html")]
pub struct PlansPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

/// One publication, and the time in which it decides.
pub struct Row {
    pub hash: String,
    pub name: String,
    pub state: Pill,
    pub from: When,
    pub until: Option<When>,
    pub published_at: When,
    pub published_by: String,
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
    pub document: String,
    pub publications: Vec<Row>,
    pub may_publish: bool,
}

/// One part of the document in words; a rate table where there is one.
pub struct Section {
    pub title: String,
    pub text: Vec<String>,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Cells are words and not numbers.
    pub words: bool,
}

/// One item in which a plan is other than the one before.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub what: String,
    /// Empty: it was not there.
    pub was: String,
    /// Empty: it is no longer there.
    pub is: String,
}

#[derive(Template)]
#[template(path = "admin/plan_check.html")]
pub struct CheckPage {
    pub shell: Shell,
    pub document: String,
    pub checked: Option<Checked>,
    pub may_publish: bool,
}

/// What was found in a pasted document.
pub struct Checked {
    pub problems: Vec<PlanProblem>,
    pub source: Code,
    pub name: String,
    pub hash: String,
    /// It was published already.
    pub known: bool,
    pub facts: Vec<(String, String)>,
    pub sections: Vec<Section>,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/plans", web::get().to(list))
        .route("/plans/diff", web::get().to(plan_diff::diff))
        .route("/plans/check", web::get().to(blank))
        .route("/plans/check", web::post().to(check))
        .route("/plans/publish", web::post().to(plan_publish::publish))
        .route("/plans/{hash}", web::get().to(one));
}

async fn list(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, publications) = desk.read(&viewer, "plans", plans::publications).await?;
    let rows = rows(&publications, desk.now()).into_iter().rev().collect();
    desk.show(&PlansPage { shell, rows })
}

/// From publications in the order in which they take effect: each decides until the next one does.
fn rows(publications: &[Publication], now: DateTime<Utc>) -> Vec<Row> {
    let next = publications.iter().skip(1).map(|next| Some(next.effective_from)).chain([None]);
    publications.iter().zip(next).map(|(publication, until)| row(publication, until, now)).collect()
}

fn row(publication: &Publication, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Row {
    let from = publication.effective_from;
    let state = match until {
        Some(until) if until == from => Pill::new(Tone::Muted, "replaced"),
        _ if from > now => Pill::new(Tone::Info, "upcoming"),
        Some(until) if until <= now => Pill::new(Tone::Muted, "earlier"),
        _ => Pill::new(Tone::Ok, "in effect"),
    };
    Row {
        hash: hex::encode(&publication.plan_hash),
        name: publication.name.clone(),
        state,
        from: When(from),
        until: until.map(When),
        published_at: When(publication.published_at),
        published_by: publication.published_by.clone(),
    }
}

async fn one(viewer: Viewer, desk: Desk, hash: Path<String>) -> Result<HttpResponse, Denied> {
    let bytes = hex::decode(hash.as_str()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let asked = PlanHash(bytes.ok_or_else(|| nothing("plan"))?);
    let read =
        desk.read(&viewer, "plans", move |conn| Ok((report::one(conn, asked)?, plans::publications(conn)?)));
    let (shell, (stored, publications)) = read.await?;
    let stored = stored.ok_or_else(|| nothing("plan"))?;
    let plan = Plan::parse(&stored.document).map_err(|_| nothing("plan that can be read"))?;
    let described = plan.describe();
    let mut publications = rows(&publications, desk.now());
    publications.retain(|row| row.hash == described.hash);
    publications.reverse();
    let in_effect = publications.iter().position(|row| row.state.tone == Tone::Ok);
    let state = publications.get(in_effect.unwrap_or(0)).map(|row| row.state.clone());
    desk.show(&PlanPage {
        hash: described.hash.clone(),
        name: stored.name,
        state: state.ok_or_else(|| nothing("plan that was published"))?,
        facts: plan_words::facts(&described),
        sections: plan_words::sections(&described),
        source: Code::toml("The document as written", &stored.document, &[]),
        document: stored.document,
        publications,
        may_publish: may_publish(&viewer),
        shell,
    })
}

pub fn may_publish(session: &Session) -> bool {
    session.role >= Role::Admin
}

async fn blank(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, ()) = desk.read(&viewer, "plans", |_| Ok(())).await?;
    let page = CheckPage { shell, document: String::new(), checked: None, may_publish: may_publish(&viewer) };
    desk.show(&page)
}

#[derive(Deserialize)]
struct Pasted {
    document: String,
}

async fn check(admin: Admin, desk: Desk, form: Form<Pasted>) -> Result<HttpResponse, Denied> {
    checked(&admin, &desk, as_written(&form.0.document)).await
}

/// Browsers send every line's end as two characters; the document has one.
pub fn as_written(pasted: &str) -> String {
    pasted.replace("\r\n", "\n")
}

/// The page that says what is wrong with a document, or that nothing is.
pub async fn checked(admin: &Admin, desk: &Desk, document: String) -> Result<HttpResponse, Denied> {
    let parsed = Plan::parse(&document);
    let hash = parsed.as_ref().ok().map(Plan::hash);
    let read = desk.read(admin, "plans", move |conn| {
        hash.map_or(Ok(false), |hash| Ok(report::one(conn, hash)?.is_some()))
    });
    let (mut shell, known) = read.await?;
    shell.here = "/admin/plans/check".to_owned();
    let (status, checked) = match parsed {
        Ok(plan) => (StatusCode::OK, sound(&plan, known)),
        Err(problems) => (StatusCode::UNPROCESSABLE_ENTITY, faulty(problems, &document)),
    };
    desk.show_as(status, &CheckPage { shell, document, checked: Some(checked), may_publish: true })
}

fn sound(plan: &Plan, known: bool) -> Checked {
    let described = plan.describe();
    Checked {
        problems: vec![],
        source: Code::toml("", "", &[]),
        facts: plan_words::facts(&described),
        sections: plan_words::sections(&described),
        name: described.name,
        hash: described.hash,
        known,
    }
}

fn faulty(mut problems: Vec<PlanProblem>, document: &str) -> Checked {
    problems.sort_by_key(|problem| problem.line);
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    Checked {
        source: Code::toml("The document with its problems", document, &lines),
        problems,
        name: String::new(),
        hash: String::new(),
        known: false,
        facts: vec![],
        sections: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(number: i32, from: &str) -> Publication {
        let at: DateTime<Utc> = from.parse().unwrap();
        Publication {
            publication_no: number,
            plan_hash: vec![0; 32],
            name: "Sample".to_owned(),
            effective_from: at,
            published_at: at,
            published_by: "ada@example.test".to_owned(),
        }
    }

    #[test]
    fn each_publication_decides_until_the_next_one_does() {
        let all = [
            publication(1, "2026-01-01T00:00:00Z"),
            publication(2, "2026-02-01T00:00:00Z"),
            publication(3, "2026-02-01T00:00:00Z"),
            publication(4, "2026-04-01T00:00:00Z"),
        ];
        let states = |now: &str| -> Vec<String> {
            rows(&all, now.parse().unwrap()).into_iter().map(|row| row.state.text).collect()
        };
        assert_eq!(states("2026-03-01T00:00:00Z"), ["earlier", "replaced", "in effect", "upcoming"]);
        assert_eq!(states("2026-02-01T00:00:00Z"), ["earlier", "replaced", "in effect", "upcoming"]);
        assert_eq!(states("2027-01-01T00:00:00Z"), ["earlier", "replaced", "earlier", "in effect"]);
        assert_eq!(states("2025-01-01T00:00:00Z"), ["upcoming", "replaced", "upcoming", "upcoming"]);
    }
}
