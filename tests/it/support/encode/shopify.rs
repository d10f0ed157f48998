//! Shopify's order, refund and deletion webhooks, as the Admin REST API writes them.

use chrono::{DateTime, SecondsFormat};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upline::clock::new_id;
use upline::core::money::Currency;
use upline::core::order::{
    LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, Refund, RefundLine, Report,
};
use upline::stores::Platform;

use super::{Request, Sums, buys_for_himself, exact, number, owned, places, set, signature, text, time};

const PLACES: [&str; 4] = ["note_attribute:", "discount_code", "customer", "landing_url:"];

pub fn request(report: &Report, currency: Currency) -> Result<Request, String> {
    let (topic, body, at) = match report {
        Report::Snapshot(order) if order.cancelled => {
            ("orders/cancelled", order_body(order)?, order.updated_at)
        }
        Report::Snapshot(order) if order.updated_at == order.ordered_at => {
            ("orders/create", order_body(order)?, order.updated_at)
        }
        Report::Snapshot(order) => ("orders/updated", order_body(order)?, order.updated_at),
        Report::Refund { order, refund } => {
            let body = refund_body(order, refund, currency, None);
            ("refunds/create", body, DateTime::UNIX_EPOCH)
        }
        Report::Deleted { order, at } => {
            ("orders/delete", json!({"id": number(order)}), at.ok_or("a deletion without its time")?)
        }
        other => return Err(format!("Shopify has no message for {other:?}")),
    };
    let body = body.to_string().into_bytes();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-Shopify-Topic", topic.to_owned()),
        ("X-Shopify-Hmac-Sha256", signature(&body)),
        ("X-Shopify-Shop-Domain", "scenario.myshopify.com".to_owned()),
        ("X-Shopify-API-Version", "2026-04".to_owned()),
        ("X-Shopify-Webhook-Id", new_id().to_string()),
        ("X-Shopify-Triggered-At", at.to_rfc3339_opts(SecondsFormat::Nanos, true)),
    ];
    Ok(Request { headers: owned(headers), body })
}

fn order_body(order: &OrderSnapshot) -> Result<Value, String> {
    let sums = Sums::of(order)?;
    let money = |amount: Decimal| text(amount, order.currency);
    let set = |amount: Decimal| set(amount, order.currency);
    let places = places(order, Platform::Shopify, &PLACES)?;
    if buys_for_himself(order) {
        return Err("a customer of Shopify is no distributor".to_owned());
    }
    let at = |place: &str| places.iter().find(|told| told.place == place).map(|told| told.value.clone());
    let attribute = |told: &PlaceValue| {
        Some(json!({"name": told.place.strip_prefix("note_attribute:")?, "value": told.value}))
    };
    let codes = places.iter().filter(|told| told.place == "discount_code");
    let customer = at("customer").or(order.customer_id.clone());
    let landing = places.iter().find_map(|told| {
        told.place.strip_prefix("landing_url:").map(|name| format!("/?{name}={}", told.value))
    });
    let subtotal = order.closings.iter().find(|closing| closing.field == "subtotal_price");
    let subtotal = subtotal.map_or(sums.goods, |closing| closing.stated);
    let returned: Decimal =
        order.refunds.iter().flat_map(|refund| with_tax(refund, Some(order))).map(|b| b.2).sum();
    Ok(json!({
        "id": number(&order.external_id),
        "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.external_id),
        "name": format!("#{}", order.external_id),
        "cancel_reason": order.cancelled.then_some("customer"),
        "cancelled_at": order.cancelled.then(|| time(order.updated_at)),
        "created_at": time(order.ordered_at),
        "processed_at": time(order.ordered_at),
        "updated_at": time(order.updated_at),
        "currency": order.currency.code(),
        "presentment_currency": order.currency.code(),
        "financial_status": financial_status(order),
        "test": order.test,
        "taxes_included": !sums.tax.is_zero(),
        "current_subtotal_price": money(subtotal - returned),
        "subtotal_price": money(subtotal),
        "subtotal_price_set": set(subtotal),
        "total_discounts": money(order.lines.iter().map(|line| line.discount).sum()),
        "total_price": money(order.total),
        "total_price_set": set(order.total),
        "total_shipping_price_set": set(sums.extra),
        "total_tax": money(sums.tax),
        "total_tip_received": money(sums.tips),
        "customer": customer.map(|id| json!({"id": number(&id), "state": "disabled", "tags": ""})),
        "discount_codes": codes.map(|told| json!({"code": told.value, "amount": "0.00", "type": "percentage"})).collect::<Vec<_>>(),
        "landing_site": landing,
        "note_attributes": places.iter().filter_map(attribute).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(|line| line_item(order, line)).collect::<Vec<_>>(),
        "refunds": order.refunds.iter().map(|refund| refund_body(&order.external_id, refund, order.currency, Some(order))).collect::<Vec<_>>(),
        "shipping_lines": [{"id": 9_000_001, "code": "Standard", "discount_allocations": [], "is_removed": false,
            "price": money(sums.extra), "price_set": set(sums.extra), "tax_lines": [], "title": "Standard"}],
        "fulfillments": [],
        "tags": "",
    }))
}

