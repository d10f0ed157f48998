//! The lists inside an order, read to their end.
//!
//! A page of orders brings the beginning of every list. Nearly always that is all of it, and the order's body
//! is the answer's own text; else the rest is asked for, list by list, and the body is put together anew from the
//! unread texts of its parts. An order that changed between two of these calls is of no instant: read again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::Shopify;
use super::graphql::Operation;
use super::paging::{List, PageInfo};
use super::queries::ORDER_PARTS;
use crate::clients::ApiError;

type Fields = BTreeMap<String, Box<RawValue>>;

/// What tells which lists go on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    id: String,
    updated_at: DateTime<Utc>,
    line_items: More,
    shipping_lines: More,
    refunds: Vec<RefundOutline>,
    agreements: Agreements,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundOutline {
    refund_line_items: More,
    refund_shipping_lines: More,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct More {
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agreements {
    edges: Vec<Edge>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Edge {
    cursor: String,
    node: Box<RawValue>,
}

#[derive(Deserialize)]
struct Sales {
    sales: List,
}

impl Outline {
    fn is_whole(&self) -> Result<bool, ApiError> {
        let goes_on = |list: &More| list.page_info.has_next_page;
        let refund = |refund: &RefundOutline| {
            goes_on(&refund.refund_line_items) || goes_on(&refund.refund_shipping_lines)
        };
        let mut sales = false;
        for edge in &self.agreements.edges {
            sales |= read::<Sales>(&edge.node)?.sales.page_info.has_next_page;
        }
        Ok(!(goes_on(&self.line_items)
            || goes_on(&self.shipping_lines)
            || self.agreements.page_info.has_next_page
            || self.refunds.iter().any(refund)
            || sales))
    }
}

/// One list whose rest is asked for.
struct Rest<'a> {
    /// Of the order or the refund that has the list.
    owner: &'a str,
    list: &'static str,
    /// When the order changed last, as far as its first part knew.
    updated_at: DateTime<Utc>,
}

impl Shopify {
    pub(super) fn whole(&self, node: Box<RawValue>) -> Result<Vec<u8>, ApiError> {
        let outline: Outline = read(&node)?;
        if outline.is_whole()? {
            return Ok(node.get().as_bytes().to_vec());
        }
        let mut order: Fields = read(&node)?;
        let (owner, updated_at) = (outline.id.as_str(), outline.updated_at);
        for list in ["lineItems", "shippingLines"] {
            self.complete(&mut order, &Rest { owner, list, updated_at })?;
        }
        let mut refunds: Vec<Fields> = read(field(&order, "refunds")?)?;
        for refund in &mut refunds {
            let owner: String = read(field(refund, "id")?)?;
            for list in ["refundLineItems", "refundShippingLines"] {
                self.complete(refund, &Rest { owner: &owner, list, updated_at })?;
            }
        }
        order.insert("refunds".to_owned(), raw(&refunds)?);
        let agreements = self.all_agreements(owner, updated_at, outline.agreements)?;
        order.insert("agreements".to_owned(), agreements);
        serde_json::to_vec(&order).map_err(|error| ApiError::Unreadable(error.to_string()))
    }

    fn complete(&self, of: &mut Fields, rest: &Rest<'_>) -> Result<(), ApiError> {
        let mut list: List = read(field(of, rest.list)?)?;
        while list.page_info.has_next_page {
            let more: List = self.rest(rest, 100, list.page_info.end_cursor.as_deref(), None)?;
            list.page_info = moved(rest, &list.page_info, more.page_info, more.nodes.len())?;
            list.nodes.extend(more.nodes);
        }
        of.insert(rest.list.to_owned(), ended("nodes", &list.nodes)?);
        Ok(())
    }

    fn all_agreements(
        &self,
        order: &str,
        updated_at: DateTime<Utc>,
        mut all: Agreements,
    ) -> Result<Box<RawValue>, ApiError> {
        let rest = Rest { owner: order, list: "agreements", updated_at };
        while all.page_info.has_next_page {
            let more: Agreements = self.rest(&rest, 20, all.page_info.end_cursor.as_deref(), None)?;
            all.page_info = moved(&rest, &all.page_info, more.page_info, more.edges.len())?;
            all.edges.extend(more.edges);
        }
        let mut edges: Vec<Fields> = vec![];
        let mut before: Option<String> = None;
        for edge in all.edges {
            let node = self.all_sales(&rest, before.as_deref(), edge.node)?;
            edges.push([("node".to_owned(), node)].into());
            before = Some(edge.cursor);
        }
        ended("edges", &edges)
    }

    /// An agreement with all its sales: it is the first one after the cursor of the one before it.
    fn all_sales(
        &self,
        rest: &Rest<'_>,
        before: Option<&str>,
        agreement: Box<RawValue>,
    ) -> Result<Box<RawValue>, ApiError> {
        let mut sales = read::<Sales>(&agreement)?.sales;
        if !sales.page_info.has_next_page {
            return Ok(agreement);
        }
        let mut agreement: Fields = read(&agreement)?;
        let id = field(&agreement, "id")?.get().to_owned();
        while sales.page_info.has_next_page {
            let found: Agreements = self.rest(rest, 1, before, sales.page_info.end_cursor.as_deref())?;
            let Some(Edge { node, .. }) = found.edges.into_iter().next() else { return Err(changed(rest)) };
            if field(&read::<Fields>(&node)?, "id")?.get() != id {
                return Err(changed(rest));
            }
            let more = read::<Sales>(&node)?.sales;
            sales.page_info = moved(rest, &sales.page_info, more.page_info, more.nodes.len())?;
            sales.nodes.extend(more.nodes);
        }
        agreement.insert("sales".to_owned(), ended("nodes", &sales.nodes)?);
        raw(&agreement)
    }

    fn rest<T: serde::de::DeserializeOwned>(
        &self,
        rest: &Rest<'_>,
        first: u32,
        after: Option<&str>,
        sales_after: Option<&str>,
    ) -> Result<T, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            node: Option<Fields>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Updated {
            updated_at: DateTime<Utc>,
        }
        let mut variables =
            json!({ "id": rest.owner, "first": first, "after": after, "salesAfter": sales_after });
        if let Some(variables) = variables.as_object_mut() {
            variables.insert(rest.list.to_owned(), json!(true));
        }
        let operation = Operation { name: "OrderParts", query: &ORDER_PARTS, variables };
        let (node, _) = self.admin.ask(&operation, |answer: Answer| Ok(answer.node))?;
        let node = node.ok_or_else(|| changed(rest))?;
        let updated_at: DateTime<Utc> = match node.get("order") {
            Some(order) => read::<Updated>(order)?.updated_at,
            None => read(field(&node, "updatedAt")?)?,
        };
        if updated_at != rest.updated_at {
            return Err(changed(rest));
        }
        read(field(&node, rest.list)?)
    }
}

fn changed(rest: &Rest<'_>) -> ApiError {
    ApiError::Incomplete(format!("{} of {} changed while it was read", rest.list, rest.owner))
}

/// The next page of a list, which must be another one.
fn moved(rest: &Rest<'_>, before: &PageInfo, after: PageInfo, rows: usize) -> Result<PageInfo, ApiError> {
    let stuck = after.has_next_page && (rows == 0 || after.end_cursor == before.end_cursor);
    if stuck {
        return Err(ApiError::Incomplete(format!("{} of {} does not end", rest.list, rest.owner)));
    }
    Ok(after)
}

/// A list that says that it is whole.
fn ended<T: serde::Serialize>(name: &str, items: &[T]) -> Result<Box<RawValue>, ApiError> {
    let list: Fields =
        [(name.to_owned(), raw(&items)?), ("pageInfo".to_owned(), raw(&json!({ "hasNextPage": false }))?)]
            .into();
    raw(&list)
}

pub fn read<'a, T: Deserialize<'a>>(text: &'a RawValue) -> Result<T, ApiError> {
    serde_json::from_str(text.get()).map_err(|error| ApiError::Unreadable(error.to_string()))
}

pub fn raw<T: serde::Serialize>(value: &T) -> Result<Box<RawValue>, ApiError> {
    to_raw_value(value).map_err(|error| ApiError::Unreadable(error.to_string()))
}

fn field<'a>(fields: &'a Fields, name: &str) -> Result<&'a RawValue, ApiError> {
    let found = fields.get(name).map(|value| &**value);
    found.ok_or_else(|| ApiError::Unreadable(format!("an order without {name}")))
}
