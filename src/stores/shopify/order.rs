//! A REST order (orders/create, updated, paid, cancelled, ...) as an order snapshot.
//!
//! Net of a line is `price x quantity - allocated discounts - tax inside the price`. `total_discount` of a line
//! and the amounts of `discount_codes` are other figures and are never used.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::agreements::Ledger;
use super::model::{Allocation, Attribute, Line, MoneySet, Order};
use super::sums::{self, Stated, Totals};
use super::{refund, short_id};
use crate::core::money::Currency;
use crate::core::order::{
    LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, ProductKey, Refund, Report,
};
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_currency, required_id};

pub fn parse(meta: &DeliveryMeta, text: &str) -> Result<Report, ParseError> {
    Ok(Report::Snapshot(Box::new(snapshot(meta, &read(text)?)?)))
}

pub fn snapshot(meta: &DeliveryMeta, order: &Order<'_>) -> Result<OrderSnapshot, ParseError> {
    let mut reader = Reader::default();
    let external_id = short_id(required_id("id", order.id)?);
    let currency = required_currency("currency", order.currency)?;
    let taxes_included = order.taxes_included.is_true();
    if order.line_items.is_none() {
        return Err(ParseError::Missing { field: "line_items" });
    }
    let raw = order.line_items.as_deref().unwrap_or_default();
    let mut lines: Vec<OrderLine> =
        raw.iter().enumerate().map(|(i, line)| order_line(&mut reader, i, line, taxes_included)).collect();
    let current: Vec<Option<Decimal>> =
        raw.iter().enumerate().map(|(i, line)| current(&mut reader, i, line)).collect();
    let totals = totals(&mut reader, order, taxes_included);
    if order.discounts_by_subtotal {
        totals.discount_by_subtotal(&mut lines, currency);
    }
    for list in &order.cut {
        reader.problem(list, "was not read to its end");
    }
    let ledger = Ledger::read(&mut reader, order.agreements.as_deref().unwrap_or_default(), taxes_included);
    let mut refunds = refunds(&mut reader, order, totals.taxes_included, currency);
    let (total, closings) = match ledger {
        Some(ledger) => {
            ledger.restate(&mut reader, &mut lines);
            let (removals, kept) = ledger.settle(&mut refunds, &lines, &current, currency);
            refunds.extend(removals);
            let (total, mut closings) = totals.close(&lines, &kept);
            closings.extend(totals.agreed(&lines, &kept));
            (total, closings)
        }
        None => {
            settle(&mut refunds, order, &lines, &totals, currency);
            refunds.extend(sums::removals(&lines, &current, &refunds, currency));
            totals.close(&lines, &sums::kept(&lines, &current, currency))
        }
    };
    if total.is_none() {
        reader.problem("total_price", "is missing");
    }
    let (ordered_at, updated_at) =
        times(&mut reader, meta, [order.processed_at, order.created_at], order.updated_at)?;
    let payment = payment(&mut reader, "financial_status", order.financial_status);
    let customer =
        order.customer.as_ref().and_then(|customer| reader.id("customer.id", customer.id)).map(short_id);
    Ok(OrderSnapshot {
        number: order.name.text().filter(|name| *name != external_id),
        external_id,
        currency,
        ordered_at,
        updated_at,
        read_at: None,
        payment,
        cancelled: order.cancelled_at.literal().is_some(),
        test: order.test.is_true() || meta.test,
        places: places(order, customer.clone()),
        customer_id: customer,
        lines,
        total: total.unwrap_or_default(),
        refunds,
        closings,
        problems: reader.problems,
    })
}

