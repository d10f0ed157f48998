//! What every admin page does around its own work: reads with the numbers of the menu, writes with a word about
//! what was done, and shows the result. Permission is not here; handlers take it as a type.

use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::format::{Tone, When, count_up_to};
use super::shell::{Badges, Flash, LastVerified, Shell, Theme};
use crate::access::Session;
use crate::db::{DbError, Lane, Tx};
use crate::reports::{Conn, attention};
use crate::web::AppState;
use crate::web::error::Refusal;
use crate::web::session::Denied;

const THEME: &str = "upline_theme";
const FLASH: &str = "upline_flash";

/// One request for a page.
#[derive(Clone)]
pub struct Desk {
    pub state: Data<AppState>,
    pub theme: Theme,
    here: String,
    flash: Option<Flash>,
}

impl FromRequest for Desk {
    type Error = Denied;
    type Future = Ready<Result<Self, Denied>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Desk {
    fn of(request: &HttpRequest) -> Result<Self, Denied> {
        let state = request.app_data::<Data<AppState>>().cloned().ok_or_else(Refusal::internal)?;
        let cookie = |name: &str| request.cookie(name).map(|cookie| cookie.value().to_owned());
        Ok(Self {
            state,
            theme: cookie(THEME).map_or(Theme::Auto, |name| Theme::parse(&name)),
            here: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            flash: cookie(FLASH).and_then(|text| unpack(&text)),
        })
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.state.clock.now()
    }

    /// Reads for a page, on one connection of the pages' own pool.
    pub async fn read<T: Send + 'static>(
        &self,
        session: &Session,
        nav: &'static str,
        work: impl FnOnce(&mut Conn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<(Shell, T), Denied> {
        let read = self.state.db.read_async(Lane::Admin, |conn| Ok((attention::waiting(conn)?, work(conn)?)));
        let (waiting, found) = read.await.map_err(Refusal::from)?;
        Ok((self.shell(session, nav, waiting), found))
    }

    /// Writes in one database transaction. A problem that a person can mend is a value, and nothing is written.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, Denied> {
        Ok(self.state.db.transact_async(Lane::Admin, work).await.map_err(Refusal::from)?)
    }

    fn shell(&self, session: &Session, nav: &'static str, waiting: attention::Waiting) -> Shell {
        let badge = |number: i64| match number {
            0 => String::new(),
            _ => count_up_to(number, attention::ENOUGH),
        };
        let verified = waiting.verified_at.zip(waiting.verified_ok);
        Shell {
            user: session.email.clone(),
            role: session.role.name().to_owned(),
            csrf: session.csrf.clone(),
            theme: self.theme,
            nav,
            here: self.here.clone(),
            flash: self.flash.clone(),
            badges: Badges {
                held: badge(waiting.held),
                unmapped: badge(waiting.unmapped),
                parked: badge(waiting.parked),
                notices: badge(waiting.notices),
            },
            search: String::new(),
            verified: verified.map(|(at, ok)| LastVerified { at: When(at), ok }),
        }
    }

    pub fn show(&self, page: &impl Template) -> Result<HttpResponse, Denied> {
        self.show_as(StatusCode::OK, page)
    }

    /// The page, and the word about the last form taken away with it.
    pub fn show_as(&self, status: StatusCode, page: &impl Template) -> Result<HttpResponse, Denied> {
        let html = page.render().map_err(|error| {
            tracing::error!(%error, "a page cannot be rendered");
            Refusal::internal()
        })?;
        let mut response = HttpResponse::build(status);
        if self.flash.is_some() {
            response.cookie(cookie(FLASH, String::new(), Duration::ZERO, self.state.is_https()));
        }
        Ok(response.content_type("text/html; charset=utf-8").body(html))
    }

    /// On to a page, with a word about what was done.
    pub fn done(&self, to: &str, text: &str) -> HttpResponse {
        self.go(to, Tone::Ok, text)
    }

    pub fn go(&self, to: &str, tone: Tone, text: &str) -> HttpResponse {
        let packed = cookie(FLASH, pack(tone, text), Duration::minutes(1), self.state.is_https());
        HttpResponse::SeeOther().cookie(packed).insert_header((LOCATION, to)).finish()
    }

    pub fn remember_theme(&self, theme: Theme, back: &str) -> HttpResponse {
        let kept = cookie(THEME, theme.name().to_owned(), Duration::days(365), self.state.is_https());
        let to = if back.starts_with("/admin") { back } else { "/admin" };
        HttpResponse::SeeOther().cookie(kept).insert_header((LOCATION, to)).finish()
    }
}

/// A form that says nothing but that its button was pressed.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// There is nothing with this id.
pub fn nothing(what: &str) -> Denied {
    Refusal::not_found("not_found", format!("there is no such {what}")).into()
}

/// The database's own word for a problem that a person can mend, without the write.
pub fn split<T, E: std::fmt::Display>(
    result: Result<T, E>,
    database: impl FnOnce(E) -> Result<E, DbError>,
) -> Result<Result<T, String>, DbError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(problem) => database(problem).map(|problem| Err(problem.to_string())),
    }
}

fn cookie(name: &'static str, value: String, life: Duration, secure: bool) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(life)
        .finish()
}

/// As a cookie can carry it.
fn pack(tone: Tone, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{text}", tone.class()))
}

fn unpack(text: &str) -> Option<Flash> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (class, text) = text.split_once(':')?;
    let tone = [Tone::Ok, Tone::Warn, Tone::Bad].into_iter().find(|tone| tone.class() == class)?;
    Some(Flash { tone, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_the_cookie() {
        let flash = unpack(&pack(Tone::Warn, "3 orders: “ok”; a=b")).unwrap();
        assert_eq!((flash.tone, flash.text.as_str()), (Tone::Warn, "3 orders: “ok”; a=b"));
        assert!(unpack("%%").is_none());
        assert!(unpack(&URL_SAFE_NO_PAD.encode("loud:x")).is_none());
    }
}
