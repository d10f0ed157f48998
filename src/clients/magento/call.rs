//! One call of Magento's REST API: its address, its authorisation, and what its refusals mean.
//!
//! The scope of every call is `rest/all/V1`: all store views. A store view's code may be renamed by the merchant,
//! `all` cannot. No SKU ever stands in a path: Magento 2.4.6 reads an encoded slash there as a slash and finds the
//! signature wrong.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use crate::clients::http::{Http, Method, Request, Response};
use crate::clients::oauth1::{Digest, Once, Signer, encoded};
use crate::clients::{ApiError, Credentials, Endpoint};

pub type Query = Vec<(String, String)>;

pub struct Door {
    base: Url,
    credentials: Credentials,
    http: Http,
    /// What the store has taken a signature with. Unset until the first answer.
    digest: OnceLock<Digest>,
}

impl Door {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        Self { base: endpoint.base.clone(), credentials: credentials.clone(), http, digest: OnceLock::new() }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// `path` below `rest/all/V1/`.
    pub fn get<T>(
        &self,
        path: &str,
        query: &[(String, String)],
        read: impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let url = self.url(path, query);
        let known = self.digest.get().copied();
        let first = self.with(&url, known.unwrap_or(Digest::Sha256), &read);
        let Err(refusal) = &first else {
            let _already = self.digest.set(Digest::Sha256);
            return first;
        };
        if known.is_some() || !is_about_signature(refusal) {
            return first;
        }
        // Asked once in a client's life: a wrong secret is as invalid under either digest.
        let second = self.with(&url, Digest::Sha1, &read);
        let taken = !second.as_ref().is_err_and(is_about_signature);
        let _already = self.digest.set(if taken { Digest::Sha1 } else { Digest::Sha256 });
        if taken { second } else { first }
    }

    fn with<T>(
        &self,
        url: &Url,
        digest: Digest,
        read: &impl Fn(&[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.http.read(|| self.request(url, digest), |response| read(&self.judged(response)?.body))
    }

    fn url(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.base.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}/rest/all/V1/{path}"));
        let pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
        url
    }

    fn request(&self, url: &Url, digest: Digest) -> Result<Request, ApiError> {
        let authorization = match &self.credentials {
            Credentials::MagentoBearer { token } => format!("Bearer {token}"),
            Credentials::MagentoOauth {
                consumer_key,
                consumer_secret,
                access_token,
                access_token_secret,
            } => {
                let token = Some((access_token.as_str(), access_token_secret.as_str()));
                let signer = Signer { consumer_key, consumer_secret, token, digest };
                signer.header(Method::Get, url, &Once::now(self.http.now())?)
            }
            _ => return Err(ApiError::Unsupported("these credentials do not open a magento store".into())),
        };
        let request = Request::get(url.clone()).header("Accept", "application/json");
        Ok(request.header("Authorization", authorization))
    }

    fn is_bearer(&self) -> bool {
        matches!(self.credentials, Credentials::MagentoBearer { .. })
    }

    fn judged(&self, response: Response) -> Result<Response, ApiError> {
        let said = match response.status {
            400 | 401 | 403 | 404 => Said::read(&response.body),
            _ => return response.ok(),
        };
        let summary = response.summary();
        Err(match (response.status, said) {
            (401 | 403, said) => self.refused(said, summary),
            (400, Some(said)) if said.is_about_authorisation() => self.refused(Some(said), summary),
            // Only the API itself may say that an entity does not exist: a proxy's page says nothing of it.
            (404, Some(said)) if !said.message.contains("match any route") => {
                ApiError::NotFound(said.message)
            }
            (404, _) => ApiError::Refused(format!(
                "{} leads to no REST API of Magento (HTTP 404); check the address, with its sub-directory if \
                 it has one",
                self.url("", &[])
            )),
            (_, Some(said)) => ApiError::Refused(said.message),
            (_, None) => ApiError::Refused(summary),
        })
    }

    fn refused(&self, said: Option<Said>, summary: String) -> ApiError {
        let said = said.unwrap_or(Said { message: summary, resources: None });
        if self.is_bearer() {
            let lacks = said.resources.map(|names| format!("(or it lacks {names}) ")).unwrap_or_default();
            return ApiError::Unauthorized(format!(
                "{} Since Magento 2.4.4 an integration's token alone counts only where \
                 oauth/consumer/enable_integration_as_bearer is 1 {lacks}(Stores > Configuration > Services > \
                 OAuth > Consumer Settings); set it, or connect with the integration's four OAuth values",
                said.message
            ));
        }
        match said.resources {
            Some(names) => ApiError::Forbidden(format!(
                "the integration lacks {names}; tick it at System > Extensions > Integrations > API, save and \
                 reauthorize"
            )),
            None => ApiError::Unauthorized(format!("{}{}", said.message, hint(&said.message))),
        }
    }
}

fn hint(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    if message.contains("signature") {
        " (check the consumer secret and the access token secret, and that the address is the store's own: \
         scheme, host and sub-directory are signed)"
    } else if message.contains("timestamp") {
        " (the clock of this machine is more than ten minutes ahead of the store's)"
    } else {
        ""
    }
}

fn is_about_signature(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorized(text) if text.to_ascii_lowercase().contains("signature"))
}

/// `{"message": "The consumer isn't authorized to access %resources.", "parameters": {"resources": "..."}}`
struct Said {
    message: String,
    resources: Option<String>,
}

impl Said {
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            message: String,
            #[serde(default)]
            parameters: Option<Parameters>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Parameters {
            Named(BTreeMap<String, serde_json::Value>),
            Listed(Vec<serde_json::Value>),
        }
        let told: Told = serde_json::from_slice(body).ok()?;
        let named: Vec<(String, String)> = match told.parameters {
            Some(Parameters::Named(named)) => named.into_iter().map(|(name, v)| (name, plain(&v))).collect(),
            Some(Parameters::Listed(listed)) => {
                listed.iter().enumerate().map(|(i, v)| ((i + 1).to_string(), plain(v))).collect()
            }
            None => vec![],
        };
        let mut message: String = told.message.chars().filter(|c| !c.is_control()).take(300).collect();
        for (name, value) in &named {
            message = message.replace(&format!("%{name}"), value);
        }
        let resources = named.into_iter().find(|(name, _)| name == "resources").map(|(_, value)| value);
        Some(Self { message, resources })
    }

    fn is_about_authorisation(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        ["oauth", "signature method", "token", "consumer"].iter().any(|word| message.contains(word))
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
