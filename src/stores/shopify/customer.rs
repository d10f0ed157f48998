//! Customers, as far as commissions need to know: an id, times, and where the record names a distributor.

use serde::Deserialize;

use super::{order, short_id};
use crate::core::customer::Customer;
use crate::core::order::Report;
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    created_at: Scalar<'a>,
    updated_at: Scalar<'a>,
    tags: Scalar<'a>,
    /// Only where the subscription asks for them.
    metafields: Option<Vec<Metafield<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metafield<'a> {
    #[serde(borrow)]
    namespace: Scalar<'a>,
    key: Scalar<'a>,
    value: Scalar<'a>,
}

pub fn customer(text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    let mut reader = Reader::default();
    let created_at = reader.optional("created_at", told.created_at.instant());
    let updated_at = reader.optional("updated_at", told.updated_at.instant());
    reader.finish()?;
    let mut places = Places::default();
    order::tags(&mut places, "customer_tag", told.tags);
    for field in told.metafields.iter().flatten() {
        let Some((space, key)) = field.namespace.text().zip(field.key.text()) else { continue };
        if space == "custom" {
            places.named("customer_meta", Some(key.clone()), field.value.text());
        }
        places.named("customer_meta", Some(format!("{space}.{key}")), field.value.text());
    }
    let external_id = short_id(required_id("id", told.id)?);
    Ok(Report::Customer(Customer { external_id, created_at, updated_at, places: places.into_inner() }))
}

pub fn gone(meta: &DeliveryMeta, text: &str) -> Result<Report, ParseError> {
    let told: Told<'_> = read(text)?;
    Ok(Report::CustomerGone { customer: short_id(required_id("id", told.id)?), at: meta.triggered_at })
}
