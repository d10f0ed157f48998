//! Magento Open Source and Adobe Commerce over REST V1.
//!
//! [`call`] authorises and judges answers, [`search`] is the lists' own language, [`keyset`] pages what moves. The
//! platform sends no webhooks by itself: everything is read.

use chrono::{DateTime, Utc};

use super::http::Http;
use super::{
    ApiError, Credentials, Endpoint, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window,
};
use crate::core::customer::Customer;
use crate::core::product::Product;

mod call;
mod catalogue;
mod customers;
mod keyset;
mod orders;
mod probe;
mod search;
#[cfg(test)]
mod tests;

use call::Door;

pub struct Magento(Door);

impl Magento {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        Self(Door::new(endpoint, credentials, http))
    }
}

fn sends_nothing<T>() -> Result<T, ApiError> {
    Err(ApiError::Unsupported(
        "Magento has no webhooks of its own: orders are read on schedule, which is enough. To hear of them \
         sooner, let a webhook module post the order to this store's webhook address with the header \
         X-Upline-Secret"
            .into(),
    ))
}

impl StoreApi for Magento {
    fn probe(&self) -> Result<Probe, ApiError> {
        probe::probe(&self.0)
    }

    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        orders::page(&self.0, window, cursor)
    }

    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        orders::one(&self.0, external_id)
    }

    fn products(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Product>, ApiError> {
        catalogue::page(&self.0, since, cursor)
    }

    fn customers(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError> {
        customers::page(&self.0, since, cursor)
    }

    fn topics(&self) -> &'static [&'static str] {
        &[]
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        Ok(vec![])
    }

    fn create_webhook(&self, _new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        sends_nothing()
    }

    fn mend_webhook(&self, _external_id: &str, _new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        sends_nothing()
    }

    fn delete_webhook(&self, _external_id: &str) -> Result<(), ApiError> {
        sends_nothing()
    }
}
