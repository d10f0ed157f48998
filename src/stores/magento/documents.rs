//! An order's own documents, and whether they add up to what the order says of them: its sums were counted by the
//! platform from the same invoices and credit memos, so a difference means that one of the two is not the truth.

use rust_decimal::Decimal;

use super::model::{CreditMemo, Invoice, Item, Order, Side};
use crate::core::money::{Rounding, round};
use crate::core::order::Closing;
use crate::stores::body::Scalar;
use crate::stores::reader::Reader;

/// All of them, of one order.
pub struct Documents<'a> {
    pub invoices: Vec<Invoice<'a>>,
    pub creditmemos: Vec<CreditMemo<'a>>,
}

impl Documents<'_> {
    pub fn closings(&self, reader: &mut Reader, order: &Order<'_>, side: Side) -> Vec<Closing> {
        let mut closings = self.invoiced(reader, order, side);
        let stated =
            reader.amount("total_refunded", side.pick(order.base_total_refunded, order.total_refunded));
        let told = self.creditmemos.iter().filter(|memo| is_refunded(memo)).enumerate();
        let amounts: Vec<Decimal> = told
            .map(|(i, memo)| {
                let total = side.pick(memo.base_grand_total, memo.grand_total);
                reader.required_amount(format_args!("creditmemos[{i}].grand_total"), total)
            })
            .collect();
        let computed = added(stated, &amounts);
        closings.push(Closing { field: "total_refunded".to_owned(), stated, computed });
        closings
    }

    /// Goods before discount and everything that was asked for, of invoices that were not cancelled.
    fn invoiced(&self, reader: &mut Reader, order: &Order<'_>, side: Side) -> Vec<Closing> {
        let live = || self.invoices.iter().filter(|invoice| invoice.state.text().as_deref() != Some("3"));
        let mut closings = Vec::new();
        let mut close = |field: &str, stated: Scalar<'_>, amounts: &dyn Fn(&mut Reader) -> Vec<Decimal>| {
            if let Some(stated) = reader.optional(field, stated.decimal()) {
                let computed = added(stated, &amounts(reader));
                closings.push(Closing { field: field.to_owned(), stated, computed });
            }
        };
        close("total_invoiced", side.pick(order.base_total_invoiced, order.total_invoiced), &|reader| {
            let total = |(i, invoice): (usize, &Invoice<'_>)| {
                let total = side.pick(invoice.base_grand_total, invoice.grand_total);
                reader.amount(format_args!("invoices[{i}].grand_total"), total)
            };
            live().enumerate().map(total).collect()
        });
        close(
            "subtotal_invoiced",
            side.pick(order.base_subtotal_invoiced, order.subtotal_invoiced),
            &|reader| {
                let items = live()
                    .enumerate()
                    .flat_map(|(i, invoice)| invoice.items.iter().flatten().map(move |item| (i, item)));
                items
                    .map(|(i, item)| reader.amount(format_args!("invoices[{i}].row_total"), row(item, side)))
                    .collect()
            },
        );
        closings
    }
}

/// Only such a memo gave money back: 1 is open, 3 was cancelled. One that tells no state is one.
pub fn is_refunded(memo: &CreditMemo<'_>) -> bool {
    memo.state.text().is_none_or(|state| state == "2")
}

/// Parents of dynamic bundles and children of configurable products carry no row of their own in a document.
pub fn row<'a>(item: &Item<'a>, side: Side) -> Scalar<'a> {
    side.pick(item.base_row_total, item.row_total)
}

/// The platform rounds its sum to two digits with every document: that sum, where it is the stated one.
fn added(stated: Decimal, amounts: &[Decimal]) -> Decimal {
    let exact: Decimal = amounts.iter().sum();
    let rounded = amounts.iter().fold(Decimal::ZERO, |sum, amount| round(sum + amount, 2, Rounding::HalfUp));
    if rounded == stated { stated } else { exact }
}
