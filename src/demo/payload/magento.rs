//! Magento's order as its REST API V1 writes it, sent by a small module that signs the body.
//!
//! Amounts are bare JSON numbers, times have no zone, a configurable product comes as two items of which only
//! the first carries the money, and `row_total` is already after discount, which is why nobody may use it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Happening, Message, Told, headers};
use crate::demo::company::{DemoStore, signed};
use crate::demo::json::{Json, object};
use crate::demo::people::person;
use crate::demo::sample::{SampleLine, SampleOrder};

pub fn message(store: &DemoStore, told: &Told) -> Option<Message> {
    let Told::Order(told, happening) = told else { return None };
    let topic = topic(*happening);
    let body = order(told).php();
    let headers = headers(&[
        ("Content-Type", "application/json"),
        ("X-Magento-Topic", topic),
        ("X-Upline-Signature", &format!("sha256={}", hex::encode(signed(store.secret.as_bytes(), &body)))),
    ]);
    Some(Message { topic: topic.to_owned(), headers, body })
}

fn topic(happening: Happening) -> &'static str {
    match happening {
        Happening::Created => "sales_order_place_after",
        Happening::Paid => "sales_order_invoice_pay",
        Happening::Updated => "sales_order_save_after",
        Happening::Cancelled => "order_cancel_after",
    }
}

fn order(order: &SampleOrder) -> Json {
    let Json::Object(mut fields) = totals(order) else { return Json::Null };
    let Json::Object(more) = about(order) else { return Json::Null };
    fields.extend(more);
    if order.paid_at.is_some() {
        fields.extend(both("total_paid", "base_total_paid", order.total()));
        fields.extend(both("total_invoiced", "base_total_invoiced", order.total()));
    }
    if !order.refunds.is_empty() {
        fields.extend(refunded(order));
    }
    Json::Object(fields)
}

