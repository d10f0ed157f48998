//! The ledger of sales that Shopify keeps of an order: `Order.agreements`, which a pull reads.
//!
//! Every placement, edit, refund and return of an order is an agreement of itemised sales, and a sale never
//! changes: its part of taxes and discounts is allocated once. So what a line was sold for and what was taken
//! back of it is read from the sales and not worked out from quantities. What a refund names takes the sales of
//! its own agreement, then those that an edit or a return wrote for the same goods before the money went back;
//! what no refund names was removed. Each sale counts once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::graphql::{Connection, Reference};
use super::model::MoneySet;
use super::sums::{self, part};
use crate::core::money::Currency;
use crate::core::order::{LineKind, OrderLine, Refund, RefundLine};
use crate::stores::body::Scalar;
use crate::stores::reader::Reader;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Agreement<'a> {
    #[serde(borrow)]
    happened_at: Scalar<'a>,
    refund: Option<Reference<'a>>,
    #[serde(rename = "return")]
    returned: Option<Reference<'a>>,
    sales: Option<Connection<'a, Sale<'a>>>,
}

impl Agreement<'_> {
    pub fn is_cut(&self) -> bool {
        self.sales.as_ref().is_some_and(Connection::is_cut)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sale<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    action_type: Scalar<'a>,
    line_type: Scalar<'a>,
    quantity: Scalar<'a>,
    line_item: Option<Reference<'a>>,
    total_amount: MoneySet<'a>,
    total_tax_amount: MoneySet<'a>,
}

#[derive(Debug)]
pub struct Ledger {
    lines: BTreeMap<String, LineSales>,
    /// By the refund whose agreement it is.
    refunds: BTreeMap<String, Agreed>,
    taxes_included: bool,
}

#[derive(Debug)]
struct LineSales {
    kind: LineKind,
    sold: Amount,
    /// All that was taken, whoever it belongs to.
    gone: Amount,
    /// What belongs to nobody yet.
    taken: Vec<Taken>,
}

/// What an agreement of a refund holds, as money given back: positive.
#[derive(Debug, Default)]
struct Agreed {
    items: Decimal,
    for_no_line: Decimal,
    has_items: bool,
    at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    quantity: Decimal,
    /// With tax.
    total: Decimal,
    tax: Decimal,
}

impl Amount {
    fn net(self) -> Decimal {
        self.total - self.tax
    }

    fn add(&mut self, other: Self) {
        self.quantity += other.quantity;
        self.total += other.total;
        self.tax += other.tax;
    }

    fn is_nothing(self) -> bool {
        self.quantity.is_zero() && self.total.is_zero() && self.tax.is_zero()
    }

    fn negated(self) -> Self {
        Self { quantity: -self.quantity, total: -self.total, tax: -self.tax }
    }

    fn split(&mut self, quantity: Decimal, currency: Currency) -> Self {
        let given = Self {
            quantity,
            total: part(self.total, quantity, self.quantity, currency),
            tax: part(self.tax, quantity, self.quantity, currency),
        };
        self.add(given.negated());
        given
    }
}

/// Goods that an agreement took off a line, as positive amounts.
#[derive(Debug)]
struct Taken {
    amount: Amount,
    by: By,
    at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq)]
enum By {
    Refund(String),
    Return,
    Edit,
}

