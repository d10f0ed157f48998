//! The access token: pasted, or fetched with the app's own credentials and renewed before its day is over.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::clients::http::{Http, Method, Request, Response};
use crate::clients::{ApiError, Credentials};

/// A call that is on its way when a token ends shall still arrive.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

pub enum Token {
    Pasted(String),
    Granted { client_id: String, client_secret: String, held: Mutex<Option<Held>> },
}

pub struct Held {
    token: String,
    renew_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<i64>,
}

impl Token {
    pub fn new(credentials: &Credentials) -> Option<Self> {
        match credentials {
            Credentials::ShopifyToken { token, .. } => Some(Self::Pasted(token.clone())),
            Credentials::ShopifyApp { client_id, client_secret } => Some(Self::Granted {
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                held: Mutex::new(None),
            }),
            _ => None,
        }
    }

    pub fn get(&self, http: &Http, base: &Url) -> Result<String, ApiError> {
        let (client_id, client_secret, held) = match self {
            Self::Pasted(token) => return Ok(token.clone()),
            Self::Granted { client_id, client_secret, held } => (client_id, client_secret, held),
        };
        // Held while it is fetched, so that two threads do not fetch two.
        let mut held = lock(held);
        if let Some(held) = held.as_ref().filter(|held| http.now() < held.renew_at) {
            return Ok(held.token.clone());
        }
        let asked_at = http.now();
        let grant = fetch(http, base, client_id, client_secret)?;
        let lasts = TimeDelta::seconds(grant.expires_in.unwrap_or(3600).clamp(0, 86_400));
        *held = Some(Held {
            token: grant.access_token.clone(),
            renew_at: asked_at + lasts - MARGIN.min(lasts / 10),
        });
        Ok(grant.access_token)
    }

    /// A token that was refused is not used again. False: there is no other.
    pub fn refused(&self, refused: &str) -> bool {
        let Self::Granted { held, .. } = self else { return false };
        let mut held = lock(held);
        if held.as_ref().is_some_and(|held| held.token == refused) {
            *held = None;
        }
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fetch(http: &Http, base: &Url, client_id: &str, client_secret: &str) -> Result<Grant, ApiError> {
    let url =
        base.join("admin/oauth/access_token").map_err(|error| ApiError::Unsupported(error.to_string()))?;
    let form =
        [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", client_secret)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = || {
        let body = Some(body.clone().into_bytes());
        let request = Request { method: Method::Post, url: url.clone(), headers: vec![], body };
        Ok(request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json"))
    };
    http.read(request, |response| granted(base, response))
}

fn granted(base: &Url, response: Response) -> Result<Grant, ApiError> {
    if matches!(response.status, 400 | 401 | 403 | 404) {
        return Err(ApiError::Unauthorized(format!(
            "{base} gives no token for this client id and secret: copy both from the app's settings in the Dev \
             Dashboard, and install the app on this store ({})",
            response.summary()
        )));
    }
    let response = response.ok()?;
    serde_json::from_slice(&response.body)
        .map_err(|error| ApiError::Unreadable(format!("the answer to the request for a token: {error}")))
}
