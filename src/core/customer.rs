//! A store's customer, as far as commissions need to know: who it is to us and not what it is called.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::order::PlaceValue;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The store's own id. Unique within the store.
    pub external_id: String,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Where the customer's record names a distributor: `customer_tag`, `customer_meta:KEY`.
    pub places: Vec<PlaceValue>,
}
