//! A WooCommerce order as an order snapshot.
//!
//! `line_items[].subtotal` and `total` are the whole line before and after coupons, always without tax, whatever
//! the shop's prices include: net is the total. `price` is a rounded float and is never read.

use rust_decimal::Decimal;

use super::model::{Charge, Line, Meta, Order, Tax};
use super::refund;
use crate::core::money::{Rounding, round};
use crate::core::order::{Closing, LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, ProductKey};
use crate::stores::body::ParseError;
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_currency, required_id};

/// The core's order attribution: the first address of the visit, with its query.
const SESSION_ENTRY: &str = "_wc_order_attribution_session_entry";

pub fn snapshot(order: &Order<'_>) -> Result<OrderSnapshot, ParseError> {
    let mut reader = Reader::default();
    let external_id = required_id("id", order.id)?;
    let currency = required_currency("currency", order.currency)?;
    let created = reader.optional("date_created_gmt", order.date_created_gmt.instant());
    let modified = reader.optional("date_modified_gmt", order.date_modified_gmt.instant());
    let ordered_at = created.or(modified).ok_or(ParseError::Missing { field: "date_created_gmt" })?;
    let total = reader.required_amount("total", order.total);
    let goods: Vec<OrderLine> = order
        .line_items
        .iter()
        .flatten()
        .enumerate()
        .map(|(i, line)| order_line(&mut reader, i, line))
        .collect();
    let fees: Vec<OrderLine> =
        order.fee_lines.iter().flatten().enumerate().map(|(i, fee)| fee_line(&mut reader, i, fee)).collect();
    let closings = closings(&mut reader, order, total, &goods, &fees);
    let status = order.status.text().unwrap_or_default();
    let mut refunds = refund::headers(&mut reader, order);
    refunds.extend(refund::by_status(&status, total, &refunds));
    let customer = reader.id("customer_id", order.customer_id).filter(|id| id != "0");
    Ok(OrderSnapshot {
        number: order.number.text().filter(|number| *number != external_id),
        external_id,
        currency,
        ordered_at,
        updated_at: modified.unwrap_or(ordered_at),
        read_at: None,
        payment: payment(&mut reader, &status, order),
        cancelled: matches!(status.as_str(), "cancelled" | "trash"),
        test: false,
        places: places(order, customer.clone()),
        customer_id: customer,
        lines: goods.into_iter().chain(fees).collect(),
        total,
        refunds,
        closings,
        problems: reader.problems,
    })
}

/// Paid is when the shop has a time of payment: bank transfer and cash on delivery get theirs when the money
/// comes, whatever the status says until then.
fn payment(reader: &mut Reader, status: &str, order: &Order<'_>) -> Payment {
    let paid = reader.optional("date_paid_gmt", order.date_paid_gmt.instant());
    match (status, paid) {
        ("failed", _) => Payment::Voided,
        ("checkout-draft" | "auto-draft" | "draft", _) | (_, None) => Payment::Unpaid,
        (_, Some(_)) => Payment::Paid,
    }
}

fn order_line(reader: &mut Reader, i: usize, line: &Line<'_>) -> OrderLine {
    let external_id = reader.id(format_args!("line_items[{i}].id"), line.id).unwrap_or_else(|| {
        reader.problem(format_args!("line_items[{i}].id"), "is missing");
        format!("line:{i}")
    });
    let quantity = reader.non_negative(format_args!("line_items[{i}].quantity"), line.quantity);
    let subtotal = reader.non_negative(format_args!("line_items[{i}].subtotal"), line.subtotal);
    let total = reader.non_negative(format_args!("line_items[{i}].total"), line.total);
    // A total typed over the price is the price: there is no negative discount.
    let gross = subtotal.max(total);
    let mut part = |field: &str, value| {
        reader.id(format_args!("line_items[{i}].{field}"), value).filter(|id: &String| id != "0")
    };
    OrderLine {
        external_id,
        product: ProductKey {
            product_id: part("product_id", line.product_id),
            variant_id: part("variation_id", line.variation_id),
            sku: line.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
        },
        title: line.name.text().unwrap_or_default(),
        kind: LineKind::Goods,
        quantity,
        unit_price: unit_price(gross, quantity),
        gross,
        discount: gross - total,
        included_tax: Decimal::ZERO,
        places: line_places(line),
    }
}

