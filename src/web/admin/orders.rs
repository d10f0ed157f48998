//! The list of orders.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::desk::Desk;
use super::format::{Amount, Link, Pager, Pill, When};
use super::shell::Shell;
use super::words;
use crate::ingest;
use crate::reports::orders::{self as report, Filter};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/orders.html")]
pub struct OrdersPage {
    pub shell: Shell,
    pub filter: Filter,
    pub stores: Vec<String>,
    pub states: Vec<(&'static str, &'static str)>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub id: String,
    pub number: String,
    pub store: String,
    pub at: When,
    pub state: Pill,
    pub why: String,
    pub distributor: Option<Link>,
    pub net: Option<Amount>,
    pub commissions: Option<Amount>,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    store: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    distributor: String,
    #[serde(default)]
    q: String,
    at: Option<DateTime<Utc>>,
    after: Option<Uuid>,
}

pub async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { store, state, distributor, q, at, after } = asked.into_inner();
    let filter = Filter { store, status: state, distributor, q };
    let (wanted, key) = (filter.clone(), at.zip(after));
    let (shell, (stores, found)) = desk
        .read(&viewer, "orders", move |conn| {
            Ok((ingest::list_stores(conn)?, report::list(conn, &wanted, key)?))
        })
        .await?;
    let here = |at: &str, after: &str| {
        let Filter { store, status, distributor, q } = &filter;
        let pairs = [
            ("store", store.as_str()),
            ("state", status),
            ("distributor", distributor),
            ("q", q),
            ("at", at),
            ("after", after),
        ];
        words::address("/admin/orders", &pairs)
    };
    let page = OrdersPage {
        shell,
        stores: stores.into_iter().map(|store| store.slug).collect(),
        states: words::ORDER_STATES.to_vec(),
        pager: Pager {
            shown: found.rows.len(),
            first: key.map(|_| here("", "")),
            next: found.next.map(|(at, id)| here(&When(at).micros(), &id.to_string())),
        },
        rows: found.rows.iter().map(row).collect(),
        filter,
    };
    desk.show(&page)
}

fn row(found: &report::Row) -> Row {
    let amount = |number| Some(words::amount(number, found.currency.as_deref()?));
    let why = match found.status.as_str() {
        "held" => found.reasons.iter().map(|reason| words::hold(reason).0).collect::<Vec<_>>(),
        _ => found.exemptions.iter().map(|name| words::exemption(name)).collect(),
    };
    Row {
        id: found.order_id.to_string(),
        number: found.number.clone(),
        store: found.store.clone(),
        at: When(found.at),
        state: words::order_state(&found.status),
        why: why.join(", "),
        distributor: found.distributor_id.as_deref().map(words::distributor_link),
        net: amount(found.net),
        commissions: found.paid.and_then(amount),
    }
}
