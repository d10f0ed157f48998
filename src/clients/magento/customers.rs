//! Customers: their ids and where their record names a distributor. Names and addresses are not asked for.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::Door;
use super::keyset::Table;
use super::search::{Row, unreadable};
use crate::clients::{ApiError, Page, WindowBy};
use crate::core::customer::Customer;
use crate::core::order::PlaceValue;

/// No distributor code is longer.
const LONGEST: usize = 200;

pub fn page(
    door: &Door,
    since: Option<DateTime<Utc>>,
    cursor: Option<&str>,
) -> Result<Page<Customer>, ApiError> {
    let only = "id,created_at,updated_at,custom_attributes[attribute_code,value]";
    let table = Table { path: "customers/search", by: WindowBy::Changed, id: "entity_id", only };
    let page = table.page(door, since.unwrap_or(DateTime::UNIX_EPOCH), None, cursor)?;
    let items = page.rows.iter().map(customer).collect::<Result<_, _>>()?;
    Ok(Page { items, next: page.next, remaining: Some(page.remaining), wait: None })
}

fn customer(row: &Row) -> Result<Customer, ApiError> {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow, default)]
        custom_attributes: Option<Vec<Attribute<'a>>>,
    }
    #[derive(Deserialize)]
    struct Attribute<'a> {
        attribute_code: String,
        #[serde(borrow, default)]
        value: Option<&'a RawValue>,
    }
    let told: Told<'_> = serde_json::from_str(row.raw.get()).map_err(unreadable)?;
    let attributes = told.custom_attributes.unwrap_or_default();
    let places = attributes.into_iter().filter_map(|attribute| {
        let value = text(attribute.value?)?;
        let place = format!("customer_meta:{}", attribute.attribute_code.trim());
        Some(PlaceValue { place, value })
    });
    Ok(Customer {
        external_id: row.id.to_string(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        places: places.collect(),
    })
}

fn text(raw: &RawValue) -> Option<String> {
    let text = match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str(raw.get()).ok()?,
        b'{' | b'[' | b'n' => return None,
        _ => raw.get().to_owned(),
    };
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= LONGEST).then(|| text.to_owned())
}
