//! The goods of an invoice, for reconciliation: an invoice is a part of an order and never stands for it.

use rust_decimal::Decimal;

use super::model::{Invoice, Item, Side};
use crate::stores::body::{self, ParseError};
use crate::stores::reader::{Reader, required_id};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    /// The order's item.
    pub line: String,
    pub sku: Option<String>,
    pub quantity: Decimal,
    /// Price x quantity less discount, without tax.
    pub net: Decimal,
}

/// The order's id and the invoiced goods. Parents of dynamic bundles and children of configurable products carry
/// no row of their own in an invoice and are left out.
pub fn invoice_goods(body: &[u8]) -> Result<(String, Vec<InvoiceLine>), ParseError> {
    let invoice: Invoice<'_> = body::read(body::text(body)?)?;
    let order = required_id("order_id", invoice.order_id)?;
    let side = Side::of(invoice.base_currency_code, invoice.order_currency_code, invoice.base_grand_total);
    let mut reader = Reader::default();
    let has_row = |item: &&Item<'_>| side.pick(item.base_row_total, item.row_total).literal().is_some();
    let items = invoice.items.iter().flatten().filter(has_row).enumerate();
    let lines: Vec<(InvoiceLine, Decimal)> =
        items.map(|(i, item)| line(&mut reader, i, item, side)).collect();
    let goods: Decimal = lines.iter().map(|(_, gross)| *gross).sum();
    let subtotal = reader.amount("subtotal", side.pick(invoice.base_subtotal, invoice.subtotal));
    if goods != subtotal {
        reader.problem("subtotal", format_args!("is {subtotal}, but the items make {goods}"));
    }
    reader.finish()?;
    Ok((order, lines.into_iter().map(|(line, _)| line).collect()))
}

fn line(reader: &mut Reader, i: usize, item: &Item<'_>, side: Side) -> (InvoiceLine, Decimal) {
    let field = |name: &str| format!("items[{i}].{name}");
    let quantity = reader.non_negative(field("qty"), item.qty);
    let price = reader.non_negative(field("price"), side.pick(item.base_price, item.price));
    let gross = reader.product(field("price"), price, quantity);
    let discount = side.pick(item.base_discount_amount, item.discount_amount);
    let discount = reader.amount(field("discount_amount"), discount).abs();
    let compensation =
        side.pick(item.base_discount_tax_compensation_amount, item.discount_tax_compensation_amount);
    let compensation = reader.amount(field("discount_tax_compensation_amount"), compensation);
    let line = reader.id(field("order_item_id"), item.order_item_id).unwrap_or_else(|| {
        reader.problem(field("order_item_id"), "is missing");
        String::new()
    });
    (InvoiceLine { line, sku: item.sku.text(), quantity, net: gross - discount + compensation }, gross)
}
