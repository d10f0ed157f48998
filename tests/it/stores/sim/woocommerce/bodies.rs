//! What the shop shows of its things, field by field as REST v3 does: money as text at the shop's decimals, local times
//! beside those in UTC, neither with a zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::super::shop::{Carried, Customer, Line, Money, Order, Product, Refund, RefundLine, Variant};
use super::{Shop, Subscription};

pub const HOME: &str = "https://woo.example/";
pub const AGENT: &str = "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)";
const VERSION: &str = "11.0.1";

/// As `json_encode` writes it: ASCII, with escaped slashes.
pub fn php(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

fn gmt(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn local(shop: &Shop, at: DateTime<Utc>) -> String {
    let zone: Tz = shop.zone.parse().expect("a zone");
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn money(decimals: u32, amount: Money) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let unit = 10u64.pow(decimals);
    let (whole, part) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0width$}", width = usize::try_from(decimals).unwrap()),
    }
}

/// A number with as many digits as PHP has, as for a third of an amount.
fn price(decimals: u32, amount: Money, quantity: i64) -> Value {
    if quantity == 0 {
        return json!(0);
    }
    let scale = 10i128.pow(16 - decimals);
    let digits = i128::from(amount) * scale / i128::from(quantity);
    let (whole, part) = (digits / 10i128.pow(16), digits % 10i128.pow(16));
    serde_json::from_str(&format!("{whole}.{part:016}")).expect("a number")
}

/// Only a full refund changes the status by itself.
pub fn status_of(order: &Order) -> &'static str {
    match order {
        _ if order.trashed => "trash",
        _ if order.cancelled_at.is_some() => "cancelled",
        _ if order.total() > 0 && order.refunded_total() >= order.total() => "refunded",
        _ if order.paid_at.is_some() => "processing",
        _ => "pending",
    }
}

pub fn order(shop: &Shop, order: &Order) -> Value {
    let decimals = order.decimals;
    let money = |amount: Money| money(decimals, amount);
    let lines: Vec<Left<'_>> = order.lines.iter().filter_map(|line| Left::of(order, line)).collect();
    let discount: Money = lines.iter().map(|line| line.subtotal() - line.net).sum();
    let cart_tax: Money = lines.iter().map(|line| line.tax).sum();
    let mut refunds: Vec<&Refund> = order.live_refunds().collect();
    refunds.sort_by_key(|refund| std::cmp::Reverse((refund.at, refund.id)));
    let refunds = refunds.into_iter().map(|refund| {
        json!({
            "id": refund.id, "reason": "", "total": money(-refund.amount()), "total_tax": money(-refund.tax()),
        })
    });
    let mut body = json!({
        "id": order.id,
        "parent_id": 0,
        "status": status_of(order),
        "currency": order.currency,
        "version": VERSION,
        "prices_include_tax": false,
        "discount_total": money(discount),
        "discount_tax": money(0),
        "shipping_total": money(order.shipping),
        "shipping_tax": money(order.shipping_tax),
        "cart_tax": money(cart_tax),
        "total": money(order.total()),
        "total_tax": money(order.tax()),
        "customer_id": order.customer.unwrap_or(0),
        "billing": address(),
        "shipping": address(),
        "number": order.id.to_string(),
        "meta_data": meta_data(order),
        "line_items": lines.iter().map(|line| line.body(decimals)).collect::<Vec<_>>(),
        "tax_lines": [],
        "shipping_lines": shipping(order, order.shipping, order.shipping_tax),
        "fee_lines": [],
        "coupon_lines": coupons(order),
        "refunds": refunds.collect::<Vec<_>>(),
        "is_editable": order.paid_at.is_none(),
        "needs_payment": order.paid_at.is_none(),
        "needs_processing": true,
    });
    let rest = json!({
        "date_created": local(shop, order.created_at),
        "date_created_gmt": gmt(order.created_at),
        "date_modified": local(shop, order.changed_at),
        "date_modified_gmt": gmt(order.changed_at),
        "date_paid": order.paid_at.map(|at| local(shop, at)),
        "date_paid_gmt": order.paid_at.map(gmt),
        "date_completed": null,
        "date_completed_gmt": null,
        "order_key": format!("wc_order_{:013x}", order.id),
        "payment_method": "bacs",
        "payment_method_title": "Überweisung",
        "transaction_id": "",
        "created_via": "checkout",
        "customer_note": "",
        "cart_hash": "",
        "payment_url": format!("{HOME}checkout/order-pay/{}/?pay_for_order=true", order.id),
        "currency_symbol": "$",
        "_links": {"self": [{"href": format!("{HOME}wp-json/wc/v3/orders/{}", order.id)}]},
    });
    body.as_object_mut().expect("an object").extend(rest.as_object().expect("another").clone());
    body
}

