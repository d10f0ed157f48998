//! The truth as the Admin GraphQL API's objects, every field that the dialect knows.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::super::shop::{Carried, Change, Customer, Edit, Id, Money, Order, Product, Refund, Shop};

pub fn gid(kind: &str, id: Id) -> String {
    format!("gid://shopify/{kind}/{id}")
}

pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// As few decimals as it takes, but one.
fn amount(amount: Money, decimals: u32) -> String {
    let text = super::rest::amount(amount, decimals);
    match text.split_once('.') {
        None => format!("{text}.0"),
        Some((whole, part)) => {
            let part = part.trim_end_matches('0');
            format!("{whole}.{}", if part.is_empty() { "0" } else { part })
        }
    }
}

fn list(nodes: Vec<Value>) -> Value {
    json!({ "$nodes": nodes })
}

struct Of<'a> {
    order: &'a Order,
}

impl Of<'_> {
    fn money(&self, cents: Money) -> Value {
        let money = json!({"__typename": "MoneyV2", "amount": amount(cents, self.order.decimals),
            "currencyCode": self.order.currency});
        json!({"__typename": "MoneyBag", "shopMoney": money, "presentmentMoney": money})
    }
}

pub fn status(order: &Order) -> &'static str {
    match (order.paid_at, order.cancelled_at, order.refunded_total()) {
        (None, Some(_), _) => "VOIDED",
        (None, None, _) => "PENDING",
        (Some(_), _, 0) => "PAID",
        (Some(_), _, back) if back >= order.total() => "REFUNDED",
        _ => "PARTIALLY_REFUNDED",
    }
}

/// Subtotal, tax and shipping, as placed and as they are now.
pub struct Totals {
    pub subtotal: [Money; 2],
    pub tax: [Money; 2],
    pub shipping: [Money; 2],
}

impl Totals {
    pub fn of(order: &Order) -> Self {
        let placed = || order.lines.iter().filter(|line| !order.was_added(line.id));
        let left = |of: fn((i64, Money, Money)) -> Money| -> Money {
            let gone = |line: Id| of(order.removed(line)) + of(order.refunded(line));
            order.lines.iter().map(|line| gone(line.id)).sum()
        };
        let (shipping, shipping_tax) = order.shipping_left();
        let goods: Money = order.lines.iter().map(|line| line.net()).sum();
        let tax: Money = order.lines.iter().map(|line| line.tax).sum();
        Self {
            subtotal: [placed().map(|line| line.net()).sum(), goods - left(|(_, net, _)| net)],
            tax: [
                placed().map(|line| line.tax).sum::<Money>() + order.shipping_tax,
                tax - left(|(_, _, tax)| tax) + shipping_tax,
            ],
            shipping: [order.shipping, shipping],
        }
    }

    pub fn total(&self, now: usize) -> Money {
        self.subtotal[now] + self.tax[now] + self.shipping[now]
    }
}

pub fn order(shop: &Shop, order: &Order) -> Value {
    let of = Of { order };
    let totals = Totals::of(order);
    let set = |cents: Money| of.money(cents);
    let referral = |carried: Carried| {
        let found = order.referral.iter().filter(move |referral| referral.carried == carried);
        found.map(|referral| referral.code.clone()).collect::<Vec<_>>()
    };
    let attributes = referral(Carried::Attribute)
        .into_iter()
        .map(|code| json!({"__typename": "Attribute", "key": "ref", "value": code}));
    let visit = referral(Carried::LandingUrl).pop().map(|code| {
        let page = format!("https://shop.example/?ref={code}&utm_source=mail");
        json!({"__typename": "CustomerVisit", "landingPage": page, "referrerUrl": null})
    });
    let customer = order.customer.and_then(|id| shop.customers.get(&id)).map(customer);
    let shipping = json!({"__typename": "ShippingLine", "id": gid("ShippingLine", order.id),
        "isRemoved": false, "originalPriceSet": set(order.shipping), "discountAllocations": []});
    json!({
        "__typename": "Order", "id": gid("Order", order.id), "name": format!("#{}", order.number),
        "currencyCode": order.currency, "createdAt": time(order.created_at),
        "processedAt": time(order.created_at), "updatedAt": time(order.changed_at),
        "cancelledAt": order.cancelled_at.map(time), "displayFinancialStatus": status(order),
        "test": order.test, "taxesIncluded": false,
        "subtotalPriceSet": set(totals.subtotal[0]), "currentSubtotalPriceSet": set(totals.subtotal[1]),
        "totalPriceSet": set(totals.total(0)), "currentTotalPriceSet": set(totals.total(1)),
        "totalTaxSet": set(totals.tax[0]), "currentTotalTaxSet": set(totals.tax[1]),
        "totalShippingPriceSet": set(totals.shipping[0]),
        "currentShippingPriceSet": set(totals.shipping[1]), "totalTipReceivedSet": set(0),
        "originalTotalDutiesSet": null, "currentTotalDutiesSet": null,
        "originalTotalAdditionalFeesSet": null, "currentTotalAdditionalFeesSet": null,
        "discountCodes": referral(Carried::Coupon), "tags": [],
        "customAttributes": attributes.collect::<Vec<_>>(), "customer": customer,
        "customerJourneySummary": visit.as_ref().map(|visit| json!({
            "__typename": "CustomerJourneySummary", "firstVisit": visit, "lastVisit": visit})),
        "lineItems": list(lines(&of)),
        "shippingLines": list(if order.shipping == 0 { vec![] } else { vec![shipping] }),
        "refunds": refunds(&of), "agreements": list(agreements(&of)),
    })
}

