//! WooCommerce's order webhooks: REST v3 bodies, refunds only by their amount.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upline::clock::new_id;
use upline::core::order::{LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, Report};
use upline::stores::Platform;

use super::{Request, Sums, buys_for_himself, exact, number, owned, places, signature, text};

pub fn request(report: &Report, known: Option<&OrderSnapshot>) -> Result<Request, String> {
    let (topic, body) = match report {
        Report::Snapshot(order) if order.updated_at == order.ordered_at => {
            ("order.created", order_body(order)?)
        }
        Report::Snapshot(order) => ("order.updated", order_body(order)?),
        Report::Deleted { order, .. } => ("order.deleted", json!({"id": number(order)})),
        Report::Restored { .. } => {
            ("order.restored", order_body(known.ok_or("an order is restored that was never told")?)?)
        }
        other => return Err(format!("WooCommerce has no message for {other:?}")),
    };
    let body = body.to_string().into_bytes();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "WooCommerce/10.4.0 Hookshot (WordPress/7.0)".to_owned()),
        ("X-WC-Webhook-Source", "https://scenario.example/".to_owned()),
        ("X-WC-Webhook-Topic", topic.to_owned()),
        ("X-WC-Webhook-Resource", "order".to_owned()),
        ("X-WC-Webhook-ID", "11".to_owned()),
        ("X-WC-Webhook-Delivery-ID", new_id().simple().to_string()),
        ("X-WC-Webhook-Signature", signature(&body)),
    ];
    Ok(Request { headers: owned(headers), body })
}

fn order_body(order: &OrderSnapshot) -> Result<Value, String> {
    let sums = Sums::of(order)?;
    let money = |amount: Decimal| text(amount, order.currency);
    let gmt = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S").to_string();
    if order.lines.iter().any(|line| line.kind != LineKind::Goods) || !order.closings.is_empty() || order.test
    {
        return Err(
            "tips, gift cards, test orders and other sums have no field in an order of WooCommerce".into()
        );
    }
    if order.refunds.iter().any(|refund| refund.unallocated != refund.amount) {
        return Err("an order of WooCommerce does not tell the lines of its refunds".into());
    }
    if buys_for_himself(order) {
        return Err("a customer of WooCommerce is no distributor".into());
    }
    let places = places(order, Platform::WooCommerce, &["order_meta:"])?;
    let status = match (order.cancelled, order.payment) {
        (true, _) => "cancelled",
        (_, Payment::Paid) => "processing",
        (_, Payment::Unpaid) => "pending",
        (_, Payment::Voided) => "failed",
    };
    let line = |line: &OrderLine| {
        let total = line.gross - line.discount - line.included_tax;
        json!({"id": number(&line.external_id), "name": line.title, "product_id": 77, "variation_id": 0,
            "quantity": exact(line.quantity), "subtotal": money(total + line.discount), "total": money(total),
            "total_tax": money(line.included_tax), "taxes": [], "meta_data": [], "sku": line.product.sku})
    };
    let meta = |told: &PlaceValue| {
        Some(json!({"id": 1, "key": told.place.strip_prefix("order_meta:")?, "value": told.value}))
    };
    Ok(json!({
        "id": number(&order.external_id), "parent_id": 0, "number": order.external_id, "status": status,
        "currency": order.currency.code(), "prices_include_tax": !sums.tax.is_zero(),
        "date_created_gmt": gmt(order.ordered_at), "date_modified_gmt": gmt(order.updated_at),
        "date_paid_gmt": (order.payment == Payment::Paid).then(|| gmt(order.ordered_at)),
        "total": money(order.total), "total_tax": money(sums.tax), "customer_id": 0,
        "meta_data": places.iter().filter_map(meta).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(line).collect::<Vec<_>>(),
        "shipping_lines": [{"id": 91, "method_title": "Flat rate", "total": money(sums.extra), "total_tax": "0.00", "taxes": []}],
        "fee_lines": [], "coupon_lines": [],
        "refunds": order.refunds.iter().map(|refund| json!({"id": number(&refund.external_id), "reason": "", "total": money(-refund.amount)})).collect::<Vec<_>>(),
    }))
}
