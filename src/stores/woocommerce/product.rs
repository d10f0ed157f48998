//! Products and variations. A variation comes as `product.updated` with its own id and its parent's; a product
//! with variations names only their ids, so both are told in part.

use serde::Deserialize;

use crate::core::order::Report;
use crate::core::product::{Product, Variant};
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::ignored;
use crate::stores::reader::{Reader, required_id};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    /// Only in the body that tells why the product could not be shown.
    code: Scalar<'a>,
    parent_id: Scalar<'a>,
    name: Scalar<'a>,
    r#type: Scalar<'a>,
    sku: Scalar<'a>,
    manage_stock: Scalar<'a>,
    stock_quantity: Scalar<'a>,
    date_modified_gmt: Scalar<'a>,
    date_created_gmt: Scalar<'a>,
    attributes: Option<Vec<Attribute<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attribute<'a> {
    #[serde(borrow)]
    option: Scalar<'a>,
}

pub fn parse(event: &str, text: &str) -> Result<Vec<Report>, ParseError> {
    let told: Told<'_> = read(text)?;
    if let (Some(code), None) = (told.code.text(), told.id.literal()) {
        return Ok(ignored(format!("the shop could not show the product: {code}")));
    }
    let id = required_id("id", told.id)?;
    if event == "deleted" {
        return Ok(vec![Report::ProductGone { product: id, at: None }]);
    }
    let mut reader = Reader::default();
    let parent = reader.id("parent_id", told.parent_id).filter(|id| id != "0");
    let modified = reader.optional("date_modified_gmt", told.date_modified_gmt.instant());
    let created = reader.optional("date_created_gmt", told.date_created_gmt.instant());
    let counted = told.manage_stock.is_true();
    let stock = reader.optional("stock_quantity", told.stock_quantity.decimal()).filter(|_| counted);
    reader.finish()?;
    let name = told.name.text().unwrap_or_default();
    let options = told.attributes.iter().flatten().filter_map(|attribute| attribute.option.text());
    let options = options.collect::<Vec<_>>().join(" / ");
    let variant = |external_id: Option<String>, title: String| Variant {
        external_id,
        sku: told.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
        title,
        stock,
        inventory_id: None,
    };
    let updated_at = modified.or(created);
    let product = match parent {
        Some(parent) => Product {
            external_id: parent,
            title: String::new(),
            variants: vec![variant(Some(id), if options.is_empty() { name } else { options })],
            updated_at,
            partial: true,
        },
        None if told.r#type.text().is_some_and(|kind| kind.starts_with("variable")) => {
            Product { external_id: id, title: name, variants: vec![], updated_at, partial: true }
        }
        None => Product {
            external_id: id,
            title: name,
            variants: vec![variant(None, String::new())],
            updated_at,
            partial: false,
        },
    };
    Ok(vec![Report::Product(Box::new(product))])
}
