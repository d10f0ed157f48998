//! A secret on its way from the form that made it to the page that shows it once.
//!
//! It travels in a cookie of a minute, sealed with the key of the stored secrets and bound to the session: no
//! copy of it stays with us, and reloading the page shows it no more.

use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::desk::Desk;
use crate::access::Session;
use crate::web::AppState;
use crate::web::error::Refusal;
use crate::web::session::Denied;

const NAME: &str = "upline_once";
const LIFE: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// Whose session it is for, and until when.
    session: [u8; 32],
    until: DateTime<Utc>,
    pub what: String,
    pub value: String,
}

/// The answer to the form, which takes the secret along.
pub fn keep(
    desk: &Desk,
    session: &Session,
    (what, value): (&str, String),
    mut answer: HttpResponse,
) -> Result<HttpResponse, Denied> {
    let until = desk.now() + LIFE;
    let shown = Shown { session: session.fingerprint, until, what: what.to_owned(), value };
    let plain = serde_json::to_vec(&shown).map_err(|_| Refusal::internal())?;
    let sealed = desk.state.vault.seal(&plain).map_err(|_| Refusal::internal())?;
    let cookie = cookie(&desk.state, URL_SAFE_NO_PAD.encode(sealed), Duration::seconds(LIFE.num_seconds()));
    answer.add_cookie(&cookie).map_err(|_| Refusal::internal())?;
    Ok(answer)
}

/// What the request brought along.
pub struct Once {
    sealed: Option<String>,
}

impl FromRequest for Once {
    type Error = Denied;
    type Future = Ready<Result<Self, Denied>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { sealed: request.cookie(NAME).map(|cookie| cookie.value().to_owned()) }))
    }
}

impl Once {
    pub fn open(&self, desk: &Desk, session: &Session) -> Option<Shown> {
        let sealed = URL_SAFE_NO_PAD.decode(self.sealed.as_ref()?).ok()?;
        let plain = desk.state.vault.open_sealed(&sealed).ok()?;
        let shown: Shown = serde_json::from_slice(&plain).ok()?;
        (shown.session == session.fingerprint && desk.now() < shown.until).then_some(shown)
    }

    /// The page that showed it takes it away.
    pub fn gone(&self, desk: &Desk, mut page: HttpResponse) -> Result<HttpResponse, Denied> {
        if self.sealed.is_some() {
            let nothing = cookie(&desk.state, String::new(), Duration::ZERO);
            page.add_cookie(&nothing).map_err(|_| Refusal::internal())?;
        }
        Ok(page)
    }
}

fn cookie(state: &Data<AppState>, value: String, life: Duration) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/admin")
        .http_only(true)
        .secure(state.is_https())
        .same_site(SameSite::Strict)
        .max_age(life)
        .finish()
}

#[cfg(test)]
impl Shown {
    pub fn sample(what: &str, value: &str) -> Self {
        Self { session: [0; 32], until: DateTime::UNIX_EPOCH, what: what.to_owned(), value: value.to_owned() }
    }
}
