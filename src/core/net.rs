//! Commissionable net: the one place where it is computed.
//!
//! Per line: what the line cost, less every discount, less the tax inside the price, less what was refunded.
//! Shipping, tips, fees and gift cards sold are no goods and never count. A refund that names no lines is
//! spread over everything the customer paid, so only the goods' share of it reduces the net; such a share is
//! marked as an estimate.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::{Rounding, allocate, round};
use super::order::{LineKind, OrderSnapshot, Refund};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineNet {
    /// The order line's external id.
    pub line: String,
    /// Net as sold, before refunds. Zero for lines that are not goods.
    pub sold: Decimal,
    pub refunded: Decimal,
    /// Part of `refunded` comes from a refund that named no lines.
    pub estimated: bool,
}

impl LineNet {
    pub fn net(&self) -> Decimal {
        self.sold - self.refunded
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderNet {
    /// One for each line of the order, in the order's sequence.
    pub lines: Vec<LineNet>,
}

impl OrderNet {
    pub fn sold(&self) -> Decimal {
        self.lines.iter().map(|line| line.sold).sum()
    }

    pub fn refunded(&self) -> Decimal {
        self.lines.iter().map(|line| line.refunded).sum()
    }

    pub fn net(&self) -> Decimal {
        self.sold() - self.refunded()
    }
}

/// `refunds` are all that are known of this order, each once. What a line lost is capped at what it was sold for.
pub fn commissionable(order: &OrderSnapshot, refunds: &[&Refund]) -> OrderNet {
    let mut lines: Vec<LineNet> = order.lines.iter().map(sold).collect();
    subtract_named(&mut lines, refunds);
    subtract_unallocated(&mut lines, order, refunds);
    OrderNet { lines }
}

fn sold(line: &super::order::OrderLine) -> LineNet {
    let sold = match line.kind {
        LineKind::Goods => line.gross - line.discount - line.included_tax,
        LineKind::GiftCard | LineKind::Tip | LineKind::Other => Decimal::ZERO,
    };
    LineNet { line: line.external_id.clone(), sold, refunded: Decimal::ZERO, estimated: false }
}

fn subtract_named(lines: &mut [LineNet], refunds: &[&Refund]) {
    let mut taken: HashMap<&str, Decimal> = HashMap::new();
    for refunded in refunds.iter().flat_map(|refund| &refund.lines) {
        *taken.entry(refunded.line.as_str()).or_default() += refunded.net;
    }
    for line in lines {
        let taken = taken.get(line.line.as_str()).copied().unwrap_or_default();
        line.refunded = taken.clamp(Decimal::ZERO, line.sold.max(Decimal::ZERO));
    }
}

fn subtract_unallocated(lines: &mut [LineNet], order: &OrderSnapshot, refunds: &[&Refund]) {
    let unallocated: Decimal = refunds.iter().map(|refund| refund.unallocated).sum();
    if unallocated <= Decimal::ZERO {
        return;
    }
    let left: Vec<Decimal> = lines.iter().map(|line| line.net().max(Decimal::ZERO)).collect();
    let goods_left: Decimal = left.iter().sum();
    let scale = spread_scale(lines, order);
    let goods = goods_share(unallocated, lines.iter().map(|line| line.sold).sum(), order.total, scale)
        .min(goods_left);
    if goods.is_zero() {
        return;
    }
    for (line, share) in lines.iter_mut().zip(allocate(goods, &left, scale)) {
        line.refunded += share;
        line.estimated |= !share.is_zero();
    }
}

/// Stores can price finer than the currency's smallest unit; the spread keeps the finest digits in sight.
fn spread_scale(lines: &[LineNet], order: &OrderSnapshot) -> u32 {
    let finest = lines.iter().map(|line| line.net().normalize().scale()).max().unwrap_or(0);
    finest.max(order.currency.exponent().unwrap_or(2))
}

/// A refund of all that was paid takes all goods; of a part, the goods' part.
fn goods_share(refund: Decimal, goods: Decimal, total: Decimal, scale: u32) -> Decimal {
    if total <= Decimal::ZERO || refund >= total {
        return goods;
    }
    round(refund * goods / total, scale, Rounding::HalfUp)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::core::money::Currency;
    use crate::core::order::{OrderLine, Payment, ProductKey, RefundLine};
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    pub(crate) fn line(id: &str, gross: &str, discount: &str, included_tax: &str) -> OrderLine {
        OrderLine {
            external_id: id.into(),
            product: ProductKey { sku: Some(format!("SKU-{id}")), ..ProductKey::default() },
            title: "Thing".into(),
            kind: LineKind::Goods,
            quantity: Decimal::ONE,
            unit_price: dec(gross),
            gross: dec(gross),
            discount: dec(discount),
            included_tax: dec(included_tax),
            places: vec![],
        }
    }

    pub(crate) fn order(lines: Vec<OrderLine>, total: &str) -> OrderSnapshot {
        let at = "2026-08-28T08:11:04Z".parse().unwrap();
        OrderSnapshot {
            external_id: "301".into(),
            number: None,
            currency: Currency::parse("USD").unwrap(),
            ordered_at: at,
            updated_at: at,
            read_at: None,
            payment: Payment::Paid,
            cancelled: false,
            test: false,
            customer_id: None,
            lines,
            total: dec(total),
            refunds: vec![],
            places: vec![],
            closings: vec![],
            problems: vec![],
        }
    }

    fn refund(id: &str, lines: &[(&str, &str)], unallocated: &str) -> Refund {
        let lines = lines
            .iter()
            .map(|(line, net)| RefundLine { line: (*line).into(), quantity: Decimal::ONE, net: dec(net) })
            .collect();
        Refund {
            external_id: id.into(),
            at: None,
            lines,
            unallocated: dec(unallocated),
            amount: dec(unallocated),
        }
    }

    #[test]
    fn net_is_without_discount_tax_and_what_is_no_goods() {
        let mut card = line("2", "50", "0", "0");
        card.kind = LineKind::GiftCard;
        let net = commissionable(&order(vec![line("1", "120", "18", "17"), card], "152"), &[]);
        assert_eq!(net.lines[0].sold, dec("85"));
        assert_eq!(net.net(), dec("85"));
    }

    #[test]
    fn refunded_lines_are_capped_at_what_was_sold() {
        let order = order(vec![line("1", "20", "0", "0"), line("2", "5", "0", "0")], "25");
        let (first, second) =
            (refund("a", &[("1", "15")], "0"), refund("b", &[("1", "15"), ("9", "3")], "0"));
        let net = commissionable(&order, &[&first, &second]);
        assert_eq!(net.lines[0].net(), Decimal::ZERO);
        assert_eq!(net.net(), dec("5"));
        assert!(!net.lines[0].estimated);
    }

    #[test]
    fn money_for_no_line_is_spread_over_all_that_was_paid() {
        // 100 goods + 20 shipping and tax; 12 back is 10 of goods, over lines of 75 and 25.
        let order = order(vec![line("1", "75", "0", "0"), line("2", "25", "0", "0")], "120");
        let net = commissionable(&order, &[&refund("a", &[], "12")]);
        assert_eq!(net.lines.iter().map(|l| l.refunded).collect::<Vec<_>>(), [dec("7.50"), dec("2.50")]);
        assert!(net.lines.iter().all(|l| l.estimated));
        let all = commissionable(&order, &[&refund("a", &[], "120")]);
        assert_eq!(all.net(), Decimal::ZERO);
    }

    proptest! {
        #[test]
        fn refunds_never_make_a_line_negative(
            sold in prop::collection::vec(0i64..1_000_000, 1..8),
            named in prop::collection::vec((0usize..8, 0i64..2_000_000), 0..6),
            unallocated in prop::collection::vec(0i64..3_000_000, 0..4),
            extra in 0i64..500_000,
        ) {
            let lines: Vec<OrderLine> = sold.iter().enumerate()
                .map(|(i, cents)| line(&i.to_string(), &Decimal::new(*cents, 2).to_string(), "0", "0")).collect();
            let total = Decimal::new(sold.iter().sum::<i64>() + extra, 2);
            let order = order(lines, &total.to_string());
            let mut refunds: Vec<Refund> = named.iter().enumerate()
                .map(|(i, (l, cents))| refund(&i.to_string(), &[(&l.to_string(), &Decimal::new(*cents, 2).to_string())], "0"))
                .collect();
            refunds.extend(unallocated.iter().map(|cents| refund("u", &[], &Decimal::new(*cents, 2).to_string())));
            let net = commissionable(&order, &refunds.iter().collect::<Vec<_>>());
            for line in &net.lines {
                prop_assert!(line.net() >= Decimal::ZERO && line.refunded >= Decimal::ZERO, "{line:?}");
                prop_assert!(line.net().scale() <= 2);
            }
        }
    }
}
