//! One customer: orders, decisions, and the form that makes another.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::super::desk::{Desk, nothing};
use super::super::format::{Amount, Link, Pill, Tone, When};
use super::super::held::mend::date;
use super::super::shell::Shell;
use super::super::words;
use super::{address, report};
use crate::access::{Role, audit};
use crate::core::binding::{What, terms_at};
use crate::customers::NewDecision;
use crate::distributors;
use crate::ingest;
use crate::orders;
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/customer.html")]
pub struct CustomerPage {
    pub shell: Shell,
    pub id: String,
    pub store: String,
    pub href: String,
    /// The store's policy now.
    pub policy: String,
    pub is: Option<Link>,
    pub bound: Option<Link>,
    pub first_named: Option<Link>,
    pub created_at: Option<When>,
    pub state: Option<Pill>,
    /// Places of the customer's record that the store's policy asks for.
    pub places: Vec<(String, String)>,
    pub orders: Vec<OrderRow>,
    pub bindings: Vec<BindingRow>,
    pub may_bind: bool,
    pub may_forget: bool,
}

pub struct OrderRow {
    pub href: String,
    pub number: String,
    pub at: Option<When>,
    pub state: Pill,
    pub net: Option<Amount>,
    pub distributor: Option<Link>,
    pub place: String,
    pub own: bool,
    pub binds: bool,
}

pub struct BindingRow {
    pub what: &'static str,
    pub who: Option<Link>,
    pub from: Option<When>,
    pub source: String,
    pub at: When,
    pub by: String,
}

pub async fn page(viewer: Viewer, desk: Desk, path: Path<(String, String)>) -> Result<HttpResponse, Denied> {
    let (store, id) = path.into_inner();
    let (slug, customer, now) = (store.clone(), id.clone(), desk.now());
    let read = desk.read(&viewer, "customers", move |conn| {
        let Some(row) = report::one(conn, &slug, &customer)? else { return Ok(None) };
        let bindings = report::bindings(conn, row.store_id, &customer)?;
        let orders = report::orders(conn, row.store_id, &customer)?;
        let stores = ingest::list_stores(conn)?;
        let policy = stores.iter().find(|store| store.slug == slug);
        let policy = policy.and_then(|store| terms_at(&store.bindings, None, now)).map(|terms| terms.policy);
        Ok(Some((row, bindings, orders, policy.unwrap_or_default())))
    });
    let (shell, found) = read.await?;
    let (row, bindings, orders, policy) = found.ok_or_else(|| nothing("customer"))?;
    let who = |id: &Option<String>| id.as_deref().map(words::distributor_link);
    let places: Vec<crate::core::order::PlaceValue> =
        serde_json::from_value(row.places.clone()).unwrap_or_default();
    let page = CustomerPage {
        shell,
        href: address(&store, &id),
        policy: policy.to_string(),
        is: who(&row.is),
        bound: who(&row.bound),
        first_named: who(&row.first_named),
        created_at: row.created_at.map(When),
        state: super::state(&row),
        places: places.into_iter().map(|told| (told.place, told.value)).collect(),
        orders: orders.iter().map(order).collect(),
        bindings: bindings.iter().map(binding).collect(),
        may_bind: viewer.role >= Role::Operator,
        may_forget: viewer.role >= Role::Admin,
        id,
        store,
    };
    desk.show(&page)
}

fn order(found: &report::Order) -> OrderRow {
    OrderRow {
        href: format!("/admin/orders/{}", found.order_id),
        number: found.number.clone(),
        at: found.ordered_at.map(When),
        state: words::order_state(&found.status),
        net: found.currency.as_deref().map(|currency| words::amount(found.net, currency)),
        distributor: found.distributor_id.as_deref().map(words::distributor_link),
        place: found.place.clone().unwrap_or_default(),
        own: found.own,
        binds: found.binds_to.is_some(),
    }
}

fn binding(found: &report::Binding) -> BindingRow {
    BindingRow {
        what: if found.kind == What::Is.name() { "is distributor" } else { "bound to" },
        who: found.distributor_id.as_deref().map(words::distributor_link),
        from: found.effective_from.map(When),
        source: found.source.clone(),
        at: When(found.recorded_at),
        by: found.recorded_by.clone(),
    }
}

#[derive(Deserialize)]
pub struct Decide {
    /// `bound` or `is`.
    what: String,
    /// Id or code; empty: nobody.
    #[serde(default)]
    distributor: String,
    #[serde(default)]
    from: String,
}

pub async fn bind(
    operator: Operator,
    desk: Desk,
    path: Path<(String, String)>,
    form: Form<Decide>,
) -> Result<HttpResponse, Denied> {
    let (store, customer) = path.into_inner();
    let back = address(&store, &customer);
    let Decide { what, distributor, from } = form.0;
    let Some(what) = What::parse(&what) else { return Ok(desk.go(&back, Tone::Bad, "Choose what it is.")) };
    let from = match date(&from) {
        Ok(from) => from,
        Err(problem) => return Ok(desk.go(&back, Tone::Bad, &problem)),
    };
    let (by, now) = (operator.email.clone(), desk.now());
    let reference = distributor.trim().to_owned();
    // Nobody from a date on, or from now on: an empty field does not take back what was always so.
    let from = if reference.is_empty() { from.or(Some(now)) } else { from };
    let (slug, asked) = (store.clone(), customer.clone());
    let written = desk
        .write(move |tx| {
            let stores = ingest::list_stores(tx.conn)?;
            let Some(store) = stores.into_iter().find(|known| known.slug == slug) else { return Ok(None) };
            let known = distributors::whoever(tx.conn, &[reference.clone()].into())?.into_values().next();
            if known.is_none() && !reference.is_empty() {
                return Ok(Some(Err(format!("{reference} names no distributor."))));
            }
            let decision = [NewDecision {
                store: store.id,
                customer: &asked,
                what,
                distributor: known.as_ref(),
                from,
                source: "manual",
            }];
            let reviewed = orders::bind_customers(tx, &decision, &by, now)?;
            let detail = json!({"customer": asked, "what": what, "distributor": known, "from": from});
            audit::record(tx, &by, "customer.bind", &slug, detail, now)?;
            Ok(Some(Ok(reviewed)))
        })
        .await?;
    match written.ok_or_else(|| nothing("store"))? {
        Ok(reviewed) => Ok(desk
            .done(&back, &format!("Recorded; {reviewed} orders that are not posted are looked at again."))),
        Err(problem) => Ok(desk.go(&back, Tone::Bad, &problem)),
    }
}
