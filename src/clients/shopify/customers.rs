//! Customers: who a customer is to us, from its tags and metafields. Names and addresses are not asked for.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::Shopify;
use super::catalogue::{Rows, changed_since};
use super::graphql::Operation;
use super::paging::{Place, short_id};
use super::queries::{CUSTOMER_PARTS, CUSTOMERS};
use crate::clients::{ApiError, Page};
use crate::core::customer::Customer;
use crate::core::order::PlaceValue;

/// No distributor code is longer.
const LONGEST: usize = 200;

#[derive(Deserialize)]
struct Customers {
    customers: Rows<CustomerNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomerNode {
    id: String,
    created_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    tags: Vec<String>,
    metafields: Rows<Metafield>,
}

#[derive(Deserialize)]
struct Metafield {
    namespace: String,
    key: String,
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

impl Shopify {
    pub(super) fn customers_page(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
    ) -> Result<Page<Customer>, ApiError> {
        let place = Place::start(since, cursor)?;
        let (page, _) = self.sized(
            |first| Operation {
                name: "Customers",
                query: &CUSTOMERS,
                variables: json!({ "query": changed_since(&place), "first": first, "after": place.after }),
            },
            |answer: Customers| Ok(answer.customers),
        )?;
        let last = page.nodes.last().map(|node| node.updated_at);
        let next = place.next(page.nodes.len(), &page.page_info, last)?;
        let items = page.nodes.into_iter().map(|node| self.customer(node)).collect::<Result<_, _>>()?;
        Ok(Page { items, next, remaining: None, wait: None })
    }

    fn customer(&self, node: CustomerNode) -> Result<Customer, ApiError> {
        #[derive(Deserialize)]
        struct Parts {
            metafields: Rows<Metafield>,
        }
        let parts = |parts: Parts| parts.metafields;
        let metafields =
            self.all_rows(("CustomerParts", &CUSTOMER_PARTS), &node.id, node.metafields, parts)?;
        let mut places = vec![];
        for tag in &node.tags {
            add(&mut places, "customer_tag".to_owned(), tag);
        }
        for field in metafields.iter().filter(|field| is_code(&field.kind)) {
            add(&mut places, format!("customer_meta:{}.{}", field.namespace, field.key), &field.value);
            if field.namespace == "custom" {
                add(&mut places, format!("customer_meta:{}", field.key), &field.value);
            }
        }
        Ok(Customer {
            external_id: short_id(&node.id),
            created_at: node.created_at,
            updated_at: Some(node.updated_at),
            places,
        })
    }
}

/// A distributor's code is a short text or a number; dates, files and references to records are none.
fn is_code(kind: &str) -> bool {
    matches!(kind, "single_line_text_field" | "number_integer" | "id")
}

fn add(places: &mut Vec<PlaceValue>, place: String, value: &str) {
    let value = value.trim();
    if !value.is_empty() && value.chars().count() <= LONGEST {
        places.push(PlaceValue { place, value: value.to_owned() });
    }
}
