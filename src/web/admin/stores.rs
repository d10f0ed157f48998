//! Stores: connect one step by step, change its secrets without losing a delivery.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Path};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::connect::{self, Step};
use super::desk::{Desk, Nothing, nothing};
use super::field::Wrong;
use super::format::{Pill, Tone, When};
use super::once::{self, Once, Shown};
use super::pulls;
use super::shell::Shell;
use crate::access::{Role, Session, audit};
use crate::db::DbError;
use crate::ingest::{self, Store, StoreProblem};
use crate::reports::set_up::{self as report, Heard};
use crate::stores::{Platform, is_place, usual_places};
use crate::vault::random;
use crate::web::error::Refusal;
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

/// When a store was last heard of.
#[derive(Clone, Copy, Debug)]
pub enum Last {
    At(When),
    NotLately,
    Never,
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

#[derive(Template)]
#[template(path = "admin/store.html")]
pub struct StorePage {
    pub shell: Shell,
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub state: Pill,
    pub webhook_url: String,
    pub out_of_reach: bool,
    pub steps: Vec<Step>,
    pub attribution: Vec<String>,
    pub secrets: Vec<Secret>,
    pub last: Last,
    pub pulls: pulls::Panel,
    pub makes_secrets: bool,
    pub shown: Option<Shown>,
    pub wrong: Wrong,
    pub may_change: bool,
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

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/stores", web::get().to(list))
        .route("/stores", web::post().to(add))
        .route("/stores/{slug}", web::get().to(one))
        .route("/stores/{slug}/secrets", web::post().to(add_secret))
        .route("/stores/{slug}/secrets/retire", web::post().to(retire));
}

const PLATFORMS: [(Platform, &str); 4] = [
    (Platform::Shopify, "Shopify"),
    (Platform::WooCommerce, "WooCommerce"),
    (Platform::Magento, "Magento / Adobe Commerce"),
    (Platform::Direct, "Own systems, over the API"),
];

async fn list(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    show_list(&viewer, &desk, StatusCode::OK, NewStore::default(), Wrong::default()).await
}

async fn show_list(
    session: &Session,
    desk: &Desk,
    status: StatusCode,
    form: NewStore,
    wrong: Wrong,
) -> Result<HttpResponse, Denied> {
    let read = desk.read(session, "stores", |conn| Ok((ingest::list_stores(conn)?, report::heard(conn)?)));
    let (shell, (stores, heard)) = read.await?;
    let page = StoresPage {
        shell,
        rows: stores.iter().map(|store| row(store, &heard)).collect(),
        form,
        wrong,
        platforms: PLATFORMS.map(|(platform, name)| (platform.as_str(), name)).to_vec(),
        may_change: session.role >= Role::Admin,
    };
    desk.show_as(status, &page)
}

fn row(store: &Store, heard: &[Heard]) -> Row {
    let last = last(store, heard);
    Row {
        slug: store.slug.clone(),
        name: store.name.clone(),
        platform: platform_name(&store.platform),
        state: state(store, last),
        last,
        secrets: store.secrets.len(),
    }
}

fn platform_name(platform: &str) -> String {
    let known = PLATFORMS.iter().find(|(known, _)| known.as_str() == platform);
    known.map_or(platform, |(_, name)| name).to_owned()
}

fn last(store: &Store, heard: &[Heard]) -> Last {
    match heard.iter().find(|heard| heard.store_id == store.id.0) {
        Some(Heard { last: Some(at), .. }) => Last::At(When(*at)),
        Some(Heard { ever: true, .. }) => Last::NotLately,
        _ => Last::Never,
    }
}

fn state(store: &Store, last: Last) -> Pill {
    let by_token = store.platform == Platform::Direct.as_str();
    match last {
        _ if !store.active => Pill::new(Tone::Muted, "off"),
        _ if store.secrets.is_empty() && !by_token => Pill::new(Tone::Warn, "needs a secret"),
        Last::Never => Pill::new(Tone::Info, "waits for the first delivery"),
        Last::At(_) | Last::NotLately => Pill::new(Tone::Ok, "connected"),
    }
}

/// Whether a secret of ours can be told to the platform. Shopify tells one instead.
fn makes_secrets(platform: Platform) -> bool {
    matches!(platform, Platform::WooCommerce | Platform::Magento)
}

async fn add(admin: Admin, desk: Desk, form: Form<NewStore>) -> Result<HttpResponse, Denied> {
    let form = form.0;
    let read = match wanted(&form) {
        Ok(wanted) => wanted,
        Err(wrong) => return refuse(&admin, &desk, form, wrong).await,
    };
    let given = Some(as_pasted(&form.secret)).filter(|secret| !secret.is_empty());
    let made = if given.is_none() && makes_secrets(read.platform) { Some(fresh_secret()?) } else { None };
    let secret = given.or_else(|| made.clone());
    let (vault, by, now) = (desk.state.vault.clone(), admin.email.clone(), desk.now());
    let slug = read.slug.clone();
    let written = desk.write(move |tx| {
        let new = ingest::NewStore {
            slug: &read.slug,
            platform: read.platform.as_str(),
            name: &read.name,
            attribution: &read.places,
            secret: secret.as_deref(),
        };
        let added = told(ingest::add_store(tx, &vault, &new, now))?;
        if added.is_ok() {
            let detail = json!({"platform": read.platform.as_str(), "attribution": read.places});
            audit::record(tx, &by, "store.add", &read.slug, detail, now)?;
        }
        Ok(added)
    });
    if let Err(problem) = written.await? {
        return refuse(&admin, &desk, form, Wrong::default().with("slug", problem.to_string())).await;
    }
    let text = "The store is added. Connect it: the steps are below.";
    let answer = desk.done(&format!("/admin/stores/{slug}"), text);
    match made {
        Some(secret) => once::keep(&desk, &admin, ("The webhook secret", secret), answer),
        None => Ok(answer),
    }
}

async fn refuse(admin: &Admin, desk: &Desk, form: NewStore, wrong: Wrong) -> Result<HttpResponse, Denied> {
    show_list(admin, desk, StatusCode::UNPROCESSABLE_ENTITY, form, wrong).await
}

struct Wanted {
    slug: String,
    name: String,
    platform: Platform,
    places: Vec<String>,
}

fn wanted(form: &NewStore) -> Result<Wanted, Wrong> {
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

fn is_slug(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=63).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-')
}

/// Without the white space around it that copying brings; a PEM key keeps its lines.
fn as_pasted(secret: &str) -> String {
    secret.trim().replace("\r\n", "\n")
}

/// Digits and a to f only: some shops change other characters before they sign with them.
fn fresh_secret() -> Result<String, Denied> {
    Ok(hex::encode(random::<32>().map_err(|_| Refusal::internal())?))
}

/// The database's problems apart from those that a person can mend.
fn told<T>(result: Result<T, StoreProblem>) -> Result<Result<T, StoreProblem>, DbError> {
    match result {
        Err(StoreProblem::Db(error)) => Err(error),
        Err(StoreProblem::Vault(error)) => Err(DbError::Invariant(error.to_string())),
        other => Ok(other),
    }
}

async fn one(viewer: Viewer, desk: Desk, slug: Path<String>, once: Once) -> Result<HttpResponse, Denied> {
    let shown = once.open(&desk, &viewer);
    let page = show_one(&viewer, &desk, &slug, shown, Wrong::default()).await?;
    once.gone(&desk, page)
}

async fn show_one(
    session: &Session,
    desk: &Desk,
    slug: &str,
    shown: Option<Shown>,
    wrong: Wrong,
) -> Result<HttpResponse, Denied> {
    let asked = slug.to_owned();
    let read = desk.read(session, "stores", move |conn| {
        let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == asked);
        let Some(store) = store else { return Ok(None) };
        let pulls = pulls::find(conn, &store)?;
        Ok(Some((report::heard(conn)?, report::secrets(conn, store.id.0)?, pulls, store)))
    });
    let (mut shell, found) = read.await?;
    let (heard, secrets, pulls, store) = found.ok_or_else(|| nothing("store"))?;
    shell.here = format!("/admin/stores/{slug}");
    let platform = store.platform.parse::<Platform>().map_err(|_| Refusal::internal())?;
    let webhook_url = desk.state.link(&format!("/webhooks/{slug}"));
    let last = last(&store, &heard);
    let secret = |secret: report::Secret| Secret {
        number: secret.secret_no,
        created_at: When(secret.created_at),
        retired_at: secret.retired_at.map(When),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = StorePage {
        shell,
        state: state(&store, last),
        slug: store.slug,
        name: store.name,
        platform: platform_name(&store.platform),
        steps: connect::steps(platform, &webhook_url, &desk.state.link("/api/mlm/orders")),
        webhook_url,
        out_of_reach: connect::is_out_of_reach(&desk.state.public_url),
        attribution: store.attribution,
        secrets: secrets.into_iter().map(secret).collect(),
        last,
        pulls: pulls::panel(slug, &pulls, session),
        makes_secrets: makes_secrets(platform),
        shown,
        wrong,
        may_change: session.role >= Role::Admin,
    };
    desk.show_as(status, &page)
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    secret: String,
    /// The store's platform tells us whether an empty field asks for a secret of ours.
    #[serde(default)]
    make: bool,
}

async fn add_secret(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Given>,
) -> Result<HttpResponse, Denied> {
    let given = as_pasted(&form.0.secret);
    if given.is_empty() && !form.0.make {
        let wrong = Wrong::default().with("secret", "Paste the key that the platform signs with.");
        return show_one(&admin, &desk, &slug, None, wrong).await;
    }
    let made = if given.is_empty() { Some(fresh_secret()?) } else { None };
    let secret = made.clone().unwrap_or(given);
    let (vault, by, now, asked) = (desk.state.vault.clone(), admin.email.clone(), desk.now(), slug.clone());
    let written = desk.write(move |tx| {
        let added = told(ingest::add_secret(tx, &vault, &asked, &secret, now))?;
        if added.is_ok() {
            audit::record(tx, &by, "store.secret.add", &asked, json!({}), now)?;
        }
        Ok(added)
    });
    if let Err(problem) = written.await? {
        return show_one(&admin, &desk, &slug, None, Wrong::default().with("secret", problem.to_string()))
            .await;
    }
    let answer = desk.done(&format!("/admin/stores/{slug}"), "Another secret is live.");
    match made {
        Some(secret) => once::keep(&desk, &admin, ("The webhook secret", secret), answer),
        None => Ok(answer),
    }
}

async fn retire(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (by, now, asked) = (admin.email.clone(), desk.now(), slug.clone());
    let written = desk.write(move |tx| {
        let retired = told(ingest::retire_secrets(tx, &asked, now))?;
        if retired.is_ok() {
            audit::record(tx, &by, "store.secret.retire", &asked, json!({}), now)?;
        }
        Ok(retired)
    });
    written.await?.map_err(|_| nothing("store"))?;
    // So that no delivery signed with it is taken any more once the page says so.
    desk.state.receivers.renewed().await.map_err(Refusal::from)?;
    Ok(desk.done(&format!("/admin/stores/{slug}"), "Only the newest secret is live."))
}
