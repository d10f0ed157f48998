//! What a Magento order says was given back: its credit memos where they are embedded, otherwise what its items
//! and totals say was refunded and cancelled so far.
//!
//! The figures of an order are running totals, so all of them together are one refund whose content grows.

use rust_decimal::Decimal;

use super::items::ItemLine;
use super::model::{CreditMemo, Order, Side};
use crate::core::money::{Currency, allocate};
use crate::core::order::{Refund, RefundLine};
use crate::stores::reader::Reader;

pub fn of_order(
    reader: &mut Reader,
    order: &Order<'_>,
    side: Side,
    currency: Currency,
    lines: &[ItemLine],
) -> Vec<Refund> {
    let mut refunds = Vec::new();
    let canceled = taken_back(lines, currency, |item| item.canceled);
    if !canceled.is_empty() {
        refunds.push(refund("canceled", canceled, Decimal::ZERO, Decimal::ZERO));
    }
    if let Some(memos) = &order.creditmemos {
        refunds.extend(
            memos.iter().enumerate().filter_map(|(i, memo)| credit_memo(reader, i, memo, side, lines)),
        );
        return refunds;
    }
    let total = side.pick(order.base_total_refunded, order.total_refunded);
    let total = reader.amount("total_refunded", total);
    let adjustment = side.pick(order.base_adjustment_positive, order.adjustment_positive);
    let adjustment = reader.amount("adjustment_positive", adjustment);
    let refunded = taken_back(lines, currency, |item| item.refunded);
    // Money that names no item is goodwill where the order says so, and all of it where nothing else is said.
    let unallocated = if refunded.is_empty() { total } else { adjustment };
    if !refunded.is_empty() || !total.is_zero() {
        refunds.push(refund("refunded", refunded, unallocated, total));
    }
    refunds
}

fn refund(id: &str, lines: Vec<RefundLine>, unallocated: Decimal, amount: Decimal) -> Refund {
    Refund {
        external_id: id.to_owned(),
        at: None,
        lines,
        unallocated: unallocated.max(Decimal::ZERO),
        amount,
    }
}

fn taken_back(lines: &[ItemLine], currency: Currency, quantity: fn(&ItemLine) -> Decimal) -> Vec<RefundLine> {
    let taken = |item: &ItemLine| {
        let quantity = quantity(item).min(item.line.quantity);
        (quantity > Decimal::ZERO).then(|| RefundLine {
            line: item.line.external_id.clone(),
            quantity,
            net: share(item, quantity, currency),
        })
    };
    lines.iter().filter_map(taken).collect()
}

fn share(item: &ItemLine, quantity: Decimal, currency: Currency) -> Decimal {
    let net = item.line.gross - item.line.discount;
    let scale = currency.exponent().unwrap_or(2).max(net.scale());
    let parts = allocate(net, &[quantity, item.line.quantity - quantity], scale);
    parts.first().copied().unwrap_or_default()
}

/// A credit memo's items are told before discount, and for parents and children alike: only those that are
/// lines of the order count.
fn credit_memo(
    reader: &mut Reader,
    i: usize,
    memo: &CreditMemo<'_>,
    side: Side,
    lines: &[ItemLine],
) -> Option<Refund> {
    let path = format!("creditmemos[{i}]");
    let Some(id) = reader.id(format_args!("{path}.entity_id"), memo.entity_id) else {
        reader.problem(format_args!("{path}.entity_id"), "is missing");
        return None;
    };
    let mut taken = Vec::new();
    for (n, item) in memo.items.iter().flatten().enumerate() {
        let field = |name: &str| format!("{path}.items[{n}].{name}");
        let line = reader.id(field("order_item_id"), item.order_item_id);
        let Some(line) = line.filter(|id| lines.iter().any(|known| known.line.external_id == *id)) else {
            continue;
        };
        let quantity = reader.non_negative(field("qty"), item.qty);
        let price = reader.amount(field("price"), side.pick(item.base_price, item.price));
        let gross = reader.product(field("price"), price, quantity);
        let discount = side.pick(item.base_discount_amount, item.discount_amount);
        let discount = reader.amount(field("discount_amount"), discount).abs();
        let compensation =
            side.pick(item.base_discount_tax_compensation_amount, item.discount_tax_compensation_amount);
        let compensation = reader.amount(field("discount_tax_compensation_amount"), compensation);
        taken.push(RefundLine { line, quantity, net: gross - discount + compensation });
    }
    let adjustment = side.pick(memo.base_adjustment_positive, memo.adjustment_positive);
    let adjustment = reader.amount(format_args!("{path}.adjustment_positive"), adjustment);
    let amount =
        reader.amount(format_args!("{path}.grand_total"), side.pick(memo.base_grand_total, memo.grand_total));
    let mut told = refund(&id, taken, adjustment, amount);
    told.at = reader.optional(format_args!("{path}.created_at"), memo.created_at.instant());
    Some(told)
}
