//! Whether an order stands here as its store has it, and in the ledger as it stands here.
//!
//! Three seams are looked at, each order by itself and never netted against another one: what the store says
//! against our evidence, our evidence against the order's head, the head against the ledger. [`compare`] is pure:
//! the store's word, what we hold and what is posted come in, named differences and sums go out. [`Day`] adds the
//! orders of a day up; the sums do not depend on the order in which that is done.

mod books;
mod day;
mod difference;
mod evidence;
mod item;
mod sums;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

pub use day::{Day, Names, Share, State};
pub use difference::{Difference, Kind, Part, Seam};
pub use item::Item;
pub use sums::{Heap, HeldHeap, Side, Sums};

use super::assess::{AssessedLine, Assessment};
use super::ids::OrderId;
use super::money::Currency;
use super::order::OrderState;

/// What the store says about one order.
#[derive(Clone, Copy, Debug)]
pub enum Says<'a> {
    /// It was read, and this is what assessing it comes to.
    Shown { state: &'a OrderState, assessed: &'a Assessment },
    /// It was read, and nobody can tell what it says.
    Unreadable(&'a str),
    /// The store was asked for it and does not know it.
    Gone,
    /// The store cannot be asked: what we hold is all there is.
    Nothing,
}

/// Everything that we know of one order.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    pub order_id: OrderId,
    /// The evidence, folded.
    pub state: &'a OrderState,
    /// What assessing the evidence gives now.
    pub assessed: &'a Assessment,
    pub head: &'a Head,
    /// The newest calculation, if there is one.
    pub ledger: Option<&'a Ledger>,
    /// Every telling of it was posted over our own API: the store itself never told it.
    pub only_posted: bool,
}

/// An order's head row as it is stored, not trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// As in `orders.status`.
    pub status: String,
    pub distributor: Option<String>,
    pub net: Decimal,
    pub lines: Vec<AssessedLine>,
}

/// What stands posted for an order, not trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    pub calculations: i32,
    pub entries: i64,
    /// The newest calculation pays; otherwise the order stands at zero.
    pub earns: bool,
    pub distributor: Option<String>,
    /// The lines that the newest calculation was made of.
    pub lines: Vec<AssessedLine>,
    pub pool: Decimal,
    pub paid: Decimal,
    pub breakage: Decimal,
    pub rounding: Decimal,
    /// Sum of the commission events.
    pub events: Decimal,
    /// Sums of the postings, each on the side on which the account grows.
    pub payable: Decimal,
    pub expense: Decimal,
    pub posted_breakage: Decimal,
    pub posted_rounding: Decimal,
    /// Counts in a period that is closed.
    pub in_closed_period: bool,
}

/// Whether something about the order is still to be worked on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waits {
    #[default]
    Settled,
    InFlight,
    /// Failed too often; waits for a person.
    Parked,
}

/// One order, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The store's own id.
    pub order: String,
    /// One; two when the store and we have it in different currencies.
    pub items: Vec<Item>,
    pub differences: Vec<Difference>,
    /// We hold a later change than the store showed: it has to be read again before anybody is blamed.
    pub reread: bool,
}

impl Compared {
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && !self.in_flight()
    }

    pub fn in_flight(&self) -> bool {
        self.items.iter().any(|item| item.in_flight)
    }
}

/// ISO 4217 for "no currency": of an order that nobody has told yet.
pub fn no_currency() -> Currency {
    Currency::NONE
}

/// Compares one order. `order` is the store's own id.
pub fn compare(order: &str, says: Says<'_>, ours: Option<&Ours<'_>>, waits: Waits) -> Compared {
    let items = item::items(order, says, ours, waits);
    if waits == Waits::InFlight {
        return Compared { order: order.to_owned(), items, differences: vec![], reread: false };
    }
    let mut found = difference::Found::new(order, says, ours, waits);
    let reread = evidence::compare(&mut found, says, ours);
    if let Some(ours) = ours {
        books::compare_head(&mut found, ours);
        books::compare_ledger(&mut found, ours);
    }
    let mut differences = found.differences;
    differences.sort();
    let mut compared = Compared { order: order.to_owned(), items, differences, reread };
    if !compared.differences.is_empty() {
        compared.items.iter_mut().for_each(|item| item.agrees = false);
    }
    compared
}
