//! Shopify's order and refund webhooks as the Admin REST API writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Happening, Message, Told, headers};
use crate::demo::catalogue::Class;
use crate::demo::company::{DemoStore, signed};
use crate::demo::json::{Json, object};
use crate::demo::people::person;
use crate::demo::sample::{Place, SampleLine, SampleOrder, SampleRefund};

pub fn message(store: &DemoStore, told: &Told, at: DateTime<Utc>, nonce: u64) -> Option<Message> {
    let (topic, body) = match told {
        Told::Order(told, happening) => (topic(*happening), order(told)),
        Told::Refund(_) => told.bare_refund().map(|(order, told)| ("refunds/create", refund(order, told)))?,
        Told::Deleted(id) => ("orders/delete", object! { "id": *id }),
        Told::Unreadable | Told::Ping => return None,
    };
    let body = body.plain();
    let webhook_id = Uuid::from_u64_pair(nonce, nonce.rotate_left(29));
    let event_id = Uuid::from_u64_pair(nonce.rotate_left(11), nonce);
    let headers = headers(&[
        ("Content-Type", "application/json"),
        ("X-Shopify-Topic", topic),
        ("X-Shopify-Hmac-Sha256", &STANDARD.encode(signed(store.secret.as_bytes(), &body))),
        ("X-Shopify-Shop-Domain", &format!("{}.myshopify.com", store.slug)),
        ("X-Shopify-API-Version", "2026-04"),
        ("X-Shopify-Webhook-Id", &webhook_id.to_string()),
        ("X-Shopify-Event-Id", &event_id.to_string()),
        ("X-Shopify-Triggered-At", &at.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)),
    ]);
    Some(Message { topic: topic.to_owned(), headers, body })
}

fn topic(happening: Happening) -> &'static str {
    match happening {
        Happening::Created => "orders/create",
        Happening::Paid => "orders/paid",
        Happening::Updated => "orders/updated",
        Happening::Cancelled => "orders/cancelled",
    }
}

fn order(order: &SampleOrder) -> Json {
    let (name, email) = person(order.customer_id);
    let returned: Decimal = order
        .refunds
        .iter()
        .flat_map(|refund| order.returned(refund))
        .map(|goods| goods.gross - goods.discount)
        .sum();
    let left = if order.cancelled_at.is_some() { Decimal::ZERO } else { order.subtotal() - returned };
    let outstanding = if order.paid_at.is_some() { Decimal::ZERO } else { order.total() };
    object! {
        "id": order.id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.id),
        "app_id": 580_111u64,
        "browser_ip": "203.0.113.7",
        "buyer_accepts_marketing": false,
        "cancel_reason": order.cancelled_at.map(|_| "customer"),
        "cancelled_at": order.cancelled_at.map(time),
        "closed_at": Json::Null,
        "confirmed": true,
        "contact_email": email.clone(),
        "created_at": time(order.created_at),
        "currency": "USD",
        "current_subtotal_price": Json::money(left),
        "current_subtotal_price_set": set(left),
        "current_total_discounts": Json::money(order.discount()),
        "current_total_tax": Json::money(order.tax()),
        "discount_codes": discount_codes(order),
        "duties_included": false,
        "email": email,
        "financial_status": financial_status(order),
        "fulfillment_status": Json::Null,
        "landing_site": landing_site(order),
        "landing_site_ref": Json::Null,
        "name": format!("#{}", order.id % 100_000),
        "note": Json::Null,
        "note_attributes": named(order, Place::Order),
        "number": order.id % 100_000,
        "order_number": order.id % 100_000 + 1_000,
        "payment_gateway_names": vec![Json::from(if order.test { "bogus" } else { "shopify_payments" })],
        "presentment_currency": "USD",
        "processed_at": time(order.created_at),
        "referring_site": Json::Null,
        "source_name": "web",
        "subtotal_price": Json::money(order.subtotal()),
        "subtotal_price_set": set(order.subtotal()),
        "tags": "",
        "tax_exempt": false,
        "tax_lines": tax_lines(order, order.tax()),
        "taxes_included": order.tax_included,
        "test": order.test,
        "total_discounts": Json::money(order.discount()),
        "total_discounts_set": set(order.discount()),
        "total_line_items_price": Json::money(order.gross()),
        "total_line_items_price_set": set(order.gross()),
        "total_outstanding": Json::money(outstanding),
        "total_price": Json::money(order.total()),
        "total_price_set": set(order.total()),
        "total_shipping_price_set": set(order.shipping),
        "total_tax": Json::money(order.tax()),
        "total_tax_set": set(order.tax()),
        "total_tip_received": Json::money(order.tip),
        "updated_at": time(order.updated_at),
        "user_id": Json::Null,
        "customer": object! {
            "id": order.customer_id,
            "first_name": name.split(' ').next(),
            "last_name": name.split(' ').nth(1),
            "state": "disabled",
            "verified_email": true,
            "admin_graphql_api_id": format!("gid://shopify/Customer/{}", order.customer_id),
        },
        "discount_applications": discount_applications(order),
        "fulfillments": Json::List(vec![]),
        "line_items": line_items(order),
        "refunds": order.refunds.iter().map(|told| refund(order, told)).collect::<Vec<_>>(),
        "shipping_lines": vec![shipping_line(order)],
    }
}