/// The order's own time (of sale, which an import sets apart from when it was written) and the snapshot's age.
fn times(
    reader: &mut Reader,
    meta: &DeliveryMeta,
    ordered: [Scalar<'_>; 2],
    updated: Scalar<'_>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), ParseError> {
    let [processed, created] = ordered;
    let processed = reader.optional("processed_at", processed.instant());
    let created = reader.optional("created_at", created.instant());
    let updated = reader.optional("updated_at", updated.instant());
    let told = processed.or(created);
    if told.is_none() {
        reader.problem("created_at", "is missing");
    }
    let ordered_at =
        told.or(updated).or(meta.triggered_at).ok_or(ParseError::Missing { field: "created_at" })?;
    Ok((ordered_at, updated.or(meta.triggered_at).unwrap_or(ordered_at)))
}

fn payment(reader: &mut Reader, field: &str, status: Scalar<'_>) -> Payment {
    let status = status.text();
    sums::payment(status.as_deref()).unwrap_or_else(|| {
        reader.problem(field, format_args!("is unknown: {}", status.unwrap_or_default()));
        Payment::Unpaid
    })
}

fn refunds(reader: &mut Reader, order: &Order<'_>, taxes_included: bool, currency: Currency) -> Vec<Refund> {
    let told = order.refunds.iter().flatten().enumerate();
    told.filter_map(|(i, told)| {
        refund::read_one(reader, &format!("refunds[{i}]."), told, currency, Some(taxes_included))
    })
    .collect()
}

/// What the refunds' own figures leave open, where no ledger of sales tells it.
fn settle(
    refunds: &mut [Refund],
    order: &Order<'_>,
    lines: &[OrderLine],
    totals: &Totals,
    currency: Currency,
) {
    let untold = |refund: &Refund| {
        let told = order.refunds.iter().flatten();
        told.filter(|told| told.shipping_untold)
            .any(|told| told.id.text().map(short_id).is_some_and(|id| id == refund.external_id))
    };
    for refund in refunds {
        sums::settle(refund, lines, currency);
        if !refund.lines.is_empty() && untold(refund) {
            // What went back beyond the named lines is first of all their shipping.
            refund.unallocated = (refund.unallocated - totals.shipping_lines).max(Decimal::ZERO);
        }
    }
}

fn order_line(reader: &mut Reader, i: usize, line: &Line<'_>, taxes_included: bool) -> OrderLine {
    let external_id = reader.id(format_args!("line_items[{i}].id"), line.id).map(short_id);
    let external_id = external_id.unwrap_or_else(|| {
        reader.problem(format_args!("line_items[{i}].id"), "is missing");
        format!("line:{i}")
    });
    let quantity = reader.non_negative(format_args!("line_items[{i}].quantity"), line.quantity);
    let unit_price = reader.non_negative(format_args!("line_items[{i}].price"), line.price);
    let gross = reader.product(format_args!("line_items[{i}].price"), unit_price, quantity);
    let discount = allocated(reader, &format!("line_items[{i}]"), line.discount_allocations.as_deref());
    let tax_lines = line.tax_lines.iter().flatten().enumerate();
    let tax: Decimal = tax_lines
        .map(|(t, tax)| reader.amount(format_args!("line_items[{i}].tax_lines[{t}].price"), tax.price))
        .sum();
    OrderLine {
        external_id,
        product: ProductKey {
            product_id: reader.id(format_args!("line_items[{i}].product_id"), line.product_id).map(short_id),
            variant_id: reader.id(format_args!("line_items[{i}].variant_id"), line.variant_id).map(short_id),
            sku: line.sku.text().map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()),
        },
        title: line.name.text().or(line.title.text()).unwrap_or_default(),
        kind: kind(line),
        quantity,
        unit_price,
        gross,
        discount,
        included_tax: if taxes_included { tax } else { Decimal::ZERO },
        places: properties(line.properties),
    }
}

fn current(reader: &mut Reader, i: usize, line: &Line<'_>) -> Option<Decimal> {
    reader.optional(format_args!("line_items[{i}].current_quantity"), line.current_quantity.decimal())
}

fn kind(line: &Line<'_>) -> LineKind {
    match (line.tip.literal().is_some(), line.gift_card.is_true()) {
        (true, _) => LineKind::Tip,
        (_, true) => LineKind::GiftCard,
        _ => LineKind::Goods,
    }
}

