//! How much anybody may take: body size, memory for bodies, deliveries of one store.
//!
//! What is refused here is refused before it costs anything, with an answer that says when to come back.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web::{Bytes, Payload};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Refusal;
use crate::core::ids::StoreId;

pub const MAX_BODY: usize = 2 * 1024 * 1024;
/// A body that trickles in slower than this is not waited for.
const READ_LIMIT: Duration = Duration::from_secs(15);
/// All bodies that are being read or stored may take this much together.
const MEMORY: usize = 64 * 1024 * 1024;
const UNIT: usize = 1024;
/// Of the intake's queue, so that one store's storm leaves room for the others'.
const IN_FLIGHT: usize = 1024;

pub struct Limits {
    memory: Arc<Semaphore>,
    rate: DefaultKeyedRateLimiter<StoreId>,
    in_flight: Arc<Mutex<HashMap<StoreId, usize>>>,
}

/// A body exactly as it was on the wire, and the memory it may take.
pub struct Body {
    pub bytes: Bytes,
    _memory: OwnedSemaphorePermit,
}

impl Limits {
    /// `rate` deliveries a second of one store in the long run, `burst` at once.
    pub fn new(rate: u32, burst: u32) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate)).allow_burst(at_least_one(burst));
        Self {
            memory: Arc::new(Semaphore::new(MEMORY / UNIT)),
            rate: RateLimiter::keyed(quota),
            in_flight: Arc::default(),
        }
    }

    /// Reads a body without decoding it: signatures are over the bytes on the wire.
    pub async fn read(&self, request: &HttpRequest, payload: Payload) -> Result<Body, Refusal> {
        refuse_encoded(request)?;
        let announced = announced_length(request);
        if announced.is_some_and(|length| length > MAX_BODY) {
            return Err(too_large());
        }
        let units = announced.unwrap_or(MAX_BODY).div_ceil(UNIT).max(1);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let memory = self.memory.clone().try_acquire_many_owned(units).map_err(|_| {
            Refusal::unavailable("overloaded", "too many bodies are being read; send it again").retry_after(1)
        })?;
        let read = tokio::time::timeout(READ_LIMIT, payload.to_bytes_limited(MAX_BODY)).await;
        let timeout =
            |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not arrive in time");
        let bytes = read.map_err(timeout)?.map_err(|_| too_large())?;
        let cut = |_| Refusal::bad_request("body_cut_off", "the body could not be read to its end");
        Ok(Body { bytes: bytes.map_err(cut)?, _memory: memory })
    }

    /// Lets one verified delivery in. Only verified ones count: nobody else can use up a store's allowance.
    pub fn admit(&self, store: StoreId) -> Result<InFlight, Refusal> {
        self.rate.check_key(&store).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            too_many("this store sends faster than it may").retry_after(wait.as_secs().saturating_add(1))
        })?;
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_flight.entry(store).or_default();
        if *count >= IN_FLIGHT {
            return Err(too_many("too many deliveries of this store are waiting to be stored").retry_after(1));
        }
        *count += 1;
        Ok(InFlight { counts: self.in_flight.clone(), store })
    }
}

/// One delivery on its way into the database.
pub struct InFlight {
    counts: Arc<Mutex<HashMap<StoreId, usize>>>,
    store: StoreId,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.store) {
            *count = count.saturating_sub(1);
        }
    }
}

/// No platform compresses its deliveries, and unpacking for strangers is how small bodies become large ones.
fn refuse_encoded(request: &HttpRequest) -> Result<(), Refusal> {
    let encodings = request.headers().get_all(CONTENT_ENCODING);
    let is_identity = |value: &str| value.trim().is_empty() || value.trim().eq_ignore_ascii_case("identity");
    if encodings.into_iter().all(|value| value.to_str().is_ok_and(is_identity)) {
        return Ok(());
    }
    let message = "send the body as it is, without Content-Encoding";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded_body", message))
}

fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn too_large() -> Refusal {
    let message = format!("the body is larger than {MAX_BODY} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn too_many(message: &'static str) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_a_burst_and_others_do_not_feel_it() {
        let limits = Limits::new(1, 3);
        let admitted: Vec<_> = (0..5).map(|_| limits.admit(StoreId(1))).collect();
        assert_eq!(admitted.iter().filter(|answer| answer.is_ok()).count(), 3);
        let refused = admitted.into_iter().find_map(Result::err).unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(limits.admit(StoreId(2)).is_ok());
    }

    #[test]
    fn what_is_in_flight_is_bounded_and_comes_back() {
        let limits = Limits::new(1_000_000, 1_000_000);
        let mut held: Vec<_> = (0..IN_FLIGHT).map(|_| limits.admit(StoreId(1)).unwrap()).collect();
        assert!(limits.admit(StoreId(1)).is_err());
        assert!(limits.admit(StoreId(2)).is_ok());
        held.pop();
        assert!(limits.admit(StoreId(1)).is_ok());
    }
}
