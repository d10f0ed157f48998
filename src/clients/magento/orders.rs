//! Whole orders: each with its invoices and credit memos, as the platform wrote them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::call::Door;
use super::keyset::Table;
use super::search::{self, Criteria, Row, unreadable};
use crate::clients::{ApiError, Page, PulledOrder, Window};

pub fn page(door: &Door, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
    let read_at = door.now();
    let table = Table { path: "orders", by: window.by, id: "entity_id", only: "" };
    let page = table.page(door, window.from, Some(window.to), cursor)?;
    let mut items = Vec::with_capacity(page.rows.len());
    for order in with_documents(door, page.rows)? {
        let order = match order.is_torn() {
            true => again(door, order)?,
            false => (read_at, order),
        };
        items.push(pulled(order)?);
    }
    Ok(Page { items, next: page.next, remaining: Some(page.remaining), wait: None })
}

pub fn one(door: &Door, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
    let id: u64 = external_id.parse().map_err(|_| {
        ApiError::Refused(format!("{external_id:?} is not the entity_id of an order, which is a number"))
    })?;
    let read_at = door.now();
    let Some(order) = read(door, id)? else { return Ok(None) };
    let order = match order.is_torn() {
        true => again(door, order)?,
        false => (read_at, order),
    };
    pulled(order).map(Some)
}

/// An order and the documents made from it.
struct Whole {
    order: Row,
    invoices: Vec<Row>,
    memos: Vec<Row>,
}

fn read(door: &Door, id: u64) -> Result<Option<Whole>, ApiError> {
    let order = door.get(&format!("orders/{id}"), &[], |body| {
        let raw: &RawValue = serde_json::from_slice(body).map_err(unreadable)?;
        Row::read(raw)
    });
    match order {
        Ok(order) => Ok(with_documents(door, vec![order])?.pop()),
        Err(ApiError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One call for all their invoices, one for all their credit memos.
fn with_documents(door: &Door, orders: Vec<Row>) -> Result<Vec<Whole>, ApiError> {
    if orders.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<String> = orders.iter().map(|order| order.id.to_string()).collect();
    let of_these = Criteria::default().of("order_id", "in", &ids.join(","));
    let mut invoices = by_order(search::all(door, "invoices", &of_these)?);
    let mut memos = by_order(search::all(door, "creditmemos", &of_these)?);
    let whole = |order: Row| {
        let (invoices, memos) = (invoices.remove(&order.id), memos.remove(&order.id));
        Whole { order, invoices: invoices.unwrap_or_default(), memos: memos.unwrap_or_default() }
    };
    Ok(orders.into_iter().map(whole).collect())
}

fn by_order(rows: Vec<Row>) -> BTreeMap<u64, Vec<Row>> {
    let mut by_order: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_order.entry(row.order_id.unwrap_or_default()).or_default().push(row);
    }
    by_order
}

/// An order and its documents are several calls, and something happened between them. Once more; if they still
/// do not agree, that is how the store is, and for the parser to say.
fn again(door: &Door, torn: Whole) -> Result<(DateTime<Utc>, Whole), ApiError> {
    let read_at = door.now();
    Ok((read_at, read(door, torn.order.id)?.unwrap_or(torn)))
}

/// States of the platform's documents.
const MEMO_REFUNDED: &str = "2";
const INVOICE_CANCELED: &str = "3";

impl Whole {
    /// The documents add up to other sums than the order's own.
    fn is_torn(&self) -> bool {
        #[derive(Deserialize)]
        struct Sums<'a> {
            #[serde(borrow)]
            base_total_invoiced: Option<&'a RawValue>,
            #[serde(borrow)]
            base_total_refunded: Option<&'a RawValue>,
        }
        let Ok(told) = serde_json::from_str::<Sums<'_>>(self.order.raw.get()) else { return false };
        let differs = |told: Option<&RawValue>, of: Option<Decimal>| {
            let told = told.map_or(Some(Decimal::ZERO), amount);
            // The order's sums are rounded with every document.
            told.zip(of).is_some_and(|(told, of)| (told - of).abs() >= Decimal::new(5, 2))
        };
        differs(told.base_total_invoiced, total(&self.invoices, |state| state != INVOICE_CANCELED))
            || differs(told.base_total_refunded, total(&self.memos, |state| state == MEMO_REFUNDED))
    }
}

/// `None` where a document does not tell its total.
fn total(documents: &[Row], counts: impl Fn(&str) -> bool) -> Option<Decimal> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        state: Option<&'a RawValue>,
        #[serde(borrow)]
        base_grand_total: Option<&'a RawValue>,
    }
    let mut total = Decimal::ZERO;
    for document in documents {
        let told: Document<'_> = serde_json::from_str(document.raw.get()).ok()?;
        if counts(told.state.map_or("", search::plain)) {
            total += told.base_grand_total.and_then(amount)?;
        }
    }
    Some(total)
}

fn amount(raw: &RawValue) -> Option<Decimal> {
    match search::plain(raw) {
        "null" | "" => Some(Decimal::ZERO),
        text => Decimal::from_str_exact(text).ok(),
    }
}

fn pulled((read_at, whole): (DateTime<Utc>, Whole)) -> Result<PulledOrder, ApiError> {
    #[derive(Serialize)]
    struct Body<'a> {
        order: &'a RawValue,
        invoices: Vec<&'a RawValue>,
        creditmemos: Vec<&'a RawValue>,
    }
    fn raws(rows: &[Row]) -> Vec<&RawValue> {
        rows.iter().map(|row| &*row.raw).collect()
    }
    let Whole { order, invoices, memos } = whole;
    let body = Body { order: &order.raw, invoices: raws(&invoices), creditmemos: raws(&memos) };
    let body = serde_json::to_vec(&body).map_err(unreadable)?;
    let time = |time: Option<DateTime<Utc>>, field: &str| {
        time.ok_or_else(|| ApiError::Unreadable(format!("order {} has no {field}", order.id)))
    };
    Ok(PulledOrder {
        external_id: order.id.to_string(),
        ordered_at: time(order.created_at, "created_at")?,
        changed_at: time(order.updated_at, "updated_at")?,
        read_at,
        body,
    })
}
