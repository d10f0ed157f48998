//! `POST /api/mlm/orders`: orders from the operator's own systems, in either of two shapes.
//!
//! The body is checked here, so that the caller hears what is wrong with it, and then takes the road of every
//! delivery: stored as it came, answered after the commit, read again by the pipeline.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};

use super::auth::Poster;
use crate::access::idempotency::{self, Begun};
use crate::core::ids::StoreId;
use crate::core::money::Currency;
use crate::core::order::Problem;
use crate::db::{DbError, Lane};
use crate::ingest::{self, Accepted, DIRECT_TOPIC, NewDelivery};
use crate::stores::direct::{self, DirectDefaults};
use crate::stores::{self, DEFAULT_CURRENCY_HEADER, DeliveryMeta, ParseError, Platform};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};
use crate::web::webhooks::{Receipt, captured, delivery};

/// The store of orders whose token names none.
pub const DIRECT_STORE: &str = "direct";

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// Post an order
///
/// Takes an order with items and a total, or one sale of one product. An order is known by its platform's id:
/// posting it again in a newer state (a refund, a cancellation) replaces the older one.
#[utoipa::path(
    post, path = "/api/mlm/orders", tag = "orders",
    request_body(
        description = "One of two shapes. `referrer_id` or `distributor_ref` names the distributor. Without \
            `currency` the order is in the currency of the plan; without `order_ts` it happened when it was received. \
            A total below the items is an order discount, one above them is tax or shipping.",
        content_type = "application/json",
        content(
            (serde_json::Value = "application/json", examples(
                ("order" = (summary = "An order with items", value = json!({"platform": "shopify",
                    "platform_order_id": "587364120", "order_ts": "2025-08-28T08:11:04Z", "status": "paid",
                    "currency": "USD", "distributor_ref": "ABC123",
                    "items": [{"platform_sku": "KIT-STARTER-001", "qty": 1, "unit_price": 99.00}], "total": 96.92}))),
                ("sale" = (summary = "One sale of one product", value = json!({"shopify_order_id": "1234",
                    "sku": "A1123", "customer_id": "5678", "referrer_id": "9012", "amount": 99.00}))),
            ))
        )
    ),
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Up to 255 characters. The same key with the same body gets the same answer again; with another \
            body it is refused with 409.")),
    responses(
        (status = 202, body = Receipt, description = "Stored; it is worked on within a moment"),
        (status = 200, body = Receipt, description = "The very same was stored before; nothing changes"),
        (status = 400, body = ErrorBody, description = "The body is no JSON, or the key is no key"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not orders or admin"),
        (status = 409, body = ErrorBody, description = "The Idempotency-Key was used with another body"),
        (status = 413, body = ErrorBody, description = "Larger than 2 MiB"),
        (status = 415, body = ErrorBody, description = "With a Content-Encoding"),
        (status = 422, body = ErrorBody, description = "Fields cannot be used; `fields` names all of them"),
        (status = 429, body = ErrorBody, description = "Too many at once; see Retry-After"),
        (status = 503, body = ErrorBody, description = "Not stored; send it again, see Retry-After"),
    ),
    security(("token" = []))
)]
pub async fn receive(
    state: Data<AppState>,
    token: Poster,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Refusal> {
    let received_at = state.clock.now();
    let began = std::time::Instant::now();
    let key = idempotency_key(&request)?;
    let body = state.limits.read(&request, payload).await?;
    let store = store(&state, &token)?;
    let currency = default_currency(&state, received_at);
    check(&body.bytes, currency, received_at)?;
    let _in_flight = state.limits.admit(store)?;
    let delivery = as_delivery(&request, store, key.clone(), currency, &body.bytes, received_at);
    let answer = match key {
        None => answer(state.intake.accept(delivery).await?)?,
        Some(key) => accept_once(&state, token.id, key, delivery, received_at).await?,
    };
    let verdict = if answer.0 == StatusCode::ACCEPTED { "accepted" } else { "duplicate" };
    state.metrics.deliveries.with_label_values(&["api", verdict]).inc();
    state.metrics.acknowledged(began.elapsed());
    Ok(HttpResponse::build(answer.0).content_type("application/json").body(answer.1))
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let message = format!("the Idempotency-Key has to be 1 to {LONGEST_KEY} visible characters");
    let refused = || Refusal::bad_request("bad_idempotency_key", message).field("Idempotency-Key");
    key.map(|key| Some(key.to_owned())).ok_or_else(refused)
}

fn store(state: &AppState, token: &Poster) -> Result<StoreId, Refusal> {
    let direct = || state.receivers.current().get(DIRECT_STORE).map(|receiver| receiver.store.id);
    let closed = || Refusal::forbidden("store_inactive", "the store of these orders is not active");
    token.store.or_else(direct).ok_or_else(closed)
}

/// The plan's, so that an order without a currency is in the one that it would be paid in.
fn default_currency(state: &AppState, now: DateTime<Utc>) -> Currency {
    let plan = state.published.current().at(now).map(|plan| plan.currency());
    plan.unwrap_or(state.default_currency)
}

/// What is wrong with the order, all of it.
fn check(body: &[u8], currency: Currency, received_at: DateTime<Utc>) -> Result<(), Refusal> {
    let defaults = DirectDefaults { currency: Some(currency), received_at: Some(received_at) };
    let problems = match direct::parse(body, &defaults) {
        Ok(order) if order.snapshot.problems.is_empty() => return Ok(()),
        Ok(order) => order.snapshot.problems,
        Err(ParseError::Fields(problems)) => problems,
        Err(ParseError::Missing { field }) => {
            vec![Problem { field: field.to_owned(), message: "is missing".to_owned() }]
        }
        Err(error) => return Err(Refusal::bad_request("unreadable_body", error.to_string())),
    };
    let message = format!("{} field(s) of the order cannot be used", problems.len());
    Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable_order", message).fields(problems))
}

fn as_delivery(
    request: &HttpRequest,
    store: StoreId,
    key: Option<String>,
    currency: Currency,
    body: &[u8],
    received_at: DateTime<Utc>,
) -> NewDelivery {
    let mut evidence: BTreeMap<String, String> = stores::evidence_headers(&captured(request));
    evidence.insert(DEFAULT_CURRENCY_HEADER.to_owned(), currency.to_string());
    let meta =
        DeliveryMeta { topic: Some(DIRECT_TOPIC.to_owned()), delivery_key: key, ..DeliveryMeta::default() };
    delivery(store, Platform::Direct, meta, evidence, body, received_at)
}

type Answer = (StatusCode, String);

fn answer(accepted: Accepted) -> Result<Answer, Refusal> {
    let status = match accepted {
        Accepted::New(_) => StatusCode::ACCEPTED,
        Accepted::Repeat(_) => StatusCode::OK,
    };
    let body = serde_json::to_string(&Receipt::from(accepted)).map_err(|_| Refusal::internal())?;
    Ok((status, body))
}

/// Key and delivery in one database transaction: both or neither, whatever dies in between.
async fn accept_once(
    state: &AppState,
    token: i32,
    key: String,
    delivery: NewDelivery,
    now: DateTime<Utc>,
) -> Result<Answer, Refusal> {
    let request = delivery.body_sha256;
    let answered = state.db.transact_async(Lane::Ingest, move |tx| {
        match idempotency::begin(tx, token, &key, &request, now)? {
            Begun::OtherRequest => Ok(None),
            Begun::Answered { status, response } => Ok(Some((status, response))),
            Begun::Fresh => {
                let accepted = ingest::accept(tx, std::slice::from_ref(&delivery))?;
                let accepted =
                    accepted.first().copied().ok_or_else(|| no_answer("no delivery was accepted"))?;
                let (status, response) = answer(accepted).map_err(|_| no_answer("a receipt has no JSON"))?;
                idempotency::finish(tx, token, &key, status.as_u16(), &response)?;
                Ok(Some((status.as_u16(), response)))
            }
        }
    });
    let message = "this Idempotency-Key was used with another body";
    let reused =
        || Refusal::new(StatusCode::CONFLICT, "idempotency_key_reused", message).field("Idempotency-Key");
    let (status, response) = answered.await?.ok_or_else(reused)?;
    Ok((StatusCode::from_u16(status).map_err(|_| Refusal::internal())?, response))
}

fn no_answer(why: &str) -> DbError {
    DbError::Invariant(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &str) -> Result<(), Refusal> {
        check(body.as_bytes(), Currency::parse("USD").unwrap(), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn both_shapes_pass_as_they_are_documented() {
        checked(r#"{"shopify_order_id":"1234","sku":"A1123","customer_id":"5678","referrer_id":"9012","amount":99.00}"#)
            .unwrap();
        checked(
            r#"{"platform":"shopify","platform_order_id":"587364120","order_ts":"2025-08-28T08:11:04Z","status":"paid",
                "currency":"USD","distributor_ref":"ABC123",
                "items":[{"platform_sku":"KIT-STARTER-001","qty":1,"unit_price":99.00}],"total":96.92}"#,
        )
        .unwrap();
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let refused = checked(r#"{"platform":"ebay","status":"maybe","items":[{"qty":"x"}],"total":"NaN"}"#);
        let json = serde_json::to_value(refused.unwrap_err().body()).unwrap();
        assert_eq!(json["error"]["code"], "unusable_order");
        let fields: Vec<&str> = json["error"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["field"].as_str().unwrap())
            .collect();
        for field in ["platform", "platform_order_id", "status", "total"] {
            assert!(fields.contains(&field), "{field} is not among {fields:?}");
        }
        assert_eq!(checked("{").unwrap_err().code(), "unreadable_body");
    }
}
