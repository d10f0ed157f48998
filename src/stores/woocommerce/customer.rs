//! Customers, as far as commissions need to know: an id, times, and where the record names a distributor.

use serde::Deserialize;

use super::model::Meta;
use super::order::is_address;
use crate::core::customer::Customer;
use crate::core::order::Report;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::ignored;
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    code: Scalar<'a>,
    date_created_gmt: Scalar<'a>,
    date_modified_gmt: Scalar<'a>,
    meta_data: Option<Vec<Meta<'a>>>,
}

pub fn parse(event: &str, text: &str) -> Result<Vec<Report>, ParseError> {
    let told: Told<'_> = read(text)?;
    if let (Some(code), None) = (told.code.text(), told.id.literal()) {
        return Ok(ignored(format!("the shop could not show the customer: {code}")));
    }
    let external_id = required_id("id", told.id)?;
    if event == "deleted" {
        return Ok(vec![Report::CustomerGone { customer: external_id, at: None }]);
    }
    let mut reader = Reader::default();
    let created_at = reader.optional("date_created_gmt", told.date_created_gmt.instant());
    let updated_at = reader.optional("date_modified_gmt", told.date_modified_gmt.instant()).or(created_at);
    reader.finish()?;
    let mut places = Places::default();
    for meta in told.meta_data.iter().flatten() {
        let key = meta.key.text().filter(|key| !is_address(key));
        places.named("customer_meta", key, meta.value.text());
    }
    Ok(vec![Report::Customer(Customer { external_id, created_at, updated_at, places: places.into_inner() })])
}
