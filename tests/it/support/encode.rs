//! What a scenario's store tells, as the webhook that a platform would send: topic, signature, body.
//!
//! Shopify can say nearly everything that a scenario can. A file that restores a deleted order is told by
//! WooCommerce, which alone has a message for it; one whose orders name their customer by the operator's own
//! people is told by the direct API, which alone shares customers' and distributors' ids.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;
use upline::clock::new_id;
use upline::core::money::Currency;
use upline::core::order::{LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, Refund, Report};
use upline::scenario::{Action, Scenario, Store};
use upline::stores::Platform;

pub const SECRET: &str = "whsec-of-a-scenario";

#[derive(Clone, Debug)]
pub struct Request {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The platform that tells a scenario's store. A store that names its platform keeps it.
pub fn platform(scenario: &Scenario, store: &Store) -> Platform {
    let named = store.platform.parse().expect("a platform");
    let told = |wanted: fn(&Report) -> bool| {
        scenario
            .steps
            .iter()
            .any(|step| matches!(&step.action, Action::Deliver { report, .. } if wanted(report)))
    };
    if named != Platform::Direct {
        named
    } else if told(|report| matches!(report, Report::Restored { .. })) {
        Platform::WooCommerce
    } else if told(|report| matches!(report, Report::Snapshot(order) if order.customer_id.is_some())) {
        Platform::Direct
    } else {
        Platform::Shopify
    }
}

/// A place of attribution as the platform has it. Only the direct API has a `distributor_ref`.
pub fn place(platform: Platform, place: &str) -> String {
    match (platform, place) {
        (Platform::Shopify, "distributor_ref") => "note_attribute:ref".to_owned(),
        (Platform::WooCommerce | Platform::Magento, "distributor_ref") => "order_meta:ref".to_owned(),
        (_, other) => other.to_owned(),
    }
}

/// `known` is the order as it was last told, for what needs it. An error says what cannot be told.
pub fn request(
    platform: Platform,
    report: &Report,
    known: Option<&OrderSnapshot>,
    currency: Currency,
) -> Result<Request, String> {
    match platform {
        Platform::Shopify => shopify(report, currency),
        Platform::WooCommerce => woocommerce(report, known),
        Platform::Direct => direct(report),
        Platform::Magento => Err("nothing here tells it as Magento".to_owned()),
    }
}

/// Platforms number their things. A name gets a number that is always the same.
pub fn number(name: &str) -> u64 {
    let fold = |sum: u64, byte: u8| (sum * 131 + u64::from(byte)) % 1_000_000_000_000;
    name.parse().unwrap_or_else(|_| name.bytes().fold(7, fold))
}

fn shopify(report: &Report, currency: Currency) -> Result<Request, String> {
    let (topic, body, at) = match report {
        Report::Snapshot(order) if order.cancelled => {
            ("orders/cancelled", shopify_order(order)?, order.updated_at)
        }
        Report::Snapshot(order) if order.updated_at == order.ordered_at => {
            ("orders/create", shopify_order(order)?, order.updated_at)
        }
        Report::Snapshot(order) => ("orders/updated", shopify_order(order)?, order.updated_at),
        Report::Refund { order, refund } => {
            let body = shopify_refund(order, refund, currency, None);
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

fn shopify_order(order: &OrderSnapshot) -> Result<Value, String> {
    let sums = Sums::of(order)?;
    let money = |amount: Decimal| text(amount, order.currency);
    let set = |amount: Decimal| set(amount, order.currency);
    let named = |kind: &str| {
        let pair =
            |told: &PlaceValue| Some(json!({"name": told.place.strip_prefix(kind)?, "value": told.value}));
        ours(order, Platform::Shopify).iter().filter_map(pair).collect::<Vec<_>>()
    };
    let codes = order.places.iter().filter(|told| told.place == "discount_code");
    let customer = order.places.iter().find(|told| told.place == "customer").map(|told| &told.value);
    let landing = order.places.iter().find_map(|told| {
        told.place.strip_prefix("landing_url:").map(|name| format!("/?{name}={}", told.value))
    });
    let known = ["note_attribute:", "discount_code", "customer", "landing_url:", "distributor_ref"];
    if let Some(other) =
        order.places.iter().find(|told| !known.iter().any(|known| told.place.starts_with(known)))
    {
        return Err(format!("{} is no place in an order of Shopify", other.place));
    }
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
        "customer": customer.map(|id| json!({"id": number(id), "state": "disabled", "tags": ""})),
        "discount_codes": codes.map(|told| json!({"code": told.value, "amount": "0.00", "type": "percentage"})).collect::<Vec<_>>(),
        "landing_site": landing,
        "note_attributes": named("note_attribute:"),
        "line_items": order.lines.iter().map(|line| shopify_line(order, line)).collect::<Vec<_>>(),
        "refunds": order.refunds.iter().map(|refund| shopify_refund(&order.external_id, refund, order.currency, Some(order))).collect::<Vec<_>>(),
        "shipping_lines": [{"id": 9_000_001, "code": "Standard", "discount_allocations": [], "is_removed": false,
            "price": money(sums.extra), "price_set": set(sums.extra), "tax_lines": [], "title": "Standard"}],
        "fulfillments": [],
        "tags": "",
    }))
}

fn shopify_line(order: &OrderSnapshot, line: &OrderLine) -> Value {
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

fn shopify_refund(order: &str, refund: &Refund, currency: Currency, known: Option<&OrderSnapshot>) -> Value {
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
    let with = |taken: &upline::core::order::RefundLine| {
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

fn woocommerce(report: &Report, known: Option<&OrderSnapshot>) -> Result<Request, String> {
    let (topic, body) = match report {
        Report::Snapshot(order) if order.updated_at == order.ordered_at => {
            ("order.created", woo_order(order)?)
        }
        Report::Snapshot(order) => ("order.updated", woo_order(order)?),
        Report::Deleted { order, .. } => ("order.deleted", json!({"id": number(order)})),
        Report::Restored { .. } => {
            ("order.restored", woo_order(known.ok_or("an order is restored that was never told")?)?)
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

fn woo_order(order: &OrderSnapshot) -> Result<Value, String> {
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
        "meta_data": ours(order, Platform::WooCommerce).iter().filter_map(meta).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(line).collect::<Vec<_>>(),
        "shipping_lines": [{"id": 91, "method_title": "Flat rate", "total": money(sums.extra), "total_tax": "0.00", "taxes": []}],
        "fee_lines": [], "coupon_lines": [],
        "refunds": order.refunds.iter().map(|refund| json!({"id": number(&refund.external_id), "reason": "", "total": money(-refund.amount)})).collect::<Vec<_>>(),
    }))
}

fn direct(report: &Report) -> Result<Request, String> {
    let Report::Snapshot(order) = report else { return Err(format!("the direct API takes no {report:?}")) };
    let known =
        |place: &str| order.places.iter().find(|told| told.place == place).map(|told| told.value.clone());
    let plain = |line: &OrderLine| {
        line.kind == LineKind::Goods && line.included_tax.is_zero() && line.discount.is_zero()
    };
    if !order.refunds.is_empty() || !order.lines.iter().all(plain) || !order.closings.is_empty() {
        return Err("an order of the direct API has no refunds, taxes, tips or discounts by line".into());
    }
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
        "platform_order_id": order.external_id, "order_ts": time(order.ordered_at), "updated_at": time(order.updated_at),
        "status": status, "test": order.test, "currency": order.currency.code(), "customer_id": order.customer_id,
        "distributor_ref": known("distributor_ref"), "items": order.lines.iter().map(item).collect::<Vec<_>>(),
        "total": text(order.total, order.currency),
    });
    let headers =
        [("Content-Type", "application/json".to_owned()), ("Authorization", format!("Bearer {SECRET}"))];
    Ok(Request { headers: owned(headers), body: body.to_string().into_bytes() })
}

/// What the parts of an order come to; what its total has beyond them is told as shipping.
struct Sums {
    goods: Decimal,
    tips: Decimal,
    tax: Decimal,
    extra: Decimal,
}

impl Sums {
    fn of(order: &OrderSnapshot) -> Result<Self, String> {
        let due = |tips: bool| -> Decimal {
            let lines = order.lines.iter().filter(|line| (line.kind == LineKind::Tip) == tips);
            lines.map(|line| line.gross - line.discount).sum()
        };
        let (goods, tips) = (due(false), due(true));
        let extra = order.total - goods - tips;
        if extra < Decimal::ZERO {
            return Err("a total below its lines is a discount; say which".to_owned());
        }
        Ok(Self { goods, tips, tax: order.lines.iter().map(|line| line.included_tax).sum(), extra })
    }
}

/// The order's places under the platform's own names.
fn ours(order: &OrderSnapshot, platform: Platform) -> Vec<PlaceValue> {
    let named =
        |told: &PlaceValue| PlaceValue { place: place(platform, &told.place), value: told.value.clone() };
    order.places.iter().map(named).collect()
}

/// With all the digits that the currency has, and more if the amount has more.
fn text(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount.normalize();
    amount.rescale(amount.scale().max(currency.exponent().unwrap_or(2)));
    amount.to_string()
}

fn set(amount: Decimal, currency: Currency) -> Value {
    let money = || json!({"amount": text(amount, currency), "currency_code": currency.code()});
    json!({"shop_money": money(), "presentment_money": money()})
}

/// A JSON number of exactly these digits.
fn exact(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).expect("a decimal is a JSON number")
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn owned<const N: usize>(headers: [(&str, String); N]) -> Vec<(String, String)> {
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}
