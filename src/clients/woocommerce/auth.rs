//! How a request is authorised: with the keys as Basic credentials over TLS, in the query where a server loses the
//! header on the way, and with an OAuth 1.0a signature over plain HTTP, where the shop takes nothing else.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use url::Url;

use crate::clients::http::Request;
use crate::clients::oauth1::{Digest, Once, Signer};
use crate::clients::{ApiError, Credentials};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Header,
    /// Only over TLS: keys in an address are seen by whoever sees the address.
    Query,
    Signed,
}

pub struct Auth {
    key: String,
    secret: String,
    plain: bool,
    /// The header was lost once: this server gets the keys in the query from now on.
    header_is_lost: AtomicBool,
}

impl Auth {
    pub fn new(credentials: &Credentials, base: &Url) -> Self {
        let (key, secret) = match credentials {
            Credentials::WooKeys { consumer_key, consumer_secret } => (consumer_key, consumer_secret),
            _ => (&String::new(), &String::new()),
        };
        Self {
            key: key.trim().to_owned(),
            secret: secret.trim().to_owned(),
            plain: base.scheme() == "http",
            header_is_lost: AtomicBool::new(false),
        }
    }

    pub fn form(&self) -> Form {
        match (self.plain, self.header_is_lost.load(Ordering::Relaxed)) {
            (true, _) => Form::Signed,
            (false, true) => Form::Query,
            (false, false) => Form::Header,
        }
    }

    pub fn remember_that_the_header_is_lost(&self) {
        self.header_is_lost.store(true, Ordering::Relaxed);
    }

    pub fn authorise(
        &self,
        mut request: Request,
        form: Form,
        now: DateTime<Utc>,
    ) -> Result<Request, ApiError> {
        match form {
            Form::Header => {
                let basic = STANDARD.encode(format!("{}:{}", self.key, self.secret));
                Ok(request.header("Authorization", format!("Basic {basic}")))
            }
            Form::Query => {
                let keys = [("consumer_key", &self.key), ("consumer_secret", &self.secret)];
                request.url.query_pairs_mut().extend_pairs(keys);
                Ok(request)
            }
            Form::Signed => {
                let signer = Signer {
                    consumer_key: &self.key,
                    consumer_secret: &self.secret,
                    token: None,
                    digest: Digest::Sha256,
                };
                request.url = signer.query(request.method, &request.url, &Once::now(now)?);
                Ok(request)
            }
        }
    }
}
