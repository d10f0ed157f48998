//! What a run says of itself, as the pages print it.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::share_of;

/// From the run's summary; what is not in it reads as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Told {
    pub orders: i64,
    pub lines: i64,
    pub cv: Decimal,
    /// With what orders of the period were paid at once.
    pub paid: Decimal,
    pub breakage: Decimal,
    pub earners: i64,
    pub zero_earners: i64,
    /// The most that may be paid, as a share of CV.
    pub stop_loss: Option<Decimal>,
}

impl Told {
    pub fn of(summary: Option<&Value>) -> Option<Self> {
        summary.and_then(|summary| serde_json::from_value(summary.clone()).ok())
    }

    /// Paid as a share of CV.
    pub fn share(&self) -> Option<Decimal> {
        share_of(self.paid, self.cv)
    }
}
