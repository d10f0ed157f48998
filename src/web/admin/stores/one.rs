//! One store: how its connection is, its webhooks, its secrets, who earns with it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::guide::{self, Step};
use super::health::Health;
use super::{Last, as_pasted, fresh_secret, last, makes_secrets, platform_name, state, told};
use crate::access::{Role, Session, audit};
use crate::connections::{self, is_out_of_reach};
use crate::db::Lane;
use crate::ingest;
use crate::reports::set_up as report;
use crate::stores::Platform;
use crate::web::admin::customers::binding;
use crate::web::admin::desk::{Desk, Nothing, nothing};
use crate::web::admin::field::Wrong;
use crate::web::admin::format::{Pill, Tone, When};
use crate::web::admin::once::{self, Once, Shown};
use crate::web::admin::pulls;
use crate::web::admin::shell::Shell;
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form, Viewer};

#[derive(Template)]
#[template(path = "admin/store.html")]
pub struct StorePage {
    pub shell: Shell,
    pub slug: String,
    pub name: String,
    pub platform: Platform,
    pub platform_name: String,
    pub state: Pill,
    pub webhook_url: String,
    pub out_of_reach: bool,
    /// For stores that only push: what to set up there by hand.
    pub steps: Vec<Step>,
    pub health: Option<Health>,
    pub attribution: Vec<String>,
    pub secrets: Vec<Secret>,
    pub last: Last,
    pub binding: binding::Panel,
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

    /// It has an API of its own that we can call.
    fn is_connectable(&self) -> bool {
        self.platform != Platform::Direct
    }

    fn is_rotating(&self) -> bool {
        self.health.as_ref().is_some_and(|health| health.rotating)
    }

    fn rotates_by_itself(&self) -> bool {
        self.health.is_some() && self.platform == Platform::WooCommerce
    }

    fn rotates_by_paste(&self) -> bool {
        self.health.is_some() && self.platform == Platform::Shopify
    }
}

pub async fn page(
    viewer: Viewer,
    desk: Desk,
    slug: Path<String>,
    once: Once,
) -> Result<HttpResponse, Denied> {
    let shown = once.open(&desk, &viewer);
    let page = show(&viewer, &desk, &slug, shown, Wrong::default()).await?;
    once.gone(&desk, page)
}

pub async fn show(
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
        let connection = connections::connection(conn, &asked)?;
        let subscriptions = connections::subscriptions(conn, store.id)?;
        let pulls = pulls::find(conn, &store)?;
        Ok(Some((
            report::heard(conn)?,
            report::secrets(conn, store.id.0)?,
            pulls,
            store,
            connection,
            subscriptions,
        )))
    });
    let (mut shell, found) = read.await?;
    let (heard, secrets, pulls, store, connection, subscriptions) = found.ok_or_else(|| nothing("store"))?;
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
    let inside = connection.as_ref().is_some_and(|connection| connection.allow_private);
    let page = StorePage {
        shell,
        state: state(&store, connection.as_ref(), last),
        binding: binding::panel(&store, session),
        slug: store.slug,
        name: store.name,
        platform,
        platform_name: platform_name(&store.platform),
        steps: guide::steps(platform, &webhook_url, &desk.state.link("/api/mlm/orders")),
        health: connection.map(|connection| Health::of(&connection, &subscriptions, desk.now())),
        webhook_url,
        out_of_reach: !inside && is_out_of_reach(&desk.state.public_url),
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
pub struct Pasted {
    #[serde(default)]
    secret: String,
    /// The store's platform tells us whether an empty field asks for a secret of ours.
    #[serde(default)]
    make: bool,
}

pub async fn add_secret(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Pasted>,
) -> Result<HttpResponse, Denied> {
    let given = as_pasted(&form.0.secret);
    if given.is_empty() && !form.0.make {
        let wrong = Wrong::default().with("secret", "Paste the key that the platform signs with.");
        return show(&admin, &desk, &slug, None, wrong).await;
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
        return show(&admin, &desk, &slug, None, Wrong::default().with("secret", problem.to_string())).await;
    }
    let answer = desk.done(&format!("/admin/stores/{slug}"), "Another secret is live.");
    match made {
        Some(secret) => once::keep(&desk, &admin, ("The webhook secret", secret), answer),
        None => Ok(answer),
    }
}

pub async fn retire(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let asked = slug.clone();
    let still =
        desk.state.db.read_async(Lane::Admin, move |conn| connections::signing_with_older(conn, &asked));
    if still.await.map_err(Refusal::from)? > 0 {
        let text = "Some webhooks still sign with the older secret: exchange the secret, or mend the webhooks, first.";
        return Ok(desk.go(&format!("/admin/stores/{slug}"), Tone::Bad, text));
    }
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
