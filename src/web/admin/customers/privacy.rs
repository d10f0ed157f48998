//! What customers and stores ask for by law: the list with its due days, the export, and forgetting.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::super::desk::{Desk, Nothing, nothing};
use super::super::format::{Pill, Tone, When};
use super::super::shell::Shell;
use super::address;
use crate::access::{Role, audit};
use crate::core::customer::PrivacyKind;
use crate::customers::{self, EraseProblem, Erased, privacy};
use crate::db::{Db, DbError, Lane, Tx};
use crate::ingest::{self, Store};
use crate::orders;
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form, Viewer};

#[derive(Template)]
#[template(path = "admin/privacy.html")]
pub struct PrivacyPage {
    pub shell: Shell,
    pub rows: Vec<Request>,
    pub may_handle: bool,
}

pub struct Request {
    pub id: String,
    pub store: String,
    pub what: &'static str,
    pub customer: String,
    /// Of the customer's page; empty for a whole store.
    pub href: String,
    pub orders: usize,
    pub received_at: When,
    pub due_at: When,
    pub state: Pill,
    pub handled_by: String,
    /// What the button says; empty where nothing is left to do.
    pub act: &'static str,
}

const SHOWN: i64 = 200;

pub async fn list(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let now = desk.now();
    let read = desk.read(&viewer, "customers", |conn| privacy::list(conn, false, SHOWN));
    let (shell, found) = read.await?;
    let rows = found.iter().map(|request| row(request, now)).collect();
    desk.show(&PrivacyPage { shell, rows, may_handle: viewer.role >= Role::Admin })
}

fn row(found: &privacy::Request, now: chrono::DateTime<chrono::Utc>) -> Request {
    let (what, act) = match PrivacyKind::parse(&found.kind) {
        Some(PrivacyKind::DataRequest) => ("wants to know what is held", "Download it"),
        Some(PrivacyKind::Redact) => ("wants to be forgotten", "Forget"),
        Some(PrivacyKind::ShopRedact) => ("all customers of the store are to be forgotten", "Forget all"),
        None => ("", ""),
    };
    let state = match found.handled_at {
        Some(at) => Pill::new(Tone::Ok, format!("done {}", at.format("%Y-%m-%d"))),
        None if found.due_at < now => Pill::new(Tone::Bad, "overdue"),
        None => Pill::new(Tone::Warn, "open"),
    };
    Request {
        id: found.request_id.to_string(),
        store: found.store.clone(),
        what,
        customer: found.customer_id.clone().unwrap_or_default(),
        href: found.customer_id.as_deref().map_or_else(String::new, |id| address(&found.store, id)),
        orders: found.orders.len(),
        received_at: When(found.received_at),
        due_at: When(found.due_at),
        state,
        handled_by: found.handled_by.clone().unwrap_or_default(),
        act: if found.handled_at.is_some() { "" } else { act },
    }
}

/// Does what a request asks for.
pub async fn handle(
    admin: Admin,
    desk: Desk,
    id: Path<Uuid>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (id, by) = (id.into_inner(), admin.email.clone());
    let read = desk.read(&admin, "customers", move |conn| {
        let Some(request) = privacy::request(conn, id)? else { return Ok(None) };
        let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == request.store);
        Ok(store.map(|store| (request, store)))
    });
    let (_, found) = read.await?;
    let (request, store) = found.ok_or_else(|| nothing("request"))?;
    let named = request.orders.clone();
    match (PrivacyKind::parse(&request.kind), request.customer_id) {
        (Some(PrivacyKind::DataRequest), Some(customer)) => give(&desk, store, (customer, named), by).await,
        (Some(PrivacyKind::Redact), Some(customer)) => {
            let done = forget(&desk, store, Some((customer, named)), by).await?;
            Ok(told(&desk, "/admin/customers/privacy", done))
        }
        (Some(PrivacyKind::ShopRedact), _) => {
            let done = forget(&desk, store, None, by).await?;
            Ok(told(&desk, "/admin/customers/privacy", done))
        }
        _ => Err(nothing("request")),
    }
}

