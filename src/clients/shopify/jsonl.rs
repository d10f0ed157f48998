//! The file of a bulk operation: one object a line, children after their order, each naming its parent.
//!
//! Orders are put together as a page of the API would show them, from the unread texts of their parts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::parts::raw;
use crate::clients::ApiError;

type Fields = BTreeMap<String, Box<RawValue>>;

/// What stands in the beginning of a file.
#[derive(Debug, Default)]
pub struct Read {
    pub orders: Vec<BulkOrder>,
    /// How much of the file they took.
    pub bytes: usize,
    pub lines: u64,
}

#[derive(Debug)]
pub struct BulkOrder {
    pub node: Box<RawValue>,
    /// Its refunds are named here, what they took back is not.
    pub has_refunds: bool,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "__typename")]
    kind: String,
    #[serde(rename = "__parentId")]
    parent: Option<String>,
}

/// Up to `most` orders that are whole. The last one is whole when another follows it or the file ends.
pub fn read(bytes: &[u8], at_end: bool, most: usize) -> Result<Read, ApiError> {
    let mut done = Read::default();
    let mut open: Option<Growing> = None;
    let mut at = 0;
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        if !piece.ends_with(b"\n") && !at_end {
            return Ok(done);
        }
        let text = std::str::from_utf8(piece).map_err(|_| unreadable("is not UTF-8"))?.trim();
        if text.is_empty() {
            at += piece.len();
            continue;
        }
        let line: Line = serde_json::from_str(text).map_err(unreadable)?;
        if line.parent.is_none() {
            close(&mut done, open.take(), at)?;
            if done.orders.len() == most {
                return Ok(done);
            }
        }
        at += piece.len();
        match (&mut open, line.parent) {
            (open, None) => *open = Some(Growing::new(text, line.id)?),
            (Some(order), Some(parent)) => order.add(text, &line.kind, line.id, parent)?,
            (None, Some(parent)) => return Err(stray(&parent)),
        }
    }
    if at_end {
        close(&mut done, open, at)?;
    }
    Ok(done)
}

fn close(done: &mut Read, order: Option<Growing>, at: usize) -> Result<(), ApiError> {
    if let Some(order) = order {
        done.lines += order.lines;
        done.orders.push(order.finish()?);
    }
    done.bytes = at;
    Ok(())
}

fn unreadable(why: impl std::fmt::Display) -> ApiError {
    ApiError::Unreadable(format!("a line of the file of a bulk operation: {why}"))
}

fn stray(parent: &str) -> ApiError {
    ApiError::Incomplete(format!("the file of a bulk operation tells parts of {parent} apart from it"))
}

/// An order whose parts are being read.
struct Growing {
    id: String,
    fields: Fields,
    line_items: Vec<Box<RawValue>>,
    shipping_lines: Vec<Box<RawValue>>,
    agreements: Vec<(String, Fields, Vec<Box<RawValue>>)>,
    lines: u64,
}

impl Growing {
    fn new(text: &str, id: Option<String>) -> Result<Self, ApiError> {
        let id = id.ok_or_else(|| unreadable("an order has no id"))?;
        let fields = serde_json::from_str(text).map_err(unreadable)?;
        Ok(Self { id, fields, line_items: vec![], shipping_lines: vec![], agreements: vec![], lines: 1 })
    }