fn lines(of: &Of<'_>) -> Vec<Value> {
    let discount = |cents: Money| match cents {
        0 => json!([]),
        cents => json!([{"__typename": "DiscountAllocation", "allocatedAmountSet": of.money(cents)}]),
    };
    let tax = |cents: Money| match cents {
        0 => json!([]),
        cents => json!([{"__typename": "TaxLine", "priceSet": of.money(cents)}]),
    };
    let line = |line: &super::super::shop::Line| {
        json!({
            "__typename": "LineItem", "id": gid("LineItem", line.id), "title": line.title, "name": line.title,
            "sku": line.sku, "quantity": line.quantity, "currentQuantity": of.order.quantity_left(line.id),
            "isGiftCard": false, "product": {"__typename": "Product", "id": gid("Product", line.product)},
            "variant": {"__typename": "ProductVariant", "id": gid("ProductVariant", line.variant)},
            "originalUnitPriceSet": of.money(line.unit_price), "discountAllocations": discount(line.discount),
            "taxLines": tax(line.tax), "customAttributes": [],
        })
    };
    of.order.lines.iter().map(line).collect()
}

fn taken(of: &Of<'_>, owner: Id, part: &super::super::shop::RefundLine) -> Value {
    json!({
        "__typename": "RefundLineItem", "id": gid("RefundLineItem", owner + part.line),
        "quantity": part.quantity,
        "lineItem": {"__typename": "LineItem", "id": gid("LineItem", part.line)},
        "subtotalSet": of.money(part.net), "totalTaxSet": of.money(part.tax),
    })
}

/// Goods that an edit took away stand here, too: a refund without money.
fn refunds(of: &Of<'_>) -> Vec<Value> {
    let made = |refund: &Refund| {
        let shipping = json!({"__typename": "RefundShippingLine", "id": gid("RefundShippingLine", refund.id),
            "subtotalAmountSet": of.money(refund.shipping), "taxAmountSet": of.money(refund.shipping_tax)});
        json!({
            "__typename": "Refund", "id": gid("Refund", refund.id), "createdAt": time(refund.at),
            "totalRefundedSet": of.money(refund.amount()),
            "refundLineItems":
                list(refund.lines.iter().map(|part| taken(of, refund.id, part)).collect()),
            "refundShippingLines":
                list(if refund.shipping + refund.shipping_tax == 0 { vec![] } else { vec![shipping] }),
        })
    };
    let removed = |edit: &Edit| {
        let Change::Lowered(part) = &edit.change else { return None };
        Some(json!({
            "__typename": "Refund", "id": gid("Refund", edit.id), "createdAt": time(edit.at),
            "totalRefundedSet": of.money(0), "refundLineItems": list(vec![taken(of, edit.id, part)]),
            "refundShippingLines": list(vec![]),
        }))
    };
    of.order.live_refunds().map(made).chain(of.order.edits.iter().filter_map(removed)).collect()
}

/// One refund, as `node(id:)` shows it.
pub fn refund(shop: &Shop, id: Id) -> Option<Value> {
    let has = |order: &&Order| {
        order.live_refunds().any(|refund| refund.id == id) || order.edits.iter().any(|edit| edit.id == id)
    };
    let order = shop.listed().find(has)?;
    let mut found = refunds(&Of { order }).into_iter().find(|refund| refund["id"] == gid("Refund", id))?;
    found["order"] = json!({"__typename": "Order", "id": gid("Order", order.id),
        "updatedAt": time(order.changed_at)});
    Some(found)
}

