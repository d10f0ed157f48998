//! Customers by their stores' ids: whom they are bound to, their orders, and what they may ask for by law.

pub mod binding;
mod one;
mod privacy;

use actix_web::HttpResponse;
use actix_web::web::{self, Query};
use askama::Template;
use serde::Deserialize;

pub use one::{BindingRow, CustomerPage, OrderRow};
pub use privacy::{PrivacyPage, Request};

use super::desk::Desk;
use super::format::{self, Link, Pager, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::ingest;
use crate::reports::customers::{self as report, Filter};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/customers.html")]
pub struct CustomersPage {
    pub shell: Shell,
    pub filter: Filter,
    pub stores: Vec<String>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub id: String,
    pub href: String,
    pub store: String,
    pub orders: String,
    pub last: Option<When>,
    pub is: Option<Link>,
    pub bound: Option<Link>,
    pub first_named: Option<Link>,
    pub state: Option<Pill>,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/customers", web::get().to(list))
        .route("/customers/privacy", web::get().to(privacy::list))
        .route("/customers/privacy/{id}", web::post().to(privacy::handle))
        .route("/customers/{store}/{id}", web::get().to(one::page))
        .route("/customers/{store}/{id}/bind", web::post().to(one::bind))
        .route("/customers/{store}/{id}/export", web::post().to(privacy::export))
        .route("/customers/{store}/{id}/redact", web::post().to(privacy::redact))
        .route("/stores/{slug}/binding", web::post().to(binding::set));
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    store: String,
    of: i32,
    after: String,
}

async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { q, store, of, after } = asked.into_inner();
    let filter = Filter { q, store };
    let after = (!after.is_empty()).then_some((of, after));
    let begun = after.is_some();
    let wanted = filter.clone();
    let read = desk.read(&viewer, "customers", move |conn| {
        Ok((ingest::list_stores(conn)?, report::list(conn, &wanted, after)?))
    });
    let (shell, (stores, found)) = read.await?;
    let own = [("q", filter.q.as_str()), ("store", &filter.store)];
    let next = found.next.map(|(of, after)| {
        let of = of.to_string();
        words::address(
            "/admin/customers",
            &[own.as_slice(), &[("of", of.as_str()), ("after", &after)]].concat(),
        )
    });
    let page = CustomersPage {
        shell,
        stores: stores.into_iter().map(|store| store.slug).collect(),
        pager: Pager {
            shown: found.rows.len(),
            first: begun.then(|| words::address("/admin/customers", &own)),
            next,
        },
        rows: found.rows.iter().map(row).collect(),
        filter,
    };
    desk.show(&page)
}

fn row(found: &report::Row) -> Row {
    let who = |id: &Option<String>| id.as_deref().map(words::distributor_link);
    Row {
        id: found.customer_id.clone(),
        href: address(&found.store, &found.customer_id),
        store: found.store.clone(),
        orders: format::count(found.orders),
        last: found.last_order_at.map(When),
        is: who(&found.is),
        bound: who(&found.bound),
        first_named: who(&found.first_named),
        state: state(found),
    }
}

fn state(found: &report::Row) -> Option<Pill> {
    match (found.redacted_at, found.gone_at) {
        (Some(_), _) => Some(Pill::new(Tone::Muted, "forgotten")),
        (None, Some(_)) => Some(Pill::new(Tone::Muted, "deleted in the store")),
        (None, None) => None,
    }
}

/// Of a customer's page; ids of stores may hold any sign.
pub fn address(store: &str, customer: &str) -> String {
    let mut url = String::from("/admin/customers/");
    url.push_str(store);
    url.push('/');
    url.extend(url::form_urlencoded::byte_serialize(customer.as_bytes()));
    url.replace('+', "%20")
}
