//! What a Magento order says was given back: its credit memos where they are told, otherwise what its items and
//! totals say was refunded and cancelled so far.
//!
//! The figures of an order are running totals, so all of them together are one refund whose content grows. A
//! snapshot has one telling or the other, never both, and the newest snapshot is the only one that counts: money
//! told once by totals and once by memos is never given back twice.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::documents;
use super::items::ItemLine;
use super::model::{CreditMemo, Item, Order, Side};
use crate::core::money::{Currency, Rounding, allocate, round};
use crate::core::order::{Refund, RefundLine};
use crate::stores::reader::Reader;

pub fn of_order(
    reader: &mut Reader,
    order: &Order<'_>,
    memos: Option<&Vec<CreditMemo<'_>>>,
    side: Side,
    currency: Currency,
    lines: &[ItemLine],
) -> Vec<Refund> {
    let mut refunds = Vec::new();
    let canceled = taken_back(lines, currency, |item| item.canceled);
    if !canceled.is_empty() {
        let (external_id, zero) = ("canceled".to_owned(), Decimal::ZERO);
        refunds.push(Refund { external_id, at: None, lines: canceled, unallocated: zero, amount: zero });
    }
    if let Some(memos) = memos {
        let told = memos.iter().enumerate().filter(|(_, memo)| documents::is_refunded(memo));
        refunds.extend(told.filter_map(|(i, memo)| credit_memo(reader, i, memo, side, currency, lines)));
        return refunds;
    }
    let mut told = |field: &str, base, plain| reader.amount(field, side.pick(base, plain));
    let total = told("total_refunded", order.base_total_refunded, order.total_refunded);
    let given = told("adjustment_positive", order.base_adjustment_positive, order.adjustment_positive);
    let kept = told("adjustment_negative", order.base_adjustment_negative, order.adjustment_negative);
    let refunded = taken_back(lines, currency, |item| item.refunded);
    // Money that names no item is goodwill where the order says so, and all of it where nothing else is said.
    let balance = if refunded.is_empty() { total } else { given - kept };
    if !refunded.is_empty() || !total.is_zero() {
        refunds.push(adjusted("refunded", None, refunded, balance, total, currency));
    }
    refunds
}

/// `balance` is what was given beyond the items (positive), or kept by the merchant (negative). What was kept
/// lowers the goods by their part of all that would have gone back, as it was held back from shipping and tax, too.
fn adjusted(
    id: &str,
    at: Option<DateTime<Utc>>,
    mut lines: Vec<RefundLine>,
    balance: Decimal,
    amount: Decimal,
    currency: Currency,
) -> Refund {
    if balance < Decimal::ZERO {
        let nets: Vec<Decimal> = lines.iter().map(|line| line.net).collect();
        let (goods, before) = (nets.iter().sum::<Decimal>(), amount - balance);
        let finest = nets.iter().map(|net| net.normalize().scale()).max().unwrap_or(0);
        let scale = finest.max(currency.exponent().unwrap_or(2));
        let kept = match before > goods {
            true => round(-balance * goods / before, scale, Rounding::HalfUp),
            false => -balance,
        };
        let shares = allocate(kept.min(goods), &nets, scale);
        for (line, share) in lines.iter_mut().zip(shares) {
            line.net -= share;
        }
    }
    Refund { external_id: id.to_owned(), at, lines, unallocated: balance.max(Decimal::ZERO), amount }
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

/// What a memo tells of one line: on its own item, and on the items that are its parts.
#[derive(Default)]
struct Told {
    quantity: Option<Decimal>,
    own: Option<Decimal>,
    parts: Option<Decimal>,
    /// By unit price, where nothing tells a row.
    by_price: Decimal,
    part_quantity: Decimal,
}

/// A credit memo's rows are told before discount, and its items for parents and children alike: money stands on
/// that one of them which has a row.
fn credit_memo(
    reader: &mut Reader,
    i: usize,
    memo: &CreditMemo<'_>,
    side: Side,
    currency: Currency,
    lines: &[ItemLine],
) -> Option<Refund> {
    let path = format!("creditmemos[{i}]");
    let Some(id) = reader.id(format_args!("{path}.entity_id"), memo.entity_id) else {
        reader.problem(format_args!("{path}.entity_id"), "is missing");
        return None;
    };
    let mut told: BTreeMap<usize, Told> = BTreeMap::new();
    for (n, item) in memo.items.iter().flatten().enumerate() {
        memo_item(reader, &format!("{path}.items[{n}]"), item, side, lines, &mut told);
    }
    let taken = told.into_iter().filter_map(|(at, told)| {
        let own = told.own.filter(|own| !own.is_zero());
        let net = own.or(told.parts).or(told.own).unwrap_or(told.by_price);
        let quantity = told.quantity.unwrap_or(told.part_quantity);
        let line = lines.get(at)?.line.external_id.clone();
        (!net.is_zero() || !quantity.is_zero()).then_some(RefundLine { line, quantity, net })
    });
    let taken = taken.collect();
    let mut amount =
        |field: &str, base, plain| reader.amount(format_args!("{path}.{field}"), side.pick(base, plain));
    let given = amount("adjustment_positive", memo.base_adjustment_positive, memo.adjustment_positive);
    let kept = amount("adjustment_negative", memo.base_adjustment_negative, memo.adjustment_negative);
    let total = amount("grand_total", memo.base_grand_total, memo.grand_total);
    let at = reader.optional(format_args!("{path}.created_at"), memo.created_at.instant());
    Some(adjusted(&id, at, taken, given - kept, total, currency))
}

fn memo_item(
    reader: &mut Reader,
    path: &str,
    item: &Item<'_>,
    side: Side,
    lines: &[ItemLine],
    told: &mut BTreeMap<usize, Told>,
) {
    let field = |name: &str| format!("{path}.{name}");
    let id = reader.id(field("order_item_id"), item.order_item_id).unwrap_or_default();
    let row = reader.optional(field("row_total"), documents::row(item, side).decimal());
    let own = lines.iter().position(|line| line.line.external_id == id);
    let Some(at) = own.or_else(|| lines.iter().position(|line| line.parts.contains(&id))) else {
        // The parent of a dynamic bundle is no line and has no row.
        if row.is_some_and(|row| !row.is_zero()) {
            reader.problem(field("order_item_id"), "names no line of the order");
        }
        return;
    };
    let quantity = reader.non_negative(field("qty"), item.qty);
    let discount = side.pick(item.base_discount_amount, item.discount_amount);
    let discount = reader.amount(field("discount_amount"), discount).abs();
    let compensation =
        side.pick(item.base_discount_tax_compensation_amount, item.discount_tax_compensation_amount);
    let compensation = reader.amount(field("discount_tax_compensation_amount"), compensation);
    let net = row.map(|row| row - discount + compensation);
    let told = told.entry(at).or_default();
    if own.is_some() {
        let price = reader.amount(field("price"), side.pick(item.base_price, item.price));
        let gross = reader.product(field("price"), price, quantity);
        told.quantity = Some(told.quantity.unwrap_or_default() + quantity);
        told.own = net.map(|net| told.own.unwrap_or_default() + net).or(told.own);
        told.by_price += gross - discount + compensation;
    } else {
        told.part_quantity = told.part_quantity.max(quantity);
        let net = net.filter(|net| !net.is_zero());
        told.parts = net.map(|net| told.parts.unwrap_or_default() + net).or(told.parts);
    }
}
