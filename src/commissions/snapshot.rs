//! Everything a calculation was made with: enough to make every cent again by hand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::repo::{StoredCalculation, StoredEvent};
use crate::core::assess::AssessedLine;
use crate::core::attribution::Attributed;
use crate::core::engine::{Calculation, CommissionLine, UplineMember};
use crate::core::ids::DistributorId;
use crate::core::journal::Seal;
use crate::core::plan::PlanHash;

/// The table's column `calc_snapshot_json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalcSnapshot {
    /// `commissionable`, or why the order stands at zero: `held`, `exempt`.
    pub status: String,
    /// Net and how it was made, with the mapping that gave each line its class.
    pub lines: Vec<AssessedLine>,
    pub context: Context,
    /// What the engine did. `None` when the order stands at zero.
    pub calculation: Option<Calculation>,
}

/// What of a calculation counts for the volume of a period.
#[derive(Debug, PartialEq, Eq)]
pub struct Earning<'a> {
    attributed: (&'a DistributorId, bool),
    ordered_at: DateTime<Utc>,
    lines: Vec<CommissionLine>,
}

impl CalcSnapshot {
    /// `None` when the order stands at zero.
    pub fn earning(&self) -> Option<Earning<'_>> {
        self.calculation.as_ref()?;
        let attributed = &self.context.attributed;
        Some(Earning {
            attributed: (&attributed.distributor, attributed.own),
            ordered_at: self.context.ordered_at,
            lines: self.lines.iter().filter_map(CommissionLine::of_line).collect(),
        })
    }
}

/// What is locked by the first calculation of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    pub plan_hash: PlanHash,
    pub ordered_at: DateTime<Utc>,
    pub attributed: Attributed,
    /// From the attributed distributor upward, with each one's standing at the order's time.
    pub upline: Vec<UplineMember>,
}

/// The seal of a calculation and its events: what its journal entry rests on.
pub fn evidence(calculation: &StoredCalculation, snapshot: &Value, events: &[StoredEvent]) -> [u8; 32] {
    let mut seal = Seal::default();
    seal.bytes(calculation.order_id.as_bytes());
    seal.integer(i64::from(calculation.calculation_no));
    seal.bytes(&calculation.plan_hash);
    seal.text(&calculation.currency);
    seal.text(calculation.distributor_id.as_deref().unwrap_or_default());
    for total in [calculation.pool, calculation.paid, calculation.breakage, calculation.rounding] {
        seal.decimal(total);
    }
    for volume in [calculation.pv, calculation.cv] {
        seal.decimal(volume);
    }
    seal.json(snapshot);
    seal.integer(calculation.calculated_at.timestamp_micros());
    for event in events {
        seal.bytes(event.event_id.as_bytes());
        seal.text(&event.line);
        seal.text(&event.bonus);
        seal.integer(i64::from(event.level));
        seal.text(&event.distributor_id);
        seal.decimal(event.amount);
        seal.text(&event.kind);
        seal.integer(event.created_at.timestamp_micros());
    }
    seal.finish()
}
