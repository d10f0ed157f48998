//! Products and their stock.
//!
//! A configurable product's children are products of their own here, as they are in the store: an order names the
//! child's SKU. The configurable itself cannot be bought and has no variant. Stock is kept by SKU in another module
//! (multi-source inventory); where that is missing or not ours to read, no stock is known.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::Door;
use super::keyset::Table;
use super::search::{self, Criteria, Row, unreadable};
use crate::clients::oauth1::encoded;
use crate::clients::{ApiError, Page, WindowBy};
use crate::core::product::{Product, Variant};

/// SKUs of one call: addresses of more than 8 kB are refused by many servers.
const SKUS: usize = 4_000;

pub fn page(
    door: &Door,
    since: Option<DateTime<Utc>>,
    cursor: Option<&str>,
) -> Result<Page<Product>, ApiError> {
    let only = "id,sku,name,type_id,created_at,updated_at";
    let table = Table { path: "products", by: WindowBy::Changed, id: "entity_id", only };
    let page = table.page(door, since.unwrap_or(DateTime::UNIX_EPOCH), None, cursor)?;
    let told = page.rows.iter().map(Told::read).collect::<Result<Vec<_>, _>>()?;
    let stock = stock(door, told.iter().filter(|told| told.is_sold()).map(|told| told.sku.as_str()))?;
    let items = page.rows.iter().zip(told).map(|(row, told)| told.product(row, &stock)).collect();
    Ok(Page { items, next: page.next, remaining: Some(page.remaining), wait: None })
}

#[derive(Deserialize)]
struct Told {
    sku: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    type_id: Option<String>,
}

impl Told {
    fn read(row: &Row) -> Result<Self, ApiError> {
        serde_json::from_str(row.raw.get()).map_err(unreadable)
    }

    /// Its parts are sold instead of these.
    fn is_sold(&self) -> bool {
        !matches!(self.type_id.as_deref(), Some("configurable" | "grouped"))
    }

    fn product(self, row: &Row, stock: &BTreeMap<String, Decimal>) -> Product {
        let variant = Variant {
            external_id: None,
            stock: stock.get(&self.sku).copied(),
            sku: Some(self.sku.clone()),
            title: String::new(),
            inventory_id: None,
        };
        Product {
            external_id: row.id.to_string(),
            variants: if self.is_sold() { vec![variant] } else { vec![] },
            title: self.name.unwrap_or(self.sku),
            updated_at: row.updated_at,
            partial: false,
        }
    }
}

/// What the sources have of each SKU. A SKU with a comma cannot be asked for in a list and stays without.
fn stock<'a>(
    door: &Door,
    skus: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Decimal>, ApiError> {
    let mut stock = BTreeMap::new();
    for skus in chunks(skus.filter(|sku| !sku.contains(','))) {
        let criteria = Criteria::default().of("sku", "in", &skus.join(",")).by("source_item_id");
        for page in 1.. {
            let items = match search::list(door, "inventory/source-items", &criteria, page, SourceItem::read)
            {
                Ok(items) => items,
                Err(
                    error @ (ApiError::NotFound(_)
                    | ApiError::Refused(_)
                    | ApiError::Forbidden(_)
                    | ApiError::Unauthorized(_)),
                ) => {
                    tracing::debug!(%error, "the store shows no stock");
                    return Ok(stock);
                }
                Err(error) => return Err(error),
            };
            for item in &items.rows {
                *stock.entry(item.sku.clone()).or_default() += item.available;
            }
            if page * search::PAGE >= items.total {
                break;
            }
        }
    }
    Ok(stock)
}

fn chunks<'a>(skus: impl Iterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    let mut chunks: Vec<Vec<&str>> = vec![];
    let mut length = 0;
    for sku in skus {
        length += encoded(sku).len() + encoded(",").len();
        match chunks.last_mut() {
            Some(chunk) if length <= SKUS => chunk.push(sku),
            _ => {
                length = encoded(sku).len();
                chunks.push(vec![sku]);
            }
        }
    }
    chunks
}

struct SourceItem {
    sku: String,
    available: Decimal,
}

impl SourceItem {
    fn read(raw: &RawValue) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Told<'a> {
            sku: String,
            #[serde(borrow)]
            quantity: Option<&'a RawValue>,
            #[serde(borrow)]
            status: Option<&'a RawValue>,
        }
        let told: Told<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
        // A source that says "out of stock" sells nothing, whatever it counts.
        let open = told.status.is_none_or(|status| search::plain(status) != "0");
        let quantity = told.quantity.map_or("0", search::plain);
        let quantity = Decimal::from_str_exact(quantity)
            .map_err(|_| ApiError::Unreadable(format!("{quantity} is no quantity")))?;
        Ok(Self { sku: told.sku, available: if open { quantity } else { Decimal::ZERO } })
    }
}
