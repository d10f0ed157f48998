//! Shopify's Admin GraphQL API.
//!
//! [`queries`] is what is asked, [`graphql`] how an operation is sent and its answer judged, [`token`] what it is
//! authorised by. [`orders`] reads pages and single orders, [`parts`] reads the lists inside them to their end,
//! [`bulk`] reads long windows as a file that Shopify writes for us.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::http::Http;
use super::{
    ApiError, Credentials, Endpoint, NewWebhook, Page, Probe, PulledOrder, StoreApi, Webhook, Window,
};
use crate::core::customer::Customer;
use crate::core::product::Product;

mod bulk;
mod catalogue;
mod customers;
mod graphql;
mod jsonl;
mod orders;
mod paging;
mod parts;
mod queries;
mod token;
mod webhooks;

use graphql::{Admin, Operation, lock};
use token::Token;

/// What everything needs; the last one only for orders older than 60 days.
const SCOPES: [&str; 4] = ["read_orders", "read_products", "read_customers", orders::ALL_ORDERS];
const FIRST_PAGE: u32 = 20;

pub struct Shopify {
    admin: Admin,
    page_sizes: Mutex<BTreeMap<&'static str, u32>>,
    scopes: Mutex<Option<Vec<String>>>,
    /// Bulk operations that we have seen alive.
    begun: Mutex<BTreeSet<String>>,
    /// Of the file of one of them: no more than a few megabytes, unless an order is as large.
    loaded: Mutex<Option<bulk::Loaded>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    shop: Shop,
    current_app_installation: Installation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shop {
    name: String,
    currency_code: String,
    iana_timezone: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installation {
    access_scopes: Vec<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    handle: String,
}

impl Shopify {
    pub fn new(endpoint: &Endpoint, credentials: &Credentials, http: Http) -> Self {
        // Which credentials open which store is decided by who calls this.
        let token = Token::new(credentials).unwrap_or_else(|| Token::Pasted(String::new()));
        Self {
            admin: Admin::new(&endpoint.base, token, http),
            page_sizes: Mutex::new(BTreeMap::new()),
            scopes: Mutex::new(None),
            begun: Mutex::new(BTreeSet::new()),
            loaded: Mutex::new(None),
        }
    }

    fn page_size(&self, operation: &'static str) -> u32 {
        lock(&self.page_sizes).get(operation).copied().unwrap_or(FIRST_PAGE)
    }

    fn set_page_size(&self, operation: &'static str, size: u32) {
        lock(&self.page_sizes).insert(operation, size);
    }

    fn read_shop(&self) -> Result<Answer, ApiError> {
        let operation = Operation { name: "Shop", query: queries::SHOP, variables: json!({}) };
        let (answer, _) = self.admin.ask(&operation, Ok::<Answer, _>)?;
        let scopes = answer.current_app_installation.access_scopes.iter();
        *lock(&self.scopes) = Some(scopes.map(|scope| scope.handle.clone()).collect());
        Ok(answer)
    }

    fn has_scope(&self, scope: &str) -> Result<bool, ApiError> {
        if lock(&self.scopes).is_none() {
            self.read_shop()?;
        }
        Ok(lock(&self.scopes).iter().flatten().any(|granted| covers(granted, scope)))
    }
}

/// Who may write may read.
fn covers(granted: &str, scope: &str) -> bool {
    let written =
        scope.strip_prefix("read_").is_some_and(|what| granted.strip_prefix("write_") == Some(what));
    granted == scope || written
}

impl StoreApi for Shopify {
    fn probe(&self) -> Result<Probe, ApiError> {
        let answer = self.read_shop()?;
        let granted = answer.current_app_installation.access_scopes;
        let lacking = |scope: &&str| !granted.iter().any(|granted| covers(&granted.handle, scope));
        Ok(Probe {
            name: answer.shop.name,
            currency: Some(answer.shop.currency_code),
            zone: Some(answer.shop.iana_timezone),
            version: self.admin.version(),
            missing_scopes: SCOPES.iter().copied().filter(lacking).map(str::to_owned).collect(),
        })
    }

    fn orders(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        self.orders_page(window, cursor)
    }

    fn orders_in_bulk(&self, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
        self.bulk_page(window, cursor)
    }

    fn order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        self.one_order(external_id)
    }

    fn products(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Product>, ApiError> {
        self.products_page(since, cursor)
    }

    fn customers(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError> {
        self.customers_page(since, cursor)
    }

    fn topics(&self) -> &'static [&'static str] {
        &webhooks::TOPICS
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, ApiError> {
        self.subscriptions()
    }

    fn create_webhook(&self, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        self.subscribe(new)
    }

    fn mend_webhook(&self, external_id: &str, new: &NewWebhook<'_>) -> Result<Webhook, ApiError> {
        self.resubscribe(external_id, new)
    }

    fn delete_webhook(&self, external_id: &str) -> Result<(), ApiError> {
        self.unsubscribe(external_id)
    }
}

#[cfg(test)]
mod tests;
