//! The first call: who the store is, and what our integration may not read.

use serde::Deserialize;
use url::Url;

use super::call::Door;
use super::search::{Criteria, Row, list, unreadable};
use crate::clients::{ApiError, Probe};

/// What is read, and the resource of the integration that opens it.
const LISTS: [(&str, &str); 5] = [
    ("orders", "Magento_Sales::actions_view"),
    ("invoices", "Magento_Sales::sales_invoice"),
    ("creditmemos", "Magento_Sales::sales_creditmemo"),
    ("products", "Magento_Catalog::products"),
    ("customers/search", "Magento_Customer::customer"),
];
const STORES: &str = "Magento_Backend::store";

/// A bearer token that the store does not take is answered like one without any resource, and what the store is may
/// be open to everybody: only when none of the lists may be read are the credentials wrong.
pub fn probe(door: &Door) -> Result<Probe, ApiError> {
    let mut probe =
        Probe { name: door.host().to_owned(), version: Some("REST V1".into()), ..Probe::default() };
    match configs(door) {
        Ok(configs) => describe(&mut probe, &configs),
        Err(error) => _ = lacking(&mut probe, STORES, error)?,
    }
    let mut refusals = vec![];
    for (path, resource) in LISTS {
        match list(door, path, &Criteria::default().of("entity_id", "eq", "1"), 1, Row::read) {
            Ok(_) => {}
            Err(error) => refusals.push(lacking(&mut probe, resource, error)?),
        }
    }
    if refusals.len() < LISTS.len() {
        return Ok(probe);
    }
    match refusals.into_iter().next() {
        Some(error @ ApiError::Unauthorized(_)) => Err(error),
        _ => Ok(probe),
    }
}

/// Notes what is lacking; any other failure is one.
fn lacking(probe: &mut Probe, resource: &str, error: ApiError) -> Result<ApiError, ApiError> {
    match error {
        ApiError::Unauthorized(_) | ApiError::Forbidden(_) => {
            probe.missing_scopes.push(resource.to_owned());
            Ok(error)
        }
        error => Err(error),
    }
}

#[derive(Deserialize)]
struct StoreConfig {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    base_currency_code: Option<String>,
    #[serde(default)]
    timezone: Option<String>,
}

fn configs(door: &Door) -> Result<Vec<StoreConfig>, ApiError> {
    door.get("store/storeConfigs", &[], |body| serde_json::from_slice(body).map_err(unreadable))
}

/// One installation can be several store views; the one called `default`, or else the first, speaks for all.
fn describe(probe: &mut Probe, configs: &[StoreConfig]) {
    let default = configs.iter().find(|config| config.code.as_deref() == Some("default"));
    let Some(config) = default.or(configs.first()) else { return };
    if let Some(url) = config.base_url.as_deref().and_then(|url| Url::parse(url).ok()) {
        let host = url.host_str().unwrap_or_default();
        probe.name = format!("{host}{}", url.path()).trim_end_matches('/').to_owned();
    }
    probe.currency = config.base_currency_code.clone();
    probe.zone = config.timezone.clone();
}