fn line_item(order: &OrderSnapshot, line: &OrderLine) -> Value {
    let money = |amount: Decimal| text(amount, order.currency);
    let taken = order.refunds.iter().flat_map(|refund| &refund.lines);
    let taken: Decimal =
        taken.filter(|taken| taken.line == line.external_id).map(|taken| taken.quantity).sum();
    let allocated = (!line.discount.is_zero()).then(|| {
        json!({"amount": money(line.discount), "amount_set": set(line.discount, order.currency), "discount_application_index": 0})
    });
    let tax = (!line.included_tax.is_zero()).then(
        || json!({"price": money(line.included_tax), "rate": 0.2, "title": "VAT", "channel_liable": false}),
    );
    let mut told = json!({
        "id": number(&line.external_id),
        "current_quantity": exact((line.quantity - taken).max(Decimal::ZERO)),
        "gift_card": line.kind == LineKind::GiftCard,
        "name": line.title,
        "title": line.title,
        "price": money(line.unit_price),
        "price_set": set(line.unit_price, order.currency),
        "product_id": line.product.product_id.as_deref().map(number),
        "variant_id": line.product.variant_id.as_deref().map(number),
        "properties": [],
        "quantity": exact(line.quantity),
        "sku": line.product.sku,
        "total_discount": "0.00",
        "tax_lines": Vec::from_iter(tax),
        "discount_allocations": Vec::from_iter(allocated),
    });
    if line.kind == LineKind::Tip {
        told["tip"] = json!({"payment_gateway": "shopify_payments", "payment_method": "visa"});
    }
    told
}

fn refund_body(order: &str, refund: &Refund, currency: Currency, known: Option<&OrderSnapshot>) -> Value {
    let back = with_tax(refund, known);
    let tax: Decimal = back.iter().map(|(_, _, _, tax)| *tax).sum();
    let lines = back.iter().map(|(line, quantity, subtotal, tax)| {
        json!({"id": number(line) + 700, "line_item_id": number(line), "quantity": exact(*quantity), "restock_type": "return",
            "subtotal": exact(*subtotal), "total_tax": exact(*tax),
            "subtotal_set": set(*subtotal, currency), "total_tax_set": set(*tax, currency)})
    });
    json!({
        "id": number(&refund.external_id),
        "order_id": number(order),
        "created_at": "2026-01-01T12:00:00-05:00",
        "processed_at": "2026-01-01T12:00:00-05:00",
        "note": "",
        "restock": !back.is_empty(),
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "refund_line_items": lines.collect::<Vec<_>>(),
        "transactions": [{"id": 9_100_001, "kind": "refund", "gateway": "shopify_payments", "status": "success",
            "amount": text(refund.amount + tax, currency), "currency": currency.code()}],
    })
}

/// Line, quantity, money with its tax, and that tax: prices with tax inside are refunded with it.
fn with_tax(refund: &Refund, known: Option<&OrderSnapshot>) -> Vec<(String, Decimal, Decimal, Decimal)> {
    let with = |taken: &RefundLine| {
        let line = known.and_then(|order| order.lines.iter().find(|line| line.external_id == taken.line));
        let tax = line.map_or(Decimal::ZERO, |line| line.included_tax * taken.quantity / line.quantity);
        (taken.line.clone(), taken.quantity, taken.net + tax, tax)
    };
    refund.lines.iter().map(with).collect()
}

fn financial_status(order: &OrderSnapshot) -> &'static str {
    let back: Decimal = order.refunds.iter().map(|refund| refund.amount).sum();
    match order.payment {
        Payment::Unpaid => "pending",
        Payment::Voided => "voided",
        Payment::Paid if back.is_zero() => "paid",
        Payment::Paid if back < order.total => "partially_refunded",
        Payment::Paid => "refunded",
    }
}
