//! A simulated shop without a port: the transport of a client that ends in the platform's dialect. Pauses cost
//! nothing, so that thousands of orders are read in seconds through the worst of days.

use std::sync::{Arc, Mutex, MutexGuard};

use upline::clients::ApiError;
use upline::clients::http::{Http, Request, Response, Transport};
use upline::clock::Clock;

use super::chaos::{Chaos, Fate};
use super::dialect::{Call, Dialect};
use super::shop::Shop;

pub struct Wire {
    dialect: Box<dyn Dialect>,
    shop: Mutex<Shop>,
    chaos: Mutex<Chaos>,
}

impl Wire {
    pub fn new(shop: Shop, dialect: Box<dyn Dialect>, seed: u64) -> Arc<Self> {
        Arc::new(Self { dialect, shop: Mutex::new(shop), chaos: Mutex::new(Chaos::new(seed)) })
    }

    /// What a client is opened with.
    pub fn http(self: &Arc<Self>) -> Http {
        Http::new(self.clone(), Clock::system(), |_| ())
    }

    pub fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap()
    }

    pub fn chaos(&self) -> MutexGuard<'_, Chaos> {
        self.chaos.lock().unwrap()
    }

    pub fn dialect(&self) -> &dyn Dialect {
        &*self.dialect
    }
}

impl Transport for Wire {
    fn send(&self, request: &Request) -> Result<Response, ApiError> {
        let mut shop = self.shop();
        let fate = {
            let mut chaos = self.chaos();
            chaos.meanwhile(&mut shop);
            chaos.fate()
        };
        let response = |status: u16, headers: Vec<(String, String)>, body: Vec<u8>| {
            Ok(Response { status, headers, body })
        };
        match fate {
            Fate::Throttled { retry_after } => {
                response(429, vec![("Retry-After".to_owned(), retry_after.to_string())], vec![])
            }
            Fate::Failing(status) => response(status, vec![], b"<html>".to_vec()),
            Fate::Unauthorized => response(401, vec![], vec![]),
            Fate::Cut { .. } => Err(ApiError::Unavailable("cut off".to_owned())),
            Fate::Answered | Fate::Slow { .. } => {
                let answer = self.dialect.answer(&mut shop, &call(request));
                response(answer.status, answer.headers, answer.body)
            }
        }
    }
}

fn call(request: &Request) -> Call {
    let url = &request.url;
    let headers = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut headers: Vec<(String, String)> = headers.collect();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    headers.push(("host".to_owned(), format!("{}{port}", url.host_str().unwrap_or_default())));
    Call {
        method: request.method.as_str().to_owned(),
        path: super::server::decoded_path(url.path()),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: request.body.clone().unwrap_or_default(),
        target: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    }
}
