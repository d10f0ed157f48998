//! Two published plans side by side, value by value.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::desk::{Desk, nothing};
use super::format::When;
use super::shell::Shell;
use crate::core::plan::{PlanChange, PlanHash};
use crate::plans::{self, Publication};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/plan_diff.html")]
pub struct DiffPage {
    pub shell: Shell,
    /// Every version once, the newest first.
    pub versions: Vec<Version>,
    pub from: String,
    pub to: String,
    /// `None`: there are not two versions to choose.
    pub changes: Option<Vec<Changed>>,
}

pub struct Version {
    pub hash: String,
    pub name: String,
    pub from: When,
}

/// Empty: it is not there, or left at its default.
pub struct Changed {
    pub path: String,
    pub was: String,
    pub is: String,
}

#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// Without a choice: the newest version against the one before.
pub async fn diff(viewer: Viewer, desk: Desk, chosen: Query<Chosen>) -> Result<HttpResponse, Denied> {
    let known = desk.state.plans.clone();
    let read = desk.read(&viewer, "plans", move |conn| Ok((plans::publications(conn)?, known.get(conn)?)));
    let (shell, (publications, published)) = read.await?;
    let versions = versions(&publications);
    let or = |chosen: &str, at: usize| match chosen {
        "" => versions.get(at).map(|version| version.hash.clone()).unwrap_or_default(),
        chosen => chosen.to_owned(),
    };
    let (from, to) = (or(&chosen.from, 1), or(&chosen.to, 0));
    let plan = |hash: &str| {
        let plan = PlanHash::parse(hash).and_then(|hash| published.by_hash(hash).cloned());
        plan.ok_or_else(|| nothing("plan"))
    };
    let changes = match from.is_empty() || to.is_empty() {
        true => None,
        false => Some(plan(&from)?.diff(&*plan(&to)?).into_iter().map(Changed::from).collect()),
    };
    desk.show(&DiffPage { shell, versions, from, to, changes })
}

fn versions(publications: &[Publication]) -> Vec<Version> {
    let mut versions: Vec<Version> = vec![];
    for publication in publications.iter().rev() {
        let hash = hex::encode(&publication.plan_hash);
        if versions.iter().all(|version| version.hash != hash) {
            let (name, from) = (publication.name.clone(), When(publication.effective_from));
            versions.push(Version { hash, name, from });
        }
    }
    versions
}

impl From<PlanChange> for Changed {
    fn from(change: PlanChange) -> Self {
        let (was, is) = (change.was.unwrap_or_default(), change.is.unwrap_or_default());
        Self { path: change.path, was, is }
    }
}
