//! The shop's truth in the platform's shapes. Amounts are bare numbers, once in the website's base currency, once in
//! the order's; every second order is made in another currency, at twice the figures.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::super::shop::{Carried, Customer, Id, Line, Money, Order, Product, Refund, Shop, Variant};

/// The item of a configurable product's child: no line of the truth has such an id.
const CHILD: Id = 1 << 40;
const FOREIGN: &str = "XTS";

pub fn number(order: &Order) -> String {
    let number = format!("{:09}", order.number);
    if order.replaces.is_some() { format!("{number}-1") } else { number }
}

pub fn parent_sku(product: Id) -> String {
    format!("configurable-{product}")
}

fn text(time: DateTime<Utc>) -> Value {
    json!(super::search::time(time))
}

/// A number as PHP writes it: no zeros at the end, no point without digits after it.
fn amount(money: Money, decimals: u32) -> Value {
    let unit = 10i64.pow(decimals);
    let (whole, part) = (money.abs() / unit, money.abs() % unit);
    let width = usize::try_from(decimals).unwrap();
    let part = if decimals == 0 { String::new() } else { format!(".{part:0width$}") };
    let sign = if money < 0 { "-" } else { "" };
    let plain = if decimals == 0 { &part[..] } else { part.trim_end_matches('0').trim_end_matches('.') };
    let literal = format!("{sign}{whole}{plain}");
    serde_json::from_str(&literal).unwrap()
}

/// Puts both currencies' figures of one amount.
struct Sheet<'o> {
    order: &'o Order,
    map: Map<String, Value>,
}

impl<'o> Sheet<'o> {
    fn new(order: &'o Order, fields: Value) -> Self {
        let Value::Object(map) = fields else { panic!("an object") };
        Self { order, map }
    }

    fn rate(&self) -> i64 {
        if is_foreign(self.order) { 2 } else { 1 }
    }

    fn put(mut self, name: &str, money: Money) -> Self {
        let decimals = self.order.decimals;
        self.map.insert(name.to_owned(), amount(money * self.rate(), decimals));
        self.map.insert(format!("base_{name}"), amount(money, decimals));
        self
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.map.insert(name.to_owned(), value);
        self
    }

    fn currencies(self) -> Self {
        let (base, order) = (json!(self.order.currency), is_foreign(self.order));
        let plain = if order { json!(FOREIGN) } else { base.clone() };
        let rate = self.rate();
        self.set("base_currency_code", base)
            .set("order_currency_code", plain)
            .set("base_to_order_rate", json!(rate))
    }

    fn done(self) -> Value {
        Value::Object(self.map)
    }
}

fn is_foreign(order: &Order) -> bool {
    order.id % 2 == 1
}

/// Configurable products are sold as a parent with the money and a child that is the product.
fn is_configurable(line: &Line) -> bool {
    line.product != line.variant
}

