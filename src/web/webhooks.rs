//! `POST /webhooks/{store}`: where stores deliver. Verified on the wire bytes, durable, then answered.
//!
//! In this order: the store is known, the body is within limits, the signature holds, the store is within its
//! allowance; only then are the bytes kept. Nothing here reads what is in them. There is no way through to the
//! database but the intake, which answers after its commit.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::Refusal;
use super::state::AppState;
use crate::core::ids::StoreId;
use crate::ingest::{Accepted, IntakeError, NewDelivery, Receiver, compress, sha256};
use crate::stores::{
    self, DeliveryMeta, Headers, PULLED_ABSENCE, PULLED_ORDER, Platform, SignatureError, Verified,
};

/// The delivery is stored.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// `accepted`: seen for the first time. `duplicate`: told before, nothing changes.
    #[schema(example = "accepted")]
    pub status: String,
    /// The delivery as it is shown everywhere; of a duplicate, the first one's.
    pub delivery_id: Uuid,
}

impl From<Accepted> for Receipt {
    fn from(accepted: Accepted) -> Self {
        let status = match accepted {
            Accepted::New(_) => "accepted",
            Accepted::Repeat(_) => "duplicate",
        };
        Self { status: status.to_owned(), delivery_id: accepted.id().0 }
    }
}

pub async fn receive(
    state: Data<AppState>,
    slug: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Refusal> {
    let received_at = state.clock.now();
    let began = std::time::Instant::now();
    let receiver = known(&state, &slug).await?;
    let answer = take(&state, receiver, &request, payload, received_at).await;
    let verdict = match &answer {
        Ok(Taken::Ping) => "ping",
        Ok(Taken::Delivery(Accepted::New(_))) => "accepted",
        Ok(Taken::Delivery(Accepted::Repeat(_))) => "duplicate",
        Err(refusal) => refusal.code(),
    };
    state.metrics.deliveries.with_label_values(&[slug.as_str(), verdict]).inc();
    match answer {
        Ok(Taken::Delivery(accepted)) => {
            state.metrics.acknowledged(began.elapsed());
            Ok(HttpResponse::Ok().json(Receipt::from(accepted)))
        }
        Ok(Taken::Ping) => Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ping"}))),
        Err(refusal) => {
            tracing::info!(store = slug.as_str(), verdict, "delivery refused");
            Err(refusal)
        }
    }
}

enum Taken {
    Delivery(Accepted),
    Ping,
}

async fn take(
    state: &AppState,
    receiver: Receiver,
    request: &HttpRequest,
    payload: Payload,
    received_at: DateTime<Utc>,
) -> Result<Taken, Refusal> {
    let platform = platform(&receiver)?;
    let body = state.limits.read(request, payload).await?;
    let headers = captured(request);
    if verify(state, &receiver, platform, &headers, &body.bytes).await? == Verified::Ping {
        return Ok(Taken::Ping);
    }
    let _in_flight = state.limits.admit(receiver.store.id)?;
    let meta = stores::describe(platform, &headers);
    // Topics are not signed, and these say that we have read the store ourselves.
    if meta.topic.as_deref().is_some_and(|topic| [PULLED_ORDER, PULLED_ABSENCE].contains(&topic)) {
        return Err(Refusal::bad_request("bad_topic", "this topic is not a store's"));
    }
    let evidence = stores::evidence_headers(&headers);
    let delivery = delivery(receiver.store.id, platform, meta, evidence, &body.bytes, received_at);
    state.intake.accept(delivery).await.map(Taken::Delivery).map_err(Refusal::from)
}

/// The store, from memory; the database is only asked when memory does not know it.
async fn known(state: &AppState, slug: &str) -> Result<Receiver, Refusal> {
    if let Some(receiver) = state.receivers.current().get(slug) {
        return Ok(receiver.clone());
    }
    let renewed = state.receivers.renewed().await?;
    let unknown = || Refusal::not_found("unknown_store", "there is no active store at this address");
    renewed.get(slug).cloned().ok_or_else(unknown)
}

fn platform(receiver: &Receiver) -> Result<Platform, Refusal> {
    receiver.store.platform.parse().map_err(|error: stores::UnknownPlatform| {
        tracing::error!(store = receiver.store.slug, %error, "store unusable");
        Refusal::internal()
    })
}

/// A signature that does not match may be of a secret that was added this very second: look again before refusing.
async fn verify(
    state: &AppState,
    receiver: &Receiver,
    platform: Platform,
    headers: &Headers,
    body: &Bytes,
) -> Result<Verified, Refusal> {
    let refused = match stores::verify(platform, &receiver.secret_bytes(), headers, body) {
        Ok(verified) => return Ok(verified),
        Err(error @ (SignatureError::Mismatch { .. } | SignatureError::NoSecret)) => error,
        Err(other) => return Err(unauthorized(&other)),
    };
    let renewed = state.receivers.renewed().await?;
    match renewed.get(&receiver.store.slug) {
        Some(now) => {
            stores::verify(platform, &now.secret_bytes(), headers, body).map_err(|e| unauthorized(&e))
        }
        None => Err(unauthorized(&refused)),
    }
}

fn unauthorized(error: &SignatureError) -> Refusal {
    let code = match error {
        SignatureError::NoSecret => "store_without_secret",
        SignatureError::Missing { .. } => "signature_missing",
        SignatureError::Malformed { .. } | SignatureError::Length { .. } => "signature_malformed",
        SignatureError::Mismatch { .. } => "signature_mismatch",
        SignatureError::BadPublicKey => "store_with_bad_key",
    };
    Refusal::unauthorized(code, error.to_string())
}

pub fn captured(request: &HttpRequest) -> Headers {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    request.headers().iter().map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect()
}

pub fn delivery(
    store: StoreId,
    platform: Platform,
    meta: DeliveryMeta,
    headers: BTreeMap<String, String>,
    body: &[u8],
    received_at: DateTime<Utc>,
) -> NewDelivery {
    NewDelivery {
        store,
        dedupe_key: stores::dedupe_key(platform, &meta, body),
        topic: meta.topic.unwrap_or_default(),
        delivery_key: meta.delivery_key,
        event_key: meta.event_key,
        triggered_at: meta.triggered_at,
        headers,
        body: compress(body),
        body_bytes: body.len(),
        body_sha256: sha256(body),
        received_at,
    }
}

impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Full => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "overloaded",
                "too much is waiting to be stored; send it again",
            )
            .retry_after(1),
            IntakeError::NotStored => Self::unavailable(
                "not_stored",
                "the delivery could not be stored and was not accepted; send it again",
            ),
        }
    }
}

#[derive(Deserialize)]
pub struct Challenge {
    challenge: String,
}

/// Adobe I/O Events asks whether we want its deliveries; the answer is its own question.
pub async fn challenge(
    state: Data<AppState>,
    slug: Path<String>,
    query: Option<Query<Challenge>>,
) -> Result<HttpResponse, Refusal> {
    let receiver = known(&state, &slug).await?;
    let asked = query.map(|query| query.into_inner().challenge).filter(|text| text.len() <= 1024);
    match asked {
        Some(challenge) if receiver.store.platform == Platform::Magento.as_str() => {
            Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(challenge))
        }
        _ => Err(Refusal::method_not_allowed("POST")),
    }
}
