//! A REST refund, told alone (refunds/create) or inside its order.
//!
//! The refund's lines say which goods were taken back, whether or not money moved. Money beyond them that is
//! not shipping or duties was given for no line: it is left unallocated. Less money than the lines are worth
//! (a fee kept, a payment still pending) does not bring the goods back.

use rust_decimal::Decimal;

use super::model::{self, MoneySet};
use super::short_id;
use crate::core::money::Currency;
use crate::core::order::{Refund, RefundLine, Report};
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::reader::{Reader, required_id};

pub fn parse(_: &DeliveryMeta, text: &str) -> Result<Report, ParseError> {
    let told: model::Refund<'_> = read(text)?;
    let order = short_id(required_id("order_id", told.order_id)?);
    let mut reader = Reader::default();
    let currency = shop_currency(&told);
    let refund = read_one(&mut reader, "", &told, currency, None);
    reader.finish()?;
    let refund = refund.ok_or(ParseError::Missing { field: "id" })?;
    Ok(Report::Refund { order, refund })
}

/// The shop's currency as a bare refund shows it; without any, transactions are taken to be in it.
fn shop_currency(told: &model::Refund<'_>) -> Option<Currency> {
    let lines = told.refund_line_items.iter().flatten().filter_map(|line| line.subtotal_set);
    let adjustments = told.order_adjustments.iter().flatten().filter_map(|adjustment| adjustment.amount_set);
    let mut sets = lines.chain(adjustments).chain(told.total_duties_set);
    sets.find_map(|set| Currency::parse(&set.shop_money.currency_code.text()?))
}

/// The money of one refund, all of it in the shop's currency.
struct Parts {
    goods: Decimal,
    goods_tax: Decimal,
    shipping: Decimal,
    shipping_tax: Decimal,
    duties: Decimal,
    /// Stated difference between what the parts are worth and what was paid back: negative is more money.
    discrepancy: Option<Decimal>,
    /// Money that did go back; `None` when it went back in another currency.
    moved: Option<Decimal>,
}

/// `taxes_included` is a fact of the order; a refund told alone has to show it by its sums.
pub fn read_one(
    reader: &mut Reader,
    path: &str,
    told: &model::Refund<'_>,
    currency: impl Into<Option<Currency>>,
    taxes_included: Option<bool>,
) -> Option<Refund> {
    let Some(external_id) = reader.id(format_args!("{path}id"), told.id).map(short_id) else {
        reader.problem(format_args!("{path}id"), "is missing");
        return None;
    };
    let lines = lines(reader, path, told);
    let parts = parts(reader, path, told, &lines, currency.into());
    let inside = taxes_included.unwrap_or_else(|| parts.taxes_are_inside());
    let unallocated = parts.unallocated(inside);
    let at = reader.optional(format_args!("{path}processed_at"), told.processed_at.instant());
    let at = at.or_else(|| reader.optional(format_args!("{path}created_at"), told.created_at.instant()));
    Some(Refund {
        external_id,
        at,
        amount: parts.moved.unwrap_or_else(|| parts.worth(inside) + unallocated),
        unallocated,
        lines: lines.into_iter().map(|line| line.without_tax(inside)).collect(),
    })
}

struct TakenBack {
    line: String,
    quantity: Decimal,
    subtotal: Decimal,
    tax: Decimal,
}

impl TakenBack {
    fn without_tax(self, inside: bool) -> RefundLine {
        let net = if inside { self.subtotal - self.tax } else { self.subtotal };
        RefundLine { line: self.line, quantity: self.quantity, net }
    }
}

fn lines(reader: &mut Reader, path: &str, told: &model::Refund<'_>) -> Vec<TakenBack> {
    let mut lines = Vec::new();
    for (i, line) in told.refund_line_items.iter().flatten().enumerate() {
        let path = format!("{path}refund_line_items[{i}]");
        let Some(id) = reader.id(format_args!("{path}.line_item_id"), line.line_item_id) else {
            reader.problem(format_args!("{path}.line_item_id"), "is missing");
            continue;
        };
        lines.push(TakenBack {
            line: short_id(id),
            quantity: reader.non_negative(format_args!("{path}.quantity"), line.quantity),
            subtotal: reader
                .non_negative(format_args!("{path}.subtotal"), shop(line.subtotal_set, line.subtotal)),
            tax: reader.amount(format_args!("{path}.total_tax"), shop(line.total_tax_set, line.total_tax)),
        });
    }
    lines
}

