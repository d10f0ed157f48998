//! What an order should stand at. Used by the consumer on live orders and by replay on recomputed ones, so
//! that both can only say the same.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::snapshot::{CalcSnapshot, Context};
use crate::core::assess::{AssessedLine, Assessment};
use crate::core::attribution::Attributed;
use crate::core::engine::{CommissionLine, CommissionOrder, UplineMember, calculate_order, upline_of};
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::core::order::OrderState;
use crate::core::plan::Plan;
use crate::db::DbError;
use crate::distributors::Network;
use crate::plans::Published;

/// The part of an assessed order that a calculation needs.
pub struct Order<'a> {
    /// As in `orders.status`.
    pub status: &'a str,
    /// Slug.
    pub store: &'a str,
    pub currency: Option<Currency>,
    pub ordered_at: Option<DateTime<Utc>>,
    pub attributed: Option<Attributed>,
    pub lines: &'a [AssessedLine],
}

impl<'a> Order<'a> {
    /// Straight from an assessment, without the way through the table.
    pub fn assessed(store: &'a str, assessment: &'a Assessment, state: &OrderState) -> Self {
        let order = state.snapshot.as_ref();
        Self {
            status: assessment.verdict.name(),
            store,
            currency: order.map(|order| order.currency),
            ordered_at: order.map(|order| order.ordered_at),
            attributed: assessment.attributed.clone(),
            lines: &assessment.lines,
        }
    }
}

/// Personal volumes in the period up to an order, by distributor; empty where the plan asks for none.
pub type Standings = HashMap<DistributorId, Decimal>;

/// `None` when the order has never earned and earns nothing now. `locked` is the context of its calculations
/// so far. An order that is not commissionable, held ones too, stands at zero.
pub fn target(
    order: &Order<'_>,
    locked: Option<&Context>,
    network: &Network,
    published: &Published,
    volumes: &Standings,
) -> Result<Option<CalcSnapshot>, DbError> {
    let snapshot = |context, calculation| CalcSnapshot {
        status: order.status.to_owned(),
        lines: order.lines.to_vec(),
        context,
        calculation,
    };
    if order.status != "commissionable" {
        return Ok(locked.map(|context| snapshot(context.clone(), None)));
    }
    let missing = |what: &str| DbError::Invariant(format!("a commissionable order without {what}"));
    let currency = order.currency.ok_or_else(|| missing("currency"))?;
    let ordered_at = order.ordered_at.ok_or_else(|| missing("time"))?;
    let attributed = order.attributed.as_ref().ok_or_else(|| missing("distributor"))?;
    let context = match locked {
        Some(known)
            if known.attributed.distributor == attributed.distributor && known.ordered_at == ordered_at =>
        {
            Context { attributed: attributed.clone(), ..known.clone() }
        }
        _ => open_context(ordered_at, attributed, network, published, volumes)?,
    };
    let plan = published
        .by_hash(context.plan_hash)
        .ok_or_else(|| DbError::Damaged(format!("plan {} is not stored", context.plan_hash)))?;
    let lines: Vec<CommissionLine> = order.lines.iter().filter_map(CommissionLine::of_line).collect();
    let order = CommissionOrder { currency, ordered_at, store: order.store, lines: &lines };
    let calculation = calculate_order(plan, &order, &context.upline)
        .map_err(|refusal| DbError::Invariant(format!("the engine refuses: {refusal}")))?;
    Ok(Some(snapshot(context, Some(calculation))))
}

fn open_context(
    ordered_at: DateTime<Utc>,
    attributed: &Attributed,
    network: &Network,
    published: &Published,
    volumes: &Standings,
) -> Result<Context, DbError> {
    let plan = published
        .at(ordered_at)
        .ok_or_else(|| DbError::Invariant(format!("no plan is effective at {ordered_at}")))?;
    let upline = upline(plan, ordered_at, &attributed.distributor, network, volumes)?;
    Ok(Context { plan_hash: plan.hash(), ordered_at, attributed: attributed.clone(), upline })
}

fn upline(
    plan: &Plan,
    at: DateTime<Utc>,
    from: &DistributorId,
    network: &Network,
    volumes: &Standings,
) -> Result<Vec<UplineMember>, DbError> {
    let node = network
        .genealogy
        .node(from)
        .ok_or_else(|| DbError::Invariant(format!("distributor {from} is not in the genealogy")))?;
    Ok(upline_of(plan, &network.genealogy, node, at, |id| volumes.get(id).copied().unwrap_or_default()))
}
