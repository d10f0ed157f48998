//! Products with their variants and stock.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Shopify;
use super::graphql::Operation;
use super::paging::{PageInfo, Place, short_id, written};
use super::queries::{PRODUCT_PARTS, PRODUCTS};
use crate::clients::{ApiError, Page};
use crate::core::product::{Product, Variant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rows<T> {
    pub nodes: Vec<T>,
    pub page_info: PageInfo,
}

#[derive(Deserialize)]
struct Products {
    products: Rows<ProductNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProductNode {
    id: String,
    title: String,
    updated_at: DateTime<Utc>,
    variants: Rows<VariantNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantNode {
    id: String,
    sku: Option<String>,
    title: String,
    inventory_quantity: Option<i64>,
    inventory_item: Option<InventoryItem>,
}

#[derive(Deserialize)]
struct InventoryItem {
    id: String,
    tracked: bool,
}

impl From<VariantNode> for Variant {
    fn from(node: VariantNode) -> Self {
        let counted = node.inventory_item.as_ref().is_none_or(|item| item.tracked);
        Self {
            external_id: Some(short_id(&node.id)),
            sku: node.sku.map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
            title: node.title,
            stock: node.inventory_quantity.filter(|_| counted).map(Decimal::from),
            inventory_id: node.inventory_item.map(|item| short_id(&item.id)),
        }
    }
}

/// Rows from a time on, all rows without one.
pub fn changed_since(place: &Place) -> Option<String> {
    place.from.map(|from| format!("updated_at:>='{}'", written(from)))
}

impl Shopify {
    pub(super) fn products_page(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Product>, ApiError> {
        let place = Place::start(since, cursor)?;
        let (page, _) = self.sized(
            |first| Operation {
                name: "Products",
                query: &PRODUCTS,
                variables: json!({ "query": changed_since(&place), "first": first, "after": place.after }),
            },
            |answer: Products| Ok(answer.products),
        )?;
        let last = page.nodes.last().map(|node| node.updated_at);
        let next = place.next(page.nodes.len(), &page.page_info, last)?;
        let items = page.nodes.into_iter().map(|node| self.product(node)).collect::<Result<_, _>>()?;
        Ok(Page { items, next, remaining: None, wait: None })
    }

    fn product(&self, node: ProductNode) -> Result<Product, ApiError> {
        #[derive(Deserialize)]
        struct Parts {
            variants: Rows<VariantNode>,
        }
        let parts = |parts: Parts| parts.variants;
        let variants = self.all_rows(("ProductParts", &PRODUCT_PARTS), &node.id, node.variants, parts)?;
        Ok(Product {
            external_id: short_id(&node.id),
            title: node.title,
            variants: variants.into_iter().map(Variant::from).collect(),
            updated_at: Some(node.updated_at),
            partial: false,
        })
    }

    /// A list inside a row, read to its end.
    pub(super) fn all_rows<T, P: DeserializeOwned>(
        &self,
        (name, query): (&'static str, &str),
        id: &str,
        mut rows: Rows<T>,
        list: impl Fn(P) -> Rows<T>,
    ) -> Result<Vec<T>, ApiError> {
        #[derive(Deserialize)]
        struct Answer<P> {
            node: Option<P>,
        }
        while rows.page_info.has_next_page {
            let variables = json!({ "id": id, "first": 100, "after": rows.page_info.end_cursor });
            let operation = Operation { name, query, variables };
            let (node, _) = self.admin.ask(&operation, |answer: Answer<P>| Ok(answer.node))?;
            let more = node.map(&list).filter(|more| !more.nodes.is_empty());
            let Some(more) = more else {
                return Err(ApiError::Incomplete(format!("{id} changed while it was read")));
            };
            rows.nodes.extend(more.nodes);
            rows.page_info = more.page_info;
        }
        Ok(rows.nodes)
    }
}