/// For people to look at; nothing is computed from it.
fn unit_price(gross: Decimal, quantity: Decimal) -> Decimal {
    let exact = gross.checked_div(quantity).unwrap_or_default();
    round(exact, gross.scale().max(4), Rounding::HalfUp).normalize()
}

/// Fees stand among the lines so that an order is shown whole; they earn nothing.
fn fee_line(reader: &mut Reader, i: usize, fee: &Charge<'_>) -> OrderLine {
    let total = reader.amount(format_args!("fee_lines[{i}].total"), fee.total);
    OrderLine {
        external_id: reader
            .id(format_args!("fee_lines[{i}].id"), fee.id)
            .unwrap_or_else(|| format!("fee:{i}")),
        product: ProductKey::default(),
        title: fee.name.text().unwrap_or_default(),
        kind: LineKind::Other,
        quantity: Decimal::ONE,
        unit_price: total,
        gross: total,
        discount: Decimal::ZERO,
        included_tax: Decimal::ZERO,
        places: Vec::new(),
    }
}

/// `total` = goods + shipping + fees + tax, less what gift cards paid.
///
/// A shop that rounds tax at the subtotal keeps its parts unrounded and shows each of them rounded, so that
/// their sum may miss the total by half a unit per part. Such a shop is known by the digits of its `taxes`; only
/// there a difference that small is not reported.
fn closings(
    reader: &mut Reader,
    order: &Order<'_>,
    total: Decimal,
    goods: &[OrderLine],
    fees: &[OrderLine],
) -> Vec<Closing> {
    let shipping: Decimal = order
        .shipping_lines
        .iter()
        .flatten()
        .enumerate()
        .map(|(i, line)| reader.amount(format_args!("shipping_lines[{i}].total"), line.total))
        .sum();
    let gift_cards: Decimal = order
        .gift_cards
        .iter()
        .flatten()
        .enumerate()
        .map(|(i, card)| reader.amount(format_args!("gift_cards[{i}].amount"), card.amount))
        .sum();
    let tax = reader.amount("total_tax", order.total_tax);
    let lines: Decimal = goods.iter().chain(fees).map(|line| line.gross - line.discount).sum();
    let closing =
        Closing { field: "total".to_owned(), stated: total, computed: lines + shipping + tax - gift_cards };
    let decimals = decimals(order.total.text());
    let parts = goods.len() + fees.len() + order.shipping_lines.iter().flatten().count() + 1;
    let slack = Decimal::from(parts) * Decimal::new(5, decimals + 1);
    let explained = keeps_unrounded_parts(order, decimals) && closing.difference().abs() <= slack;
    if explained { Vec::new() } else { vec![closing] }
}

fn keeps_unrounded_parts(order: &Order<'_>, decimals: u32) -> bool {
    let finer = |taxes: &Option<Vec<Tax<'_>>>| {
        taxes.iter().flatten().any(|tax| self::decimals(tax.total.text()) > decimals)
    };
    let lines = order.line_items.iter().flatten().any(|line| finer(&line.taxes));
    lines
        || [&order.shipping_lines, &order.fee_lines]
            .into_iter()
            .flatten()
            .flatten()
            .any(|line| finer(&line.taxes))
}

/// Digits after the point as written: "42.00" has two. Bounded, so that it can be a scale.
fn decimals(text: Option<String>) -> u32 {
    let text = text.unwrap_or_default();
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    u32::try_from(digits).unwrap_or(u32::MAX).min(12)
}

fn places(order: &Order<'_>, customer: Option<String>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    for meta in order.meta_data.iter().flatten() {
        let key = meta.key.text().unwrap_or_default();
        if key == SESSION_ENTRY {
            places.query("landing_url", meta.value.text());
        } else if !is_private(&key) {
            places.named("order_meta", Some(key), meta.value.text());
        }
    }
    for coupon in order.coupon_lines.iter().flatten() {
        places.add("discount_code", coupon.code.text());
    }
    places.add("customer", customer);
    places.into_inner()
}

/// Plugins copy names, addresses and devices into metadata; no distributor is named there.
fn is_private(key: &str) -> bool {
    let bare = key.trim_start_matches('_');
    let copied = ["billing", "shipping", "customer_", "wc_order_attribution_user_agent"];
    key.ends_with("_hash") || copied.iter().any(|prefix| bare.starts_with(prefix))
}

fn line_places(line: &Line<'_>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    for Meta { key, value } in line.meta_data.iter().flatten() {
        places.named("line_property", key.text(), value.text());
    }
    places.into_inner()
}
