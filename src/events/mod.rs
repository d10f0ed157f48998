//! How work moves from room to room.
//!
//! The outbox row is the event; the in-process [`Bus`] is only a doorbell. A consumer claims rows in batches,
//! does its work and completes them in one database transaction, so an event is done exactly when its effect
//! is committed. Whatever dies on the way leaves the row to be claimed again.

mod bus;
mod instance;
mod outbox;
mod relay;

pub use bus::Bus;
pub use instance::Instance;
pub use outbox::{Backlog, Event, backlog, publish, unpark};
pub use relay::{Consumer, Relay};

/// What happened. The key of each event says to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A delivery is stored; key: delivery_id.
    DeliveryAccepted,
    /// Something that an order was assessed with has changed; key: order_id.
    OrderReview,
    /// An order stands differently now; key: order_id.
    OrderRecorded,
    /// A calculation of an order is stored; key: order_id.
    CalculationPosted,
}

impl Topic {
    pub const ALL: [Self; 4] =
        [Self::DeliveryAccepted, Self::OrderReview, Self::OrderRecorded, Self::CalculationPosted];

    pub fn name(self) -> &'static str {
        match self {
            Self::DeliveryAccepted => "delivery_accepted",
            Self::OrderReview => "order_review",
            Self::OrderRecorded => "order_recorded",
            Self::CalculationPosted => "calculation_posted",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}
