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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyKind {
    /// The customer wants to know what is held.
    DataRequest,
    /// The customer wants to be forgotten.
    Redact,
    /// The store has left: everything personal of its customers has to go.
    ShopRedact,
}

impl PrivacyKind {
    pub const ALL: [Self; 3] = [Self::DataRequest, Self::Redact, Self::ShopRedact];

    pub fn name(self) -> &'static str {
        match self {
            Self::DataRequest => "data_request",
            Self::Redact => "redact",
            Self::ShopRedact => "shop_redact",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyRequest {
    pub kind: PrivacyKind,
    /// `None` for a whole store.
    pub customer: Option<String>,
    /// The store's ids of orders that it names.
    pub orders: Vec<String>,
}
