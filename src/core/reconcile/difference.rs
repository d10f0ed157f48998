//! One thing that is not as it should be, in words for the person who has to mend it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Ours, Says, Waits, no_currency};
use crate::core::ids::OrderId;
use crate::core::money::Currency;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The store has it, we do not.
    MissingOrder,
    /// The store's telling of it cannot be read.
    UnreadableOrder,
    MissingRefund,
    /// We count a refund that the store does not have.
    DoubledRefund,
    /// The same refund with another amount, or of other lines.
    WrongRefund,
    /// Lines, quantities or the total are others.
    EditedOrder,
    WrongNet,
    /// Paid, cancelled, deleted or held differently.
    OtherState,
    /// Somebody else earns.
    OtherAttribution,
    OtherCurrency,
    /// Made at another time: another plan, period or day may hold.
    OtherTime,
    DeletedAtStore,
    /// Only ever posted to us; the store itself does not know it.
    UnknownToStore,
    NotCalculated,
    WrongLedger,
    WrongEvents,
    MissingEntry,
    WrongPostings,
}

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::MissingOrder,
        Self::UnreadableOrder,
        Self::MissingRefund,
        Self::DoubledRefund,
        Self::WrongRefund,
        Self::EditedOrder,
        Self::WrongNet,
        Self::OtherState,
        Self::OtherAttribution,
        Self::OtherCurrency,
        Self::OtherTime,
        Self::DeletedAtStore,
        Self::UnknownToStore,
        Self::NotCalculated,
        Self::WrongLedger,
        Self::WrongEvents,
        Self::MissingEntry,
        Self::WrongPostings,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::MissingOrder => "missing_order",
            Self::UnreadableOrder => "unreadable_order",
            Self::MissingRefund => "missing_refund",
            Self::DoubledRefund => "doubled_refund",
            Self::WrongRefund => "wrong_refund",
            Self::EditedOrder => "edited_order",
            Self::WrongNet => "wrong_net",
            Self::OtherState => "other_state",
            Self::OtherAttribution => "other_attribution",
            Self::OtherCurrency => "other_currency",
            Self::OtherTime => "other_time",
            Self::DeletedAtStore => "deleted_at_store",
            Self::UnknownToStore => "unknown_to_store",
            Self::NotCalculated => "not_calculated",
            Self::WrongLedger => "wrong_ledger",
            Self::WrongEvents => "wrong_events",
            Self::MissingEntry => "missing_entry",
            Self::WrongPostings => "wrong_postings",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Between which two things the difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seam {
    /// What the store says, and what we were told.
    Evidence,
    /// What we were told, and what the order stands at.
    Head,
    /// What the order stands at, and what is posted.
    Ledger,
}

impl Seam {
    pub const ALL: [Self; 3] = [Self::Evidence, Self::Head, Self::Ledger];

    pub fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Head => "head",
            Self::Ledger => "ledger",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|seam| seam.name() == name)
    }
}

/// The part of an order that a difference is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Line(String),
    Refund(String),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(id) => write!(f, "line {id}"),
            Self::Refund(id) => write!(f, "refund {id}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// The store's own id of the order.
    pub order: String,
    pub kind: Kind,
    pub seam: Seam,
    pub part: Option<Part>,
    /// What the customer sees as order number, when it differs.
    pub number: Option<String>,
    /// Our own id, when we have the order.
    pub order_id: Option<OrderId>,
    pub currency: Currency,
    /// What it should be: the store's amount; inside our books, the amount of the step before.
    pub should: Option<Decimal>,
    pub is: Option<Decimal>,
    pub what: String,
    pub fix: String,
}

impl Difference {
    /// What it is about, whatever its amounts are: the same thing may be found twice.
    pub fn thing(&self) -> (&str, Kind, Seam, Option<&Part>) {
        (&self.order, self.kind, self.seam, self.part.as_ref())
    }

