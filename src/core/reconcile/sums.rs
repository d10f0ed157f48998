//! The sums of a day in one currency. Adding orders in any sequence gives the same.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Item;
use crate::core::assess::{Assessment, Verdict};
use crate::core::order::OrderState;

/// Orders as one side has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub orders: u64,
    /// Everything the customers were asked to pay.
    pub total: Decimal,
    /// Goods less discounts and tax, before refunds.
    pub sold: Decimal,
    pub refunds: u64,
    /// All money given back.
    pub given_back: Decimal,
    /// The goods' share of it.
    pub refunded: Decimal,
    /// Sold less refunded.
    pub net: Decimal,
}

impl Side {
    pub(super) fn of(state: &OrderState, assessed: &Assessment) -> Self {
        let refunds = if state.snapshot.is_some() { state.refunds() } else { vec![] };
        Self {
            orders: 1,
            total: state.snapshot.as_ref().map_or(Decimal::ZERO, |snapshot| snapshot.total),
            sold: assessed.sold,
            refunds: u64::try_from(refunds.len()).unwrap_or(u64::MAX),
            given_back: refunds.iter().map(|refund| refund.amount).sum(),
            refunded: assessed.refunded,
            net: assessed.net,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.total += other.total;
        self.sold += other.sold;
        self.refunds += other.refunds;
        self.given_back += other.given_back;
        self.refunded += other.refunded;
        self.net += other.net;
    }
}

/// Some orders and their net.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heap {
    pub orders: u64,
    pub net: Decimal,
}

impl Heap {
    fn add(&mut self, net: Decimal) {
        self.orders += 1;
        self.net += net;
    }
}

/// Orders that wait for the same cause. An order with two causes is in two heaps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldHeap {
    pub orders: u64,
    pub net: Decimal,
    /// The first few, by the store's own ids.
    pub examples: BTreeSet<String>,
}

const EXAMPLES: usize = 5;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// As the store has it; as we were told, when it cannot be asked.
    pub store: Side,
    pub ours: Side,
    /// Here as deleted, and unknown to the store: they count on no side.
    pub deleted: u64,
    /// Earns nothing by rule; each order once.
    pub exempt: Heap,
    /// By reason; an order with two reasons is in both.
    pub exempt_by: BTreeMap<String, Heap>,
    /// Waits for a person; each order once.
    pub held: Heap,
    /// By reason and cause.
    pub held_by: BTreeMap<String, BTreeMap<String, HeldHeap>>,
    /// Only a change of it is known.
    pub awaiting: u64,
    /// Commissionable by what the store says.
    pub due: Heap,
    /// Commissionable by our own heads.
    pub due_here: Heap,
    /// Of `due`: lines that earn nothing by their class.
    pub nothing: Decimal,
    /// What should earn and is still being worked on.
    pub in_flight: Heap,
    /// What should earn less what does, order by order, explained by nothing.
    pub drift: Decimal,
    /// The same line by line without signs: nothing sets anything off.
    pub off: Decimal,
    /// What the newest calculations were made on.
    pub ledger: Heap,
    pub in_open_periods: Decimal,
    pub in_closed_periods: Decimal,
    pub expense: Decimal,
    pub payable: Decimal,
    pub breakage: Decimal,
    pub rounding: Decimal,
    /// Of orders that are not exempt: what they are worth, and how much of that the ledger explains.
    pub worth: Decimal,
    pub explained: Decimal,
}

impl Sums {
    pub(super) fn add(&mut self, item: &Item) {
        let net = item.store.as_ref().map_or(Decimal::ZERO, |side| side.net);
        item.store.iter().for_each(|side| self.store.add(side));
        item.ours.iter().for_each(|side| self.ours.add(side));
        self.deleted += u64::from(item.deleted);
        self.add_verdict(item, net);
        if item.earns_here {
            self.due_here.add(item.ours.as_ref().map_or(Decimal::ZERO, |side| side.net));
        }
        match item.in_flight {
            true => self.in_flight.add(item.drift),
            false => {
                self.drift += item.drift;
                self.off += item.off;
            }
        }
        if !item.ledger.is_zero() {
            self.ledger.add(item.ledger);
        }
        match item.in_closed_period {
            true => self.in_closed_periods += item.ledger,
            false => self.in_open_periods += item.ledger,
        }
        self.expense += item.expense;
        self.payable += item.payable;
        self.breakage += item.breakage;
        self.rounding += item.rounding;
        let worth = item.worth(net);
        self.worth += worth;
        if item.is_explained() {
            self.explained += worth;
        }
    }

    fn add_verdict(&mut self, item: &Item, net: Decimal) {
        match &item.verdict {
            Verdict::Awaiting => self.awaiting += u64::from(item.store.is_some()),
            Verdict::Commissionable => {
                self.due.add(item.due);
                self.nothing += item.nothing;
            }
            // The store does not count it either.
            Verdict::Exempt(_) if item.store.is_none() => {}
            Verdict::Exempt(reasons) => {
                self.exempt.add(net);
                for reason in reasons {
                    self.exempt_by.entry(reason.name().to_owned()).or_default().add(net);
                }
            }
            Verdict::Held(reasons) => {
                self.held.add(net);
                let causes: BTreeSet<(&str, &str)> =
                    reasons.iter().map(|hold| (hold.reason.name(), hold.cause.as_str())).collect();
                for (reason, cause) in causes {
                    let heaps = self.held_by.entry(reason.to_owned()).or_default();
                    heaps.entry(cause.to_owned()).or_default().add(net, &item.order);
                }
            }
        }
    }

    /// Decimals as they are written, so that the same sums are the same bytes.
    pub(super) fn normalize(&mut self) {
        for side in [&mut self.store, &mut self.ours] {
            for amount in
                [&mut side.total, &mut side.sold, &mut side.given_back, &mut side.refunded, &mut side.net]
            {
                *amount = amount.normalize();
            }
        }
        let heaps = [
            &mut self.exempt,
            &mut self.held,
            &mut self.due,
            &mut self.due_here,
            &mut self.in_flight,
            &mut self.ledger,
        ];
        for heap in heaps.into_iter().chain(self.exempt_by.values_mut()) {
            heap.net = heap.net.normalize();
        }
        for heap in self.held_by.values_mut().flat_map(BTreeMap::values_mut) {
            heap.net = heap.net.normalize();
        }
        let rest = [
            &mut self.nothing,
            &mut self.drift,
            &mut self.off,
            &mut self.in_open_periods,
            &mut self.in_closed_periods,
            &mut self.expense,
            &mut self.payable,
            &mut self.breakage,
            &mut self.rounding,
            &mut self.worth,
            &mut self.explained,
        ];
        for amount in rest {
            *amount = amount.normalize();
        }
    }
}

impl HeldHeap {
    fn add(&mut self, net: Decimal, order: &str) {
        self.orders += 1;
        self.net += net;
        self.examples.insert(order.to_owned());
        if self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }
}

impl Item {
    /// What the order is worth to somebody: exempt orders are not, unless something stands posted for them.
    fn worth(&self, net: Decimal) -> Decimal {
        match &self.verdict {
            Verdict::Exempt(_) | Verdict::Awaiting => self.ledger.abs(),
            Verdict::Commissionable | Verdict::Held(_) => net.abs().max(self.ledger.abs()),
        }
    }

    /// By ledger entries, or by a rule that it earns nothing.
    pub(super) fn is_explained(&self) -> bool {
        let waits = matches!(self.verdict, Verdict::Held(_) | Verdict::Awaiting);
        self.agrees && !self.in_flight && !waits && self.off.is_zero()
    }
}
