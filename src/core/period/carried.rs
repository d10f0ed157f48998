//! What a period leaves to the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;

/// By names and not by places in an array, so that it outlives the tree and the plan that it was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub standings: BTreeMap<DistributorId, CarriedStanding>,
    /// By bonus, position, side and age: the oldest is used first.
    pub lots: Vec<Lot>,
}

/// What is kept of a distributor. All at its default is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CarriedStanding {
    /// The highest rank that was ever achieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The rank that the last period ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<String>,
    /// For how many periods in a row this rank or a higher one was held, by rank.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streaks: BTreeMap<String, u16>,
    /// Group volume of all periods so far; only where a bonus goes by it.
    #[serde(skip_serializing_if = "Fixed::is_zero_ref")]
    pub cumulative_gv: Fixed,
    /// For how many periods more a qualification holds, by its id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub qualified: BTreeMap<String, u16>,
    /// Rank advancements: by bonus, the ranks that were reached and how many instalments each was paid. Zero is
    /// one that was reached and waits to be held for long enough.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub advanced: BTreeMap<String, BTreeMap<String, u16>>,
}

/// Volume on one side of a position that was not matched yet. The orders behind it are the last of its period
/// on that side, as many as make up the volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lot {
    pub bonus: String,
    pub position: String,
    pub side: u16,
    /// Periods are named so that their order is their age; the count is what expiry goes by.
    pub age: u16,
    pub period: String,
    pub volume: Fixed,
}

impl Carried {
    pub fn standing(&self, of: &DistributorId) -> Option<&CarriedStanding> {
        self.standings.get(of)
    }
}

impl Fixed {
    pub(crate) fn is_zero_ref(value: &Self) -> bool {
        value.is_zero()
    }
}
