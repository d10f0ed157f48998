//! One order of the sample stores, before any platform puts it into its own words, with its own arithmetic.
//!
//! The sums here are stated in the payloads. The product never sees this arithmetic: its parsers have to find
//! the same net from the payload alone.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::catalogue::Class;
use crate::core::money::{Rounding, round};

#[derive(Clone, Debug, PartialEq)]
pub struct SampleOrder {
    pub id: u64,
    pub customer_id: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub test: bool,
    /// Prices, discounts and refunds contain the tax.
    pub tax_included: bool,
    pub tax_rate: Decimal,
    pub lines: Vec<SampleLine>,
    pub shipping: Decimal,
    pub tip: Decimal,
    pub coupon: Option<String>,
    pub referral: Option<Referral>,
    pub refunds: Vec<SampleRefund>,
}

/// Where the order names its distributor; each platform has some of the places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    pub place: Place,
    pub code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Cart attribute (Shopify) or order metadata (WooCommerce).
    Order,
    /// Line property (Shopify).
    Line,
    /// A coupon whose code is the distributor's.
    Coupon,
    /// Query of the first page that was visited (Shopify).
    Landing,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SampleLine {
    pub id: u64,
    /// The product's position in the catalogue.
    pub product: u64,
    pub sku: &'static str,
    pub name: &'static str,
    pub class: Class,
    pub quantity: u32,
    pub price: Decimal,
    pub discount: Decimal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SampleRefund {
    pub id: u64,
    pub at: DateTime<Utc>,
    /// Line ids and how many of each came back.
    pub lines: Vec<(u64, u32)>,
    pub shipping: Decimal,
    /// Money for no line and no shipping.
    pub goodwill: Decimal,
}

/// Goods of one line that came back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Returned<'a> {
    pub line: &'a SampleLine,
    pub quantity: u32,
    /// Before discount.
    pub gross: Decimal,
    pub discount: Decimal,
    pub tax: Decimal,
}

impl SampleLine {
    pub fn gross(&self) -> Decimal {
        self.price * Decimal::from(self.quantity)
    }

    pub fn discounted(&self) -> Decimal {
        self.gross() - self.discount
    }
}

impl SampleOrder {
    /// Tax of one line: inside its price or on top. Gift cards are not taxed when sold.
    pub fn line_tax(&self, line: &SampleLine) -> Decimal {
        if line.class == Class::GiftCard { Decimal::ZERO } else { self.tax_of(line.discounted()) }
    }

    fn tax_of(&self, amount: Decimal) -> Decimal {
        let base = if self.tax_included { Decimal::ONE + self.tax_rate } else { Decimal::ONE };
        cents(amount * self.tax_rate / base)
    }

    pub fn shipping_tax(&self) -> Decimal {
        self.tax_of(self.shipping)
    }

    pub fn goods_tax(&self) -> Decimal {
        self.lines.iter().map(|line| self.line_tax(line)).sum()
    }

    pub fn tax(&self) -> Decimal {
        self.goods_tax() + self.shipping_tax()
    }

    pub fn gross(&self) -> Decimal {
        self.lines.iter().map(SampleLine::gross).sum()
    }

    pub fn discount(&self) -> Decimal {
        self.lines.iter().map(|line| line.discount).sum()
    }

    /// After discounts, in the store's way of quoting prices.
    pub fn subtotal(&self) -> Decimal {
        self.gross() - self.discount()
    }

    pub fn total(&self) -> Decimal {
        self.subtotal() + self.shipping + self.tip + self.tax_on_top(self.tax())
    }

    /// Commissionable net: goods after discount, without tax, gift cards, shipping and tips.
    pub fn net(&self) -> Decimal {
        let goods = self.lines.iter().filter(|line| line.class != Class::GiftCard);
        goods.map(|line| line.discounted() - self.tax_inside(self.line_tax(line))).sum()
    }

    fn tax_on_top(&self, tax: Decimal) -> Decimal {
        if self.tax_included { Decimal::ZERO } else { tax }
    }

    fn tax_inside(&self, tax: Decimal) -> Decimal {
        if self.tax_included { tax } else { Decimal::ZERO }
    }

    pub fn returned<'a>(&'a self, refund: &SampleRefund) -> Vec<Returned<'a>> {
        let named = refund.lines.iter().filter_map(|(id, quantity)| {
            let line = self.lines.iter().find(|line| line.id == *id)?;
            Some((line, *quantity))
        });
        named
            .map(|(line, quantity)| Returned {
                line,
                quantity,
                gross: line.price * Decimal::from(quantity),
                discount: part(line.discount, quantity, line.quantity),
                tax: part(self.line_tax(line), quantity, line.quantity),
            })
            .collect()
    }

    /// All money that a refund gives back.
    pub fn refund_total(&self, refund: &SampleRefund) -> Decimal {
        let goods: Decimal = self
            .returned(refund)
            .iter()
            .map(|goods| goods.gross - goods.discount + self.tax_on_top(goods.tax))
            .sum();
        goods + refund.shipping + self.tax_on_top(self.refund_shipping_tax(refund)) + refund.goodwill
    }

    pub fn refund_shipping_tax(&self, refund: &SampleRefund) -> Decimal {
        self.tax_of(refund.shipping)
    }

    pub fn refund_tax(&self, refund: &SampleRefund) -> Decimal {
        let goods: Decimal = self.returned(refund).iter().map(|goods| goods.tax).sum();
        goods + self.refund_shipping_tax(refund)
    }

    pub fn refunded(&self) -> Decimal {
        self.refunds.iter().map(|refund| self.refund_total(refund)).sum()
    }

    pub fn refunded_quantity(&self, line: u64) -> u32 {
        let named = self.refunds.iter().flat_map(|refund| &refund.lines);
        named.filter(|(id, _)| *id == line).map(|(_, quantity)| quantity).sum()
    }

    pub fn is_fully_refunded(&self) -> bool {
        !self.refunds.is_empty() && self.refunded() >= self.total()
    }

    /// Everything goes back that was paid, line by line and with the shipping.
    pub fn full_refund(&self, id: u64, at: DateTime<Utc>) -> SampleRefund {
        let lines = self.lines.iter().map(|line| (line.id, line.quantity)).collect();
        SampleRefund { id, at, lines, shipping: self.shipping, goodwill: self.tip }
    }
}

/// To the cent, as the platforms round.
pub fn cents(amount: Decimal) -> Decimal {
    round(amount, 2, Rounding::HalfUp)
}

fn part(amount: Decimal, quantity: u32, of: u32) -> Decimal {
    if quantity == of {
        return amount;
    }
    cents(amount * Decimal::from(quantity) / Decimal::from(of.max(1)))
}
