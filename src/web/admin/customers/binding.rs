//! How long an order binds its customer: a panel of the store's page, and the form that changes it.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::super::desk::{Desk, nothing};
use super::super::format::{Tone, When};
use crate::access::{Role, Session, audit};
use crate::core::binding::{Policy, Terms};
use crate::customers::NewPolicy;
use crate::ingest::{self, Store};
use crate::orders;
use crate::pulls::{self, Kind};
use crate::stores::is_customer_place;
use crate::web::session::{Admin, Denied, Form};

/// Part of the store's page.
#[derive(Template, Default)]
#[template(path = "admin/store_binding.html")]
pub struct Panel {
    pub slug: String,
    pub csrf: String,
    pub may_change: bool,
    /// The newest first.
    pub versions: Vec<Version>,
    pub days: String,
    pub own_place: String,
    pub bound_place: String,
    pub choice: &'static str,
}

pub struct Version {
    pub policy: String,
    pub from: Option<When>,
    pub places: String,
}

pub fn panel(store: &Store, session: &Session) -> Panel {
    let newest = store.bindings.iter().max_by_key(|terms| terms.no);
    let policy = newest.map(|terms| terms.policy).unwrap_or_default();
    let place = |place: Option<&Option<String>>| place.cloned().flatten().unwrap_or_default();
    Panel {
        slug: store.slug.clone(),
        csrf: session.csrf.clone(),
        may_change: session.role >= Role::Admin,
        versions: store.bindings.iter().rev().map(version).collect(),
        days: if let Policy::Days(days) = policy { days.to_string() } else { String::new() },
        own_place: place(newest.map(|terms| &terms.own_place)),
        bound_place: place(newest.map(|terms| &terms.bound_place)),
        choice: match policy {
            Policy::None => "none",
            Policy::Days(_) => "days",
            Policy::Life => "life",
        },
    }
}

fn version(terms: &Terms) -> Version {
    let places = [&terms.own_place, &terms.bound_place].into_iter().flatten().cloned().collect::<Vec<_>>();
    Version { policy: terms.policy.to_string(), from: terms.from.map(When), places: places.join(", ") }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    policy: String,
    days: String,
    own_place: String,
    bound_place: String,
}

impl Wanted {
    fn read(&self) -> Result<(Policy, Option<String>, Option<String>), String> {
        let text = if self.policy == "days" { &self.days } else { &self.policy };
        let policy = Policy::parse(text).ok_or("Choose for life, not at all, or a number of days.")?;
        let place = |text: &str| match text.trim() {
            "" => Ok(None),
            place if is_customer_place(place) => Ok(Some(place.to_owned())),
            other => Err(format!(
                "{other} is no place of a customer's record: use customer_tag or customer_meta:KEY."
            )),
        };
        Ok((policy, place(&self.own_place)?, place(&self.bound_place)?))
    }
}

pub async fn set(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Wanted>,
) -> Result<HttpResponse, Denied> {
    let back = format!("/admin/stores/{slug}");
    let (policy, own_place, bound_place) = match form.0.read() {
        Ok(read) => read,
        Err(problem) => return Ok(desk.go(&back, Tone::Bad, &problem)),
    };
    let (by, now, slug) = (admin.email.clone(), desk.now(), slug.into_inner());
    let done = desk
        .write(move |tx| {
            let stores = ingest::list_stores(tx.conn)?;
            let Some(store) = stores.into_iter().find(|store| store.slug == slug) else { return Ok(None) };
            let new = NewPolicy {
                policy,
                own_place: own_place.as_deref(),
                bound_place: bound_place.as_deref(),
                from: None,
            };
            let done = orders::set_binding_policy(tx, store.id, &new, &by, now)?;
            if own_place.is_some() || bound_place.is_some() {
                pulls::read_whole(tx, store.id, Kind::Customers)?;
            }
            let detail =
                json!({"policy": policy.to_string(), "own_place": own_place, "bound_place": bound_place});
            audit::record(tx, &by, "store.binding", &slug, detail, now)?;
            Ok(Some(done))
        })
        .await?;
    let (listed, reviewed) = done.ok_or_else(|| nothing("store"))?;
    let place = if listed { " The place customer is asked last now." } else { "" };
    Ok(desk.done(
        &back,
        &format!(
            "Customers are bound: {policy}.{place} {reviewed} orders that are not posted are looked at again."
        ),
    ))
}
