//! A Magento order as an order snapshot, counted in the website's base currency.
//!
//! `state` is the platform's fact; `status` is the merchant's wording and is not read. An edited order is
//! cancelled and made anew under another id, so each earns for itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::documents::Documents;
use super::model::{CustomAttribute, Order, Side};
use super::{items, refund};
use crate::core::order::{Closing, OrderSnapshot, Payment, PlaceValue};
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::places::Places;
use crate::stores::reader::{Reader, required_currency, required_id};

/// `documents` are all of the order's invoices and credit memos, where it was read with them.
pub fn snapshot(
    meta: &DeliveryMeta,
    order: &Order<'_>,
    documents: Option<&Documents<'_>>,
) -> Result<OrderSnapshot, ParseError> {
    let mut reader = Reader::default();
    let external_id = required_id("entity_id", order.entity_id)?;
    let side = Side::of(order.base_currency_code, order.order_currency_code, order.base_grand_total);
    let currency = match side.base {
        true => required_currency("base_currency_code", order.base_currency_code)?,
        false => required_currency("order_currency_code", order.order_currency_code)?,
    };
    let sums = Sums::read(&mut reader, order, side);
    let told = order.items.as_deref().unwrap_or_default();
    let item_lines = items::lines(&mut reader, told, side, currency, sums.subtotal);
    let memos = documents.map(|documents| &documents.creditmemos).or(order.creditmemos.as_ref());
    let refunds = refund::of_order(&mut reader, order, memos, side, currency, &item_lines);
    let mut closings = sums.closings(&item_lines);
    if let Some(documents) = documents {
        closings.extend(documents.closings(&mut reader, order, side));
    }
    let created = reader.optional("created_at", order.created_at.instant());
    let ordered_at = ordered_at(&mut reader, meta, created, order)?;
    let updated_at = reader.optional("updated_at", order.updated_at.instant()).unwrap_or(ordered_at);
    let state = order.state.text().unwrap_or_default();
    let customer = reader.id("customer_id", order.customer_id).filter(|id| id != "0");
    Ok(OrderSnapshot {
        number: order.increment_id.text().filter(|number| *number != external_id),
        external_id,
        currency,
        ordered_at,
        updated_at,
        read_at: None,
        payment: sums.payment(&state),
        cancelled: state == "canceled",
        test: false,
        places: places(order, customer.clone()),
        customer_id: customer,
        closings,
        lines: item_lines.into_iter().map(|item| item.line).collect(),
        total: sums.grand,
        refunds,
        problems: reader.problems,
    })
}

fn ordered_at(
    reader: &mut Reader,
    meta: &DeliveryMeta,
    created: Option<DateTime<Utc>>,
    order: &Order<'_>,
) -> Result<DateTime<Utc>, ParseError> {
    if created.is_none() {
        reader.problem("created_at", "is missing");
    }
    let updated = order.updated_at.instant().ok().flatten();
    created.or(updated).or(meta.triggered_at).ok_or(ParseError::Missing { field: "created_at" })
}

/// The order's own totals.
struct Sums {
    grand: Decimal,
    subtotal: Option<Decimal>,
    /// Negative, and with the shipping's discount in it.
    discount: Option<Decimal>,
    shipping: Decimal,
    shipping_discount: Decimal,
    tax: Decimal,
    compensation: Decimal,
    shipping_compensation: Decimal,
    /// Paid with gift cards, store credit or reward points: lowers the total, is no discount.
    credits: Decimal,
    paid: Decimal,
    canceled: Decimal,
}

