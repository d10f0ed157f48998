//! WooCommerce's products, variations and customers, as the API lists them and as product.* and customer.* webhooks
//! send them.
//!
//! A product that varies tells only the ids of its variations: they are read apart, and a webhook about one of them
//! comes as a product of its own that names its parent.

use rust_decimal::Decimal;

use super::model;
use crate::core::customer::Customer;
use crate::core::product::{Product, Variant};
use crate::stores::body::{self, ParseError, Scalar};
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_id};

/// `partial` when its variants are told elsewhere: by the parent of this variation, or by the variations of this product.
pub fn product(text: &str) -> Result<Product, ParseError> {
    let told: model::Product<'_> = body::read(text)?;
    let id = required_id("id", told.id)?;
    let mut reader = Reader::default();
    let updated_at = reader.optional("date_modified_gmt", told.date_modified_gmt.instant());
    let title = told.name.text().unwrap_or_default();
    let parent = reader.id("parent_id", told.parent_id).filter(|parent| parent != "0");
    let kind = told.kind.text().unwrap_or_default();
    let varies = kind.starts_with("variable") || told.variations.iter().flatten().next().is_some();
    let (external_id, variants) = match parent.filter(|_| kind.ends_with("variation")) {
        Some(parent) => (parent, vec![one(&mut reader, Some(id), &told, None)]),
        None if varies => (id, vec![]),
        None => (id, vec![one(&mut reader, None, &told, None)]),
    };
    reader.finish()?;
    let partial = varies || kind.ends_with("variation");
    Ok(Product { external_id, title, variants, updated_at, partial })
}

/// One of `GET products/{id}/variations`; `parent` is that product's own text, whose stock the variation may share.
pub fn variant(text: &str, parent: &str) -> Result<Variant, ParseError> {
    let told: model::Product<'_> = body::read(text)?;
    let mut reader = Reader::default();
    let shared = stock(&mut reader, &body::read(parent)?, None);
    let variant = one(&mut reader, Some(required_id("id", told.id)?), &told, shared);
    reader.finish()?;
    Ok(variant)
}

fn one(
    reader: &mut Reader,
    external_id: Option<String>,
    told: &model::Product<'_>,
    shared: Option<Decimal>,
) -> Variant {
    let options = told.attributes.iter().flatten().filter_map(|attribute| attribute.option.text());
    let options: Vec<String> = options.filter(|_| external_id.is_some()).collect();
    let title = match options.is_empty() {
        true => external_id.as_ref().and_then(|_| told.name.text()).unwrap_or_default(),
        false => options.join(" / "),
    };
    Variant {
        external_id,
        sku: told.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
        title,
        stock: stock(reader, told, shared),
        inventory_id: None,
    }
}

fn stock(reader: &mut Reader, told: &model::Product<'_>, shared: Option<Decimal>) -> Option<Decimal> {
    match told.manage_stock.text().as_deref() {
        Some("parent") => shared,
        _ if told.manage_stock.is_true() => reader.optional("stock_quantity", told.stock_quantity.decimal()),
        _ => None,
    }
}

pub fn customer(text: &str) -> Result<Customer, ParseError> {
    let told: model::Customer<'_> = body::read(text)?;
    let mut reader = Reader::default();
    let mut places = Places::default();
    for meta in told.meta_data.iter().flatten() {
        let key = meta.key.text().filter(|key| !is_address(key));
        places.named("customer_meta", key, meta.value.text());
    }
    let mut time = |field: &str, value: Scalar<'_>| reader.optional(field, value.instant());
    let (created_at, updated_at) =
        (time("date_created_gmt", told.date_created_gmt), time("date_modified_gmt", told.date_modified_gmt));
    reader.finish()?;
    Ok(Customer {
        external_id: required_id("id", told.id)?,
        created_at,
        updated_at,
        places: places.into_inner(),
    })
}

fn is_address(key: &str) -> bool {
    ["billing", "shipping"].iter().any(|prefix| key.trim_start_matches('_').starts_with(prefix))
}