fn told(desk: &Desk, back: &str, done: Result<Erased, String>) -> HttpResponse {
    match done {
        Ok(erased) => desk.done(
            back,
            &format!("Forgotten: {} deliveries hold no personal data any more.", erased.deliveries),
        ),
        Err(problem) => desk.go(back, Tone::Bad, &problem),
    }
}

pub async fn export(
    admin: Admin,
    desk: Desk,
    path: Path<(String, String)>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (slug, customer) = path.into_inner();
    let store = find(&desk, &admin, slug).await?;
    give(&desk, store, (customer, vec![]), admin.email.clone()).await
}

async fn find(desk: &Desk, admin: &Admin, slug: String) -> Result<Store, Denied> {
    let read = desk.read(admin, "customers", move |conn| {
        Ok(ingest::list_stores(conn)?.into_iter().find(|store| store.slug == slug))
    });
    read.await?.1.ok_or_else(|| nothing("store"))
}

/// Everything that is held, as a file; requests for it are done with that.
async fn give(
    desk: &Desk,
    store: Store,
    (customer, named): (String, Vec<String>),
    by: String,
) -> Result<HttpResponse, Denied> {
    let now = desk.now();
    let name = format!("customer-{}.json", store.slug);
    let held = desk
        .write(move |tx| {
            let held = customers::held(tx.conn, store.id, &customer, &named, now)?;
            if held.is_some() {
                privacy::done_for(tx, store.id, &customer, "data_request", &by, now)?;
                audit::record(tx, &by, "customer.export", &store.slug, json!({"customer": customer}), now)?;
            }
            Ok(held)
        })
        .await?;
    let held = held.ok_or_else(|| nothing("customer"))?;
    let body = serde_json::to_vec_pretty(&held).map_err(|_| Refusal::internal())?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(body))
}

#[derive(Deserialize)]
pub struct Confirmed {
    /// The customer's id, typed once more.
    #[serde(default)]
    confirm: String,
}

pub async fn redact(
    admin: Admin,
    desk: Desk,
    path: Path<(String, String)>,
    form: Form<Confirmed>,
) -> Result<HttpResponse, Denied> {
    let (slug, customer) = path.into_inner();
    let back = address(&slug, &customer);
    if form.0.confirm.trim() != customer {
        return Ok(desk.go(&back, Tone::Bad, "Type the customer's id to confirm: there is no way back."));
    }
    let store = find(&desk, &admin, slug).await?;
    let done = forget(&desk, store, Some((customer, vec![])), admin.email.clone()).await?;
    Ok(told(&desk, &back, done))
}

/// Reducing bodies takes a while: it goes on a thread of its own.
async fn forget(
    desk: &Desk,
    store: Store,
    customer: Option<(String, Vec<String>)>,
    by: String,
) -> Result<Result<Erased, String>, Denied> {
    let (db, now) = (desk.state.db.clone(), desk.now());
    let work = move || match &customer {
        Some((customer, named)) => forget_one(&db, &store, (customer, named), &by, now),
        None => orders::forget_store(&db, &store, &by, now).and_then(|erased| {
            db.transact(Lane::Admin, |tx| {
                privacy::done_for_store(tx, store.id, &by, now)?;
                audit::record(tx, &by, "store.redact", &store.slug, json!({}), now)
            })?;
            Ok(erased)
        }),
    };
    match tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::internal())? {
        Ok(erased) => Ok(Ok(erased)),
        Err(EraseProblem::Db(error)) => Err(Refusal::from(error).into()),
        Err(problem) => Ok(Err(problem.to_string())),
    }
}

fn forget_one(
    db: &Db,
    store: &Store,
    named: (&str, &[String]),
    by: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Erased, EraseProblem> {
    let mut refused = None;
    let work = |tx: &mut Tx<'_>| {
        let erased = match orders::forget_customer(tx, store, named, by, now) {
            Ok(erased) => erased,
            Err(EraseProblem::Db(error)) => return Err(error),
            Err(problem) => {
                let undone = DbError::Invariant(problem.to_string());
                refused = Some(problem);
                return Err(undone);
            }
        };
        audit::record(tx, by, "customer.redact", &store.slug, json!({"customer": named.0}), now)?;
        Ok(erased)
    };
    db.transact(Lane::Admin, work).map_err(|error| refused.take().unwrap_or(EraseProblem::Db(error)))
}
