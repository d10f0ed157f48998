//! The door to the network: one request with patience.
//!
//! [`Http::read`] sends a request and reads its answer, and does both again when the failure is temporary: a
//! throttle (as long as the store asks), a network or server failure, a broken page. The request is made anew for
//! each try, as signatures and nonces must be.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

use super::ApiError;
use super::guard::{Private, PublicOnly};
use crate::clock::Clock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: vec![], body: None }
    }

    pub fn json(method: Method, url: Url, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self { method, url, headers, body: Some(body) }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Itself, or the error that its status means.
    pub fn ok(self) -> Result<Self, ApiError> {
        match self.status {
            200..=299 => Ok(self),
            300..=399 => {
                // Without its query, which may repeat credentials of ours.
                let to = self.header("location").unwrap_or_default();
                let to = to.split(['?', '#']).next().unwrap_or_default();
                Err(ApiError::Refused(format!("it redirects to {to}; use the address that it redirects to")))
            }
            401 => Err(ApiError::Unauthorized(self.summary())),
            403 => Err(ApiError::Forbidden(self.summary())),
            404 | 410 => Err(ApiError::NotFound(self.summary())),
            429 => Err(ApiError::Throttled { retry_after: self.retry_after() }),
            500.. => Err(ApiError::Unavailable(self.summary())),
            _ => Err(ApiError::Refused(self.summary())),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let asked = self.header("retry-after")?.trim();
        let (whole, part) = asked.split_once('.').unwrap_or((asked, ""));
        let seconds: u64 = whole.parse().ok()?;
        Some(Duration::from_secs(seconds.saturating_add(u64::from(!part.is_empty()))))
    }

    /// Status and the beginning of what was said, for a person.
    pub fn summary(&self) -> String {
        let said: String =
            String::from_utf8_lossy(&self.body).chars().filter(|c| !c.is_control()).take(200).collect();
        format!("HTTP {} {said}", self.status).trim_end().to_owned()
    }
}

/// What carries a request. Tests have one without a network.
pub trait Transport: Send + Sync {
    fn send(&self, request: &Request) -> Result<Response, ApiError>;
}

/// Transport, clock and patience, shared by the clients of a process.
#[derive(Clone)]
pub struct Http {
    transport: Arc<dyn Transport>,
    clock: Clock,
    pause: Arc<dyn Fn(Duration) + Send + Sync>,
    tries: u32,
}

const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Http {
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self { transport, clock, pause: Arc::new(pause), tries: TRIES }
    }

    /// The real network.
    pub fn network(allow_private: bool, clock: Clock) -> Self {
        Self::new(Arc::new(Network::new(allow_private)), clock, std::thread::sleep)
    }

    /// For somebody who waits for the answer: one more try, then the problem.
    pub fn hurried(self) -> Self {
        Self { tries: 2, ..self }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn pause(&self, pause: Duration) {
        (self.pause)(pause);
    }

    /// Sends and reads, again while the failure is temporary. For calls that may be repeated.
    pub fn read<T>(
        &self,
        request: impl Fn() -> Result<Request, ApiError>,
        read: impl Fn(Response) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut tries = 1;
        loop {
            let done = request().and_then(|request| self.transport.send(&request)).and_then(&read);
            match done {
                Err(error) if error.is_temporary() && tries < self.tries => {
                    tracing::debug!(tries, %error, "a store's API is asked again");
                    self.pause(pause_before(tries, &error));
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// Sends once: for calls that must not happen twice.
    pub fn once<T>(
        &self,
        request: &Request,
        read: impl Fn(Response) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.transport.send(request).and_then(read)
    }
}

/// As long as the store asks; else doubling, with a random part so that clients do not march in step.
fn pause_before(tries: u32, error: &ApiError) -> Duration {
    if let ApiError::Throttled { retry_after: Some(asked) } = error {
        return (*asked).min(LONGEST_PAUSE);
    }
    let full = FIRST_PAUSE.saturating_mul(1 << tries.min(8)).min(LONGEST_PAUSE);
    full / 2 + Duration::from_millis(fastrand::u64(0..=u64::try_from(full.as_millis() / 2).unwrap_or(0)))
}

struct Network(ureq::Agent);

/// A page of 250 orders with long histories is a few megabytes.
const LARGEST: u64 = 64 << 20;

impl Network {
    fn new(allow_private: bool) -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(90)))
            .timeout_connect(Some(Duration::from_secs(10)))
            .user_agent(concat!("upline/", env!("CARGO_PKG_VERSION")))
            // A proxy would resolve names for us, past the guard.
            .proxy(if allow_private { ureq::Proxy::try_from_env() } else { None })
            .build();
        Self(match allow_private {
            true => ureq::Agent::new_with_config(config),
            false => ureq::Agent::with_parts(
                config,
                ureq::unversioned::transport::DefaultConnector::default(),
                PublicOnly::default(),
            ),
        })
    }
}

impl Transport for Network {
    fn send(&self, request: &Request) -> Result<Response, ApiError> {
        let mut built =
            ureq::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let built = built
            .body(request.body.clone().unwrap_or_default())
            .map_err(|error| ApiError::Unsupported(error.to_string()))?;
        let answer = match request.body {
            Some(_) => self.0.run(built),
            None => self.0.run(built.map(|_| ())),
        };
        let mut answer = answer.map_err(failed)?;
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(failed)?;
        Ok(Response { status, headers, body })
    }
}

fn failed(error: ureq::Error) -> ApiError {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Private>() {
            Ok(private) => ApiError::PrivateAddress(private.0),
            Err(other) => ApiError::Unavailable(other.to_string()),
        },
        ureq::Error::BodyExceedsLimit(limit) => {
            ApiError::Refused(format!("an answer of more than {limit} bytes"))
        }
        ureq::Error::BadUri(why) => ApiError::Unsupported(format!("the address is not usable: {why}")),
        other => ApiError::Unavailable(other.to_string()),
    }
}
