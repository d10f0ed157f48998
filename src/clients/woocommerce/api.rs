//! One call of the shop's REST API: its address, its keys, its patience.

use std::cell::Cell;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::answer::{self, Answer, Listed};
use super::auth::{Auth, Form};
use crate::clients::http::{Http, Method, Request};
use crate::clients::{ApiError, Credentials, Endpoint};

pub type Query<'a> = &'a [(&'a str, String)];

pub struct Api {
    base: Url,
    auth: Auth,
    http: Http,
}

/// What was read, and when it was asked for.
pub struct Read<T> {
    pub at: DateTime<Utc>,
    pub what: T,
}

impl Api {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        let mut base = endpoint.base.clone();
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Self { auth: Auth::new(credentials, &base), base, http }
    }

    /// `wc/v3/...` of the shop.
    pub fn get<T>(
        &self,
        path: &str,
        query: Query<'_>,
        read: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<Read<T>, ApiError> {
        let url = self.url(&format!("wc/v3/{path}"), query)?;
        self.repeatable(&Request::get(url), &read)
    }

    pub fn list(&self, path: &str, query: Query<'_>) -> Result<Read<Listed>, ApiError> {
        self.get(path, query, |answer| answer::list(&answer.fine()?))
    }

    /// A change that says the same when it is said twice.
    pub fn change<T>(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<&Value>,
        read: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let url = self.url(&format!("wc/v3/{path}"), query)?;
        let request = match body {
            Some(body) => Request::json(method, url, body.to_string().into_bytes()),
            None => Request { method, ..Request::get(url) },
        };
        Ok(self.repeatable(&request, &read)?.what)
    }

    /// Makes something: sent once, as a second one would make it twice. A call that the shop refused to recognise
    /// made nothing.
    pub fn post<T>(
        &self,
        path: &str,
        body: &Value,
        read: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let url = self.url(&format!("wc/v3/{path}"), &[])?;
        let request = Request::json(Method::Post, url, body.to_string().into_bytes());
        self.recognised(|form| {
            let request = self.auth.authorise(request.clone(), form, self.http.now())?;
            self.http.once(&request, Answer::of)
        })
        .and_then(read)
    }

    /// The index of WordPress itself, which needs no keys.
    pub fn index<T>(
        &self,
        query: Query<'_>,
        read: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let url = self.url("", query)?;
        self.http.read(|| Ok(Request::get(url.clone())), |response| read(Answer::of(response)?))
    }

    fn url(&self, path: &str, query: Query<'_>) -> Result<Url, ApiError> {
        let url = self.base.join(&format!("wp-json/{path}"));
        let mut url =
            url.map_err(|error| ApiError::Unsupported(format!("the address is not usable: {error}")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn repeatable<T>(
        &self,
        request: &Request,
        read: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<Read<T>, ApiError> {
        let at = Cell::new(self.http.now());
        let what = self.recognised_by(|form, strangers| {
            let made = || {
                at.set(self.http.now());
                self.auth.authorise(request.clone(), form, at.get())
            };
            self.http.read(made, |response| match Answer::of(response)? {
                Answer::Refused(told) if strangers && told.sees_a_stranger() => Ok(None),
                answer => read(answer).map(Some),
            })
        })?;
        Ok(Read { at: at.get(), what })
    }

    fn recognised(&self, call: impl Fn(Form) -> Result<Answer, ApiError>) -> Result<Answer, ApiError> {
        self.recognised_by(|form, strangers| match call(form)? {
            Answer::Refused(told) if strangers && told.sees_a_stranger() => Ok(None),
            answer => Ok(Some(answer)),
        })
    }

    /// A server that drops the header takes us for a stranger: then once more with the keys in the query, and from
    /// then on, if that was it. `call` gives `None` for a stranger when it is asked to notice.
    fn recognised_by<T>(
        &self,
        call: impl Fn(Form, bool) -> Result<Option<T>, ApiError>,
    ) -> Result<T, ApiError> {
        let form = self.auth.form();
        let unnoticed = || ApiError::Unauthorized("the shop takes us for a stranger".into());
        if form != Form::Header {
            return call(form, false)?.ok_or_else(unnoticed);
        }
        if let Some(done) = call(Form::Header, true)? {
            return Ok(done);
        }
        let done = call(Form::Query, false)?.ok_or_else(unnoticed)?;
        self.auth.remember_that_the_header_is_lost();
        Ok(done)
    }
}
