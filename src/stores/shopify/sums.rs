//! How Shopify's own totals fit together: what an order states beside what its parts add up to.
//!
//! Used by both readers. After an order edit the platform keeps some original totals and moves others, but
//! `current_*` always tells the order as it is now; either set closing shows that every line was understood.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::core::money::{Currency, allocate};
use crate::core::order::{Closing, LineKind, OrderLine, Payment, Refund, RefundLine};

/// One of the platform's two sets of totals; `None` where the payload does not tell it.
#[derive(Debug, Default)]
pub struct Stated {
    pub subtotal: Option<Decimal>,
    pub total: Option<Decimal>,
    pub tax: Decimal,
    pub shipping: Option<Decimal>,
    /// Duties and additional fees that are not inside the prices.
    pub extras: Decimal,
}

#[derive(Debug, Default)]
pub struct Totals {
    pub original: Stated,
    pub current: Stated,
    /// Sum of the shipping lines after their discounts.
    pub shipping_lines: Decimal,
    pub tips: Decimal,
    pub taxes_included: bool,
}

impl Totals {
    /// What the customer was asked to pay, and the sums to be checked.
    pub fn close(&self, lines: &[OrderLine], kept: &[Decimal]) -> (Option<Decimal>, Vec<Closing>) {
        let counted = |line: &&OrderLine| line.kind != LineKind::Tip;
        let all: Decimal = lines.iter().filter(counted).map(|line| line.gross - line.discount).sum();
        let now = lines.iter().zip(kept).filter(|(line, _)| counted(line)).map(|(_, kept)| *kept).sum();
        let original = self.set("", &self.original, all);
        let current = self.set("current_", &self.current, now);
        let closes =
            |set: &[Closing]| !set.is_empty() && set.iter().all(|closing| closing.difference().is_zero());
        if !closes(&original) && (closes(&current) || original.is_empty()) {
            return (self.current.total, current);
        }
        (self.original.total.or(self.current.total), original)
    }

    /// What the ledger of sales leaves of the goods, beside the order's own word for it.
    pub fn agreed(&self, lines: &[OrderLine], kept: &[Decimal]) -> Option<Closing> {
        let goods = lines.iter().zip(kept).filter(|(line, _)| line.kind != LineKind::Tip);
        let computed = goods.map(|(_, kept)| *kept).sum();
        let stated = self.current.subtotal?;
        Some(Closing { field: "agreements".to_owned(), stated, computed })
    }

    /// Spreads what the subtotal lacks over the goods, by their price.
    pub fn discount_by_subtotal(&self, lines: &mut [OrderLine], currency: Currency) {
        let weights: Vec<Decimal> = lines
            .iter()
            .map(|line| if line.kind == LineKind::Tip { Decimal::ZERO } else { line.gross })
            .collect();
        let lacking = self.original.subtotal.map(|subtotal| weights.iter().sum::<Decimal>() - subtotal);
        let Some(lacking) = lacking.filter(|lacking| *lacking > Decimal::ZERO) else { return };
        let scale = currency.exponent().unwrap_or(2).max(lacking.scale());
        for (line, discount) in lines.iter_mut().zip(allocate(lacking, &weights, scale)) {
            line.discount = discount;
        }
    }

    fn set(&self, prefix: &str, stated: &Stated, goods: Decimal) -> Vec<Closing> {
        let mut closings = Vec::new();
        if let Some(subtotal) = stated.subtotal {
            closings.push(Closing {
                field: format!("{prefix}subtotal_price"),
                stated: subtotal,
                computed: goods,
            });
        }
        if let Some(total) = stated.total {
            let tax = if self.taxes_included { Decimal::ZERO } else { stated.tax };
            let base = stated.subtotal.unwrap_or(goods) + tax + stated.extras + self.tips;
            // The stated shipping total is given before or after shipping discounts, by API version.
            let with_lines = base + self.shipping_lines;
            let computed = stated.shipping.map(|shipping| base + shipping).filter(|sum| *sum == total);
            let computed = computed.unwrap_or(with_lines);
            closings.push(Closing { field: format!("{prefix}total_price"), stated: total, computed });
        }
        closings
    }
}

/// Paid-ness from the financial status, in REST's spelling or GraphQL's. `None` for a status nobody knows.
pub fn payment(status: Option<&str>) -> Option<Payment> {
    match status.map(str::to_ascii_lowercase).as_deref() {
        Some("paid" | "partially_refunded" | "refunded") => Some(Payment::Paid),
        None | Some("pending" | "authorized" | "partially_paid") => Some(Payment::Unpaid),
        Some("voided" | "expired") => Some(Payment::Voided),
        Some(_) => None,
    }
}

/// What is left of each line's price at its current quantity, tax as in the prices.
pub fn kept(lines: &[OrderLine], current: &[Option<Decimal>], currency: Currency) -> Vec<Decimal> {
    let share = |(line, now): (&OrderLine, &Option<Decimal>)| match now {
        Some(now) => part(line.gross - line.discount, *now, line.quantity, currency),
        None => line.gross - line.discount,
    };
    lines.iter().zip(current).map(share).collect()
}

/// Quantities that are gone although no refund of the payload took them (an order edit, seen without its
/// refunds): one refund without money per line, so that the line earns only for what is left of it.
pub fn removals(
    lines: &[OrderLine],
    current: &[Option<Decimal>],
    refunds: &[Refund],
    currency: Currency,
) -> Vec<Refund> {
    let mut refunded: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in refunds.iter().flat_map(|refund| &refund.lines) {
        *refunded.entry(&line.line).or_default() += line.quantity;
    }
    let removal = |(line, now): (&OrderLine, &Option<Decimal>)| {
        let taken = refunded.get(line.external_id.as_str()).copied().unwrap_or_default();
        let gone = line.quantity - (*now)? - taken;
        let net = part(line.gross - line.discount - line.included_tax, gone, line.quantity, currency);
        let taken = || RefundLine { line: line.external_id.clone(), quantity: gone, net };
        (gone > Decimal::ZERO).then(|| self::removal(taken(), None))
    };
    lines.iter().zip(current).filter_map(removal).collect()
}

/// Goods that are gone without money: told under one id by every reading of the order.
pub fn removal(taken: RefundLine, at: Option<DateTime<Utc>>) -> Refund {
    Refund {
        external_id: format!("removed:{}", taken.line),
        at,
        lines: vec![taken],
        unallocated: Decimal::ZERO,
        amount: Decimal::ZERO,
    }
}

/// Shopify values some lines of a full refund at nothing and tells only the money. Then the money is theirs, up
/// to what they cost.
pub fn settle(refund: &mut Refund, lines: &[OrderLine], currency: Currency) {
    for taken in refund.lines.iter_mut().filter(|taken| taken.net.is_zero()) {
        let Some(line) = lines.iter().find(|line| line.external_id == taken.line) else { continue };
        let net = line.gross - line.discount - line.included_tax;
        taken.net = part(net, taken.quantity, line.quantity, currency).min(refund.unallocated);
        refund.unallocated -= taken.net;
    }
}

/// `amount x quantity / of`, split so that the parts of one line add up.
pub fn part(amount: Decimal, quantity: Decimal, of: Decimal, currency: Currency) -> Decimal {
    if quantity <= Decimal::ZERO || of <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    if quantity >= of {
        return amount;
    }
    let scale = currency.exponent().unwrap_or(2).max(amount.scale());
    allocate(amount, &[quantity, of - quantity], scale).first().copied().unwrap_or_default()
}