pub fn order(shop: &Shop, order: &Order) -> Value {
    let subtotal: Money = order.lines.iter().map(|line| line.unit_price * line.quantity).sum();
    let discount: Money = order.lines.iter().map(|line| line.discount).sum();
    let total = order.total();
    let paid = if order.paid_at.is_some() { total } else { 0 };
    let canceled = if order.cancelled_at.is_some() { total - paid } else { 0 };
    let extra: Money = order.live_refunds().map(|refund| refund.extra).sum();
    let refunded = order.refunded_total();
    let state = match (order.cancelled_at, order.paid_at) {
        (Some(_), _) => "canceled",
        (None, None) => "new",
        (None, Some(_)) if refunded >= total => "closed",
        (None, Some(_)) => "processing",
    };
    let invoiced = if order.paid_at.is_some() { subtotal } else { 0 };
    let mut sheet = Sheet::new(order, json!({"entity_id": order.id, "increment_id": number(order), "state": state,
        "status": "whatever_the_merchant_calls_it", "store_id": 1, "customer_is_guest": i32::from(order.customer.is_none()),
        "customer_email": "somebody@example.test", "billing_address": {"city": "Somewhere", "region_id": 3}}))
    .currencies()
    .set("created_at", text(order.created_at))
    .set("updated_at", text(order.changed_at))
    .put("subtotal", subtotal)
    .put("discount_amount", -discount)
    .put("shipping_amount", order.shipping)
    .put("shipping_discount_amount", 0)
    .put("tax_amount", order.tax())
    .put("discount_tax_compensation_amount", 0)
    .put("grand_total", total)
    .put("total_paid", paid)
    .put("total_due", total - paid)
    .put("total_canceled", canceled)
    .put("total_invoiced", paid)
    .put("subtotal_invoiced", invoiced)
    .put("total_refunded", refunded)
    .put("adjustment_positive", extra)
    .put("adjustment_negative", 0);
    if let Some(customer) = order.customer {
        sheet = sheet.set("customer_id", json!(customer));
    }
    for (name, related) in [("relation_parent", order.replaces), ("relation_child", order.replaced_by)] {
        if let Some(related) = related {
            sheet = sheet
                .set(&format!("{name}_id"), json!(related.to_string()))
                .set(&format!("{name}_real_id"), json!(number(shop.order(related))));
        }
    }
    let items: Vec<Value> = order.lines.iter().flat_map(|line| items(order, line)).collect();
    let mut sheet = sheet.set("items", json!(items));
    let mut extension = json!({"shipping_assignments": [{"shipping": {}, "items": []}]});
    match &order.referral {
        Some(referral) if referral.carried == Carried::Coupon => {
            sheet = sheet.set("coupon_code", json!(referral.code));
        }
        Some(referral) => extension["distributor_code"] = json!(referral.code),
        None => {}
    }
    sheet.set("extension_attributes", extension).done()
}

fn items(order: &Order, line: &Line) -> Vec<Value> {
    let gross = line.unit_price * line.quantity;
    let canceled = if order.cancelled_at.is_some() && order.paid_at.is_none() { line.quantity } else { 0 };
    let kind = if is_configurable(line) { "configurable" } else { "simple" };
    let shared = |id: Id, product: Id, kind: &str| {
        json!({"item_id": id, "order_id": order.id, "product_id": product, "product_type": kind, "sku": line.sku,
            "name": line.title, "qty_ordered": line.quantity, "qty_canceled": canceled,
            "qty_refunded": order.refunded(line.id).0,
            "qty_invoiced": if order.paid_at.is_some() { line.quantity } else { 0 }})
    };
    let own = Sheet::new(order, shared(line.id, line.product, kind))
        .put("price", line.unit_price)
        .put("original_price", line.unit_price)
        // The API takes the discount off here, and only here.
        .put("row_total", gross - line.discount)
        .put("discount_amount", line.discount)
        .put("discount_tax_compensation_amount", 0)
        .put("tax_amount", line.tax)
        .done();
    if !is_configurable(line) {
        return vec![own];
    }
    let child = Sheet::new(order, shared(CHILD + line.id, line.variant, "simple"))
        .put("price", 0)
        // Filled in one of the currencies, although the money is the parent's.
        .set("price", own["price"].clone())
        .put("row_total", 0)
        .put("discount_amount", 0)
        .put("tax_amount", 0)
        .set("parent_item_id", json!(line.id))
        .set("parent_item", own.clone());
    vec![own, child.done()]
}

/// Paid at once and whole.
pub fn invoice(order: &Order) -> Value {
    let subtotal: Money = order.lines.iter().map(|line| line.unit_price * line.quantity).sum();
    let discount: Money = order.lines.iter().map(|line| line.discount).sum();
    let items: Vec<Value> = order
        .lines
        .iter()
        .flat_map(|line| {
            let gross = line.unit_price * line.quantity;
            document_items(order, line, line.quantity, gross, line.discount, line.tax)
        })
        .collect();
    Sheet::new(order, json!({"entity_id": order.id, "order_id": order.id, "state": 2, "items": items}))
        .currencies()
        .set("created_at", text(order.paid_at.unwrap()))
        .put("subtotal", subtotal)
        .put("discount_amount", -discount)
        .put("shipping_amount", order.shipping)
        .put("tax_amount", order.tax())
        .put("grand_total", order.total())
        .done()
}

