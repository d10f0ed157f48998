//! What a store says about an order, in one shape for every platform.
//!
//! A store's payload is a snapshot of an order: the newest wins, whatever arrived first. A few payloads tell
//! only one change (a refund, a deletion) without the order; they wait as evidence until their order is known.
//! [`OrderState`] folds evidence in any order, any number of times, to the same result.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::customer::{Customer, PrivacyRequest};
use super::money::Currency;
use super::product::{Product, StockLevel};

/// One thing that a delivery tells, of an order or of what orders are about. A delivery can tell none, one or many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The order as a whole, as of `updated_at`.
    Snapshot(Box<OrderSnapshot>),
    /// A refund told without its order.
    Refund {
        order: String,
        refund: Refund,
    },
    /// The order was deleted or trashed. `at` is the store's time, where it tells one.
    Deleted {
        order: String,
        at: Option<DateTime<Utc>>,
    },
    /// The order was taken out of the trash; comes with its snapshot.
    Restored {
        order: String,
    },
    /// Something changed, but this payload does not say what it became: the order has to be read again.
    Hint {
        order: String,
        what: String,
    },
    /// A product of the catalogue, as of its `updated_at`.
    Product(Box<Product>),
    /// A product, or one variant, is sold no more.
    ProductGone {
        product: String,
        at: Option<DateTime<Utc>>,
    },
    /// What is in stock at one place.
    Stock(StockLevel),
    Customer(Customer),
    CustomerGone {
        customer: String,
        at: Option<DateTime<Utc>>,
    },
    /// What a customer or a store asks for by law.
    Privacy(PrivacyRequest),
    /// A valid payload that is none of our business (a ping, a coupon, a signed error body). `why` is shown.
    Ignored {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderSnapshot {
    /// The store's own id of the order, as text. Unique within the store.
    pub external_id: String,
    /// What the customer sees as order number, when it differs.
    pub number: Option<String>,
    pub currency: Currency,
    /// The order's own time: it decides plan version, upline and period.
    pub ordered_at: DateTime<Utc>,
    /// The snapshot's age: decides which snapshot is newest.
    pub updated_at: DateTime<Utc>,
    /// When we read it at the store ourselves: then it is the whole truth of that instant, with every refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<DateTime<Utc>>,
    pub payment: Payment,
    pub cancelled: bool,
    /// A test order of the platform. Recorded, never paid.
    pub test: bool,
    /// The store's id of the customer. No names, no addresses.
    pub customer_id: Option<String>,
    pub lines: Vec<OrderLine>,
    /// Everything the customer was asked to pay: goods, shipping, tax, tips, fees.
    pub total: Decimal,
    pub refunds: Vec<Refund>,
    /// Every place where a distributor may be named, in the payload's order.
    pub places: Vec<PlaceValue>,
    /// Sums that the payload states, beside what its own parts add up to. One that differs holds the order.
    pub closings: Vec<Closing>,
    /// Fields that could not be taken as what they should be. Any of them holds the order.
    pub problems: Vec<Problem>,
}

/// Paid-ness is each platform's own fact, not its status text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    Paid,
    /// Money is promised or authorised, none or not all has come.
    Unpaid,
    /// Authorisation or payment was undone before any goods were paid.
    Voided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Goods,
    /// The sale of a gift card is a liability, not revenue.
    GiftCard,
    Tip,
    /// Fees and everything else that earns nothing.
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The store's id of the line; refunds name it.
    pub external_id: String,
    pub product: ProductKey,
    /// For people only: nothing is ever mapped by a name.
    pub title: String,
    pub kind: LineKind,
    pub quantity: Decimal,
    /// Price of one unit before discounts, for display.
    pub unit_price: Decimal,
    /// The line before discounts, as the store counts it (tax inside when its prices include tax).
    pub gross: Decimal,
    /// Everything taken off this line: its own discounts and its part of the order's.
    pub discount: Decimal,
    /// Tax that is inside `gross - discount`.
    pub included_tax: Decimal,
    /// Distributor named on the line itself.
    pub places: Vec<PlaceValue>,
}

/// What the platform itself calls the product. Any part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProductKey {
    pub product_id: Option<String>,
    pub variant_id: Option<String>,
    pub sku: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// The store's id of the refund; the same refund may be told many times.
    pub external_id: String,
    pub at: Option<DateTime<Utc>>,
    /// Goods taken back, net of discount and tax, as positive amounts.
    pub lines: Vec<RefundLine>,
    /// Money given back for no named line, as a positive amount; spread over everything the customer paid.
    pub unallocated: Decimal,
    /// All money given back, for display and reconciliation; positive.
    pub amount: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundLine {
    /// The order line's external id.
    pub line: String,
    pub quantity: Decimal,
    pub net: Decimal,
}

/// `place` is written as in a store's attribution list: `order_meta:distributor_code`, `note_attribute:ref`,
/// `line_property:ref`, `discount_code`, `landing_url:ref`, `customer`, `distributor_ref`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceValue {
    pub place: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The payload's field, such as `subtotal_price`.
    pub field: String,
    pub stated: Decimal,
    pub computed: Decimal,
}

impl Closing {
    pub fn difference(&self) -> Decimal {
        self.stated - self.computed
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Path in the payload, such as `line_items[2].quantity`.
    pub field: String,
    pub message: String,
}

/// The order of two snapshots of one order: the store's time, then when it was read, as stores change an order
/// without moving its time (a deleted refund). Of what was only told, a fixed rule on the content decides (more
/// refunded, then cancelled, then paid, then the larger hash is taken as newer).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotAge {
    updated_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
    refunded: Decimal,
    cancelled: bool,
    paid: bool,
    content: [u8; 32],
}

