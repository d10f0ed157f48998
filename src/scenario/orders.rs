//! What a store tells of an order, from the words of a scenario: snapshots, refunds, repeats.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use rust_decimal::Decimal;

use super::ScenarioProblem;
use super::words::Words;
use crate::core::money::{Currency, allocate};
use crate::core::net;
use crate::core::order::{
    Closing, LineKind, OrderLine, OrderSnapshot, Payment, PlaceValue, ProductKey, Refund, RefundLine, Report,
};

/// An order that names no time was placed on the first day of 2026, in days since 1970.
const FIRST_DAY: TimeDelta = TimeDelta::days(20_454);

/// Where an order names its buyer as the one who earns.
pub(super) const PLACE_OF_OWN: &str = "customer";

/// Every snapshot that was told, by order.
#[derive(Default)]
pub(super) struct Told {
    orders: BTreeMap<String, (String, Vec<OrderSnapshot>)>,
}

/// An order whose indented lines are still being read.
pub(super) struct Draft {
    pub line: usize,
    pub store: String,
    snapshot: OrderSnapshot,
    extra: Decimal,
    discount: Decimal,
    total: Option<Decimal>,
}

impl Draft {
    /// `order ID [at=] [ref=] [own] [customer=] [store=] [currency=] [payment=] [updated=] [total=] [test]`
    pub fn begin(
        words: &mut Words,
        told: &Told,
        store: &str,
        currency: Currency,
    ) -> Result<Self, ScenarioProblem> {
        let id = words.next("the order's id")?;
        let before = told.last(&id);
        let given_at = words.instant_option("at")?;
        let ordered_at =
            given_at.or(before.map(|b| b.ordered_at)).unwrap_or(DateTime::UNIX_EPOCH + FIRST_DAY);
        let next = before.map_or(ordered_at, |before| before.updated_at + TimeDelta::minutes(1));
        let currency = match words.option("currency") {
            Some(code) => {
                Currency::parse(&code).ok_or_else(|| words.problem(format!("{code:?} is no currency")))?
            }
            None => currency,
        };
        let payment = match words.option("payment").as_deref() {
            None | Some("paid") => Payment::Paid,
            Some("unpaid") => Payment::Unpaid,
            Some("voided") => Payment::Voided,
            Some(other) => {
                return Err(words.problem(format!("payment={other} is none of paid, unpaid, voided")));
            }
        };
        let mut places: Vec<PlaceValue> = before.map(|b| b.places.clone()).unwrap_or_default();
        let mut customer_id = words.option("customer");
        if let Some(value) = words.option("ref") {
            let own = words.flag("own");
            let place = if own { PLACE_OF_OWN } else { "distributor_ref" };
            if own {
                customer_id = Some(value.clone());
            }
            places = vec![PlaceValue { place: place.into(), value }];
        } else if places.iter().any(|told| told.place == PLACE_OF_OWN) {
            customer_id = customer_id.or_else(|| before.and_then(|before| before.customer_id.clone()));
        }
        Ok(Self {
            line: words.line,
            store: words.option("store").unwrap_or_else(|| store.to_owned()),
            snapshot: OrderSnapshot {
                external_id: id,
                number: None,
                currency,
                ordered_at,
                updated_at: words.instant_option("updated")?.unwrap_or(next),
                read_at: None,
                payment,
                cancelled: false,
                test: words.flag("test"),
                customer_id,
                lines: vec![],
                total: Decimal::ZERO,
                refunds: before.map(|b| b.refunds.clone()).unwrap_or_default(),
                places,
                closings: vec![],
                problems: vec![],
            },
            extra: Decimal::ZERO,
            discount: Decimal::ZERO,
            total: words.amount_option("total")?,
        })
    }

