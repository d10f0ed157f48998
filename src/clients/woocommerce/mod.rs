//! WooCommerce through its REST API v3.

use chrono::{DateTime, Utc};

use super::http::Http;
use super::{
    ApiError, Credentials, Endpoint, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window,
};
use crate::core::customer::Customer;
use crate::core::product::Product;

mod answer;
mod api;
mod auth;
mod bounds;
mod catalogue;
mod feed;
mod orders;
mod paging;
mod probe;
#[cfg(test)]
mod tests;
mod webhooks;

use api::Api;

pub struct WooCommerce {
    api: Api,
}

impl WooCommerce {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        Self { api: Api::new(endpoint, credentials, http) }
    }
}

impl StoreApi for WooCommerce {
    fn probe(&self) -> Result<Probe, ApiError> {
        probe::probe(&self.api)
    }

    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        orders::page(&self.api, window, cursor)
    }

    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        orders::one(&self.api, external_id)
    }

    fn products(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Product>, ApiError> {
        catalogue::products(&self.api, since, cursor)
    }

    fn customers(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError> {
        catalogue::customers(&self.api, since, cursor)
    }

    fn topics(&self) -> &'static [&'static str] {
        webhooks::TOPICS
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        webhooks::all(&self.api)
    }

    fn create_webhook(&self, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        webhooks::create(&self.api, new)
    }

    fn mend_webhook(&self, external_id: &str, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        webhooks::mend(&self.api, external_id, new)
    }

    fn delete_webhook(&self, external_id: &str) -> Result<(), ApiError> {
        webhooks::delete(&self.api, external_id)
    }
}
