//! The upline of an order, with each one's standing at the order's time. It is stored with the calculation.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::bonus::WalkEnd;
use crate::core::genealogy::{Genealogy, Node, Status};
use crate::core::ids::DistributorId;
use crate::core::plan::Plan;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UplineMember {
    pub distributor: DistributorId,
    pub status: Status,
    pub rank: Option<String>,
    /// Personal volume of the period up to the order; zero where the plan does not ask for it.
    pub pv: Decimal,
    pub enrolled: bool,
    /// Of the attributed distributor, where the plan asks for it. `None`: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_at: Option<DateTime<Utc>>,
}

/// How many are looked at first; most plans end within.
const FIRST: usize = 16;

/// The upline of `node` as of `at`, as far as the plan can reach. `pv` is asked only where the plan needs it.
pub fn upline_of(
    plan: &Plan,
    genealogy: &Genealogy,
    node: Node,
    at: DateTime<Utc>,
    mut pv: impl FnMut(&DistributorId) -> Decimal,
) -> Vec<UplineMember> {
    let needs_pv = plan.needs_pv();
    let seller = Some(node).filter(|_| plan.needs_enrolment());
    let members = genealogy.upline_at(node, at).map(|(node, standing)| {
        let distributor = DistributorId::new(genealogy.id(node));
        UplineMember {
            pv: if needs_pv { pv(&distributor) } else { Decimal::ZERO },
            distributor,
            status: standing.status,
            rank: standing.rank.map(str::to_owned),
            enrolled: standing.enrolled,
            enrolled_at: seller.filter(|seller| *seller == node).and_then(|node| genealogy.enrolled_at(node)),
        }
    });
    take_upline(plan, at, members)
}

/// As many of `members` as any bonus of the plan visits. The rest changes no calculation.
pub fn take_upline(
    plan: &Plan,
    ordered_at: DateTime<Utc>,
    members: impl Iterator<Item = UplineMember>,
) -> Vec<UplineMember> {
    let mut members = members.peekable();
    let mut taken: Vec<UplineMember> = Vec::new();
    loop {
        let more = taken.len().max(FIRST);
        taken.extend(members.by_ref().take(more));
        let walks: Vec<_> = plan.order_bonuses().map(|bonus| bonus.walk(plan, &taken, ordered_at)).collect();
        let ended = walks.iter().all(|walk| walk.ended == WalkEnd::Depth);
        if ended || members.peek().is_none() {
            let visited = walks.iter().map(|walk| walk.visited.len()).max().unwrap_or(0);
            taken.truncate(visited);
            return taken;
        }
    }
}