    /// One indented line.
    pub fn add(&mut self, words: &mut Words) -> Result<(), ScenarioProblem> {
        match words.next("what the order has")?.as_str() {
            "line" => {
                let line = self.order_line(words)?;
                self.snapshot.lines.push(line);
            }
            "discount" => self.discount += words.next_amount("the discount")?,
            "shipping" | "tax" | "fee" => self.extra += words.next_amount("the amount")?,
            "place" => {
                let (place, value) = (words.next("the place")?, words.next("what stands there")?);
                self.snapshot.places.push(PlaceValue { place, value });
            }
            "closing" => {
                let field = words.next("the field")?;
                let (stated, computed) =
                    (words.next_amount("what is stated")?, words.next_amount("what is computed")?);
                self.snapshot.closings.push(Closing { field, stated, computed });
            }
            other => {
                let known = "line, discount, shipping, tax, fee, place, closing";
                return Err(words.problem(format!("an order has no {other:?}; use one of {known}")));
            }
        }
        Ok(())
    }

    /// `line SKU QUANTITY x PRICE [discount=] [tax=] [kind=] [id=] [product=] [variant=]`; tax is inside the price.
    fn order_line(&self, words: &mut Words) -> Result<OrderLine, ScenarioProblem> {
        let sku = words.next("the line's SKU")?;
        let quantity = words.next_amount("the quantity")?;
        if !words.next_if("x") {
            return Err(words.problem("write a line as SKU QUANTITY x PRICE"));
        }
        let unit_price = words.next_amount("the price of one")?;
        let kind = match words.option("kind").as_deref() {
            None | Some("goods") => LineKind::Goods,
            Some("gift_card") => LineKind::GiftCard,
            Some("tip") => LineKind::Tip,
            Some("other") => LineKind::Other,
            Some(other) => {
                return Err(words.problem(format!("kind={other} is none of goods, gift_card, tip, other")));
            }
        };
        let next_id = (self.snapshot.lines.len() + 1).to_string();
        let (product_id, variant_id) = (words.option("product"), words.option("variant"));
        Ok(OrderLine {
            external_id: words.option("id").unwrap_or(next_id),
            product: ProductKey { product_id, variant_id, sku: (sku != "-").then(|| sku.clone()) },
            title: sku,
            kind,
            quantity,
            unit_price,
            gross: quantity * unit_price,
            discount: words.amount_option("discount")?.unwrap_or_default(),
            included_tax: words.amount_option("tax")?.unwrap_or_default(),
            places: vec![],
        })
    }

    /// A discount of the whole order is allocated over its lines; the total is what all of it comes to.
    pub fn finish(mut self) -> (String, OrderSnapshot) {
        let due = |line: &OrderLine| line.gross - line.discount;
        let weights: Vec<Decimal> = self.snapshot.lines.iter().map(due).collect();
        let scale = self.snapshot.currency.exponent().unwrap_or(2);
        for (line, part) in self.snapshot.lines.iter_mut().zip(allocate(self.discount, &weights, scale)) {
            line.discount += part;
        }
        let goods: Decimal = self.snapshot.lines.iter().map(due).sum();
        self.snapshot.total = self.total.unwrap_or(goods + self.extra);
        (self.store, self.snapshot)
    }
}

impl Told {
    pub fn last(&self, order: &str) -> Option<&OrderSnapshot> {
        self.orders.get(order).and_then(|(_, told)| told.last())
    }

    pub fn store_of(&self, order: &str) -> Option<&str> {
        self.orders.get(order).map(|(store, _)| store.as_str())
    }

    /// Whether a distributor bought something itself.
    pub fn has_own(&self) -> bool {
        let mut told = self.orders.values().flat_map(|(_, told)| told);
        told.any(|order| order.places.iter().any(|told| told.place == PLACE_OF_OWN))
    }

    pub fn tell(&mut self, store: &str, snapshot: OrderSnapshot) -> Report {
        let entry = self.orders.entry(snapshot.external_id.clone()).or_default();
        entry.0 = store.to_owned();
        entry.1.push(snapshot.clone());
        Report::Snapshot(Box::new(snapshot))
    }

