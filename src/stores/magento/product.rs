//! Products of the catalogue, as REST V1 or an I/O Event tells them. Every simple product is a product of its own,
//! also where it is a choice of a configurable one; what is only a frame around others is not sold itself.

use serde::Deserialize;

use crate::core::order::Report;
use crate::core::product::{Product, Variant};
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    /// In events.
    entity_id: Scalar<'a>,
    sku: Scalar<'a>,
    name: Scalar<'a>,
    type_id: Scalar<'a>,
    updated_at: Scalar<'a>,
    created_at: Scalar<'a>,
    extension_attributes: Option<Extension<'a>>,
    /// In events.
    stock_data: Option<Stock<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extension<'a> {
    #[serde(borrow)]
    stock_item: Option<Stock<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stock<'a> {
    #[serde(borrow)]
    qty: Scalar<'a>,
    manage_stock: Scalar<'a>,
}

/// Their parts are sold instead of these.
const FRAMES: [&str; 2] = ["configurable", "grouped"];

pub fn product(text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    let mut reader = Reader::default();
    let own = if told.id.literal().is_some() { told.id } else { told.entity_id };
    let external_id = required_id("id", own)?;
    let stock = told.extension_attributes.and_then(|more| more.stock_item).or(told.stock_data);
    let stock = match stock.filter(|stock| stock.manage_stock.is_true()) {
        Some(stock) => reader.optional("qty", stock.qty.decimal()),
        None => None,
    };
    let updated_at = reader.optional("updated_at", told.updated_at.instant());
    let created_at = reader.optional("created_at", told.created_at.instant());
    reader.finish()?;
    let sku = told.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty());
    let frame = told.type_id.text().is_some_and(|kind| FRAMES.contains(&kind.as_str()));
    let variant = Variant { external_id: None, sku, title: String::new(), stock, inventory_id: None };
    Ok(Report::Product(Box::new(Product {
        external_id,
        title: told.name.text().unwrap_or_default(),
        variants: if frame { vec![] } else { vec![variant] },
        updated_at: updated_at.or(created_at),
        partial: false,
    })))
}
