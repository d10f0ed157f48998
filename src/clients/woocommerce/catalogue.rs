//! Products with their variations, and customers. Of both only the fields that are used are asked for: no names of
//! customers and no addresses leave the shop.

use chrono::{DateTime, Utc};

use super::api::Api;
use super::feed::{Feed, Raw};
use super::paging::{Place, Span, Step};
use crate::clients::{ApiError, Page, WindowBy};
use crate::core::customer::Customer;
use crate::core::product::Product;
use crate::stores::woocommerce as shop;

const PRODUCT_FIELDS: &str = "id,parent_id,name,type,sku,date_created_gmt,date_modified_gmt,manage_stock,\
    stock_quantity,variations,attributes";
const CUSTOMER_FIELDS: &str = "id,date_created_gmt,date_modified_gmt,meta_data";

pub fn products(
    api: &Api,
    since: Option<DateTime<Utc>>,
    cursor: Option<&str>,
) -> Result<Page<Product>, ApiError> {
    let fixed = [("status", "any"), ("_fields", PRODUCT_FIELDS)];
    let feed = Feed { path: "products", fixed: &fixed, by: WindowBy::Changed, strict: false };
    let span = since.map(|from| Span { from, to: None });
    page(feed.page(api, span, place(span, cursor)?)?, |raw| product(api, raw))
}

/// A customer's record has no time of change to filter by: all are read, in the order of their ids. `since` leaves
/// out those whose time of change is told and older.
pub fn customers(
    api: &Api,
    since: Option<DateTime<Utc>>,
    cursor: Option<&str>,
) -> Result<Page<Customer>, ApiError> {
    let fixed = [("role", "all"), ("_fields", CUSTOMER_FIELDS)];
    let feed = Feed { path: "customers", fixed: &fixed, by: WindowBy::Changed, strict: false };
    let all = page(feed.page(api, None, place(None, cursor)?)?, |raw| {
        shop::customer(raw.text.get()).map_err(unreadable)
    })?;
    let recent = |customer: &Customer| match (since, customer.updated_at.max(customer.created_at)) {
        (Some(since), Some(changed)) => changed >= since,
        _ => true,
    };
    Ok(Page { items: all.items.into_iter().filter(recent).collect(), ..all })
}

fn product(api: &Api, raw: &Raw) -> Result<Product, ApiError> {
    let text = raw.text.get();
    let product = shop::product(text).map_err(unreadable)?;
    if !product.partial {
        return Ok(product);
    }
    let path = format!("products/{}/variations", product.external_id);
    let fixed = [("status", "any"), ("_fields", PRODUCT_FIELDS)];
    let feed = Feed { path: &path, fixed: &fixed, by: WindowBy::Changed, strict: false };
    let variants = feed.all(api)?;
    let variants = variants.iter().map(|raw| shop::variant(raw.text.get(), text).map_err(unreadable));
    Ok(Product { variants: variants.collect::<Result<_, _>>()?, partial: false, ..product })
}

fn unreadable(error: crate::stores::ParseError) -> ApiError {
    ApiError::Unreadable(error.to_string())
}

fn place(span: Option<Span>, cursor: Option<&str>) -> Result<Place, ApiError> {
    match cursor {
        Some(cursor) => serde_json::from_str(cursor)
            .map_err(|_| ApiError::Refused("this is no place in this list; begin it again".into())),
        None => Ok(Place::beginning(span)),
    }
}

fn page<T>(step: Step<Raw>, read: impl Fn(&Raw) -> Result<T, ApiError>) -> Result<Page<T>, ApiError> {
    let items = step.rows.iter().map(|row| read(&row.what)).collect::<Result<_, _>>()?;
    let next = step.next.map(|place| serde_json::to_string(&place)).transpose();
    let next =
        next.map_err(|error| ApiError::Unsupported(format!("a cursor that cannot be written: {error}")))?;
    Ok(Page { items, next, remaining: step.remaining, wait: None })
}