/// Order currency and website currency are the same here; the platform always tells both.
fn both(name: &'static str, base: &'static str, amount: Decimal) -> [(&'static str, Json); 2] {
    [(base, number(amount)), (name, number(amount))]
}

fn totals(order: &SampleOrder) -> Json {
    let discount = number(-order.discount());
    let due = if order.paid_at.is_some() { Decimal::ZERO } else { order.total() };
    let inclusive = order.subtotal() + order.discount() + order.goods_tax();
    object! {
        "base_currency_code": "USD",
        "base_discount_amount": discount.clone(),
        "base_grand_total": number(order.total()),
        "base_discount_tax_compensation_amount": 0u64,
        "base_shipping_amount": number(order.shipping),
        "base_shipping_discount_amount": 0u64,
        "base_shipping_tax_amount": number(order.shipping_tax()),
        "base_subtotal": number(order.gross()),
        "base_subtotal_incl_tax": number(inclusive),
        "base_tax_amount": number(order.tax()),
        "base_total_due": number(due),
        "base_to_global_rate": 1u64,
        "base_to_order_rate": 1u64,
        "discount_amount": discount,
        "global_currency_code": "USD",
        "grand_total": number(order.total()),
        "discount_tax_compensation_amount": 0u64,
        "order_currency_code": "USD",
        "shipping_amount": number(order.shipping),
        "shipping_discount_amount": 0u64,
        "shipping_discount_tax_compensation_amount": 0u64,
        "shipping_incl_tax": number(order.shipping + order.shipping_tax()),
        "shipping_tax_amount": number(order.shipping_tax()),
        "store_currency_code": "USD",
        "store_to_base_rate": 0u64,
        "store_to_order_rate": 0u64,
        "subtotal": number(order.gross()),
        "subtotal_incl_tax": number(inclusive),
        "tax_amount": number(order.tax()),
        "total_due": number(due),
    }
}

fn about(order: &SampleOrder) -> Json {
    let (name, email) = person(order.customer_id);
    let (state, status) = state(order);
    let quantity: u32 = order.lines.iter().map(|line| line.quantity).sum();
    object! {
        "entity_id": order.id,
        "increment_id": format!("{:09}", order.id),
        "state": state,
        "status": status,
        "coupon_code": order.coupon.clone(),
        "created_at": time(order.created_at),
        "updated_at": time(order.updated_at),
        "customer_id": order.customer_id,
        "customer_email": email,
        "customer_firstname": name.split(' ').next(),
        "customer_lastname": name.split(' ').nth(1),
        "customer_is_guest": 0u64,
        "is_virtual": 0u64,
        "quote_id": order.id + 7,
        "shipping_description": "Best Way - Table Rate",
        "store_id": 1u64,
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "total_item_count": u64::try_from(order.lines.len()).unwrap_or(0),
        "total_qty_ordered": u64::from(quantity),
        "items": order.lines.iter().flat_map(|line| items(order, line)).collect::<Vec<_>>(),
        "payment": payment(order),
        "status_histories": Json::List(vec![]),
        "extension_attributes": object! { "applied_taxes": Json::List(vec![]), "converting_from_quote": true },
    }
}

/// `state` is the platform's fact, `status` what the merchant calls it. What was paid cannot be cancelled, only
/// refunded.
fn state(order: &SampleOrder) -> (&'static str, &'static str) {
    match (order.paid_at, order.cancelled_at) {
        (Some(_), Some(_)) => ("closed", "closed"),
        (Some(_), None) if order.is_fully_refunded() => ("closed", "closed"),
        (Some(_), None) => ("processing", "being_packed"),
        (None, Some(_)) => ("canceled", "canceled"),
        (None, None) => ("new", "pending"),
    }
}

/// Every third product is configurable: the parent has the money, the child is the variant.
fn items(order: &SampleOrder, line: &SampleLine) -> Vec<Json> {
    if !line.product.is_multiple_of(3) {
        return vec![item(order, line, "simple")];
    }
    let child = object! {
        "base_price": 0u64,
        "base_row_total": 0u64,
        "discount_amount": 0u64,
        "item_id": line.id + 50,
        "name": format!("{}-Variant", line.name),
        "order_id": order.id,
        "original_price": 0u64,
        "parent_item_id": line.id,
        // Filled on some children although the money is on the parent.
        "price": number(line.price),
        "product_id": 4_000 + line.product,
        "product_type": "simple",
        "qty_ordered": u64::from(line.quantity),
        "row_total": 0u64,
        "sku": line.sku,
        "tax_amount": 0u64,
        "parent_item": item(order, line, "configurable"),
    };
    vec![item(order, line, "configurable"), child]
}

fn item(order: &SampleOrder, line: &SampleLine, product_type: &str) -> Json {
    let paid = if order.paid_at.is_some() { line.quantity } else { 0 };
    let returned: Vec<_> = order.refunds.iter().flat_map(|refund| order.returned(refund)).collect();
    let mine = || returned.iter().filter(|goods| goods.line.id == line.id);
    object! {
        "amount_refunded": number(mine().map(|goods| goods.gross).sum()),
        "base_amount_refunded": number(mine().map(|goods| goods.gross).sum()),
        "base_discount_amount": number(line.discount),
        "base_discount_refunded": number(mine().map(|goods| goods.discount).sum()),
        "base_price": number(line.price),
        "base_row_total": number(line.discounted()),
        "base_tax_amount": number(order.line_tax(line)),
        "created_at": time(order.created_at),
        "discount_amount": number(line.discount),
        "discount_refunded": number(mine().map(|goods| goods.discount).sum()),
        "discount_tax_compensation_amount": 0u64,
        "free_shipping": 0u64,
        "item_id": line.id,
        "name": line.name,
        "order_id": order.id,
        "original_price": number(line.price),
        "price": number(line.price),
        "product_id": 40 + line.product,
        "product_type": product_type,
        "qty_canceled": 0u64,
        "qty_invoiced": u64::from(paid),
        "qty_ordered": u64::from(line.quantity),
        "qty_refunded": u64::from(order.refunded_quantity(line.id)),
        "qty_shipped": 0u64,
        "row_total": number(line.discounted()),
        "row_total_incl_tax": number(line.discounted() + order.line_tax(line)),
        "sku": line.sku,
        "store_id": 1u64,
        "tax_amount": number(order.line_tax(line)),
        "tax_percent": number(order.tax_rate * Decimal::ONE_HUNDRED),
        "tax_refunded": number(mine().map(|goods| goods.tax).sum()),
        "updated_at": time(order.updated_at),
    }
}

fn payment(order: &SampleOrder) -> Json {
    object! {
        "account_status": Json::Null,
        "additional_information": vec![Json::from("Card / Check")],
        "amount_ordered": number(order.total()),
        "base_amount_ordered": number(order.total()),
        "entity_id": order.id,
        "method": "checkmo",
        "parent_id": order.id,
    }
}

/// Only the sums of all credit memos are on the order.
fn refunded(order: &SampleOrder) -> Vec<(&'static str, Json)> {
    let returned: Vec<_> = order.refunds.iter().flat_map(|refund| order.returned(refund)).collect();
    let gross = returned.iter().map(|goods| goods.gross).sum();
    let discount: Decimal = returned.iter().map(|goods| goods.discount).sum();
    let shipping = order.refunds.iter().map(|refund| refund.shipping).sum();
    let tax = order.refunds.iter().map(|refund| order.refund_tax(refund)).sum();
    let goodwill = order.refunds.iter().map(|refund| refund.goodwill).sum();
    [
        both("total_refunded", "base_total_refunded", order.refunded()),
        both("subtotal_refunded", "base_subtotal_refunded", gross),
        both("discount_refunded", "base_discount_refunded", -discount),
        both("shipping_refunded", "base_shipping_refunded", shipping),
        both("tax_refunded", "base_tax_refunded", tax),
        both("adjustment_positive", "base_adjustment_positive", goodwill),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn number(amount: Decimal) -> Json {
    Json::Number(amount.normalize())
}

/// UTC, without saying so.
fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}
