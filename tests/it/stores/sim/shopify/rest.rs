//! The truth as webhooks tell it: the REST Admin API's payloads, signed with the app's secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::dialect::Sent;
use super::super::shop::{
    Carried, Change, Edit, Id, Line, Money, Order, Product, Refund, RefundLine, Shop, ShopEvent, What,
};
use super::node::{Totals, status, time};

/// With the currency's decimals.
pub fn amount(amount: Money, decimals: u32) -> String {
    if decimals == 0 {
        return amount.to_string();
    }
    let one = 10i64.pow(decimals);
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, part) = (amount.abs() / one, amount.abs() % one);
    format!("{sign}{whole}.{part:0width$}", width = usize::try_from(decimals).unwrap())
}

struct Of<'a>(&'a Order);

impl Of<'_> {
    fn text(&self, cents: Money) -> String {
        amount(cents, self.0.decimals)
    }

    fn set(&self, cents: Money) -> Value {
        let money = json!({"amount": self.text(cents), "currency_code": self.0.currency});
        json!({"shop_money": money, "presentment_money": money})
    }

    /// A refund's lines tell numbers, everything else tells strings.
    fn number(&self, cents: Money) -> Value {
        serde_json::from_str(&self.text(cents)).expect("a number")
    }
}

pub fn order(shop: &Shop, order: &Order) -> Value {
    let of = Of(order);
    let totals = Totals::of(order);
    let referral = |carried: Carried| {
        let found = order.referral.iter().filter(move |referral| referral.carried == carried);
        found.map(|referral| referral.code.clone()).collect::<Vec<_>>()
    };
    let attributes =
        referral(Carried::Attribute).into_iter().map(|code| json!({"name": "ref", "value": code}));
    let codes = referral(Carried::Coupon).into_iter();
    let codes = codes.map(|code| json!({"code": code, "amount": "0.00", "type": "percentage"}));
    let landing = referral(Carried::LandingUrl).pop().map(|code| format!("/?ref={code}&utm_source=mail"));
    let customer = order.customer.and_then(|id| shop.customers.get(&id));
    let shipping = json!({"id": order.id, "price": of.text(order.shipping), "is_removed": false,
        "discounted_price": of.text(order.shipping), "discount_allocations": [],
        "tax_lines": [{"price": of.text(order.shipping_tax)}]});
    let refunds = order.live_refunds().map(|made| refund(order, made));
    let removals = order.edits.iter().filter_map(|edit| removal(order, edit));
    json!({
        "id": order.id, "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.id),
        "name": format!("#{}", order.number), "order_number": order.number, "currency": order.currency,
        "presentment_currency": order.currency, "created_at": time(order.created_at),
        "processed_at": time(order.created_at), "updated_at": time(order.changed_at),
        "cancelled_at": order.cancelled_at.map(time),
        "financial_status": status(order).to_ascii_lowercase(), "test": order.test, "taxes_included": false,
        "subtotal_price": of.text(totals.subtotal[0]),
        "current_subtotal_price": of.text(totals.subtotal[1]),
        "total_price": of.text(totals.total(0)), "current_total_price": of.text(totals.total(1)),
        "total_tax": of.text(totals.tax[0]), "current_total_tax": of.text(totals.tax[1]),
        "total_shipping_price_set": of.set(totals.shipping[0]), "total_tip_received": of.text(0),
        "line_items": order.lines.iter().map(|known| line(order, known)).collect::<Vec<_>>(),
        "shipping_lines": if order.shipping == 0 { vec![] } else { vec![shipping] },
        "refunds": refunds.chain(removals).collect::<Vec<_>>(),
        "note_attributes": attributes.collect::<Vec<_>>(), "discount_codes": codes.collect::<Vec<_>>(),
        "landing_site": landing, "referring_site": null, "tags": "",
        "customer": customer.map(|known| json!({"id": known.id, "tags": known.code})),
    })
}

fn line(order: &Order, line: &Line) -> Value {
    let of = Of(order);
    let discounts = [line.discount].into_iter().filter(|discount| *discount != 0);
    let taxes = [line.tax].into_iter().filter(|tax| *tax != 0);
    json!({
        "id": line.id, "product_id": line.product, "variant_id": line.variant, "sku": line.sku,
        "title": line.title, "name": line.title, "quantity": line.quantity,
        "current_quantity": order.quantity_left(line.id), "price": of.text(line.unit_price),
        "gift_card": false, "total_discount": "0.00", "properties": [],
        "discount_allocations":
            discounts.map(|discount| json!({"amount": of.text(discount)})).collect::<Vec<_>>(),
        "tax_lines": taxes.map(|tax| json!({"price": of.text(tax), "title": "VAT"})).collect::<Vec<_>>(),
    })
}

fn taken(order: &Order, owner: Id, part: &RefundLine) -> Value {
    let of = Of(order);
    json!({
        "id": owner + part.line, "line_item_id": part.line, "quantity": part.quantity,
        "restock_type": "return", "subtotal": of.number(part.net), "total_tax": of.number(part.tax),
        "subtotal_set": of.set(part.net), "total_tax_set": of.set(part.tax),
    })
}

