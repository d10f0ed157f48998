//! The client against a store in memory: no network, no sleeping.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::clients::WindowBy;
use crate::clients::http::{Request, Response, Transport};
use crate::clock::Clock;
use crate::stores::Platform;

mod authorised;
mod paging;
mod rows;
mod whole;

type Answer = Box<dyn FnMut(&Request) -> Result<Response, ApiError> + Send>;

/// What answers, and what was asked of it.
#[derive(Clone)]
struct Wire(Arc<Mutex<(Answer, Vec<Request>)>>);

impl Wire {
    fn new(answer: impl FnMut(&Request) -> Result<Response, ApiError> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new((Box::new(answer), vec![]))))
    }

    fn asked(&self) -> Vec<Request> {
        self.0.lock().unwrap().1.clone()
    }

    /// `orders ...`, without what is the same in all.
    fn paths(&self) -> Vec<String> {
        self.asked().iter().map(|request| last(request.url.path()).to_owned()).collect()
    }
}

fn last(path: &str) -> &str {
    path.split_once("/V1/").unwrap().1
}

impl Transport for Wire {
    fn send(&self, request: &Request) -> Result<Response, ApiError> {
        let mut held = self.0.lock().unwrap();
        held.1.push(request.clone());
        held.0(request)
    }
}

fn answer(status: u16, body: impl ToString) -> Result<Response, ApiError> {
    Ok(Response { status, headers: vec![], body: body.to_string().into_bytes() })
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn endpoint(base: &str) -> Endpoint {
    Endpoint { platform: Platform::Magento, base: Url::parse(base).unwrap(), allow_private: false }
}

fn oauth() -> Credentials {
    Credentials::MagentoOauth {
        consumer_key: "ck".into(),
        consumer_secret: "cs".into(),
        access_token: "at".into(),
        access_token_secret: "ats".into(),
    }
}

fn client(wire: &Wire, credentials: &Credentials) -> Magento {
    // Waiting for a store that stays broken is not what these tests are about.
    let http = Http::new(Arc::new(wire.clone()), Clock::fixed(at("2026-05-02T10:00:00Z")), |_: Duration| {});
    Magento::new(&endpoint("https://shop.example/m"), credentials, http)
}

fn window() -> Window {
    Window { by: WindowBy::Changed, from: at("2026-05-01T00:00:00Z"), to: at("2026-05-02T00:00:00Z") }
}

fn none() -> Value {
    json!({"items": [], "total_count": 0})
}