/// A sale: its action, kind, line, quantity, net and tax.
type Sale = (&'static str, &'static str, Option<Id>, Option<i64>, Money, Money);

fn agreements(of: &Of<'_>) -> Vec<Value> {
    let order = of.order;
    let whole = |line: &super::super::shop::Line| {
        ("ORDER", "PRODUCT", Some(line.id), Some(line.quantity), line.net(), line.tax)
    };
    let mut first: Vec<Sale> =
        order.lines.iter().filter(|line| !order.was_added(line.id)).map(whole).collect();
    if order.shipping + order.shipping_tax != 0 {
        first.push(("ORDER", "SHIPPING", None, Some(1), order.shipping, order.shipping_tax));
    }
    let mut all = vec![(order.created_at, "OrderAgreement", order.id, first)];
    for edit in &order.edits {
        let sale = match &edit.change {
            Change::Lowered(part) => {
                ("RETURN", "PRODUCT", Some(part.line), Some(-part.quantity), -part.net, -part.tax)
            }
            Change::Added { line } => whole(order.find_line(*line)),
        };
        all.push((edit.at, "OrderEditAgreement", edit.id, vec![sale]));
    }
    for refund in order.live_refunds() {
        let lines = refund.lines.iter();
        let mut sales: Vec<Sale> = lines
            .map(|part| ("RETURN", "PRODUCT", Some(part.line), Some(-part.quantity), -part.net, -part.tax))
            .collect();
        if refund.shipping + refund.shipping_tax != 0 {
            sales.push(("RETURN", "SHIPPING", None, Some(-1), -refund.shipping, -refund.shipping_tax));
        }
        if refund.extra != 0 {
            sales.push(("RETURN", "ADJUSTMENT", None, None, -refund.extra, 0));
        }
        all.push((refund.at, "RefundAgreement", refund.id, sales));
    }
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter().map(|(at, kind, id, sales)| agreement(of, at, kind, id, sales)).collect()
}

fn agreement(of: &Of<'_>, at: DateTime<Utc>, kind: &str, id: Id, sales: Vec<Sale>) -> Value {
    let sale = |(index, (action, what, line, quantity, net, tax)): (usize, Sale)| {
        let kind = match what {
            "PRODUCT" => "ProductSale",
            "SHIPPING" => "ShippingLineSale",
            _ => "AdjustmentSale",
        };
        let mut sale = json!({
            "__typename": kind, "id": format!("gid://shopify/{kind}/{id}{index:03}"), "actionType": action,
            "lineType": what, "quantity": quantity, "totalAmount": of.money(net + tax),
            "totalTaxAmount": of.money(tax), "totalDiscountAmountBeforeTaxes": of.money(0),
            "totalDiscountAmountAfterTaxes": of.money(0),
        });
        if let Some(line) = line {
            sale["lineItem"] = json!({"__typename": "LineItem", "id": gid("LineItem", line)});
        }
        sale
    };
    let reason = match kind {
        "OrderAgreement" => "ORDER",
        "OrderEditAgreement" => "ORDER_EDIT",
        _ => "REFUND",
    };
    let mut agreement = json!({
        "__typename": kind, "id": gid(kind, id), "reason": reason, "happenedAt": time(at),
        "sales": list(sales.into_iter().enumerate().map(sale).collect()),
    });
    if kind == "RefundAgreement" {
        agreement["refund"] = json!({"__typename": "Refund", "id": gid("Refund", id)});
    }
    agreement
}

pub fn product(product: &Product) -> Value {
    let variant = |variant: &super::super::shop::Variant| {
        json!({
            "__typename": "ProductVariant", "id": gid("ProductVariant", variant.id), "sku": variant.sku,
            "title": variant.title, "inventoryQuantity": variant.stock,
            "inventoryItem": {"__typename": "InventoryItem", "id": gid("InventoryItem", variant.inventory),
                "tracked": true},
        })
    };
    json!({
        "__typename": "Product", "id": gid("Product", product.id), "title": product.title,
        "createdAt": time(product.created_at), "updatedAt": time(product.changed_at),
        "variants": list(product.variants.iter().map(variant).collect()),
    })
}

pub fn customer(customer: &Customer) -> Value {
    let field = |code: &String| {
        json!({"__typename": "Metafield", "namespace": "custom", "key": "distributor_code",
            "type": "single_line_text_field", "value": code})
    };
    json!({
        "__typename": "Customer", "id": gid("Customer", customer.id), "tags": customer.code.as_slice(),
        "createdAt": time(customer.created_at), "updatedAt": time(customer.changed_at),
        "metafields": list(customer.code.iter().map(field).collect()),
    })
}
