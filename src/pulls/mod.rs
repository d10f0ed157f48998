//! Reading the stores' APIs: what changed there becomes a delivery here.
//!
//! What is read is compared with what is known, and only news is stored: as an ordinary delivery of the topic
//! [`crate::stores::PULLED_ORDER`], so that everything behind it (orders, commissions, replay) is the same road
//! that webhooks take.

mod repo;
mod settle;
mod take;

pub use settle::{settled, unsettled};
pub use take::{Taken, look, take, take_absence};
