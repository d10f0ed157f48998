//! WooCommerce's order webhooks as version 3 of its REST API writes them, in PHP's JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;

use super::{Happening, Message, Told, headers};
use crate::demo::company::{DemoStore, signed};
use crate::demo::json::{Json, object};
use crate::demo::people::person;
use crate::demo::sample::{Place, SampleLine, SampleOrder, cents};

const SOURCE: &str = "https://demo-eu.example.test/";
const AGENT: &str = "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)";

pub fn message(store: &DemoStore, told: &Told, at: DateTime<Utc>) -> Option<Message> {
    let (event, body) = match told {
        Told::Order(told, happening) => (event(*happening), order(told)),
        Told::Deleted(id) => ("deleted", object! { "id": *id }),
        Told::Unreadable => ("created", unreadable()),
        Told::Ping => return Some(ping()),
        Told::Refund(_) => return None,
    };
    let topic = format!("order.{event}");
    let webhook_id = if event == "created" { "1" } else { "2" };
    let body = body.php();
    // One id per webhook and second, as the platform makes it: different orders share it.
    let delivery_id = signed(webhook_id.as_bytes(), &at.timestamp().to_be_bytes());
    let headers = headers(&[
        ("User-Agent", AGENT),
        ("Content-Type", "application/json"),
        ("X-WC-Webhook-Source", SOURCE),
        ("X-WC-Webhook-Topic", &topic),
        ("X-WC-Webhook-Resource", "order"),
        ("X-WC-Webhook-Event", event),
        ("X-WC-Webhook-Signature", &STANDARD.encode(signed(store.secret.as_bytes(), &body))),
        ("X-WC-Webhook-ID", webhook_id),
        ("X-WC-Webhook-Delivery-ID", hex::encode(delivery_id).get(..32).unwrap_or_default()),
    ]);
    Some(Message { topic, headers, body })
}

fn event(happening: Happening) -> &'static str {
    match happening {
        Happening::Created => "created",
        Happening::Paid | Happening::Updated | Happening::Cancelled => "updated",
    }
}

fn ping() -> Message {
    Message {
        topic: "ping".to_owned(),
        headers: headers(&[("User-Agent", AGENT), ("Content-Type", "application/x-www-form-urlencoded")]),
        body: b"webhook_id=1".to_vec(),
    }
}

fn unreadable() -> Json {
    object! {
        "code": "woocommerce_rest_shop_order_invalid_id",
        "message": "Invalid ID.",
        "data": object! { "status": 404u64 },
    }
}

fn order(order: &SampleOrder) -> Json {
    let goods_tax = order.goods_tax();
    let discount_tax: Decimal =
        order.lines.iter().map(|line| full_tax(order, line) - order.line_tax(line)).sum();
    object! {
        "id": order.id,
        "parent_id": 0u64,
        "status": status(order),
        "currency": "USD",
        "version": "11.0.1",
        "prices_include_tax": false,
        "date_created": local(order.created_at),
        "date_modified": local(order.updated_at),
        "discount_total": Json::money(order.discount()),
        "discount_tax": Json::money(discount_tax),
        "shipping_total": Json::money(order.shipping),
        "shipping_tax": Json::money(order.shipping_tax()),
        "cart_tax": Json::money(goods_tax),
        "total": Json::money(order.total()),
        "total_tax": Json::money(order.tax()),
        "customer_id": order.customer_id,
        "order_key": format!("wc_order_{:013x}", order.id),
        "billing": billing(order),
        "payment_method": "stripe",
        "payment_method_title": "Card / Überweisung",
        "transaction_id": "",
        "created_via": "checkout",
        "customer_note": "",
        "date_completed": Json::Null,
        "date_paid": order.paid_at.map(local),
        "cart_hash": "",
        "number": order.id.to_string(),
        "meta_data": meta_data(order),
        "line_items": order.lines.iter().map(|line| line_item(order, line)).collect::<Vec<_>>(),
        "tax_lines": tax_lines(order),
        "shipping_lines": shipping_lines(order),
        "fee_lines": fee_lines(order),
        "coupon_lines": coupon_lines(order, discount_tax),
        "refunds": refunds(order),
        "payment_url": format!("{SOURCE}checkout/order-pay/{}/?pay_for_order=true", order.id),
        "is_editable": order.paid_at.is_none(),
        "needs_payment": order.paid_at.is_none() && order.cancelled_at.is_none(),
        "needs_processing": true,
        "date_created_gmt": gmt(order.created_at),
        "date_modified_gmt": gmt(order.updated_at),
        "date_completed_gmt": Json::Null,
        "date_paid_gmt": order.paid_at.map(gmt),
        "currency_symbol": "$",
        "_links": object! {
            "self": vec![object! { "href": format!("{SOURCE}wp-json/wc/v3/orders/{}", order.id) }],
        },
    }
}

fn status(order: &SampleOrder) -> &'static str {
    if order.cancelled_at.is_some() {
        "cancelled"
    } else if order.is_fully_refunded() {
        "refunded"
    } else if order.paid_at.is_some() {
        "processing"
    } else {
        "on-hold"
    }
}