fn address() -> Value {
    json!({
        "first_name": "Zoë", "last_name": "O’Brien-Müller", "company": "", "address_1": "Straße 1/2",
        "address_2": "", "city": "Berlin", "state": "", "postcode": "10115", "country": "DE",
        "email": "zoe@example.test", "phone": "+49 30 1234",
    })
}

fn meta_data(order: &Order) -> Value {
    let mut all = vec![json!({"id": order.id * 10, "key": "is_vat_exempt", "value": "no"})];
    if let Some(referral) = &order.referral {
        let (key, value) = match referral.carried {
            Carried::LandingUrl => {
                ("_wc_order_attribution_session_entry", format!("{HOME}shop/?ref={}&x=1", referral.code))
            }
            Carried::Meta | Carried::Attribute => ("distributor_code", referral.code.clone()),
            Carried::Coupon => return json!(all),
        };
        all.push(json!({"id": order.id * 10 + 1, "key": key, "value": value}));
    }
    json!(all)
}

/// Coupon codes are kept in small letters.
fn coupons(order: &Order) -> Value {
    let coupon = order.referral.as_ref().filter(|referral| referral.carried == Carried::Coupon);
    let coupon = coupon.map(|referral| {
        json!({
            "id": order.id * 10 + 2, "code": referral.code.to_lowercase(), "discount": "0", "discount_tax": "0",
            "meta_data": [], "discount_type": "percent", "nominal_amount": 0, "free_shipping": false,
        })
    });
    json!(Vec::from_iter(coupon))
}

fn shipping(order: &Order, amount: Money, tax: Money) -> Value {
    let money = |amount| money(order.decimals, amount);
    match amount == 0 && tax == 0 {
        true => json!([]),
        false => json!([{
            "id": order.id * 10 + 3, "method_title": "Post", "method_id": "flat_rate", "instance_id": "",
            "total": money(amount), "total_tax": money(tax),
            "taxes": [{"id": 1, "total": money(tax), "subtotal": ""}], "meta_data": [],
        }]),
    }
}

/// What edits left of a line; one of which nothing is left is not shown.
struct Left<'a> {
    line: &'a Line,
    quantity: i64,
    net: Money,
    tax: Money,
}

impl<'a> Left<'a> {
    fn of(order: &Order, line: &'a Line) -> Option<Self> {
        let (quantity, net, tax) = order.removed(line.id);
        let left =
            Self { line, quantity: line.quantity - quantity, net: line.net() - net, tax: line.tax - tax };
        (left.quantity > 0).then_some(left)
    }

    fn subtotal(&self) -> Money {
        self.line.unit_price * self.quantity
    }

    fn body(&self, decimals: u32) -> Value {
        let money = |amount| money(decimals, amount);
        let line = self.line;
        json!({
            "id": line.id,
            "name": line.title,
            "product_id": line.product,
            "variation_id": if line.variant == line.product { 0 } else { line.variant },
            "quantity": self.quantity,
            "tax_class": "",
            "subtotal": money(self.subtotal()),
            "subtotal_tax": money(self.tax),
            "total": money(self.net),
            "total_tax": money(self.tax),
            "taxes": [{"id": 1, "total": money(self.tax), "subtotal": money(self.tax)}],
            "meta_data": [],
            "sku": line.sku,
            "global_unique_id": "",
            "price": price(decimals, self.net, self.quantity),
            "image": {"id": "", "src": ""},
            "parent_name": null,
        })
    }
}

pub fn refund(shop: &Shop, order: &Order, refund: &Refund) -> Value {
    let money = |amount| money(order.decimals, amount);
    let lines = refund
        .lines
        .iter()
        .enumerate()
        .map(|(i, part)| refund_line(order, part, refund.id * 100 + u64::try_from(i).unwrap()));
    let mut back = shipping(order, -refund.shipping, -refund.shipping_tax);
    if let Some(line) = back.as_array_mut().and_then(|lines| lines.first_mut()) {
        let of = order.id * 10 + 3;
        line["meta_data"] =
            json!([{"id": refund.id * 100 + 98, "key": "_refunded_item_id", "value": of.to_string()}]);
    }
    json!({
        "id": refund.id,
        "parent_id": order.id,
        "date_created": local(shop, refund.at),
        "date_created_gmt": gmt(refund.at),
        "amount": money(refund.amount()),
        "reason": "",
        "refunded_by": 1,
        "refunded_payment": false,
        "meta_data": [],
        "line_items": lines.collect::<Vec<_>>(),
        "shipping_lines": back,
        "tax_lines": [],
        "fee_lines": [],
    })
}