    fn add(&mut self, text: &str, kind: &str, id: Option<String>, parent: String) -> Result<(), ApiError> {
        self.lines += 1;
        let unread = || serde_json::from_str::<Box<RawValue>>(text).map_err(unreadable);
        if kind.ends_with("Sale") {
            let owner = self.agreements.iter_mut().find(|(id, ..)| *id == parent);
            owner.ok_or_else(|| stray(&parent))?.2.push(unread()?);
            return Ok(());
        }
        if parent != self.id {
            return Err(stray(&parent));
        }
        match kind {
            "LineItem" => self.line_items.push(unread()?),
            "ShippingLine" => self.shipping_lines.push(unread()?),
            _ if kind.ends_with("Agreement") => {
                let id = id.ok_or_else(|| unreadable("an agreement has no id"))?;
                let fields = serde_json::from_str(text).map_err(unreadable)?;
                self.agreements.push((id, fields, vec![]));
            }
            other => return Err(unreadable(format_args!("{other} is not part of an order"))),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<BulkOrder, ApiError> {
        let mut agreements = vec![];
        for (_, mut agreement, sales) in self.agreements {
            agreement.insert("sales".to_owned(), list(&sales)?);
            agreements.push(agreement);
        }
        let refunds = self.fields.get("refunds").map(|refunds| refunds.get().trim());
        let has_refunds = refunds.is_some_and(|refunds| !matches!(refunds, "[]" | "null"));
        self.fields.insert("lineItems".to_owned(), list(&self.line_items)?);
        self.fields.insert("shippingLines".to_owned(), list(&self.shipping_lines)?);
        self.fields.insert("agreements".to_owned(), list(&agreements)?);
        Ok(BulkOrder { node: raw(&self.fields)?, has_refunds })
    }
}

fn list<T: serde::Serialize>(nodes: &[T]) -> Result<Box<RawValue>, ApiError> {
    let whole = raw(&json!({ "hasNextPage": false }))?;
    let list: Fields = [("nodes".to_owned(), raw(&nodes)?), ("pageInfo".to_owned(), whole)].into();
    raw(&list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"{"__typename":"Order","id":"gid://shopify/Order/1","name":"#1","refunds":[]}
{"__typename":"LineItem","id":"gid://shopify/LineItem/11","amount":"10.0","__parentId":"gid://shopify/Order/1"}
{"__typename":"OrderAgreement","id":"gid://shopify/OrderAgreement/21","__parentId":"gid://shopify/Order/1"}
{"__typename":"ProductSale","id":"gid://shopify/ProductSale/31","__parentId":"gid://shopify/OrderAgreement/21"}
{"__typename":"Order","id":"gid://shopify/Order/2","refunds":[{"id":"gid://shopify/Refund/9"}]}
{"__typename":"ShippingLine","id":"gid://shopify/ShippingLine/12","__parentId":"gid://shopify/Order/2"}
"##;

    #[test]
    fn orders_are_put_together_with_their_parts() {
        let read = read(FILE.as_bytes(), true, 250).unwrap();
        assert_eq!((read.orders.len(), read.lines, read.bytes), (2, 6, FILE.len()));
        let order: serde_json::Value = serde_json::from_str(read.orders[0].node.get()).unwrap();
        assert_eq!(order["lineItems"]["nodes"][0]["amount"], "10.0");
        assert_eq!(
            order["agreements"]["nodes"][0]["sales"]["nodes"][0]["id"],
            "gid://shopify/ProductSale/31"
        );
        assert_eq!(order["shippingLines"]["pageInfo"]["hasNextPage"], false);
        assert_eq!([read.orders[0].has_refunds, read.orders[1].has_refunds], [false, true]);
    }

    #[test]
    fn any_cut_gives_whole_orders_and_the_place_behind_them() {
        let second = FILE.find("{\"__typename\":\"Order\",\"id\":\"gid://shopify/Order/2\"").unwrap();
        for cut in 0..FILE.len() {
            let begun = read(&FILE.as_bytes()[..cut], false, 250).unwrap();
            assert!(begun.bytes == 0 && begun.orders.is_empty() || begun.bytes == second, "{cut}");
            let rest = read(&FILE.as_bytes()[begun.bytes..], true, 250).unwrap();
            assert_eq!((begun.orders.len() + rest.orders.len(), begun.lines + rest.lines), (2, 6), "{cut}");
        }
        let first = read(FILE.as_bytes(), true, 1).unwrap();
        assert_eq!((first.orders.len(), first.lines, first.bytes), (1, 4, second));
    }

    #[test]
    fn parts_without_their_order_are_an_error() {
        let stray = FILE.replacen("Order/1\"}\n{", "Order/7\"}\n{", 1);
        assert!(matches!(read(stray.as_bytes(), true, 250), Err(ApiError::Incomplete(_))));
        let first = FILE.split_once('\n').unwrap().1;
        assert!(matches!(read(first.as_bytes(), true, 250), Err(ApiError::Incomplete(_))));
        let cut = &FILE[..FILE.len() - 20];
        assert!(matches!(read(cut.as_bytes(), true, 250), Err(ApiError::Unreadable(_))));
    }
}