fn financial_status(order: &SampleOrder) -> &'static str {
    match (order.paid_at, order.cancelled_at) {
        (None, None) => "pending",
        (None, Some(_)) => "voided",
        (Some(_), _) if order.is_fully_refunded() => "refunded",
        (Some(_), _) if !order.refunds.is_empty() => "partially_refunded",
        (Some(_), _) => "paid",
    }
}

fn line_items(order: &SampleOrder) -> Vec<Json> {
    let goods = order.lines.iter().map(|line| {
        let properties =
            if order.lines.first() == Some(line) { named(order, Place::Line) } else { Json::List(vec![]) };
        line_item(order, line, properties)
    });
    let tip = (!order.tip.is_zero()).then(|| tip_line(order));
    goods.chain(tip).collect()
}

fn line_item(order: &SampleOrder, line: &SampleLine, properties: Json) -> Json {
    let current = line.quantity.saturating_sub(order.refunded_quantity(line.id));
    let tax = order.line_tax(line);
    object! {
        "id": line.id,
        "admin_graphql_api_id": format!("gid://shopify/LineItem/{}", line.id),
        "current_quantity": u64::from(current),
        "fulfillable_quantity": u64::from(current),
        "fulfillment_service": "manual",
        "fulfillment_status": Json::Null,
        "gift_card": line.class == Class::GiftCard,
        "grams": 250u64,
        "name": line.name,
        "price": Json::money(line.price),
        "price_set": set(line.price),
        "product_exists": true,
        "product_id": 7_600_000_000_000u64 + line.product * 1_000,
        "properties": properties,
        "quantity": u64::from(line.quantity),
        "requires_shipping": line.class != Class::GiftCard,
        "sku": line.sku,
        "taxable": line.class != Class::GiftCard,
        "title": line.name,
        "total_discount": "0.00",
        "total_discount_set": set(Decimal::ZERO),
        "variant_id": 43_000_000_000_000u64 + line.product * 1_000,
        "variant_inventory_management": "shopify",
        "variant_title": Json::Null,
        "vendor": "Upline Demo",
        "tax_lines": tax_lines(order, tax),
        "duties": Json::List(vec![]),
        "discount_allocations": allocations(line.discount),
    }
}

fn tip_line(order: &SampleOrder) -> Json {
    object! {
        "id": order.id * 100 + 98,
        "current_quantity": 1u64,
        "gift_card": false,
        "name": "Tip",
        "price": Json::money(order.tip),
        "price_set": set(order.tip),
        "product_exists": false,
        "product_id": Json::Null,
        "properties": Json::List(vec![]),
        "quantity": 1u64,
        "sku": Json::Null,
        "taxable": false,
        "tip": object! { "payment_gateway": "shopify_payments", "payment_method": "visa" },
        "title": "Tip",
        "total_discount": "0.00",
        "variant_id": Json::Null,
        "tax_lines": Json::List(vec![]),
        "discount_allocations": Json::List(vec![]),
    }
}

fn shipping_line(order: &SampleOrder) -> Json {
    object! {
        "id": order.id * 100 + 99,
        "code": "Standard",
        "discount_allocations": Json::List(vec![]),
        "discounted_price": Json::money(order.shipping),
        "discounted_price_set": set(order.shipping),
        "is_removed": false,
        "price": Json::money(order.shipping),
        "price_set": set(order.shipping),
        "source": "shopify",
        "tax_lines": tax_lines(order, order.shipping_tax()),
        "title": "Standard",
    }
}

fn tax_lines(order: &SampleOrder, tax: Decimal) -> Vec<Json> {
    if tax.is_zero() {
        return Vec::new();
    }
    vec![object! {
        "channel_liable": false,
        "price": Json::money(tax),
        "price_set": set(tax),
        "rate": order.tax_rate,
        "title": if order.tax_included { "VAT" } else { "State Tax" },
    }]
}

fn discount_codes(order: &SampleOrder) -> Vec<Json> {
    let code = |code: &String| object! { "code": code.as_str(), "amount": Json::money(order.discount()), "type": "percentage" };
    order.coupon.iter().map(code).collect()
}

