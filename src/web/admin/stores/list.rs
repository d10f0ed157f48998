//! All stores, and the form for one that only sends webhooks.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::{Last, PLATFORMS, as_pasted, fresh_secret, last, makes_secrets, platform_name, state, told};
use crate::access::{Role, Session, audit};
use crate::connections::{self, Connection};
use crate::ingest::{self, Store, is_slug};
use crate::reports::set_up::{self as report, Heard};
use crate::stores::{Platform, is_place, usual_places};
use crate::web::admin::desk::Desk;
use crate::web::admin::field::Wrong;
use crate::web::admin::format::Pill;
use crate::web::admin::once;
use crate::web::admin::shell::Shell;
use crate::web::session::{Admin, Denied, Form, Viewer};

#[derive(Template)]
#[template(path = "admin/stores.html")]
pub struct StoresPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub form: NewStore,
    pub wrong: Wrong,
    pub platforms: Vec<(&'static str, &'static str)>,
    pub may_change: bool,
}

pub struct Row {
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub state: Pill,
    pub last: Last,
    pub secrets: usize,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewStore {
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub attribution: String,
    /// Never shown again.
    pub secret: String,
}

pub async fn page(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    show(&viewer, &desk, StatusCode::OK, NewStore::default(), Wrong::default()).await
}

async fn show(
    session: &Session,
    desk: &Desk,
    status: StatusCode,
    form: NewStore,
    wrong: Wrong,
) -> Result<HttpResponse, Denied> {
    let read = desk.read(session, "stores", |conn| {
        Ok((ingest::list_stores(conn)?, connections::list(conn)?, report::heard(conn)?))
    });
    let (shell, (stores, connections, heard)) = read.await?;
    let page = StoresPage {
        shell,
        rows: stores.iter().map(|store| row(store, &connections, &heard)).collect(),
        form,
        wrong,
        platforms: PLATFORMS.map(|(platform, name)| (platform.as_str(), name)).to_vec(),
        may_change: session.role >= Role::Admin,
    };
    desk.show_as(status, &page)
}

fn row(store: &Store, connections: &[Connection], heard: &[Heard]) -> Row {
    let last = last(store, heard);
    let connection = connections.iter().find(|connection| connection.store_id == store.id.0);
    Row {
        slug: store.slug.clone(),
        name: store.name.clone(),
        platform: platform_name(&store.platform),
        state: state(store, connection, last),
        last,
        secrets: store.secrets.len(),
    }
}

pub async fn add(admin: Admin, desk: Desk, form: Form<NewStore>) -> Result<HttpResponse, Denied> {
    let form = form.0;
    let read = match wanted(&form) {
        Ok(wanted) => wanted,
        Err(wrong) => return refuse(&admin, &desk, form, wrong).await,
    };
    let given = Some(as_pasted(&form.secret)).filter(|secret| !secret.is_empty());
    let made = if given.is_none() && makes_secrets(read.platform) { Some(fresh_secret()?) } else { None };
    let (slug, secret) = (read.slug.clone(), given.or_else(|| made.clone()));
    if let Err(problem) = insert(&admin, &desk, read, secret).await? {
        return refuse(&admin, &desk, form, Wrong::default().with("slug", problem)).await;
    }
    let text = "The store is added. Connect it: the steps are below.";
    let answer = desk.done(&format!("/admin/stores/{slug}"), text);
    match made {
        Some(secret) => once::keep(&desk, &admin, ("The webhook secret", secret), answer),
        None => Ok(answer),
    }
}

/// The store itself, or what is wrong with its slug.
pub async fn insert(
    admin: &Admin,
    desk: &Desk,
    wanted: Wanted,
    secret: Option<String>,
) -> Result<Result<(), String>, Denied> {
    let (vault, by, now) = (desk.state.vault.clone(), admin.email.clone(), desk.now());
    let written = desk.write(move |tx| {
        let new = ingest::NewStore {
            slug: &wanted.slug,
            platform: wanted.platform.as_str(),
            name: &wanted.name,
            attribution: &wanted.places,
            secret: secret.as_deref(),
        };
        let added = told(ingest::add_store(tx, &vault, &new, now))?;
        if added.is_ok() {
            let detail = json!({"platform": wanted.platform.as_str(), "attribution": wanted.places});
            audit::record(tx, &by, "store.add", &wanted.slug, detail, now)?;
        }
        Ok(added.map(drop).map_err(|problem| problem.to_string()))
    });
    written.await
}

async fn refuse(admin: &Admin, desk: &Desk, form: NewStore, wrong: Wrong) -> Result<HttpResponse, Denied> {
    show(admin, desk, StatusCode::UNPROCESSABLE_ENTITY, form, wrong).await
}

pub struct Wanted {
    pub slug: String,
    pub name: String,
    pub platform: Platform,
    pub places: Vec<String>,
}

pub fn wanted(form: &NewStore) -> Result<Wanted, Wrong> {
    let mut wrong = Wrong::default();
    let (slug, name) = (form.slug.trim().to_owned(), form.name.trim().to_owned());
    if name.is_empty() || name.chars().count() > 100 {
        wrong.add("name", "Give it a name of up to 100 letters.");
    }
    if !is_slug(&slug) {
        wrong.add("slug", "Use 1 to 63 small letters, digits and hyphens, such as shop-eu.");
    }
    let platform = form.platform.parse::<Platform>();
    if platform.is_err() {
        wrong.add("platform", "Choose the platform.");
    }
    let places = form.attribution.split([',', '\n']).map(str::trim).filter(|place| !place.is_empty());
    let places: Vec<String> = places.map(str::to_owned).collect();
    if let Some(place) = places.iter().find(|place| !is_place(place)) {
        wrong.add("attribution", format!("{place} is no place."));
    }
    match platform {
        Ok(platform) if wrong.is_empty() => {
            let places = if places.is_empty() { usual_places(platform) } else { places };
            Ok(Wanted { slug, name, platform, places })
        }
        _ => Err(wrong),
    }
}