impl Ledger {
    /// `None` where the payload tells no sales at all.
    pub fn read(reader: &mut Reader, told: &[Agreement<'_>], taxes_included: bool) -> Option<Self> {
        let mut ledger = Self { lines: BTreeMap::new(), refunds: BTreeMap::new(), taxes_included };
        let mut seen = BTreeSet::new();
        for (i, agreement) in told.iter().enumerate() {
            let at =
                reader.optional(format_args!("agreements[{i}].happenedAt"), agreement.happened_at.instant());
            let refund =
                agreement.refund.as_ref().and_then(|refund| refund.short(reader, "agreements.refund.id"));
            let by = match (&refund, &agreement.returned) {
                (Some(refund), _) => By::Refund(refund.clone()),
                (None, Some(_)) => By::Return,
                (None, None) => By::Edit,
            };
            for (j, sale) in agreement.sales.iter().flat_map(Connection::items).enumerate() {
                let known = sale.id.text().is_some_and(|id| !seen.insert(id));
                if !known {
                    ledger.add(reader, &format!("agreements[{i}].sales[{j}]"), sale, &by, at);
                }
            }
        }
        (!ledger.lines.is_empty()).then_some(ledger)
    }

    fn add(&mut self, reader: &mut Reader, path: &str, sale: &Sale<'_>, by: &By, at: Option<DateTime<Utc>>) {
        let amount = Amount {
            quantity: reader.amount(format_args!("{path}.quantity"), sale.quantity),
            total: reader
                .required_amount(format_args!("{path}.totalAmount"), sale.total_amount.shop_money.amount),
            tax: reader.required_amount(
                format_args!("{path}.totalTaxAmount"),
                sale.total_tax_amount.shop_money.amount,
            ),
        };
        let line_type = sale.line_type.text().unwrap_or_default();
        if let By::Refund(refund) = by {
            let agreed = self.refunds.entry(refund.clone()).or_default();
            agreed.at = at;
            match line_type.as_str() {
                "ADJUSTMENT" => agreed.for_no_line -= amount.total,
                _ => {
                    agreed.items -= amount.total;
                    agreed.has_items = true;
                }
            }
        }
        let kind = match line_type.as_str() {
            "PRODUCT" => LineKind::Goods,
            "GIFT_CARD" => LineKind::GiftCard,
            "TIP" => LineKind::Tip,
            "SHIPPING" | "DUTY" | "ADDITIONAL_FEE" | "FEE" | "ADJUSTMENT" => return,
            other => {
                return reader.problem(format_args!("{path}.lineType"), format_args!("is unknown: {other}"));
            }
        };
        let line =
            sale.line_item.as_ref().and_then(|line| line.short(reader, "agreements.sales.lineItem.id"));
        let Some(line) = line else {
            return reader.problem(format_args!("{path}.lineItem"), "is missing");
        };
        let sales = self.lines.entry(line).or_insert_with(|| LineSales::new(kind));
        match sale.action_type.text().as_deref() {
            Some("ORDER") => sales.sold.add(amount),
            Some("UPDATE") if amount.quantity >= Decimal::ZERO => sales.sold.add(amount),
            Some("UPDATE" | "RETURN") => {
                let amount = amount.negated();
                sales.gone.add(amount);
                sales.taken.push(Taken { amount, by: by.clone(), at });
            }
            other => {
                let other = other.unwrap_or_default();
                reader.problem(format_args!("{path}.actionType"), format_args!("is unknown: {other}"));
            }
        }
    }

    /// As the order's subtotal counts it.
    fn priced(&self, amount: Amount) -> Decimal {
        if self.taxes_included { amount.total } else { amount.net() }
    }

    /// Gives the lines the figures that they were sold for.
    pub fn restate(&self, reader: &mut Reader, lines: &mut [OrderLine]) {
        for line in lines.iter_mut() {
            let Some(sales) = self.lines.get(&line.external_id) else { continue };
            line.discount = line.gross - self.priced(sales.sold);
            line.included_tax = if self.taxes_included { sales.sold.tax } else { Decimal::ZERO };
            if sales.kind != LineKind::Goods {
                line.kind = sales.kind;
            }
        }
        let named: BTreeSet<&str> = lines.iter().map(|line| line.external_id.as_str()).collect();
        for unknown in self.lines.keys().filter(|id| !named.contains(id.as_str())) {
            reader.problem("line_items", format_args!("lack {unknown}, which was sold"));
        }
    }

    /// Gives the refunds the sales that are theirs. Gives those that remain as removals, and what each line is
    /// left with in the subtotal's terms.
    pub fn settle(
        mut self,
        refunds: &mut Vec<Refund>,
        lines: &[OrderLine],
        current: &[Option<Decimal>],
        currency: Currency,
    ) -> (Vec<Refund>, Vec<Decimal>) {
        self.add_untold(refunds);
        for refund in refunds.iter_mut() {
            let goods = self.take_for(refund, currency);
            self.for_no_line(refund, goods);
            sums::settle(refund, lines, currency);
        }
        for (line, current) in lines.iter().zip(current) {
            if let (Some(sales), Some(current)) = (self.lines.get_mut(&line.external_id), current) {
                sales.forget_open_returns(*current);
            }
        }
        let left =
            |line: &OrderLine| self.lines.get(&line.external_id).map(LineSales::left).unwrap_or_default();
        let kept = lines.iter().map(|line| self.priced(left(line))).collect();
        (self.removals(), kept)
    }

    /// Refunds that have an agreement and are not told beside it.
    fn add_untold(&self, refunds: &mut Vec<Refund>) {
        for (id, agreed) in &self.refunds {
            if !refunds.iter().any(|refund| refund.external_id == *id) {
                refunds.push(Refund {
                    external_id: id.clone(),
                    at: agreed.at,
                    lines: vec![],
                    unallocated: Decimal::ZERO,
                    amount: agreed.items + agreed.for_no_line,
                });
            }
        }
    }

    /// Gives a refund its goods; what of them stands in other agreements comes back as money.
    fn take_for(&mut self, refund: &mut Refund, currency: Currency) -> Decimal {
        let by = By::Refund(refund.external_id.clone());
        let mut elsewhere = Decimal::ZERO;
        for (id, sales) in &mut self.lines {
            let own = sales.take(|taken| taken.by == by);
            let told = refund.lines.iter().position(|line| line.line == *id);
            let wanted =
                told.and_then(|at| refund.lines.get(at)).map(|line| line.quantity).unwrap_or_default();
            let others = sales.take_earlier(wanted - own.quantity, currency);
            elsewhere += others.total;
            let mut all = own;
            all.add(others);
            if all.is_nothing() {
                continue;
            }
            let quantity = wanted.max(all.quantity);
            match told.and_then(|at| refund.lines.get_mut(at)) {
                Some(line) => (line.quantity, line.net) = (quantity, all.net()),
                None => refund.lines.push(RefundLine { line: id.clone(), quantity, net: all.net() }),
            }
        }
        elsewhere
    }

    /// Money of a refund that is for no line: what its agreement says is, and what went back beyond its items.
    /// `elsewhere` is the worth of its goods that stand in other agreements.
    fn for_no_line(&self, refund: &mut Refund, elsewhere: Decimal) {
        let Some(agreed) = self.refunds.get(&refund.external_id) else { return };
        let stated = agreed.for_no_line.max(Decimal::ZERO);
        refund.unallocated = if !agreed.has_items && elsewhere.is_zero() && !refund.amount.is_zero() {
            // Paid in another currency, it went back at that day's rate.
            refund.amount
        } else {
            let beyond = refund.amount - agreed.items - agreed.for_no_line - elsewhere;
            stated + beyond.max(Decimal::ZERO)
        };
    }

    /// Goods that are gone and that no refund took.
    fn removals(&self) -> Vec<Refund> {
        let removal = |(id, sales): (&String, &LineSales)| {
            let at = sales.taken.iter().filter_map(|taken| taken.at).max();
            let mut gone = Amount::default();
            sales.taken.iter().for_each(|taken| gone.add(taken.amount));
            let line = RefundLine { line: id.clone(), quantity: gone.quantity, net: gone.net() };
            (!gone.is_nothing()).then(|| sums::removal(line, at))
        };
        self.lines.iter().filter_map(removal).collect()
    }
}

impl LineSales {
    fn new(kind: LineKind) -> Self {
        Self { kind, sold: Amount::default(), gone: Amount::default(), taken: vec![] }
    }

