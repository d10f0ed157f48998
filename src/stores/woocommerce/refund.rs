//! WooCommerce refunds: headers inside an order, and the full list that a pull reads.
//!
//! An order's `refunds[]` tells only how much went back, with tax and shipping inside: all of it is unallocated.
//! [`full`] reads the same refunds, under the same ids, with the goods they took back.

use rust_decimal::Decimal;

use super::model::{self, Order};
use crate::core::order::{Refund, RefundLine};
use crate::stores::body::{self, ParseError};
use crate::stores::reader::Reader;

pub fn headers(reader: &mut Reader, order: &Order<'_>) -> Vec<Refund> {
    let mut refunds = Vec::new();
    for (i, header) in order.refunds.iter().flatten().enumerate() {
        let Some(external_id) = reader.id(format_args!("refunds[{i}].id"), header.id) else {
            reader.problem(format_args!("refunds[{i}].id"), "is missing");
            continue;
        };
        let amount = reader.required_amount(format_args!("refunds[{i}].total"), header.total).abs();
        refunds.push(Refund { external_id, at: None, lines: Vec::new(), unallocated: amount, amount });
    }
    refunds
}

/// A shop that says `refunded` and lists no refund gave everything back outside of its own books. Where it lists
/// refunds, the list is its figure: the status stays behind when one of them is deleted again.
pub fn by_status(status: &str, total: Decimal, told: &[Refund]) -> Option<Refund> {
    (status == "refunded" && told.is_empty() && total > Decimal::ZERO).then(|| Refund {
        external_id: "status:refunded".to_owned(),
        at: None,
        lines: Vec::new(),
        unallocated: total,
        amount: total,
    })
}

/// `GET orders/{id}/refunds`: `amount` positive, lines negative, each line naming the line it takes back.
pub fn full(reader: &mut Reader, text: &str) -> Result<Vec<Refund>, ParseError> {
    let told: Vec<model::Refund<'_>> = body::read(text)?;
    let mut refunds = Vec::new();
    for (i, refund) in told.iter().enumerate() {
        let field = format!("read_refunds[{i}]");
        match reader.id(format_args!("{field}.id"), refund.id) {
            Some(id) => refunds.push(one(reader, &field, id, refund)),
            None => reader.problem(format_args!("{field}.id"), "is missing"),
        }
    }
    Ok(refunds)
}

/// The order and its refunds are two answers of the shop: they have to be about the same refunds and the same money.
pub fn agree(reader: &mut Reader, order: &Order<'_>, told: &[Refund]) {
    let headers = headers(&mut Reader::default(), order);
    for header in &headers {
        let id = &header.external_id;
        match told.iter().find(|refund| refund.external_id == *id) {
            None => {
                reader.problem("refunds", format_args!("lists refund {id}, which is not among those read"))
            }
            Some(refund) if refund.amount != header.amount => reader.problem(
                "refunds",
                format_args!("says {} of refund {id}, which says {} itself", header.amount, refund.amount),
            ),
            Some(_) => {}
        }
    }
    for refund in told.iter().filter(|refund| !headers.iter().any(|h| h.external_id == refund.external_id)) {
        reader
            .problem("refunds", format_args!("does not list refund {}, which was read", refund.external_id));
    }
}

fn one(reader: &mut Reader, path: &str, external_id: String, refund: &model::Refund<'_>) -> Refund {
    let amount = reader.required_amount(format_args!("{path}.amount"), refund.amount).abs();
    let mut explained = Decimal::ZERO;
    let mut lines = Vec::new();
    for (l, line) in refund.line_items.iter().flatten().enumerate() {
        let field = |name: &str| format!("{path}.line_items[{l}].{name}");
        let net = reader.required_amount(field("total"), line.total).abs();
        explained += net + reader.amount(field("total_tax"), line.total_tax).abs();
        let quantity = reader.amount(field("quantity"), line.quantity).abs();
        match refunded_item(line) {
            Some(line) => lines.push(RefundLine { line, quantity, net }),
            None => {
                reader.problem(field("meta_data"), "does not say which line is refunded (_refunded_item_id)")
            }
        }
    }
    for (name, charges) in [("shipping_lines", &refund.shipping_lines), ("fee_lines", &refund.fee_lines)] {
        for (c, charge) in charges.iter().flatten().enumerate() {
            let field = |part: &str| format!("{path}.{name}[{c}].{part}");
            explained -= reader.amount(field("total"), charge.total)
                + reader.amount(field("total_tax"), charge.total_tax);
        }
    }
    let at = reader.optional(format_args!("{path}.date_created_gmt"), refund.date_created_gmt.instant());
    Refund { external_id, at, lines, unallocated: (amount - explained).max(Decimal::ZERO), amount }
}

fn refunded_item(line: &model::Line<'_>) -> Option<String> {
    let metas = line.meta_data.iter().flatten();
    metas
        .filter(|meta| meta.key.text().as_deref() == Some("_refunded_item_id"))
        .find_map(|meta| meta.value.text())
}