fn billing(order: &SampleOrder) -> Json {
    let (name, email) = person(order.customer_id);
    object! {
        "first_name": name.split(' ').next(),
        "last_name": name.split(' ').nth(1),
        "company": "",
        "address_1": "Straße 1/2",
        "address_2": "",
        "city": "Berlin",
        "state": "",
        "postcode": "10115",
        "country": "DE",
        "email": email,
        "phone": "+49 30 1234",
    }
}

/// Not in id order, private keys and nested values among them, as plugins leave them.
fn meta_data(order: &SampleOrder) -> Vec<Json> {
    let meta = |id: u64, key: &'static str, value: Json| object! { "id": id, "key": key, "value": value };
    let mut rows = vec![
        meta(order.id * 10 + 3, "_wc_order_attribution_source_type", Json::from("typein")),
        meta(order.id * 10 + 2, "is_vat_exempt", Json::from("no")),
    ];
    if let Some(referral) = order.referral.as_ref().filter(|referral| referral.place == Place::Order) {
        rows.push(meta(order.id * 10 + 1, "distributor_code", Json::from(referral.code.as_str())));
    }
    rows.push(meta(order.id * 10 + 4, "_stripe_upe", object! { "a": 1u64, "b": vec![Json::from("x")] }));
    rows
}

/// Totals of a line are for the whole line and never contain tax.
fn line_item(order: &SampleOrder, line: &SampleLine) -> Json {
    let tax = order.line_tax(line);
    let full_tax = full_tax(order, line);
    object! {
        "id": line.id,
        "name": line.name,
        "product_id": 100 + line.product,
        "variation_id": 0u64,
        "quantity": u64::from(line.quantity),
        "tax_class": "",
        "subtotal": Json::money(line.gross()),
        "subtotal_tax": Json::money(full_tax),
        "total": Json::money(line.discounted()),
        "total_tax": Json::money(tax),
        "taxes": vec![object! { "id": 1u64, "total": Json::money(tax), "subtotal": Json::money(full_tax) }],
        "meta_data": Json::List(vec![]),
        "sku": line.sku,
        "global_unique_id": "",
        "price": (line.discounted() / Decimal::from(line.quantity.max(1))).round_dp(16).normalize(),
        "image": object! { "id": "", "src": "" },
        "parent_name": Json::Null,
    }
}

fn full_tax(order: &SampleOrder, line: &SampleLine) -> Decimal {
    cents(line.gross() * order.tax_rate)
}

fn tax_lines(order: &SampleOrder) -> Vec<Json> {
    vec![object! {
        "id": order.id * 100 + 96,
        "rate_code": "DE-MWST-1",
        "rate_id": 1u64,
        "label": "MwSt",
        "compound": false,
        "tax_total": Json::money(order.goods_tax()),
        "shipping_tax_total": Json::money(order.shipping_tax()),
        "rate_percent": (order.tax_rate * Decimal::ONE_HUNDRED).normalize(),
        "meta_data": Json::List(vec![]),
    }]
}

fn shipping_lines(order: &SampleOrder) -> Vec<Json> {
    let tax = order.shipping_tax();
    vec![object! {
        "id": order.id * 100 + 97,
        "method_title": "DHL",
        "method_id": "flat_rate",
        "instance_id": "",
        "total": Json::money(order.shipping),
        "total_tax": Json::money(tax),
        "taxes": vec![object! { "id": 1u64, "total": Json::money(tax), "subtotal": "" }],
        "tax_status": "taxable",
        "meta_data": Json::List(vec![]),
    }]
}

fn fee_lines(order: &SampleOrder) -> Vec<Json> {
    if order.tip.is_zero() {
        return Vec::new();
    }
    vec![object! {
        "id": order.id * 100 + 98,
        "name": "Handling",
        "tax_class": "",
        "tax_status": "none",
        "amount": "",
        "total": Json::money(order.tip),
        "total_tax": "0.00",
        "taxes": Json::List(vec![]),
        "meta_data": Json::List(vec![]),
    }]
}

fn coupon_lines(order: &SampleOrder, discount_tax: Decimal) -> Vec<Json> {
    let line = |code: &String| {
        object! {
            "id": order.id * 100 + 99,
            "code": code.to_lowercase(),
            "discount": Json::Text(order.discount().normalize().to_string()),
            "discount_tax": Json::money(discount_tax),
            "meta_data": Json::List(vec![]),
            "discount_type": "percent",
            "nominal_amount": 10u64,
            "free_shipping": false,
        }
    };
    order.coupon.iter().map(line).collect()
}

/// Newest first, negative, without lines and dates.
fn refunds(order: &SampleOrder) -> Vec<Json> {
    let told = order.refunds.iter().rev().map(|refund| {
        object! {
            "id": refund.id,
            "reason": if refund.goodwill.is_zero() { "damaged" } else { "goodwill" },
            "total": Json::money(-order.refund_total(refund)),
            "total_tax": Json::money(-order.refund_tax(refund)),
        }
    });
    told.collect()
}

fn gmt(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The shop's own time without an offset: misleading, as on the platform.
fn local(at: DateTime<Utc>) -> String {
    gmt(at + Duration::hours(1))
}