fn discount_applications(order: &SampleOrder) -> Vec<Json> {
    if order.discount().is_zero() {
        return Vec::new();
    }
    vec![object! {
        "target_type": "line_item",
        "type": if order.coupon.is_some() { "discount_code" } else { "automatic" },
        "value": "10.0",
        "value_type": "percentage",
        "allocation_method": "across",
        "target_selection": "all",
        "code": order.coupon.clone(),
    }]
}

fn allocations(discount: Decimal) -> Vec<Json> {
    if discount.is_zero() {
        return Vec::new();
    }
    vec![object! {
        "amount": Json::money(discount),
        "amount_set": set(discount),
        "discount_application_index": 0u64,
    }]
}

/// `[{"name": "ref", "value": code}]` if the order names its distributor at `place`.
fn named(order: &SampleOrder, place: Place) -> Json {
    let here = order.referral.iter().filter(|referral| referral.place == place);
    Json::List(here.map(|referral| object! { "name": "ref", "value": referral.code.as_str() }).collect())
}

fn landing_site(order: &SampleOrder) -> Option<String> {
    match &order.referral {
        Some(referral) if referral.place == Place::Landing => {
            Some(format!("/collections/all?utm_source=share&ref={}", referral.code))
        }
        _ => Some("/".to_owned()),
    }
}

fn refund(order: &SampleOrder, refund: &SampleRefund) -> Json {
    object! {
        "id": refund.id,
        "order_id": order.id,
        "created_at": time(refund.at),
        "note": "",
        "user_id": 548_380_009u64,
        "processed_at": time(refund.at),
        "duties": Json::List(vec![]),
        "return": Json::Null,
        "restock": !refund.lines.is_empty(),
        "refund_shipping_lines": refund_shipping_lines(order, refund),
        "admin_graphql_api_id": format!("gid://shopify/Refund/{}", refund.id),
        "order_adjustments": order_adjustments(order, refund),
        "transactions": transactions(order, refund),
        "refund_line_items": refund_line_items(order, refund),
    }
}

fn refund_line_items(order: &SampleOrder, refund: &SampleRefund) -> Vec<Json> {
    let returned = order.returned(refund);
    let rows = (1u64..).zip(&returned).map(|(row, goods)| {
        let subtotal = goods.gross - goods.discount;
        object! {
            "id": refund.id * 100 + row,
            "quantity": u64::from(goods.quantity),
            "line_item_id": goods.line.id,
            "location_id": Json::Null,
            "restock_type": if order.cancelled_at.is_some() { "cancel" } else { "return" },
            "subtotal": subtotal.normalize(),
            "total_tax": goods.tax.normalize(),
            "subtotal_set": set(subtotal),
            "total_tax_set": set(goods.tax),
            "line_item": line_item(order, goods.line, Json::List(vec![])),
        }
    });
    rows.collect()
}

fn refund_shipping_lines(order: &SampleOrder, refund: &SampleRefund) -> Vec<Json> {
    if refund.shipping.is_zero() {
        return Vec::new();
    }
    vec![object! {
        "id": refund.id * 100 + 97,
        "subtotal_amount_set": set(refund.shipping),
        "tax_amount_set": set(order.refund_shipping_tax(refund)),
        "shipping_line": shipping_line(order),
    }]
}

fn order_adjustments(order: &SampleOrder, refund: &SampleRefund) -> Vec<Json> {
    if refund.goodwill.is_zero() {
        return Vec::new();
    }
    vec![object! {
        "id": refund.id * 100 + 96,
        "order_id": order.id,
        "refund_id": refund.id,
        "amount": Json::money(-refund.goodwill),
        "tax_amount": "0.00",
        "kind": "refund_discrepancy",
        "reason": "Refund discrepancy",
        "amount_set": set(-refund.goodwill),
        "tax_amount_set": set(Decimal::ZERO),
    }]
}

fn transactions(order: &SampleOrder, refund: &SampleRefund) -> Vec<Json> {
    vec![object! {
        "id": refund.id * 100 + 95,
        "order_id": order.id,
        "kind": "refund",
        "gateway": "shopify_payments",
        "status": "success",
        "created_at": time(refund.at),
        "test": order.test,
        "amount": Json::money(order.refund_total(refund)),
        "currency": "USD",
    }]
}

fn set(amount: Decimal) -> Json {
    let money = || object! { "amount": Json::money(amount), "currency_code": "USD" };
    object! { "shop_money": money(), "presentment_money": money() }
}

/// In the shop's own zone, with its offset.
fn time(at: DateTime<Utc>) -> String {
    FixedOffset::west_opt(5 * 3_600)
        .map_or_else(|| at.to_rfc3339(), |zone| at.with_timezone(&zone).to_rfc3339())
}
