//! The search box: straight to the page when there is one hit, a list when there are more.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::desk::Desk;
use super::format::Link;
use super::shell::Shell;
use super::words;
use crate::reports::search::{self, Hit};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/search.html")]
pub struct SearchPage {
    pub shell: Shell,
    /// Title and what was found under it.
    pub groups: Vec<(String, Vec<Link>)>,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

const KINDS: [(&str, &str); 5] = [
    ("order", "Orders"),
    ("distributor", "Distributors"),
    ("sku", "SKU mappings"),
    ("delivery", "Deliveries"),
    ("event", "Commission events"),
];

pub async fn page(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let text = asked.into_inner().q;
    let wanted = text.clone();
    let (shell, hits) = desk.read(&viewer, "", move |conn| search::find(conn, &wanted)).await?;
    if let [only] = hits.as_slice() {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, link(only).href)).finish());
    }
    let group = |(kind, title): (&str, &str)| {
        let links: Vec<Link> = hits.iter().filter(|hit| hit.kind == kind).map(link).collect();
        (!links.is_empty()).then(|| (title.to_owned(), links))
    };
    let groups = KINDS.into_iter().filter_map(group).collect();
    desk.show(&SearchPage { shell: Shell { search: text.trim().to_owned(), ..shell }, groups })
}

fn link(hit: &Hit) -> Link {
    let folder = match hit.kind.as_str() {
        "order" => "orders",
        "delivery" => "deliveries",
        "event" => "events",
        "sku" => "skus",
        _ => "distributors",
    };
    Link::new(format!("/admin/{folder}/{}", words::encoded(&hit.key)), hit.text.as_str())
}
