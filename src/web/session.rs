//! Who is asking: the session cookie, and permission as a type that a handler has to take.
//!
//! A handler that takes [`Operator`] cannot run for a viewer. A handler that takes [`Form`] cannot run for a form
//! that another site has sent.

use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, LOCATION};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use super::error::Refusal;
use super::state::AppState;
use crate::access::{NewSession, Role, Session, find_session};
use crate::db::Lane;

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Denied>>>>;

/// Why a page was not shown.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("sign in first")]
    SignIn { next: String },
    #[error("your role does not allow this; ask an admin")]
    Role,
    #[error("this form did not come from our own page, or that page is too old; open it again")]
    Foreign,
    #[error("the form cannot be read: {0}")]
    Form(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ResponseError for Denied {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::Role | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Form(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => refusal.status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::SignIn { next } => {
                let query: String =
                    form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
                HttpResponse::SeeOther().insert_header((LOCATION, format!("/login?{query}"))).finish()
            }
            Self::Refused(refusal) => refusal.error_response(),
            Self::Role => Refusal::forbidden("role", self.to_string()).error_response(),
            Self::Foreign => Refusal::forbidden("foreign_form", self.to_string()).error_response(),
            Self::Form(_) => {
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "form", self.to_string()).error_response()
            }
        }
    }
}

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident, $may:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Session);

        impl Deref for $name {
            type Target = Session;

            fn deref(&self) -> &Session {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = Denied;
            type Future = Answer<Self>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move { allowed($may, &request).await.map(Self) })
            }
        }
    };
}

permission!(
    /// Anybody who is signed in.
    Viewer,
    |role| role >= Role::Viewer
);
permission!(
    /// May change orders, mappings and distributors.
    Operator,
    |role| role >= Role::Operator
);
permission!(
    /// May change everything.
    Admin,
    |role| role >= Role::Admin
);
permission!(
    /// Prepares payouts and hands their files on.
    Preparer,
    Role::may_prepare_payouts
);
permission!(
    /// Approves payouts of others.
    Approver,
    Role::may_approve_payouts
);

async fn allowed(may: fn(Role) -> bool, request: &HttpRequest) -> Result<Session, Denied> {
    let session = current(request).await?.ok_or_else(|| Denied::SignIn { next: here(request) })?;
    if may(session.role) { Ok(session) } else { Err(Denied::Role) }
}

/// Where to go on after signing in: back to a page, but never back to the sending of a form.
fn here(request: &HttpRequest) -> String {
    let page = request.method() == actix_web::http::Method::GET;
    request.uri().path_and_query().filter(|_| page).map_or_else(|| "/admin".to_owned(), ToString::to_string)
}

/// The live session of the request's cookie; looked up once per request.
pub async fn current(request: &HttpRequest) -> Result<Option<Session>, Denied> {
    if let Some(known) = request.extensions().get::<Session>() {
        return Ok(Some(known.clone()));
    }
    let state = state(request)?;
    let Some(cookie) = request.cookie(cookie_name(&state)) else { return Ok(None) };
    let (secret, now) = (cookie.value().to_owned(), state.clock.now());
    let found = state.db.read_async(Lane::Admin, move |conn| find_session(conn, &secret, now)).await;
    let found = found.map_err(Refusal::from)?;
    if let Some(session) = &found {
        request.extensions_mut().insert(session.clone());
    }
    Ok(found)
}

fn state(request: &HttpRequest) -> Result<Data<AppState>, Refusal> {
    request.app_data::<Data<AppState>>().cloned().ok_or_else(Refusal::internal)
}

/// The prefix makes browsers insist on TLS and on our host alone.
pub fn cookie_name(state: &AppState) -> &'static str {
    if state.is_https() { "__Host-upline_session" } else { "upline_session" }
}

pub fn cookie(state: &AppState, session: &NewSession) -> Cookie<'static> {
    Cookie::build(cookie_name(state), session.secret.clone())
        .path("/")
        .http_only(true)
        .secure(state.is_https())
        .same_site(SameSite::Lax)
        .max_age(CookieDuration::seconds(session.life.num_seconds()))
        .finish()
}

pub fn no_cookie(state: &AppState) -> Cookie<'static> {
    Cookie::build(cookie_name(state), "")
        .path("/")
        .http_only(true)
        .secure(state.is_https())
        .max_age(CookieDuration::ZERO)
        .finish()
}

/// A form of ours: from our own page by every sign the browser gives, and with the session's own `csrf` field.
#[derive(Debug)]
pub struct Form<T>(pub T);

const LARGEST_FORM: usize = 4 * 1024 * 1024;

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Denied;
    type Future = Answer<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            refuse_foreign(&request)?;
            let session = current(&request).await?.ok_or_else(|| Denied::SignIn { next: here(&request) })?;
            let payload = payload.await.map_err(|error| Denied::Form(error.to_string()))?;
            let text = read(payload).await?;
            let fields = form_urlencoded::parse(text.as_bytes());
            if !fields.into_iter().any(|(name, value)| name == "csrf" && same(&value, &session.csrf)) {
                return Err(Denied::Foreign);
            }
            parse(&text).map(Self)
        })
    }
}

async fn read(payload: web::Payload) -> Result<String, Denied> {
    let too_large = |_| Denied::Form(format!("it is larger than {LARGEST_FORM} bytes"));
    let bytes = payload.to_bytes_limited(LARGEST_FORM).await.map_err(too_large)?;
    let bytes = bytes.map_err(|error| Denied::Form(error.to_string()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Denied::Form("it is not UTF-8".to_owned()))
}

/// URL-encoded fields; a `T` of `Vec<(String, String)>` takes all of them as they come.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Denied> {
    let parsed = web::Query::<T>::from_query(text).map_err(|error| Denied::Form(error.to_string()))?;
    Ok(parsed.into_inner())
}

fn same(given: &str, wanted: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(given.as_bytes(), wanted.as_bytes()).into()
}

/// By what the browser says itself, which a page cannot change. Old browsers say nothing; the token decides then.
pub fn refuse_foreign(request: &HttpRequest) -> Result<(), Denied> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return Err(Denied::Foreign),
        None => {}
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return Ok(()) };
    let host = text(header::HOST.as_str()).unwrap_or_default();
    let from = Url::parse(origin).ok();
    let ours = from.as_ref().is_some_and(|url| host_and_port(url) == host);
    if ours { Ok(()) } else { Err(Denied::Foreign) }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The caller's address: behind a proxy on this machine, the one that the proxy saw.
pub fn address(request: &HttpRequest) -> String {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else { return "unknown".to_owned() };
    let forwarded = request.headers().get_all("x-forwarded-for").last();
    let nearest = forwarded.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
    let nearest = nearest.and_then(|text| text.trim().parse::<IpAddr>().ok());
    nearest.filter(|_| peer.is_loopback()).unwrap_or(peer).to_string()
}