/// Rows are before discount; the child of a configurable has none.
fn document_items(
    order: &Order,
    line: &Line,
    quantity: i64,
    gross: Money,
    discount: Money,
    tax: Money,
) -> Vec<Value> {
    let shared = |item: Id, product: Id| {
        json!({"entity_id": item + 1, "order_item_id": item, "product_id": product, "sku": line.sku,
            "name": line.title, "qty": quantity})
    };
    let own = Sheet::new(order, shared(line.id, line.product))
        .put("price", line.unit_price)
        .put("row_total", gross)
        .put("discount_amount", discount)
        .put("discount_tax_compensation_amount", 0)
        .put("tax_amount", tax)
        .done();
    let child = is_configurable(line)
        .then(|| Sheet::new(order, shared(CHILD + line.id, line.variant)).put("price", 0).done());
    [Some(own), child].into_iter().flatten().collect()
}

pub fn memo(order: &Order, refund: &Refund) -> Value {
    let (mut items, mut subtotal, mut discount) = (vec![], 0, 0);
    for part in &refund.lines {
        let line = order.find_line(part.line);
        let gross = line.unit_price * part.quantity;
        subtotal += gross;
        discount += gross - part.net;
        items.extend(document_items(order, line, part.quantity, gross, gross - part.net, part.tax));
    }
    let state = if refund.taken_back.is_some() { 3 } else { 2 };
    Sheet::new(order, json!({"entity_id": refund.id, "order_id": order.id, "state": state, "items": items}))
        .currencies()
        .set("created_at", text(refund.at))
        .put("subtotal", subtotal)
        .put("discount_amount", -discount)
        .put("shipping_amount", refund.shipping)
        .put("tax_amount", refund.tax())
        .put("adjustment", refund.extra)
        .put("adjustment_positive", refund.extra)
        .put("adjustment_negative", 0)
        .put("grand_total", refund.amount())
        .done()
}

fn product(product: &Product, id: Id, sku: &str, name: &str, kind: &str, visibility: u8) -> Value {
    json!({"id": id, "sku": sku, "name": name, "type_id": kind, "status": 1, "visibility": visibility,
        "created_at": text(product.created_at), "updated_at": text(product.changed_at),
        "extension_attributes": {"website_ids": [1]}, "custom_attributes": []})
}

pub fn configurable(whole: &Product) -> Value {
    let links: Vec<Id> = whole.variants.iter().map(|variant| variant.id).collect();
    let mut told = product(whole, whole.id, &parent_sku(whole.id), &whole.title, "configurable", 4);
    told["extension_attributes"]["configurable_product_links"] = json!(links);
    told
}

pub fn simple(whole: &Product, variant: &Variant) -> Value {
    match whole.simple {
        true => product(whole, variant.id, &variant.sku, &whole.title, "simple", 4),
        false => {
            let name = format!("{}-{}", whole.title, variant.title);
            product(whole, variant.id, &variant.sku, &name, "simple", 1)
        }
    }
}

pub fn customer(customer: &Customer) -> Value {
    let codes = customer.code.iter().map(|code| json!({"attribute_code": "distributor_code", "value": code}));
    json!({"id": customer.id, "email": "somebody@example.test", "firstname": "Some", "lastname": "Body",
        "created_at": text(customer.created_at), "updated_at": text(customer.changed_at), "addresses": [],
        "custom_attributes": codes.collect::<Vec<_>>()})
}

pub fn configs(shop: &Shop) -> Value {
    json!([{"id": 1, "code": "default", "website_id": 1, "locale": "en_US", "timezone": shop.zone,
        "base_currency_code": shop.currency, "default_display_currency_code": shop.currency,
        "base_url": "https://shop.test/", "secure_base_url": "https://shop.test/"}])
}