/// The set's shop money, or the plain field, which is shop money too.
fn shop<'a>(set: Option<MoneySet<'a>>, plain: Scalar<'a>) -> Scalar<'a> {
    set.map(|set| set.shop_money.amount).filter(|amount| amount.literal().is_some()).unwrap_or(plain)
}

fn parts(
    reader: &mut Reader,
    path: &str,
    told: &model::Refund<'_>,
    lines: &[TakenBack],
    currency: Option<Currency>,
) -> Parts {
    let mut parts = Parts {
        goods: lines.iter().map(|line| line.subtotal).sum(),
        goods_tax: lines.iter().map(|line| line.tax).sum(),
        shipping: Decimal::ZERO,
        shipping_tax: Decimal::ZERO,
        duties: reader
            .amount(format_args!("{path}total_duties_set"), shop(told.total_duties_set, Scalar::default())),
        discrepancy: None,
        moved: Some(Decimal::ZERO),
    };
    for (i, line) in told.refund_shipping_lines.iter().flatten().enumerate() {
        let path = format!("{path}refund_shipping_lines[{i}]");
        let amount = shop(line.subtotal_amount_set, Scalar::default());
        parts.shipping += reader.amount(format_args!("{path}.subtotal_amount_set"), amount);
        let tax = shop(line.tax_amount_set, Scalar::default());
        parts.shipping_tax += reader.amount(format_args!("{path}.tax_amount_set"), tax);
    }
    for (i, adjustment) in told.order_adjustments.iter().flatten().enumerate() {
        let path = format!("{path}order_adjustments[{i}]");
        let amount =
            reader.amount(format_args!("{path}.amount"), shop(adjustment.amount_set, adjustment.amount));
        let tax = shop(adjustment.tax_amount_set, adjustment.tax_amount);
        let tax = reader.amount(format_args!("{path}.tax_amount"), tax);
        if adjustment.kind.text().as_deref() == Some("shipping_refund") {
            parts.shipping -= amount;
            parts.shipping_tax -= tax;
        } else {
            parts.discrepancy = Some(parts.discrepancy.unwrap_or_default() + amount + tax);
        }
    }
    if let Some(total) = told.total_refunded_set {
        parts.moved = Some(reader.amount(format_args!("{path}total_refunded_set"), total.shop_money.amount));
    }
    for (i, moved) in told.transactions.iter().flatten().enumerate().filter(|(_, moved)| is_refund(moved)) {
        let amount = reader.amount(format_args!("{path}transactions[{i}].amount"), moved.amount);
        let theirs = moved.currency.text().and_then(|code| Currency::parse(&code));
        let same = theirs.is_none() || currency.is_none() || theirs == currency;
        parts.moved = parts.moved.filter(|_| same).map(|sum| sum + amount);
    }
    parts
}

fn is_refund(transaction: &model::Transaction<'_>) -> bool {
    transaction.status.text().as_deref() == Some("success")
        && transaction.kind.text().as_deref() == Some("refund")
}

impl Parts {
    fn worth(&self, taxes_inside: bool) -> Decimal {
        let tax = if taxes_inside { Decimal::ZERO } else { self.goods_tax + self.shipping_tax };
        self.goods + self.shipping + self.duties + tax
    }

    fn unallocated(&self, taxes_inside: bool) -> Decimal {
        let beyond = match (self.discrepancy, self.moved) {
            (Some(discrepancy), _) => -discrepancy,
            (None, Some(moved)) => moved - self.worth(taxes_inside),
            (None, None) => Decimal::ZERO,
        };
        beyond.max(Decimal::ZERO)
    }

    /// Taxes are inside the prices if the money that moved is what the parts are worth without adding tax.
    fn taxes_are_inside(&self) -> bool {
        let tax = self.goods_tax + self.shipping_tax;
        let explained = self.moved.map(|moved| moved + self.discrepancy.unwrap_or_default());
        !tax.is_zero() && explained == Some(self.worth(true))
    }
}
