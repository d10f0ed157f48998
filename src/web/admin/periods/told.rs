//! What a run says of itself, as the pages print it.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::periods::Summary;

/// The figures of a run's summary that lists show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub currency: String,
    pub orders: i64,
    pub cv: Decimal,
    /// By the run and, at once, by the orders of its period.
    pub paid: Decimal,
    /// Of it in CV.
    pub share: Option<Decimal>,
    pub earners: usize,
}

pub fn summary(stored: Option<&Value>) -> Option<Summary> {
    stored.and_then(|summary| serde_json::from_value(summary.clone()).ok())
}

impl Told {
    pub fn of(stored: Option<&Value>) -> Option<Self> {
        summary(stored).map(|summary| Self::from(&summary))
    }
}

impl From<&Summary> for Told {
    fn from(summary: &Summary) -> Self {
        let totals = &summary.totals;
        Self {
            currency: summary.currency.clone(),
            orders: summary.counts.orders,
            cv: totals.cv.decimal(),
            paid: totals.paid.decimal() + totals.paid_by_orders.decimal(),
            share: totals.share,
            earners: summary.earners,
        }
    }
}
