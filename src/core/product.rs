//! What a store sells, as its catalogue tells it: products, their variants and what is in stock.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The store's own id. Unique within the store.
    pub external_id: String,
    /// For people, and for hints: nothing is ever mapped by a name.
    pub title: String,
    /// What can be bought. A product without variants of its own is its own only variant, without an id.
    pub variants: Vec<Variant>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Only some of its variants are told here; those that are not are still there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub external_id: Option<String>,
    pub sku: Option<String>,
    /// What tells it from its siblings: "Large / Blue".
    pub title: String,
    /// What is available, where the store counts it.
    pub stock: Option<Decimal>,
    /// The store's id under which stock is told, where that is another one.
    pub inventory_id: Option<String>,
}

/// What is available at one location, told without the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    pub inventory_id: String,
    pub location_id: String,
    /// `None`: not counted there.
    pub available: Option<Decimal>,
    pub updated_at: Option<DateTime<Utc>>,
}