    fn left(&self) -> Amount {
        let mut left = self.sold;
        left.add(self.gone.negated());
        left
    }

    fn take(&mut self, wanted: impl Fn(&Taken) -> bool) -> Amount {
        let mut sum = Amount::default();
        self.taken.retain(|taken| {
            let keep = !wanted(taken);
            if !keep {
                sum.add(taken.amount);
            }
            keep
        });
        sum
    }

    /// So many of the goods that edits and returns took.
    fn take_earlier(&mut self, mut wanted: Decimal, currency: Currency) -> Amount {
        let mut sum = Amount::default();
        for taken in &mut self.taken {
            if matches!(taken.by, By::Refund(_)) || wanted <= Decimal::ZERO {
                continue;
            }
            let given = taken.amount.split(wanted.min(taken.amount.quantity), currency);
            wanted -= given.quantity;
            sum.add(given);
        }
        self.taken.retain(|taken| !taken.amount.is_nothing());
        sum
    }

    /// A return that was agreed and that the order does not count yet takes nothing.
    fn forget_open_returns(&mut self, current: Decimal) {
        let returns = self.taken.iter().filter(|taken| taken.by == By::Return);
        let open: Decimal = returns.map(|taken| taken.amount.quantity).sum();
        let counted = self.left().quantity;
        if counted != current && counted + open == current {
            let open = self.take(|taken| taken.by == By::Return);
            self.gone.add(open.negated());
        }
    }
}