    /// `again ORDER [NUMBER]`: a snapshot that was told before is told again, the last one without a number.
    pub fn again(&self, words: &mut Words) -> Result<(String, Report), ScenarioProblem> {
        let order = words.next("the order's id")?;
        let (_, told) = self.orders.get(&order).ok_or_else(|| unknown(words, &order))?;
        let number = if words.has_next() {
            words.next("the snapshot's number")?.parse().ok()
        } else {
            Some(told.len())
        };
        let snapshot = number.and_then(|number: usize| told.get(number.checked_sub(1)?));
        let snapshot =
            snapshot.ok_or_else(|| words.problem(format!("order {order} has {} snapshots", told.len())))?;
        Ok((order, Report::Snapshot(Box::new(snapshot.clone()))))
    }

    /// A snapshot like the last one, a minute later or at `at=`, with one change.
    pub fn change(
        &mut self,
        words: &mut Words,
        order: &str,
        change: impl FnOnce(&mut OrderSnapshot),
    ) -> Result<Report, ScenarioProblem> {
        let Some(last) = self.last(order) else { return Err(unknown(words, order)) };
        let mut next = last.clone();
        next.updated_at = words.instant_option("at")?.unwrap_or(next.updated_at + TimeDelta::minutes(1));
        change(&mut next);
        let store = self.store_of(order).unwrap_or_default().to_owned();
        Ok(self.tell(&store, next))
    }

    /// `refund ORDER [id=] (full | line= [quantity=] [net=] | amount=) [alone]`
    pub fn refund(&mut self, words: &mut Words) -> Result<(String, Report), ScenarioProblem> {
        let order = words.next("the order's id")?;
        let alone = words.next_if("alone");
        let told = self.last(&order).map_or(0, |last| last.refunds.len());
        let external_id = words.option("id").unwrap_or_else(|| format!("refund-{}", told + 1));
        let lines = self.refund_lines(words, &order)?;
        let unallocated = words.amount_option("amount")?.unwrap_or_default();
        if lines.is_empty() && unallocated.is_zero() {
            return Err(words.problem("say what is refunded: full, line=1 or amount=5.00"));
        }
        let amount = unallocated + lines.iter().map(|line| line.net).sum::<Decimal>();
        let refund = Refund { external_id, at: None, lines, unallocated, amount };
        if alone {
            return Ok((order.clone(), Report::Refund { order, refund }));
        }
        let report = self.change(words, &order, |snapshot| {
            snapshot.refunds.retain(|known| known.external_id != refund.external_id);
            snapshot.refunds.push(refund);
        })?;
        Ok((order, report))
    }

    fn refund_lines(&self, words: &mut Words, order: &str) -> Result<Vec<RefundLine>, ScenarioProblem> {
        let full = words.next_if("full");
        let named = words.option("line");
        let (quantity, net) = (words.amount_option("quantity")?, words.amount_option("net")?);
        if let (Some(line), Some(net)) = (&named, net) {
            return Ok(vec![RefundLine { line: line.clone(), quantity: quantity.unwrap_or_default(), net }]);
        }
        if !full && named.is_none() {
            return Ok(vec![]);
        }
        let last = self.last(order).ok_or_else(|| unknown(words, order))?;
        let nets = net::commissionable(last, &last.refunds.iter().collect::<Vec<_>>());
        let lines = last
            .lines
            .iter()
            .zip(&nets.lines)
            .filter(|(line, _)| full || Some(&line.external_id) == named.as_ref());
        let refunded = lines.map(|(line, left)| {
            let quantity = quantity.unwrap_or(line.quantity);
            let share = quantity.checked_div(line.quantity).unwrap_or(Decimal::ONE);
            let net = if full || share == Decimal::ONE { left.net() } else { left.sold * share };
            RefundLine { line: line.external_id.clone(), quantity, net }
        });
        let refunded: Vec<RefundLine> = refunded.collect();
        if refunded.is_empty() {
            return Err(words.problem(format!("order {order} has no such line")));
        }
        Ok(refunded)
    }
}

fn unknown(words: &Words, order: &str) -> ScenarioProblem {
    words.problem(format!("there is no order {order} above"))
}
