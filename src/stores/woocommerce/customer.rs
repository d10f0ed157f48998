//! Webhooks about customers: an id, times, and where the record names a distributor.

use super::{Shape, catalogue};
use crate::core::order::Report;
use crate::stores::body::{ParseError, read};
use crate::stores::ignored;
use crate::stores::reader::required_id;

pub fn parse(event: &str, text: &str) -> Result<Vec<Report>, ParseError> {
    let shape: Shape<'_> = read(text)?;
    if let Some(code) = shape.refused() {
        return Ok(ignored(format!("the shop could not show the customer: {code}")));
    }
    if event == "deleted" {
        return Ok(vec![Report::CustomerGone { customer: required_id("id", shape.id)?, at: None }]);
    }
    Ok(vec![Report::Customer(catalogue::customer(text)?)])
}
