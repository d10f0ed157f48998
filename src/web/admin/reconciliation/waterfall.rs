//! The sums of a day as a way down: from everything that was asked at the store to what stands in the ledger.

use rust_decimal::Decimal;

use super::super::format::{self, Amount};
use super::super::words;
use crate::core::reconcile::{Share, Sums};

/// The sums in one currency.
pub struct Waterfall {
    pub currency: String,
    pub steps: Vec<Step>,
    pub drift: Amount,
    /// Differs from the drift when differences of lines or orders would set each other off.
    pub without_signs: Option<Amount>,
    pub explained: String,
    /// Beside the way: what else is said of the day.
    pub facts: Vec<(&'static str, String)>,
}

/// One line: what is taken off, or what is left.
pub struct Step {
    pub label: String,
    pub orders: String,
    pub amount: Amount,
    pub look: Look,
    /// Where the bar begins and how wide it is, in hundredths of the whole.
    pub from: String,
    pub width: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What is left.
    Left,
    /// What is taken off.
    Off,
    /// What should not be there.
    Bad,
}

impl Look {
    pub fn class(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Off => "off",
            Self::Bad => "bad",
        }
    }
}

pub fn waterfall(currency: &str, sums: &Sums) -> Waterfall {
    let mut way =
        Way { currency, whole: sums.store.total.abs().max(Decimal::ONE), at: Decimal::ZERO, steps: vec![] };
    let store = &sums.store;
    way.left("Everything that the customers were asked to pay", Some(store.orders), store.total);
    way.off("Tax, shipping, fees: no goods", None, store.total - store.sold);
    way.off("Refunds of goods", Some(store.refunds), store.refunded);
    way.left("Net of the goods", Some(store.orders), store.net);
    way.off("Earns nothing by rule", Some(sums.exempt.orders), sums.exempt.net);
    way.off("Held for a person", Some(sums.held.orders), sums.held.net);
    way.left("Commissionable", Some(sums.due.orders), sums.due.net);
    way.off("Lines that earn nothing by their class", None, sums.nothing);
    way.off("Still being worked on", Some(sums.in_flight.orders), sums.in_flight.net);
    way.bad("Drift: explained by nothing", sums.drift);
    way.left("In the ledger", Some(sums.ledger.orders), sums.ledger.net);
    let share = Share { worth: sums.worth, explained: sums.explained };
    let hides = sums.off != sums.drift.abs();
    Waterfall {
        currency: currency.to_owned(),
        drift: words::amount(sums.drift, currency),
        without_signs: hides.then(|| words::amount(sums.off, currency)),
        explained: share.ratio().map_or_else(|| "–".to_owned(), format::percent),
        facts: facts(currency, sums),
        steps: way.steps,
    }
}

fn facts(currency: &str, sums: &Sums) -> Vec<(&'static str, String)> {
    let money = |amount: Decimal| words::amount(amount, currency).to_string();
    let orders = |number: u64| format::grouped(&number.to_string());
    let refunds = |number: u64, amount: Decimal| format!("{}: {}", orders(number), money(amount));
    vec![
        ("Orders here", format!("{} of {}", orders(sums.ours.orders), orders(sums.store.orders))),
        ("Refunds at the store", refunds(sums.store.refunds, sums.store.given_back)),
        ("Refunds here", refunds(sums.ours.refunds, sums.ours.given_back)),
        ("In open periods", money(sums.in_open_periods)),
        ("In closed periods", money(sums.in_closed_periods)),
        ("Commission expense", money(sums.expense)),
        ("Payable", money(sums.payable)),
        ("Breakage and rounding", money(sums.breakage + sums.rounding)),
    ]
}

struct Way<'a> {
    currency: &'a str,
    whole: Decimal,
    /// What is left so far.
    at: Decimal,
    steps: Vec<Step>,
}

impl Way<'_> {
    fn left(&mut self, label: &str, orders: Option<u64>, amount: Decimal) {
        self.at = amount;
        self.step(label, orders, amount, Look::Left, (Decimal::ZERO, amount));
    }

    fn off(&mut self, label: &str, orders: Option<u64>, amount: Decimal) {
        if amount.is_zero() && orders.is_none_or(|orders| orders == 0) {
            return;
        }
        let from = self.at - amount;
        self.at = from;
        self.step(label, orders, -amount, Look::Off, (from, amount));
    }

    /// Shown when it is nothing, too: that is the news.
    fn bad(&mut self, label: &str, amount: Decimal) {
        let from = self.at - amount;
        let look = if amount.is_zero() { Look::Off } else { Look::Bad };
        self.step(label, None, -amount, look, (from, amount));
    }

    fn step(
        &mut self,
        label: &str,
        orders: Option<u64>,
        amount: Decimal,
        look: Look,
        bar: (Decimal, Decimal),
    ) {
        let (from, width) = (bar.0.min(bar.0 + bar.1), bar.1.abs());
        self.steps.push(Step {
            label: label.to_owned(),
            orders: orders.map_or_else(String::new, |orders| format::grouped(&orders.to_string())),
            amount: words::amount(if amount.is_zero() { Decimal::ZERO } else { amount }, self.currency),
            look,
            from: self.hundredths(from),
            width: self.hundredths(width),
        });
    }

    fn hundredths(&self, amount: Decimal) -> String {
        let share = amount.checked_div(self.whole).unwrap_or_default() * Decimal::ONE_HUNDRED;
        share.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED).round_dp(2).normalize().to_string()
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::core::reconcile::{Heap, Side};

    #[test]
    fn every_step_leads_to_the_next() {
        let sums = Sums {
            store: Side {
                orders: 4,
                total: dec!(200),
                sold: dec!(160),
                refunds: 1,
                refunded: dec!(10),
                net: dec!(150),
                ..Side::default()
            },
            exempt: Heap { orders: 1, net: dec!(30) },
            held: Heap { orders: 1, net: dec!(20) },
            due: Heap { orders: 2, net: dec!(100) },
            drift: dec!(-5),
            off: dec!(15),
            ledger: Heap { orders: 2, net: dec!(105) },
            worth: dec!(120),
            explained: dec!(60),
            ..Sums::default()
        };
        let way = waterfall("USD", &sums);
        let mut left = Decimal::ZERO;
        for step in &way.steps {
            let amount: Decimal = step.amount.number.replace(',', "").parse().unwrap();
            match step.look {
                Look::Left => {
                    assert!(left.is_zero() || left == amount, "{}: {left} and {amount}", step.label);
                    left = amount;
                }
                Look::Off | Look::Bad => left += amount,
            }
        }
        assert_eq!(left, dec!(105));
        assert_eq!((way.explained.as_str(), way.without_signs.unwrap().number.as_str()), ("50 %", "15.00"));
        let drift = way.steps.iter().find(|step| step.look == Look::Bad).unwrap();
        assert_eq!(
            (drift.amount.number.as_str(), drift.from.as_str(), drift.width.as_str()),
            ("5.00", "50", "2.5")
        );
    }
}