    /// Reading the order at its store again, or assessing it again, may mend it.
    pub fn can_be_healed(&self) -> bool {
        !matches!(
            self.kind,
            Kind::UnknownToStore | Kind::WrongEvents | Kind::MissingEntry | Kind::WrongPostings
        )
    }
}

/// What is found at one order.
pub(super) struct Found {
    order: String,
    number: Option<String>,
    order_id: Option<OrderId>,
    pub currency: Currency,
    parked: bool,
    /// Of what we hold, when the store's word is older.
    pub newer: bool,
    pub differences: Vec<Difference>,
}

impl Found {
    pub fn new(order: &str, says: Says<'_>, ours: Option<&Ours<'_>>, waits: Waits) -> Self {
        let shown = match says {
            Says::Shown { state, .. } => state.snapshot.as_ref(),
            Says::Unreadable(_) | Says::Gone | Says::Nothing => None,
        };
        let known = shown.or_else(|| ours.and_then(|ours| ours.state.snapshot.as_ref()));
        Self {
            order: order.to_owned(),
            number: known.and_then(|snapshot| snapshot.number.clone()),
            order_id: ours.map(|ours| ours.order_id),
            currency: known.map_or_else(no_currency, |snapshot| snapshot.currency),
            parked: waits == Waits::Parked,
            newer: false,
            differences: vec![],
        }
    }

    /// How the order is called in a sentence.
    pub fn name(&self) -> String {
        match &self.number {
            Some(number) => format!("order {} ({number})", self.order),
            None => format!("order {}", self.order),
        }
    }

    pub fn told(&self, amount: Decimal) -> String {
        told(amount, self.currency)
    }

    pub fn add(
        &mut self,
        (seam, kind): (Seam, Kind),
        part: Option<Part>,
        (should, is): (Option<Decimal>, Option<Decimal>),
        what: String,
    ) {
        let fix = self.fix(seam, kind).to_owned();
        self.differences.push(Difference {
            order: self.order.clone(),
            kind,
            seam,
            part,
            number: self.number.clone(),
            order_id: self.order_id,
            currency: self.currency,
            should: should.map(|amount| amount.normalize()),
            is: is.map(|amount| amount.normalize()),
            what,
            fix,
        });
    }

    fn fix(&self, seam: Seam, kind: Kind) -> &'static str {
        match (seam, kind) {
            _ if self.parked => {
                "What was told about it failed too often and is parked: open it under Deliveries, mend the cause and \
                 process it again."
            }
            (_, Kind::UnknownToStore) => {
                "Find out who posted it over the API: the store never had it. It is not healed by itself, as it may \
                 be a sale of another channel."
            }
            (_, Kind::UnreadableOrder) => {
                "The store's telling of it is kept and shown under Deliveries; mend the order at the store, or report \
                 the shape."
            }
            (_, Kind::WrongEvents | Kind::MissingEntry | Kind::WrongPostings) => {
                "Somebody changed posted rows. Run `upline verify`: it names each of them; restore them from a backup."
            }
            (Seam::Evidence, _) if self.newer => {
                "What we hold says that it was changed after what the store shows now, so reading it again cannot \
                 replace it. Compare the clock of the store with ours, and look at its last delivery."
            }
            (Seam::Evidence, Kind::DeletedAtStore) => {
                "Reconcile with healing: the order then earns nothing. If it still exists at the store, our \
                 credentials cannot see it."
            }
            (Seam::Evidence, _) => {
                "Reconcile with healing (without --no-heal): the order is read at the store and takes the usual road. \
                 Then look why its webhook did not come: `upline store webhooks`."
            }
            (Seam::Head, _) => {
                "Somebody or something changed the stored order. Reconcile with healing: it is assessed again from its \
                 evidence. Then look who did it."
            }
            (Seam::Ledger, _) => {
                "Reconcile with healing: the order is assessed and calculated again, and the difference is posted."
            }
        }
    }
}

/// `40.00 USD`
pub(super) fn told(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount.normalize();
    let scale = currency.exponent().unwrap_or(2);
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    format!("{amount} {currency}")
}