impl OrderSnapshot {
    pub fn age(&self) -> SnapshotAge {
        SnapshotAge {
            updated_at: self.updated_at,
            read_at: self.read_at,
            refunded: self.refunds.iter().map(|refund| refund.amount).sum(),
            cancelled: self.cancelled,
            paid: self.payment == Payment::Paid,
            content: self.content_hash(),
        }
    }

    /// The same order in the same state, whenever it was read.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { read_at: other.read_at, ..self.clone() } == *other
    }

    /// SHA-256 of the snapshot's canonical JSON: field order is fixed, decimals are normalised text.
    pub fn content_hash(&self) -> [u8; 32] {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&json).into()
    }
}

/// Everything known about one order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderState {
    pub snapshot: Option<OrderSnapshot>,
    /// Refunds told without their order, by refund id. The newest snapshot's own telling of a refund wins.
    pub bare_refunds: BTreeMap<String, BareRefund>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub restored_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BareRefund {
    pub refund: Refund,
    /// By the store's time, or else when we heard of it.
    pub at: DateTime<Utc>,
}

/// What one more piece of evidence did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absorbed {
    /// The order is known differently now.
    Applied,
    /// An older snapshot than the one we have: kept as evidence.
    Superseded,
    /// Says nothing that was not known.
    Unchanged,
}

impl OrderState {
    /// `received_at` is when the delivery was first stored: deletions carry no time of their own on most platforms.
    pub fn absorb(&mut self, report: Report, received_at: DateTime<Utc>) -> Absorbed {
        match report {
            Report::Snapshot(snapshot) => self.absorb_snapshot(*snapshot),
            Report::Refund { refund, .. } => self.absorb_refund(refund, received_at),
            // The time is an unsigned header's: one in the future would outlast every later reading.
            Report::Deleted { at, .. } => {
                latest(&mut self.deleted_at, at.map_or(received_at, |at| at.min(received_at)))
            }
            Report::Restored { .. } => latest(&mut self.restored_at, received_at),
            // What is not about an order changes none.
            Report::Hint { .. }
            | Report::Product(_)
            | Report::ProductGone { .. }
            | Report::Stock(_)
            | Report::Customer(_)
            | Report::CustomerGone { .. }
            | Report::Privacy(_)
            | Report::Ignored { .. } => Absorbed::Unchanged,
        }
    }

    fn absorb_snapshot(&mut self, snapshot: OrderSnapshot) -> Absorbed {
        let Some(known) = &self.snapshot else {
            self.snapshot = Some(snapshot);
            return Absorbed::Applied;
        };
        if *known == snapshot {
            return Absorbed::Unchanged;
        }
        if known.age() > snapshot.age() {
            return Absorbed::Superseded;
        }
        self.snapshot = Some(snapshot);
        Absorbed::Applied
    }

    fn absorb_refund(&mut self, refund: Refund, received_at: DateTime<Utc>) -> Absorbed {
        let at = refund.at.unwrap_or(received_at);
        match self.bare_refunds.get(&refund.external_id) {
            Some(known) if known.refund == refund && known.at >= at => return Absorbed::Unchanged,
            // Two tellings of one refund without an age: the larger one, then the larger text, whatever came first.
            Some(known) => {
                let key = |r: &Refund| (r.amount, serde_json::to_string(r).unwrap_or_default());
                if key(&known.refund) > key(&refund) {
                    return Absorbed::Superseded;
                }
            }
            None => {}
        }
        self.bare_refunds.insert(refund.external_id.clone(), BareRefund { refund, at });
        Absorbed::Applied
    }

    /// Trashed and not taken out again; a snapshot that the store changed, or that we read, after the deletion
    /// revives the order.
    pub fn is_deleted(&self) -> bool {
        let Some(deleted_at) = self.deleted_at else { return false };
        let shown = self.snapshot.iter().flat_map(|snapshot| [Some(snapshot.updated_at), snapshot.read_at]);
        let revived = self.restored_at.into_iter().chain(shown.flatten()).max();
        revived.is_none_or(|at| at < deleted_at)
    }

    /// The snapshot's refunds and those that were told without it, each once, by id. The snapshot's telling wins,
    /// unless it tells nothing but the money of a refund whose parts are known. A snapshot that was read is
    /// complete: an earlier refund that it does not list is none.
    pub fn refunds(&self) -> Vec<&Refund> {
        let read_at = self.snapshot.as_ref().and_then(|snapshot| snapshot.read_at);
        let listed =
            |id: &str| self.snapshot.iter().flat_map(|s| &s.refunds).any(|refund| refund.external_id == id);
        let mut by_id: BTreeMap<&str, &Refund> = self
            .bare_refunds
            .iter()
            .filter(|(id, bare)| read_at.is_none_or(|read_at| bare.at > read_at || listed(id)))
            .map(|(id, bare)| (id.as_str(), &bare.refund))
            .collect();
        for refund in self.snapshot.iter().flat_map(|snapshot| &snapshot.refunds) {
            let known = by_id.entry(&refund.external_id).or_insert(refund);
            let only_money = refund.lines.is_empty() && refund.unallocated == refund.amount;
            if !only_money || refund.amount != known.amount {
                *known = refund;
            }
        }
        by_id.into_values().collect()
    }
}

fn latest(slot: &mut Option<DateTime<Utc>>, at: DateTime<Utc>) -> Absorbed {
    if slot.is_some_and(|known| known >= at) {
        return Absorbed::Unchanged;
    }
    *slot = Some(at);
    Absorbed::Applied
}

#[cfg(test)]
mod tests;
