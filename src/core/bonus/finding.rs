//! What a bonus found of somebody, in words that are stored with a calculation and shown with it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::ids::DistributorId;

/// One ancestor as a bonus saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visited {
    pub distributor: DistributorId,
    /// Steps above the attributed distributor.
    pub distance: u32,
    /// The level it stood on; none when compression passed it over, so that the level went further up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u16>,
    #[serde(flatten)]
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    Earns {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Decimal>,
    },
    /// A position of a binary: what it did with somebody's volume on one of its sides.
    Leg {
        position: String,
        side: u16,
        /// Whether its owner earns in the period at all.
        earns: bool,
        matched: Decimal,
        carried: Decimal,
        flushed: Decimal,
    },
    /// Below the first level that the bonus pays.
    BelowStart,
    NotEnrolled,
    /// The status does not count as active.
    Inactive {
        status: crate::core::genealogy::Status,
    },
    /// Too little personal volume.
    BelowMinPv {
        pv: Decimal,
        min_pv: Decimal,
    },
    /// Has no rank, and the plan names none for such.
    NoRank,
    /// Has a rank that the plan does not know.
    UnknownRank {
        rank: String,
    },
    /// The rank is not paid at this level.
    NoRate {
        rank: Option<String>,
    },
    /// Does not meet what the bonus asks besides being active.
    NotEligible,
    /// Above somebody whose rank ends the levels.
    BeyondStop,
    /// Enrolled too long ago, or at a time that nobody knows.
    OutsideWindow {
        days: u16,
    },
    /// Too little volume for the first tier.
    BelowTier {
        volume: Decimal,
        least: Decimal,
    },
    /// So much was paid below, or stands there, and the own rate is not above it.
    PaidBelow {
        rate: Decimal,
    },
    /// Inside of the group that the volume is of; leaders above its head are paid on it.
    InGroup,
    /// The head of that group.
    HeadsGroup,
    /// No rank advancement is due.
    NothingDue,
}

impl Finding {
    /// The word of it, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Earns { .. } => "earns",
            Self::Leg { .. } => "leg",
            Self::BelowStart => "below_start",
            Self::NotEnrolled => "not_enrolled",
            Self::Inactive { .. } => "inactive",
            Self::BelowMinPv { .. } => "below_min_pv",
            Self::NoRank => "no_rank",
            Self::UnknownRank { .. } => "unknown_rank",
            Self::NoRate { .. } => "no_rate",
            Self::NotEligible => "not_eligible",
            Self::BeyondStop => "beyond_stop",
            Self::OutsideWindow { .. } => "outside_window",
            Self::BelowTier { .. } => "below_tier",
            Self::PaidBelow { .. } => "paid_below",
            Self::InGroup => "in_group",
            Self::HeadsGroup => "heads_group",
            Self::NothingDue => "nothing_due",
        }
    }
}
