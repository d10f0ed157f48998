//! Orders as an operator's own system posts them.

use rust_decimal::Decimal;
use serde_json::json;
use upline::core::order::{LineKind, OrderLine, Payment, Report};
use upline::stores::Platform;

use super::{Request, SECRET, exact, owned, places, text, time};

pub fn request(report: &Report) -> Result<Request, String> {
    let Report::Snapshot(order) = report else { return Err(format!("the direct API takes no {report:?}")) };
    let plain = |line: &OrderLine| {
        line.kind == LineKind::Goods && line.included_tax.is_zero() && line.discount.is_zero()
    };
    if !order.refunds.is_empty() || !order.lines.iter().all(plain) || !order.closings.is_empty() {
        return Err("an order of the direct API has no refunds, taxes, tips or discounts by line".into());
    }
    if order.cancelled && order.payment == Payment::Paid {
        return Err("a cancelled order of the direct API is unpaid".into());
    }
    if order.total < order.lines.iter().map(|line| line.gross).sum::<Decimal>() {
        return Err("a total below its lines is a discount of the direct API".into());
    }
    // That a customer earns itself is told by its id alone.
    let places = places(order, Platform::Direct, &["distributor_ref", "customer"])?;
    let named = places.iter().find(|told| told.place == "distributor_ref");
    let status = match (order.cancelled, order.payment) {
        (true, _) => "cancelled",
        (_, Payment::Paid) => "paid",
        (_, Payment::Unpaid) => "pending",
        (_, Payment::Voided) => "voided",
    };
    let item = |line: &OrderLine| {
        json!({"line_id": line.external_id, "platform_sku": line.product.sku, "title": line.title,
            "qty": exact(line.quantity), "unit_price": text(line.unit_price, order.currency)})
    };
    let body = json!({
        "platform_order_id": order.external_id,
        "order_ts": time(order.ordered_at),
        "updated_at": time(order.updated_at),
        "status": status,
        "test": order.test,
        "currency": order.currency.code(),
        "customer_id": order.customer_id,
        "distributor_ref": named.map(|told| &told.value),
        "items": order.lines.iter().map(item).collect::<Vec<_>>(),
        "total": text(order.total, order.currency),
    });
    let headers =
        [("Content-Type", "application/json".to_owned()), ("Authorization", format!("Bearer {SECRET}"))];
    Ok(Request { headers: owned(headers), body: body.to_string().into_bytes() })
}
