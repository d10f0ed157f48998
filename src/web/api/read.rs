//! `GET /api/v1/...`: what was recorded, for programs.
//!
//! Lists come in pages: `next` of one page is `after` of the next, and is null on the last.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::auth::Reader;
use crate::access::Scope;
use crate::db::Lane;
use crate::reports::api::{
    self, DeliveryFilter, DeliveryView, DistributorView, EntryFilter, EntryView, OrderFilter, OrderView,
};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};

const MOST: i64 = 200;
const USUAL: i64 = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Slug of a store.
    store: Option<String>,
    /// The store's own id of an order. Together with `store` the answer is that one order and not a list.
    external_id: Option<String>,
    /// awaiting, held, exempt or commissionable.
    status: Option<String>,
    /// Orders attributed to this distributor.
    distributor_id: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 if not given.
    limit: Option<String>,
}

/// A page of orders, in the order in which they were first heard of.
#[derive(Serialize, ToSchema)]
pub struct OrderPage {
    orders: Vec<OrderView>,
    /// `after` of the next page; null on the last.
    next: Option<Uuid>,
}

/// Read orders
///
/// With `store` and `external_id` the answer is one order, or 404; otherwise a page.
#[utoipa::path(
    get, path = "/api/v1/orders", tag = "read", params(OrderQuery),
    responses(
        (status = 200, body = OneOrMany, description = "The order, or a page of orders"),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "The store has no such order"),
    ),
    security(("token" = []))
)]
pub async fn orders(
    state: Data<AppState>,
    _reader: Reader,
    query: Query<OrderQuery>,
) -> Result<HttpResponse, Refusal> {
    let query = query.into_inner();
    if let (Some(store), Some(external_id)) = (query.store.clone(), query.external_id.clone()) {
        let found = state
            .db
            .read_async(Lane::Admin, move |conn| api::order_by_external_id(conn, &store, &external_id));
        return found.await?.map(|order| HttpResponse::Ok().json(order)).ok_or_else(no_order);
    }
    let status = one_of("status", query.status, &["awaiting", "held", "exempt", "commissionable"])?;
    let limit = limit(query.limit.as_deref())?;
    let filter = OrderFilter {
        store: query.store,
        external_id: query.external_id,
        status,
        distributor_id: query.distributor_id,
        after: uuid("after", query.after.as_deref())?,
        limit: limit + 1,
    };
    let rows = state.db.read_async(Lane::Admin, move |conn| api::orders(conn, &filter)).await?;
    let (orders, next) = page(rows, limit, |order| order.order_id);
    Ok(HttpResponse::Ok().json(OrderPage { orders, next }))
}

/// Either, by the parameters.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the answer; each kind is sent as itself")]
pub enum OneOrMany {
    One(Box<OrderView>),
    Many(OrderPage),
}

fn no_order() -> Refusal {
    Refusal::not_found("unknown_order", "there is no such order")
}

/// Read one order by our own id
#[utoipa::path(
    get, path = "/api/v1/orders/{order_id}", tag = "read",
    params(("order_id" = Uuid, Path, description = "Our own id of the order")),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = ErrorBody, description = "The id is no id"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such order"),
    ),
    security(("token" = []))
)]
pub async fn order(
    state: Data<AppState>,
    _reader: Reader,
    order_id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let Some(order_id) = uuid("order_id", Some(&order_id))? else { return Err(no_order()) };
    let found = state.db.read_async(Lane::Admin, move |conn| api::order(conn, order_id)).await?;
    found.map(|order| HttpResponse::Ok().json(order)).ok_or_else(no_order)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Slug of a store.
    store: Option<String>,
    /// waiting, applied, superseded, unchanged, ignored or unreadable.
    verdict: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 if not given.
    limit: Option<String>,
}

/// A page of deliveries, in the order in which they came.
#[derive(Serialize, ToSchema)]
pub struct DeliveryPage {
    deliveries: Vec<DeliveryView>,
    /// `after` of the next page; null on the last.
    next: Option<Uuid>,
}

