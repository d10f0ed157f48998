//! Items and total of a posted order.
//!
//! A total below the items is a discount on the order, split over its lines to the last unit; a total above
//! them is tax or shipping and earns nothing.

use rust_decimal::Decimal;

use super::model::{Item, Order};
use crate::core::money::{Currency, allocate};
use crate::core::order::{LineKind, OrderLine, ProductKey, Refund};
use crate::stores::body::Scalar;
use crate::stores::reader::Reader;

/// The lines with the order's discount on them, and what the customer was asked to pay.
pub fn read(reader: &mut Reader, order: &Order<'_>, currency: Option<Currency>) -> (Vec<OrderLine>, Decimal) {
    let scale = currency.and_then(|currency| currency.exponent());
    let mut lines = match &order.items {
        Some(items) => items.iter().enumerate().map(|(i, item)| item_line(reader, i, item, scale)).collect(),
        None => vec![short_line(reader, order, scale)],
    };
    if lines.is_empty() {
        reader.problem("items", "is empty");
    }
    let goods: Decimal = lines.iter().map(|line| line.gross).sum();
    if order.total.literal().is_none() {
        return (lines, goods);
    }
    let total = reader.non_negative("total", order.total);
    fits(reader, "total", total, scale);
    if total < goods {
        let weights: Vec<Decimal> = lines.iter().map(|line| line.gross).collect();
        let scale = scale.unwrap_or_default().max(goods.scale());
        for (line, discount) in lines.iter_mut().zip(allocate(goods - total, &weights, scale)) {
            line.discount = discount;
        }
    }
    (lines, total)
}

/// `refunded` says that all of it went back.
pub fn refunds(status: Scalar<'_>, total: Decimal) -> Vec<Refund> {
    let refunded = status.text().is_some_and(|text| text.trim().eq_ignore_ascii_case("refunded"));
    let refund = Refund {
        external_id: "status:refunded".to_owned(),
        at: None,
        lines: Vec::new(),
        unallocated: total,
        amount: total,
    };
    if refunded { vec![refund] } else { Vec::new() }
}

fn item_line(reader: &mut Reader, i: usize, item: &Item<'_>, scale: Option<u32>) -> OrderLine {
    let field = |name: &str| format!("items[{i}].{name}");
    let product = ProductKey {
        product_id: reader.id(field("product_id"), item.product_id),
        variant_id: reader.id(field("variant_id"), item.variant_id),
        sku: sku(item.platform_sku),
    };
    if product == ProductKey::default() {
        reader.problem(field("platform_sku"), "is missing");
    }
    let quantity = quantity(reader, &field("qty"), item.qty);
    let unit_price = reader.non_negative(field("unit_price"), item.unit_price);
    let gross = reader.product(field("unit_price"), unit_price, quantity);
    fits(reader, &field("unit_price"), gross, scale);
    let external_id = reader.id(field("line_id"), item.line_id).unwrap_or_else(|| (i + 1).to_string());
    line(external_id, product, item.title.text(), quantity, unit_price, gross)
}

fn short_line(reader: &mut Reader, order: &Order<'_>, scale: Option<u32>) -> OrderLine {
    let product = ProductKey { sku: sku(order.sku), ..ProductKey::default() };
    if product.sku.is_none() {
        reader.problem("sku", "is missing");
    }
    let amount = reader.non_negative("amount", order.amount);
    fits(reader, "amount", amount, scale);
    let quantity =
        if order.qty.literal().is_some() { quantity(reader, "qty", order.qty) } else { Decimal::ONE };
    let unit_price = amount.checked_div(quantity).unwrap_or(amount);
    line("1".to_owned(), product, None, quantity, unit_price.round_dp(6).normalize(), amount)
}

fn line(
    external_id: String,
    product: ProductKey,
    title: Option<String>,
    quantity: Decimal,
    unit_price: Decimal,
    gross: Decimal,
) -> OrderLine {
    OrderLine {
        external_id,
        product,
        title: title.unwrap_or_default(),
        kind: LineKind::Goods,
        quantity,
        unit_price,
        gross,
        discount: Decimal::ZERO,
        included_tax: Decimal::ZERO,
        places: Vec::new(),
    }
}

fn sku(sku: Scalar<'_>) -> Option<String> {
    sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty())
}

fn quantity(reader: &mut Reader, field: &str, quantity: Scalar<'_>) -> Decimal {
    let known = reader.problems.len();
    let quantity = reader.non_negative(field, quantity);
    if quantity.is_zero() && reader.problems.len() == known {
        reader.problem(field, "has to be more than 0");
    }
    quantity
}

/// Money finer than the currency's smallest unit is a mistake of the sender's.
fn fits(reader: &mut Reader, field: &str, amount: Decimal, scale: Option<u32>) {
    if scale.is_some_and(|scale| amount.normalize().scale() > scale) {
        reader.problem(field, format_args!("{amount} is finer than the currency's smallest unit"));
    }
}