fn refund_line(order: &Order, part: &RefundLine, id: u64) -> Value {
    let money = |amount| money(order.decimals, amount);
    let line = order.find_line(part.line);
    json!({
        "id": id,
        "name": line.title,
        "product_id": line.product,
        "variation_id": if line.variant == line.product { 0 } else { line.variant },
        "quantity": -part.quantity,
        "subtotal": money(-part.net),
        "subtotal_tax": money(-part.tax),
        "total": money(-part.net),
        "total_tax": money(-part.tax),
        "sku": line.sku,
        "price": price(order.decimals, part.net, part.quantity),
        "meta_data": [{
            "id": id, "key": "_refunded_item_id", "value": part.line.to_string(),
            "display_key": "_refunded_item_id", "display_value": part.line.to_string(),
        }],
    })
}

pub fn product(shop: &Shop, product: &Product) -> Value {
    let first = &product.variants[0];
    let variations: Vec<u64> = product.variants.iter().map(|variant| variant.id).collect();
    let simple = product.simple;
    json!({
        "id": product.id,
        "name": product.title,
        "date_created": local(shop, product.created_at),
        "date_created_gmt": gmt(product.created_at),
        "date_modified": local(shop, product.changed_at),
        "date_modified_gmt": gmt(product.changed_at),
        "type": if simple { "simple" } else { "variable" },
        "status": "publish",
        "sku": if simple { first.sku.as_str() } else { "" },
        "price": money(shop.decimals, first.price),
        "manage_stock": simple,
        "stock_quantity": if simple { json!(first.stock) } else { Value::Null },
        "stock_status": "instock",
        "parent_id": 0,
        "attributes": if simple { json!([]) } else { json!([{"id": 1, "name": "Size", "options": ["S", "M", "L"]}]) },
        "variations": if simple { vec![] } else { variations },
        "meta_data": [],
    })
}

pub fn variation(shop: &Shop, product: &Product, variant: &Variant) -> Value {
    json!({
        "id": variant.id,
        "name": format!("{} - {}", product.title, variant.title),
        "date_created_gmt": gmt(product.created_at),
        "date_modified_gmt": gmt(product.changed_at),
        "type": "variation",
        "status": "publish",
        "sku": variant.sku,
        "price": money(shop.decimals, variant.price),
        "manage_stock": true,
        "stock_quantity": variant.stock,
        "parent_id": product.id,
        "attributes": [{"id": 1, "name": "Size", "slug": "pa_size", "option": variant.title}],
        "variations": [],
        "meta_data": [],
    })
}

pub fn customer(shop: &Shop, customer: &Customer) -> Value {
    let mut meta = vec![
        json!({"id": 90, "key": "wc_last_active", "value": customer.created_at.timestamp().to_string()}),
    ];
    meta.extend(customer.code.iter().map(|code| json!({"id": 91, "key": "distributor_code", "value": code})));
    json!({
        "id": customer.id,
        "date_created": local(shop, customer.created_at),
        "date_created_gmt": gmt(customer.created_at),
        "date_modified": local(shop, customer.changed_at),
        "date_modified_gmt": gmt(customer.changed_at),
        "email": format!("c{}@example.test", customer.id),
        "first_name": "Zoë",
        "last_name": "O’Brien-Müller",
        "role": "customer",
        "username": format!("c{}", customer.id),
        "billing": address(),
        "shipping": address(),
        "is_paying_customer": false,
        "meta_data": meta,
    })
}

pub fn webhook(known: &Subscription) -> Value {
    let (resource, event) = known.topic.split_once('.').unwrap_or((&known.topic, ""));
    json!({
        "id": known.id,
        "name": format!("Webhook {}", known.id),
        "status": if known.active { "active" } else { "disabled" },
        "topic": known.topic,
        "resource": resource,
        "event": event,
        "hooks": [],
        "delivery_url": known.address,
    })
}

pub fn index(shop: &Shop) -> Value {
    let zone: Tz = shop.zone.parse().expect("a zone");
    json!({
        "name": shop.name, "description": "", "url": HOME.trim_end_matches('/'), "home": HOME.trim_end_matches('/'),
        "gmt_offset": "1", "timezone_string": zone.name(), "namespaces": ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wp/v2"],
    })
}

pub fn status(shop: &Shop) -> Value {
    json!({
        "environment": {"home_url": HOME, "site_url": HOME, "version": VERSION, "wp_version": "7.0.4"},
        "settings": {"api_enabled": false, "force_ssl": false, "currency": shop.currency, "currency_symbol": "$"},
    })
}