fn refund(order: &Order, refund: &Refund) -> Value {
    let of = Of(order);
    let shipping = json!({"id": refund.id, "subtotal_amount_set": of.set(refund.shipping),
        "tax_amount_set": of.set(refund.shipping_tax)});
    let adjustment = json!({"id": refund.id, "order_id": order.id, "refund_id": refund.id,
        "kind": "refund_discrepancy", "reason": "Refund discrepancy", "amount": of.text(-refund.extra),
        "tax_amount": of.text(0), "amount_set": of.set(-refund.extra), "tax_amount_set": of.set(0)});
    json!({
        "id": refund.id, "order_id": order.id, "created_at": time(refund.at), "processed_at": time(refund.at),
        "refund_line_items":
            refund.lines.iter().map(|part| taken(order, refund.id, part)).collect::<Vec<_>>(),
        "refund_shipping_lines":
            if refund.shipping + refund.shipping_tax == 0 { vec![] } else { vec![shipping] },
        "order_adjustments": if refund.extra == 0 { vec![] } else { vec![adjustment] },
        "transactions": [{"id": refund.id, "kind": "refund", "status": "success", "gateway": "manual",
            "amount": of.text(refund.amount()), "currency": order.currency}],
    })
}

/// Goods that an edit took away: a refund without money.
fn removal(order: &Order, edit: &Edit) -> Option<Value> {
    let Change::Lowered(part) = &edit.change else { return None };
    Some(json!({
        "id": edit.id, "order_id": order.id, "created_at": time(edit.at), "processed_at": time(edit.at),
        "refund_line_items": [taken(order, edit.id, part)], "refund_shipping_lines": [],
        "order_adjustments": [], "transactions": [],
    }))
}

/// Which lines became more and fewer, without money.
fn edited(order: &Order) -> Value {
    let (mut additions, mut removals) = (vec![], vec![]);
    if let Some(edit) = order.edits.last() {
        match &edit.change {
            Change::Lowered(part) => removals.push(json!({"id": part.line, "delta": part.quantity})),
            Change::Added { line } => {
                additions.push(json!({"id": line, "delta": order.find_line(*line).quantity}));
            }
        }
    }
    let lines = json!({"additions": additions, "removals": removals});
    json!({"order_edit": {"id": order.edits.last().map(|edit| edit.id), "order_id": order.id,
        "committed_at": time(order.changed_at), "line_items": lines}})
}

pub fn product(product: &Product) -> Value {
    let variants = product.variants.iter().map(|variant| {
        json!({"id": variant.id, "product_id": product.id, "title": variant.title, "sku": variant.sku,
            "price": amount(variant.price, 2), "inventory_item_id": variant.inventory,
            "inventory_quantity": variant.stock, "updated_at": time(product.changed_at)})
    });
    json!({"id": product.id, "title": product.title, "created_at": time(product.created_at),
        "updated_at": time(product.changed_at), "status": "active",
        "variants": variants.collect::<Vec<_>>()})
}

fn customer(shop: &Shop, id: Id) -> Value {
    let known = &shop.customers[&id];
    json!({"id": id, "created_at": time(known.created_at), "updated_at": time(known.changed_at),
        "email": "nobody@example.test", "first_name": "Nobody", "tags": known.code.clone().unwrap_or_default()})
}

/// What is told about an event, topic by topic.
pub fn told(shop: &Shop, what: What) -> Vec<(&'static str, Value)> {
    let whole = |id: Id| order(shop, shop.order(id));
    let known = |id: Id| product(&shop.products[&id]);
    match what {
        What::OrderPlaced(id) => vec![("orders/create", whole(id)), ("orders/updated", whole(id))],
        What::OrderPaid(id) => vec![("orders/paid", whole(id)), ("orders/updated", whole(id))],
        What::OrderTouched(id) => vec![("orders/updated", whole(id))],
        What::OrderEdited(id) => {
            vec![("orders/edited", edited(shop.order(id))), ("orders/updated", whole(id))]
        }
        What::OrderCancelled(id) => vec![("orders/cancelled", whole(id)), ("orders/updated", whole(id))],
        What::OrderTrashed(id) => vec![("orders/delete", json!({ "id": id }))],
        What::RefundMade { order: id, refund: made } => {
            let of = shop.order(id);
            let made = of.refunds.iter().find(|refund| refund.id == made).expect("a refund of the order");
            vec![("refunds/create", refund(of, made)), ("orders/updated", whole(id))]
        }
        What::RefundTakenBack { .. } | What::OrderRestored(_) | What::OrderRevived(_) => vec![],
        What::ProductCreated(id) => vec![("products/create", known(id))],
        What::ProductChanged(id) => vec![("products/update", known(id))],
        What::ProductDeleted(id) => vec![("products/delete", json!({ "id": id }))],
        What::StockChanged { product, variant } => {
            let variants = &shop.products[&product].variants;
            let variant = variants.iter().find(|known| known.id == variant).expect("a variant");
            let level = json!({"inventory_item_id": variant.inventory, "location_id": 1,
                "available": variant.stock, "updated_at": time(shop.now)});
            vec![("inventory_levels/update", level), ("products/update", known(product))]
        }
        What::CustomerCreated(id) => vec![("customers/create", customer(shop, id))],
        What::CustomerChanged(id) => vec![("customers/update", customer(shop, id))],
    }
}

/// A delivery with the platform's headers.
pub fn signed(secret: &str, event: &ShopEvent, topic: &str, subscription: Id, body: &Value) -> Sent {
    let body = body.to_string().into_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(&body);
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "Shopify-Captain-Hook".to_owned()),
        ("X-Shopify-Topic", topic.to_owned()),
        ("X-Shopify-Hmac-Sha256", STANDARD.encode(mac.finalize().into_bytes())),
        ("X-Shopify-Shop-Domain", "sim.myshopify.com".to_owned()),
        ("X-Shopify-API-Version", "2026-10".to_owned()),
        ("X-Shopify-Webhook-Id", format!("webhook-{subscription}-{}", event.seq)),
        ("X-Shopify-Event-Id", format!("event-{}", event.seq)),
        ("X-Shopify-Triggered-At", time(event.at)),
    ];
    Sent { headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body }
}