fn allocated(reader: &mut Reader, owner: &str, allocations: Option<&[Allocation<'_>]>) -> Decimal {
    let each = allocations.unwrap_or_default().iter().enumerate();
    each.map(|(d, given)| {
        reader.required_amount(format_args!("{owner}.discount_allocations[{d}].amount"), given.amount)
    })
    .sum()
}

fn properties(properties: Scalar<'_>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    let told = properties.literal().and_then(|text| read::<Vec<Attribute<'_>>>(text).ok());
    for property in told.unwrap_or_default() {
        places.named("line_property", property.name.text(), property.value.text());
    }
    places.into_inner()
}

fn totals(reader: &mut Reader, order: &Order<'_>, taxes_included: bool) -> Totals {
    let mut optional = |field: &str, value: Scalar<'_>| reader.optional(field, value.decimal());
    let mut set = |field: &str, value: &Option<MoneySet<'_>>| {
        optional(field, value.map(|set| set.shop_money.amount).unwrap_or_default())
    };
    let shipping = set("total_shipping_price_set", &order.total_shipping_price_set);
    let current_shipping = set("current_shipping_price_set", &order.current_shipping_price_set);
    let duties = set("original_total_duties_set", &order.original_total_duties_set);
    let current_duties = set("current_total_duties_set", &order.current_total_duties_set);
    let fees = set("original_total_additional_fees_set", &order.original_total_additional_fees_set);
    let current_fees = set("current_total_additional_fees_set", &order.current_total_additional_fees_set);
    let extras = |duties: Option<Decimal>, fees: Option<Decimal>| {
        let duties = duties.filter(|_| !order.duties_included.is_true());
        duties.unwrap_or_default() + fees.unwrap_or_default()
    };
    Totals {
        original: Stated {
            subtotal: optional("subtotal_price", order.subtotal_price),
            total: optional("total_price", order.total_price),
            tax: optional("total_tax", order.total_tax).unwrap_or_default(),
            shipping,
            extras: extras(duties, fees),
        },
        current: Stated {
            subtotal: optional("current_subtotal_price", order.current_subtotal_price),
            total: optional("current_total_price", order.current_total_price),
            tax: optional("current_total_tax", order.current_total_tax).unwrap_or_default(),
            shipping: current_shipping,
            extras: extras(current_duties, current_fees),
        },
        tips: optional("total_tip_received", order.total_tip_received).unwrap_or_default(),
        shipping_lines: shipping_lines(reader, order),
        taxes_included,
    }
}

fn shipping_lines(reader: &mut Reader, order: &Order<'_>) -> Decimal {
    let mut sum = Decimal::ZERO;
    for (i, line) in
        order.shipping_lines.iter().flatten().enumerate().filter(|(_, line)| !line.is_removed.is_true())
    {
        sum += reader.amount(format_args!("shipping_lines[{i}].price"), line.price);
        sum -= allocated(reader, &format!("shipping_lines[{i}]"), line.discount_allocations.as_deref());
    }
    sum
}

fn places(order: &Order<'_>, customer: Option<String>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    for attribute in order.note_attributes.iter().flatten() {
        places.named("note_attribute", attribute.name.text(), attribute.value.text());
    }
    for code in order.discount_codes.iter().flatten() {
        places.add("discount_code", code.code.text());
    }
    places.query("landing_url", order.landing_site.text());
    if !places.has("landing_url:ref") {
        places.add("landing_url:ref", order.landing_site_ref.text());
    }
    places.query("referring_url", order.referring_site.text());
    tags(&mut places, "order_tag", order.tags);
    tags(
        &mut places,
        "customer_tag",
        order.customer.as_ref().map(|customer| customer.tags).unwrap_or_default(),
    );
    places.add("customer", customer);
    places.into_inner()
}

/// `"a, b"` or `["a", "b"]`.
pub fn tags(places: &mut Places, place: &str, tags: Scalar<'_>) {
    if let Some(text) = tags.text() {
        text.split(',').for_each(|tag| places.add(place, Some(tag.to_owned())));
    } else if let Some(list) = tags.literal() {
        let list: Vec<String> = serde_json::from_str(list).unwrap_or_default();
        list.into_iter().for_each(|tag| places.add(place, Some(tag)));
    }
}
