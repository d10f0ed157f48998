//! Products, their variants and stock levels, as REST webhooks tell them.
//!
//! A product's webhook has its first hundred variants whole and of the others only ids (`variant_gids`): such a
//! product is told in part. Ids are taken from the GraphQL id, which no JSON number can round.

use serde::Deserialize;

use super::short_id;
use crate::core::order::Report;
use crate::core::product::{Product, StockLevel, Variant};
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Scalar<'a>,
    id: Scalar<'a>,
    title: Scalar<'a>,
    updated_at: Scalar<'a>,
    variants: Option<Vec<ToldVariant<'a>>>,
    variant_gids: Option<Vec<Gid<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToldVariant<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Scalar<'a>,
    id: Scalar<'a>,
    sku: Scalar<'a>,
    title: Scalar<'a>,
    inventory_item_id: Scalar<'a>,
    inventory_quantity: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Gid<'a> {
    #[serde(borrow)]
    admin_graphql_api_id: Scalar<'a>,
}

pub fn product(text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    let mut reader = Reader::default();
    let external_id = id(told.admin_graphql_api_id, told.id)?;
    let mut variants = vec![];
    for (i, variant) in told.variants.iter().flatten().enumerate() {
        let stock = reader
            .optional(format_args!("variants[{i}].inventory_quantity"), variant.inventory_quantity.decimal());
        variants.push(Variant {
            external_id: Some(id(variant.admin_graphql_api_id, variant.id)?),
            sku: variant.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
            title: variant.title.text().filter(|title| title != "Default Title").unwrap_or_default(),
            stock,
            inventory_id: reader
                .id(format_args!("variants[{i}].inventory_item_id"), variant.inventory_item_id)
                .map(short_id),
        });
    }
    let known = |gid: &Gid<'_>| {
        let id = gid.admin_graphql_api_id.text().map(short_id);
        variants.iter().any(|variant| variant.external_id == id)
    };
    let partial = told.variants.is_none() || !told.variant_gids.iter().flatten().all(known);
    let updated_at = reader.optional("updated_at", told.updated_at.instant());
    reader.finish()?;
    let title = told.title.text().unwrap_or_default();
    Ok(Report::Product(Box::new(Product { external_id, title, variants, updated_at, partial })))
}

fn id(gid: Scalar<'_>, id: Scalar<'_>) -> Result<String, ParseError> {
    Ok(match gid.text() {
        Some(gid) => short_id(gid),
        None => required_id("id", id)?,
    })
}

/// `products/delete` is nothing but an id.
pub fn gone(meta: &DeliveryMeta, text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    Ok(Report::ProductGone { product: id(told.admin_graphql_api_id, told.id)?, at: meta.triggered_at })
}

/// `inventory_levels/update`: one item at one location.
pub fn stock(meta: &DeliveryMeta, text: &str) -> Result<Report, ParseError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Level<'a> {
        #[serde(borrow)]
        inventory_item_id: Scalar<'a>,
        location_id: Scalar<'a>,
        available: Scalar<'a>,
        updated_at: Scalar<'a>,
    }
    let told: Level<'_> = read(text)?;
    let mut reader = Reader::default();
    let available = reader.optional("available", told.available.decimal());
    let updated_at = reader.optional("updated_at", told.updated_at.instant());
    let location_id = reader.id("location_id", told.location_id).map(short_id).unwrap_or_default();
    reader.finish()?;
    Ok(Report::Stock(StockLevel {
        inventory_id: short_id(required_id("inventory_item_id", told.inventory_item_id)?),
        location_id,
        available,
        updated_at: updated_at.or(meta.triggered_at),
    }))
}
