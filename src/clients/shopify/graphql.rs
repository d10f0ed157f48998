//! One operation of the Admin GraphQL API: sent with a token and with patience for the points that it costs.
//!
//! Shopify gives each app a bucket of points that fills up again. What an operation may cost is known once it
//! was answered; before the next one we wait until the bucket holds that much. Errors come in answers with status
//! 200, and an answer with any error is none.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use super::queries::VERSION;
use super::token::Token;
use crate::clients::ApiError;
use crate::clients::http::{Http, Method, Request, Response};

pub struct Admin {
    base: Url,
    pub http: Http,
    token: Token,
    bucket: Mutex<Option<Bucket>>,
    /// What each operation was said to cost at most.
    costs: Mutex<BTreeMap<&'static str, u64>>,
    version: Mutex<Option<String>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    available: u64,
    fills: u64,
    at: DateTime<Utc>,
}

pub struct Operation<'a> {
    pub name: &'static str,
    pub query: &'a str,
    pub variables: Value,
}

/// What came of an operation.
pub enum Reply<T> {
    Data(T),
    /// It asks for more than one operation may cost: ask for less.
    TooDear(String),
}

#[derive(Deserialize)]
struct Envelope {
    data: Option<Box<RawValue>>,
    #[serde(default)]
    errors: Value,
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Extensions {
    cost: Option<Cost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    #[serde(default)]
    requested_query_cost: Value,
    throttle_status: Option<Throttle>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttle {
    currently_available: Value,
    restore_rate: Value,
}

impl Admin {
    pub fn new(base: &Url, token: Token, http: Http) -> Self {
        let nothing = || Mutex::new(None);
        let costs = Mutex::new(BTreeMap::new());
        Self { base: base.clone(), http, token, bucket: nothing(), costs, version: Mutex::new(None) }
    }

    /// The version that answered last.
    pub fn version(&self) -> Option<String> {
        lock(&self.version).clone()
    }

    /// What an operation was said to cost at most when it was asked last.
    pub fn cost(&self, operation: &str) -> Option<u64> {
        lock(&self.costs).get(operation).copied()
    }

    /// An operation that may be repeated, and when the answer that came was asked for.
    pub fn ask<T, R>(
        &self,
        operation: &Operation<'_>,
        read: impl Fn(T) -> Result<R, ApiError>,
    ) -> Result<(R, DateTime<Utc>), ApiError>
    where
        T: DeserializeOwned,
    {
        match self.ask_sized(operation, read)? {
            (Reply::Data(data), at) => Ok((data, at)),
            (Reply::TooDear(why), _) => Err(ApiError::Refused(why)),
        }
    }

    pub fn ask_sized<T, R>(
        &self,
        operation: &Operation<'_>,
        read: impl Fn(T) -> Result<R, ApiError>,
    ) -> Result<(Reply<R>, DateTime<Utc>), ApiError>
    where
        T: DeserializeOwned,
    {
        let sent_at = Cell::new(self.http.now());
        let done = self.with_token(|token| {
            let request = || {
                self.wait_for_points(operation.name);
                sent_at.set(self.http.now());
                self.request(operation, token)
            };
            self.http.read(request, |response| match self.answer(operation, response)? {
                Reply::Data(data) => Ok(Reply::Data(read(data)?)),
                Reply::TooDear(why) => Ok(Reply::TooDear(why)),
            })
        })?;
        Ok((done, sent_at.get()))
    }

    /// A change: sent once. A throttle did nothing, so after it the change is sent again.
    pub fn change<T: DeserializeOwned>(&self, operation: &Operation<'_>) -> Result<T, ApiError> {
        let mut tries = 1;
        loop {
            self.wait_for_points(operation.name);
            let done = self.with_token(|token| {
                let request = self.request(operation, token)?;
                self.http.once(&request, |response| self.answer(operation, response))
            });
            match done {
                Err(ApiError::Throttled { retry_after }) if tries < 5 => {
                    self.http.pause(retry_after.unwrap_or(Duration::from_secs(2)));
                    tries += 1;
                }
                Ok(Reply::Data(data)) => return Ok(data),
                Ok(Reply::TooDear(why)) => return Err(ApiError::Refused(why)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Once more with another token if the first is refused.
    fn with_token<T>(&self, call: impl Fn(&str) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let token = self.token.get(&self.http, &self.base)?;
        match call(&token) {
            Err(ApiError::Unauthorized(_)) if self.token.refused(&token) => {
                call(&self.token.get(&self.http, &self.base)?)
            }
            done => done,
        }
    }

    fn request(&self, operation: &Operation<'_>, token: &str) -> Result<Request, ApiError> {
        let unusable = |error: &dyn std::fmt::Display| ApiError::Unsupported(error.to_string());
        let url = self.base.join(&format!("admin/api/{VERSION}/graphql.json")).map_err(|e| unusable(&e))?;
        let body = json!({
            "operationName": operation.name,
            "query": operation.query,
            "variables": operation.variables,
        });
        let body = serde_json::to_vec(&body).map_err(|e| unusable(&e))?;
        Ok(Request::json(Method::Post, url, body).header("X-Shopify-Access-Token", token))
    }

    fn answer<T: DeserializeOwned>(
        &self,
        operation: &Operation<'_>,
        response: Response,
    ) -> Result<Reply<T>, ApiError> {
        if response.status == 404 {
            return Err(ApiError::Refused(format!(
                "there is no Admin API at {}: use the store's own address, https://NAME.myshopify.com/",
                self.base
            )));
        }
        let response = response.ok()?;
        self.note_version(response.header("x-shopify-api-version"));
        let unreadable = |error: serde_json::Error| {
            ApiError::Unreadable(format!("the answer to {}: {error}", operation.name))
        };
        let envelope: Envelope = serde_json::from_slice(&response.body).map_err(unreadable)?;
        let cost = envelope.extensions.and_then(|extensions| extensions.cost);
        let wanted = cost.as_ref().and_then(|cost| whole(&cost.requested_query_cost));
        if let Some(wanted) = wanted {
            lock(&self.costs).insert(operation.name, wanted);
        }
        self.note_points(cost.as_ref());
        match failure(&envelope.errors, wanted, *lock(&self.bucket)) {
            None => {}
            Some(Reply::TooDear(why)) => return Ok(Reply::TooDear(why)),
            Some(Reply::Data(error)) => return Err(error),
        }
        let data = envelope.data.ok_or_else(|| ApiError::Unreadable("an answer without data".into()))?;
        Ok(Reply::Data(serde_json::from_str(data.get()).map_err(unreadable)?))
    }

    fn note_version(&self, answered: Option<&str>) {
        let mut known = lock(&self.version);
        let Some(answered) = answered.filter(|answered| known.as_deref() != Some(answered)) else { return };
        if answered != VERSION {
            tracing::warn!(
                asked = VERSION,
                answered,
                "the store's API answers in another version than it was asked in"
            );
        }
        *known = Some(answered.to_owned());
    }

    fn note_points(&self, cost: Option<&Cost>) {
        let Some(status) = cost.and_then(|cost| cost.throttle_status.as_ref()) else { return };
        let told = whole(&status.currently_available).zip(whole(&status.restore_rate));
        if let Some((available, fills)) = told {
            *lock(&self.bucket) = Some(Bucket { available, fills: fills.max(1), at: self.http.now() });
        }
    }

    /// Until the bucket holds what the operation was said to cost.
    fn wait_for_points(&self, operation: &str) {
        let (Some(bucket), Some(wanted)) = (*lock(&self.bucket), self.cost(operation)) else { return };
        let since = u64::try_from((self.http.now() - bucket.at).num_milliseconds()).unwrap_or(0);
        let filled = bucket.fills.saturating_mul(since) / 1000;
        let missing = wanted.saturating_sub(bucket.available.saturating_add(filled));
        if missing > 0 {
            self.http.pause(Duration::from_millis((missing * 1000).div_ceil(bucket.fills)));
        }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Points are whole, and written as `1980` or `1980.0`.
fn whole(value: &Value) -> Option<u64> {
    let text = value.is_number().then(|| value.to_string())?;
    text.split('.').next()?.parse().ok()
}

/// What the errors of an answer mean; `None` without any. As data: the error.
fn failure(errors: &Value, wanted: Option<u64>, bucket: Option<Bucket>) -> Option<Reply<ApiError>> {
    let list = match errors {
        Value::Null => return None,
        Value::Array(list) if list.is_empty() => return None,
        Value::Array(list) => list.as_slice(),
        other => return Some(Reply::Data(ApiError::Refused(text(other)))),
    };
    let code = |error: &Value| error.pointer("/extensions/code").and_then(Value::as_str).map(str::to_owned);
    let said: Vec<String> = list.iter().map(|error| text(error.get("message").unwrap_or(error))).collect();
    let said = said.join("; ");
    let codes: Vec<String> = list.iter().filter_map(code).collect();
    let is = |wanted: &str| codes.iter().any(|code| code == wanted);
    Some(if is("THROTTLED") || said.eq_ignore_ascii_case("throttled") {
        let missing = |bucket: Bucket| wanted.unwrap_or(1000).saturating_sub(bucket.available);
        let wait = bucket.map(|bucket| missing(bucket).div_ceil(bucket.fills).max(1));
        Reply::Data(ApiError::Throttled { retry_after: wait.map(Duration::from_secs) })
    } else if is("MAX_COST_EXCEEDED") {
        Reply::TooDear(said)
    } else if is("ACCESS_DENIED") {
        let scopes = scopes(&list.iter().map(text).collect::<Vec<_>>().join(" "));
        let lacking = if scopes.is_empty() { "an access scope".to_owned() } else { scopes.join(", ") };
        Reply::Data(ApiError::Forbidden(format!("the app lacks {lacking} ({said})")))
    } else if is("INTERNAL_SERVER_ERROR") || is("TIMEOUT") {
        Reply::Data(ApiError::Unavailable(said))
    } else {
        Reply::Data(ApiError::Refused(said))
    })
}

fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).take(400).collect()
}

/// The access scopes that a sentence names.
fn scopes(sentence: &str) -> Vec<String> {
    let words = sentence.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let mut scopes: Vec<String> = vec![];
    for word in words.filter(|word| word.starts_with("read_") || word.starts_with("write_")) {
        if !scopes.iter().any(|known| known == word) {
            scopes.push(word.to_owned());
        }
    }
    scopes
}
