//! WooCommerce.

use chrono::{DateTime, Utc};

use super::http::Http;
use super::{
    ApiError, Credentials, Endpoint, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window,
};
use crate::core::customer::Customer;
use crate::core::product::Product;

pub struct WooCommerce {
    endpoint: Endpoint,
    credentials: Credentials,
    http: Http,
}

impl WooCommerce {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        Self { endpoint: endpoint.clone(), credentials: credentials.clone(), http }
    }

    fn later(&self) -> ApiError {
        let _unused = (&self.endpoint, &self.credentials, &self.http);
        ApiError::Unsupported("not built".into())
    }
}

impl StoreApi for WooCommerce {
    fn probe(&self) -> Result<Probe, ApiError> {
        Err(self.later())
    }

    fn orders(&self, _window: &Window, _cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        Err(self.later())
    }

    fn order(&self, _external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        Err(self.later())
    }

    fn products(
        &self,
        _since: Option<DateTime<Utc>>,
        _cursor: Option<&str>,
    ) -> Result<Page<Product>, ApiError> {
        Err(self.later())
    }

    fn customers(
        &self,
        _since: Option<DateTime<Utc>>,
        _cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError> {
        Err(self.later())
    }

    fn topics(&self) -> &'static [&'static str] {
        &[]
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        Err(self.later())
    }

    fn create_webhook(&self, _new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        Err(self.later())
    }

    fn mend_webhook(&self, _external_id: &str, _new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        Err(self.later())
    }

    fn delete_webhook(&self, _external_id: &str) -> Result<(), ApiError> {
        Err(self.later())
    }
}
