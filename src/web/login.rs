//! Signing in and out: by password, or by the link that the console prints and that works once.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::TimeDelta;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::admin::desk::Desk;
use super::admin::login::LoginPage;
use super::admin::notices;
use super::admin::shell::Shell;
use super::error::Refusal;
use super::session::{self, Denied, Form, Viewer, address, cookie, no_cookie, refuse_foreign};
use super::state::AppState;
use crate::access::{self, AccessProblem, NewSession, account, password};
use crate::db::{DbError, Lane};

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(super::only("/", "GET", web::get().to(home)))
        .service(
            web::resource("/login")
                .route(web::get().to(page))
                .route(web::post().to(sign_in))
                .default_service(web::to(|| super::refuse("GET, POST"))),
        )
        .service(super::only("/login/once", "GET", web::get().to(once)))
        .service(super::only("/logout", "POST", web::post().to(sign_out)))
        .service(
            super::only("/account/password", "POST", web::post().to(change_password))
                .wrap(from_fn(notices::as_page)),
        );
}

async fn home() -> HttpResponse {
    see("/admin")
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn page(request: HttpRequest, next: Query<Next>) -> Result<HttpResponse, Denied> {
    if session::current(&request).await?.is_some() {
        return Ok(see(local(&next.next)));
    }
    Ok(show(StatusCode::OK, "", None, &next.next)?)
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// There is no session yet and so no token in the form: what the browser says about its origin has to do.
async fn sign_in(
    state: Data<AppState>,
    request: HttpRequest,
    form: web::Form<Credentials>,
) -> Result<HttpResponse, Denied> {
    refuse_foreign(&request)?;
    let Credentials { email, password, next } = form.into_inner();
    let account_key = email.trim().to_lowercase();
    let address = address(&request);
    let keys = [account_key.as_str(), address.as_str()];
    if let Some(wait) = state.backoff.wait(&keys, state.clock.now()) {
        return Ok(show(StatusCode::TOO_MANY_REQUESTS, &email, Some(wait_text(wait)), &next)?);
    }
    match check(&state, &email, password).await? {
        Some(session) => {
            state.backoff.succeeded(&keys);
            Ok(signed_in(&state, &session, local(&next)))
        }
        None => {
            state.backoff.failed(&keys, state.clock.now());
            let problem = "The e-mail address or the password is wrong.".to_owned();
            Ok(show(StatusCode::UNAUTHORIZED, &email, Some(problem), &next)?)
        }
    }
}

fn wait_text(wait: TimeDelta) -> String {
    format!("Too many attempts. Try again in {} seconds.", wait.num_seconds() + 1)
}

async fn check(state: &AppState, email: &str, password: String) -> Result<Option<NewSession>, Refusal> {
    let asked = email.to_owned();
    let found = state.db.read_async(Lane::Admin, move |conn| account(conn, &asked)).await?;
    let (user_id, stored) =
        found.map_or((None, None), |account| (Some(account.user_id), account.password_hash));
    let right = slow(move || password::matches(&password, stored.as_deref())).await?;
    let Some(user_id) = user_id.filter(|_| right) else { return Ok(None) };
    let (email, now) = (email.to_owned(), state.clock.now());
    let session = state
        .db
        .transact_async(Lane::Admin, move |tx| {
            access::record_login(tx, &email, "password", now)?;
            access::open_session(tx, user_id, now).map_err(database)
        })
        .await?;
    Ok(Some(session))
}

/// Hashing takes memory and a core for a while: only two at a time, off the threads that answer.
async fn slow<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    static TURNS: std::sync::LazyLock<Arc<Semaphore>> =
        std::sync::LazyLock::new(|| Arc::new(Semaphore::new(2)));
    let _turn = TURNS.acquire().await.map_err(|_| Refusal::internal())?;
    web::block(work).await.map_err(|_| Refusal::internal())
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

async fn once(
    state: Data<AppState>,
    request: HttpRequest,
    link: Query<Link>,
) -> Result<HttpResponse, Denied> {
    let address = address(&request);
    let now = state.clock.now();
    if let Some(wait) = state.backoff.wait(&[&address], now) {
        return Ok(show(StatusCode::TOO_MANY_REQUESTS, "", Some(wait_text(wait)), "")?);
    }
    let secret = link.into_inner().token;
    let opened = state
        .db
        .transact_async(Lane::Admin, move |tx| access::sign_in_once(tx, &secret, now).map_err(database));
    match opened.await.map_err(Refusal::from)? {
        Some(session) => Ok(signed_in(&state, &session, "/admin")),
        None => {
            state.backoff.failed(&[&address], now);
            let problem = "This link was used already or is too old. Sign in, or make another one with \
                           `upline user link`.";
            Ok(show(StatusCode::UNAUTHORIZED, "", Some(problem.to_owned()), "")?)
        }
    }
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(
    state: Data<AppState>,
    viewer: Viewer,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let now = state.clock.now();
    let closed = state.db.transact_async(Lane::Admin, move |tx| access::close_session(tx, &viewer.0, now));
    closed.await.map_err(Refusal::from)?;
    let mut response = see("/login");
    response.add_cookie(&no_cookie(&state)).map_err(|_| Refusal::internal())?;
    Ok(response)
}

#[derive(Deserialize)]
struct NewPassword {
    /// The one until now; empty while there is none.
    #[serde(default)]
    current: String,
    password: String,
}

async fn change_password(
    state: Data<AppState>,
    viewer: Viewer,
    desk: Desk,
    form: Form<NewPassword>,
) -> Result<HttpResponse, Denied> {
    let NewPassword { current, password } = form.0;
    let email = viewer.email.clone();
    let found =
        state.db.read_async(Lane::Admin, move |conn| account(conn, &email)).await.map_err(Refusal::from)?;
    if let Some(stored) = found.and_then(|account| account.password_hash)
        && !slow(move || password::matches(&current, Some(&stored))).await?
    {
        return Err(refused("wrong_password", "the current password is wrong"));
    }
    let hashed = slow(move || password::hash(&password)).await?;
    let hashed = hashed.map_err(|problem| refused("password", problem.to_string()))?;
    let (session, now) = (viewer.0, state.clock.now());
    let saved = state.db.transact_async(Lane::Admin, move |tx| {
        access::set_password(tx, session.user_id, &hashed, &session.fingerprint, &session.email, now)
            .map_err(database)
    });
    saved.await.map_err(Refusal::from)?;
    Ok(desk.done("/admin/settings", "Your password is set."))
}

fn refused(code: &'static str, message: impl Into<String>) -> Denied {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code, message).into()
}

/// What is left of a problem that nobody can mend by typing something else.
fn database(problem: AccessProblem) -> DbError {
    match problem {
        AccessProblem::Db(error) => error,
        other => DbError::Invariant(other.to_string()),
    }
}

fn signed_in(state: &AppState, session: &NewSession, to: &str) -> HttpResponse {
    HttpResponse::SeeOther().cookie(cookie(state, session)).insert_header((LOCATION, to)).finish()
}

fn see(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// Only a path of ours: `//host` and `/\host` lead elsewhere.
fn local(next: &str) -> &str {
    let mut characters = next.chars();
    let rooted = characters.next() == Some('/') && !matches!(characters.next(), Some('/' | '\\'));
    if rooted && !next.chars().any(char::is_control) { next } else { "/admin" }
}

fn show(
    status: StatusCode,
    email: &str,
    problem: Option<String>,
    next: &str,
) -> Result<HttpResponse, Refusal> {
    let page =
        LoginPage { shell: Shell::default(), email: email.to_owned(), problem, next: local(next).to_owned() };
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "the sign-in page cannot be rendered");
        Refusal::internal()
    })?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn signing_in_leads_only_to_our_own_pages() {
        assert_eq!(local("/admin/orders?q=1"), "/admin/orders?q=1");
        for elsewhere in
            ["", "admin", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y"]
        {
            assert_eq!(local(elsewhere), "/admin", "{elsewhere:?}");
        }
    }
}
