//! Webhooks about products. A variation comes as `product.updated` with its own id and its parent's; a product with
//! variations names only their ids, so both are told in part.

use super::{Shape, catalogue};
use crate::core::order::Report;
use crate::core::product::Product;
use crate::stores::body::{ParseError, read};
use crate::stores::ignored;
use crate::stores::reader::required_id;

pub fn parse(event: &str, text: &str) -> Result<Vec<Report>, ParseError> {
    let shape: Shape<'_> = read(text)?;
    if let Some(code) = shape.refused() {
        return Ok(ignored(format!("the shop could not show the product: {code}")));
    }
    if event == "deleted" {
        return Ok(vec![Report::ProductGone { product: required_id("id", shape.id)?, at: None }]);
    }
    let told = catalogue::product(text)?;
    // The name of a variation is not its product's.
    let of_one = told.partial && !told.variants.is_empty();
    let title = if of_one { String::new() } else { told.title };
    Ok(vec![Report::Product(Box::new(Product { title, ..told }))])
}