impl Sums {
    fn read(reader: &mut Reader, order: &Order<'_>, side: Side) -> Self {
        let credits = credits(reader, order.extension_attributes, side);
        let mut told = |field: &str, base, plain| reader.optional(field, side.pick(base, plain).decimal());
        let grand = told("grand_total", order.base_grand_total, order.grand_total);
        let subtotal = told("subtotal", order.base_subtotal, order.subtotal);
        let discount = told("discount_amount", order.base_discount_amount, order.discount_amount);
        let mut amount = |field: &str, base, plain| told(field, base, plain).unwrap_or_default();
        Self {
            grand: grand.unwrap_or_default(),
            subtotal,
            discount,
            shipping: amount("shipping_amount", order.base_shipping_amount, order.shipping_amount),
            shipping_discount: amount(
                "shipping_discount_amount",
                order.base_shipping_discount_amount,
                order.shipping_discount_amount,
            ),
            tax: amount("tax_amount", order.base_tax_amount, order.tax_amount),
            compensation: amount(
                "discount_tax_compensation_amount",
                order.base_discount_tax_compensation_amount,
                order.discount_tax_compensation_amount,
            ),
            shipping_compensation: amount(
                "shipping_discount_tax_compensation_amount",
                order.base_shipping_discount_tax_compensation_amnt,
                order.shipping_discount_tax_compensation_amount,
            ),
            credits,
            paid: amount("total_paid", order.base_total_paid, order.total_paid),
            canceled: amount("total_canceled", order.base_total_canceled, order.total_canceled),
        }
    }

    /// Paid is what the order's invoices have brought in; an order of nothing is paid once it is processed.
    fn payment(&self, state: &str) -> Payment {
        let processed = matches!(state, "processing" | "complete" | "closed");
        let due = self.grand - self.canceled;
        match (self.grand.is_zero(), self.paid.is_zero()) {
            (true, _) if processed => Payment::Paid,
            (false, false) if self.paid >= due => Payment::Paid,
            _ => Payment::Unpaid,
        }
    }

    fn closings(&self, lines: &[items::ItemLine]) -> Vec<Closing> {
        let mut closings = Vec::new();
        let mut close = |field: &str, stated, computed| {
            closings.push(Closing { field: field.to_owned(), stated, computed })
        };
        let goods: Decimal = lines.iter().map(|item| item.line.gross).sum();
        if let Some(subtotal) = self.subtotal {
            close("subtotal", subtotal, goods);
        }
        if let Some(discount) = self.discount {
            let given: Decimal = lines.iter().map(|item| item.discount).sum();
            close("discount_amount", discount, Decimal::ZERO - given - self.shipping_discount.abs());
        }
        let base = self.subtotal.unwrap_or(goods)
            + self.discount.unwrap_or_default()
            + self.shipping
            + self.tax
            + self.compensation
            - self.credits;
        // The shipping's part of the compensation is counted in the order's by some versions.
        let with_shipping = base + self.shipping_compensation;
        close("grand_total", self.grand, if with_shipping == self.grand { with_shipping } else { base });
        closings
    }
}

fn credits(reader: &mut Reader, extension: Scalar<'_>, side: Side) -> Decimal {
    let told = attributes(extension);
    let names = ["gift_cards_amount", "customer_balance_amount", "reward_currency_amount"];
    let mut sum = Decimal::ZERO;
    for name in names {
        let get = |key: &str| told.get(key).copied().unwrap_or_default();
        let amount = side.pick(get(&format!("base_{name}")), get(name));
        sum += reader.amount(format_args!("extension_attributes.{name}"), amount).abs();
    }
    sum
}

fn attributes(extension: Scalar<'_>) -> BTreeMap<String, Scalar<'_>> {
    extension.literal().and_then(|text| read(text).ok()).unwrap_or_default()
}

fn places(order: &Order<'_>, customer: Option<String>) -> Vec<PlaceValue> {
    let mut places = Places::default();
    places.add("discount_code", order.coupon_code.text());
    for (key, value) in attributes(order.extension_attributes) {
        if key == "coupon_codes" {
            let codes: Vec<String> = value.literal().and_then(|text| read(text).ok()).unwrap_or_default();
            codes.into_iter().for_each(|code| places.add("discount_code", Some(code)));
        } else {
            places.named("order_meta", Some(key), value.text());
        }
    }
    let custom =
        order.custom_attributes.literal().and_then(|text| read::<Vec<CustomAttribute<'_>>>(text).ok());
    for attribute in custom.unwrap_or_default() {
        places.named("order_meta", attribute.attribute_code.text(), attribute.value.text());
    }
    places.add("customer", customer);
    places.into_inner()
}