/// Read deliveries
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "read", params(DeliveryQuery),
    responses(
        (status = 200, body = DeliveryPage),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
    ),
    security(("token" = []))
)]
pub async fn deliveries(
    state: Data<AppState>,
    _reader: Reader,
    query: Query<DeliveryQuery>,
) -> Result<HttpResponse, Refusal> {
    let query = query.into_inner();
    let verdicts = ["waiting", "applied", "superseded", "unchanged", "ignored", "unreadable"];
    let limit = limit(query.limit.as_deref())?;
    let filter = DeliveryFilter {
        store: query.store,
        verdict: one_of("verdict", query.verdict, &verdicts)?,
        after: uuid("after", query.after.as_deref())?,
        limit: limit + 1,
    };
    let rows = state.db.read_async(Lane::Admin, move |conn| api::deliveries(conn, &filter)).await?;
    let (deliveries, next) = page(rows, limit, |delivery| delivery.delivery_id);
    Ok(HttpResponse::Ok().json(DeliveryPage { deliveries, next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryQuery {
    /// Entries with a posting of this distributor.
    distributor_id: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 if not given.
    limit: Option<String>,
}

/// A page of journal entries, by the order that they belong to.
#[derive(Serialize, ToSchema)]
pub struct EntryPage {
    entries: Vec<EntryView>,
    /// `after` of the next page; null on the last.
    next: Option<String>,
}

/// Read journal entries with their postings
#[utoipa::path(
    get, path = "/api/v1/ledger/entries", tag = "read", params(EntryQuery),
    responses(
        (status = 200, body = EntryPage),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
    ),
    security(("token" = []))
)]
pub async fn entries(
    state: Data<AppState>,
    _reader: Reader,
    query: Query<EntryQuery>,
) -> Result<HttpResponse, Refusal> {
    let query = query.into_inner();
    let limit = limit(query.limit.as_deref())?;
    let after = query.after.as_deref().map(entry_id).transpose()?;
    let filter = EntryFilter { distributor_id: query.distributor_id, after, limit: limit + 1 };
    let rows = state.db.read_async(Lane::Admin, move |conn| api::entries(conn, &filter)).await?;
    let (entries, next) = page(rows, limit, |entry| entry.entry_id.clone());
    Ok(HttpResponse::Ok().json(EntryPage { entries, next }))
}

/// Read a distributor
///
/// `personal` (name, e-mail address, tax number) is only there for tokens with the scope `admin`.
#[utoipa::path(
    get, path = "/api/v1/distributors/{distributor_id}", tag = "read",
    params(("distributor_id" = String, Path, description = "As imported")),
    responses(
        (status = 200, body = DistributorView),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such distributor"),
    ),
    security(("token" = []))
)]
pub async fn distributor(
    state: Data<AppState>,
    reader: Reader,
    id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let (id, personal) = (id.into_inner(), reader.scope == Scope::Admin);
    let found = state.db.read_async(Lane::Admin, move |conn| api::distributor(conn, &id, personal)).await?;
    let unknown = || Refusal::not_found("unknown_distributor", "there is no such distributor");
    found.map(|distributor| HttpResponse::Ok().json(distributor)).ok_or_else(unknown)
}

/// One row more than the page was asked for: then there is a next one, after the last that is shown.
pub(super) fn page<T, K>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> (Vec<T>, Option<K>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().map(key).filter(|_| more);
    (rows, next)
}

pub(super) fn limit(text: Option<&str>) -> Result<i64, Refusal> {
    let Some(text) = text else { return Ok(USUAL) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    let message = format!("limit has to be a number from 1 to {MOST}");
    limit.ok_or_else(|| Refusal::bad_request("bad_parameter", message).field("limit"))
}

pub(super) fn uuid(name: &'static str, text: Option<&str>) -> Result<Option<Uuid>, Refusal> {
    let message = format!("{name} has to be an id such as 0198f2a4-7c3e-7d52-9c1b-6f0f2a3b4c5d");
    let wrong = |_| Refusal::bad_request("bad_parameter", message).field(name);
    text.map(Uuid::parse_str).transpose().map_err(wrong)
}

fn entry_id(text: &str) -> Result<(Uuid, i32), Refusal> {
    let parts = text
        .split_once('/')
        .and_then(|(source, number)| Some((Uuid::parse_str(source).ok()?, number.parse().ok()?)));
    let wrong =
        || Refusal::bad_request("bad_parameter", "after has to be `next` of a page before").field("after");
    parts.ok_or_else(wrong)
}

fn one_of(name: &'static str, given: Option<String>, known: &[&str]) -> Result<Option<String>, Refusal> {
    match given {
        Some(given) if !known.contains(&given.as_str()) => {
            let message = format!("{name} has to be one of {}", known.join(", "));
            Err(Refusal::bad_request("bad_parameter", message).field(name))
        }
        given => Ok(given),
    }
}
