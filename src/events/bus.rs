//! Doorbells between rooms of one process. A ring carries no data and may be lost.

use tokio::sync::Notify;

use super::Topic;
use crate::db::Doorbell;

#[derive(Debug, Default)]
pub struct Bus {
    delivery_accepted: Notify,
    order_review: Notify,
    order_recorded: Notify,
    calculation_posted: Notify,
}

impl Bus {
    pub fn bell(&self, topic: Topic) -> &Notify {
        match topic {
            Topic::DeliveryAccepted => &self.delivery_accepted,
            Topic::OrderReview => &self.order_review,
            Topic::OrderRecorded => &self.order_recorded,
            Topic::CalculationPosted => &self.calculation_posted,
        }
    }
}

impl Doorbell for Bus {
    fn ring(&self, topic: &'static str) {
        if let Some(topic) = Topic::parse(topic) {
            self.bell(topic).notify_one();
        }
    }
}
