//! Why a commission event is what it is: from the store's delivery to the posting, cent by cent.

use std::fmt;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::repo;
use crate::commissions::{self, CalcSnapshot, StoredEvent};
use crate::core::assess::AssessedLine;
use crate::core::attribution::Attributed;
use crate::core::engine::{Award, BonusWalk, Finding, PoolShare, UplineMember, Visited};
use crate::db::{Conn, DbError};
use crate::ledger;
use crate::periods;

/// Everything that made one commission event. Amounts are in `currency`.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub event_id: Uuid,
    pub distributor_id: String,
    pub bonus: String,
    pub level: i16,
    pub amount: Decimal,
    pub currency: String,
    pub kind: String,
    pub created_at: DateTime<Utc>,
    pub store: String,
    pub platform: String,
    pub order_id: Uuid,
    pub external_id: String,
    pub ordered_at: DateTime<Utc>,
    /// What the store sent up to then.
    pub deliveries: Vec<Uuid>,
    pub attributed: Attributed,
    /// The order line with its net. `None` when the line is no longer in the order.
    pub line: Option<AssessedLine>,
    pub plan_name: String,
    pub plan_hash: String,
    /// What the line should pay the distributor on this level after this calculation. `None`: nothing any more.
    pub award: Option<Award>,
    pub pool: Option<PoolShare>,
    /// Posted on the same line, bonus, level and distributor before this event.
    pub posted_before: Decimal,
    pub upline: Vec<UplineMember>,
    pub walk: Option<BonusWalk>,
    /// Why the whole order stands at zero, if it does: `held` or `exempt`.
    pub order_status: String,
    /// `order_id/number`
    pub journal_entry: String,
    pub calculation_no: i32,
}

/// `None` when there is no such event, or when it is of a run: see [`super::explain_run`].
pub fn explain(conn: &mut Conn, event_id: Uuid) -> Result<Option<Explanation>, DbError> {
    let Some(event) = commissions::event(conn, event_id)? else { return Ok(None) };
    if periods::run(conn, event.order_id)?.is_some() {
        return Ok(None);
    }
    let order = repo::event_order(conn, event.order_id, event.calculation_no)?;
    let snapshot = commissions::calculations(conn, &[event.order_id])?
        .into_iter()
        .find(|(calculation, _)| calculation.calculation_no == event.calculation_no)
        .map(|(_, snapshot)| serde_json::from_value::<CalcSnapshot>(snapshot))
        .transpose()?
        .ok_or_else(|| DbError::Damaged(format!("commission event {event_id} has no calculation")))?;
    let posted_before = commissions::events_of(conn, &[event.order_id])?
        .iter()
        .filter(|other| other.calculation_no < event.calculation_no && same_place(other, &event))
        .map(|other| other.amount)
        .sum();
    Ok(Some(Explanation::new(event, order, snapshot, posted_before)))
}

fn same_place(one: &StoredEvent, other: &StoredEvent) -> bool {
    (&one.line, &one.bonus, one.level, &one.distributor_id)
        == (&other.line, &other.bonus, other.level, &other.distributor_id)
}

impl Explanation {
    fn new(
        event: StoredEvent,
        order: repo::EventOrder,
        snapshot: CalcSnapshot,
        posted_before: Decimal,
    ) -> Self {
        let calculation = snapshot.calculation;
        let award = calculation
            .as_ref()
            .and_then(|c| c.awards.iter().find(|award| is_award_of(award, &event)).cloned());
        let pool = calculation
            .as_ref()
            .and_then(|c| c.pools.iter().find(|p| p.line == event.line && p.bonus == event.bonus).cloned());
        let walk =
            calculation.as_ref().and_then(|c| c.walks.iter().find(|w| w.bonus == event.bonus).cloned());
        Self {
            journal_entry: ledger::reference(event.order_id, event.calculation_no),
            line: snapshot.lines.into_iter().find(|line| line.line == event.line),
            plan_hash: snapshot.context.plan_hash.to_string(),
            ordered_at: snapshot.context.ordered_at,
            attributed: snapshot.context.attributed,
            upline: snapshot.context.upline,
            order_status: snapshot.status,
            award,
            pool,
            walk,
            posted_before,
            event_id: event.event_id,
            distributor_id: event.distributor_id,
            bonus: event.bonus,
            level: event.level,
            amount: event.amount.normalize(),
            currency: event.currency,
            kind: event.kind,
            created_at: event.created_at,
            order_id: event.order_id,
            calculation_no: event.calculation_no,
            store: order.store,
            platform: order.platform,
            external_id: order.external_id,
            deliveries: order.deliveries,
            plan_name: order.plan_name,
        }
    }

    /// What should stand after this calculation.
    pub fn target(&self) -> Decimal {
        self.award.as_ref().map_or(Decimal::ZERO, |award| award.amount)
    }
}

fn is_award_of(award: &Award, event: &StoredEvent) -> bool {
    award.line == event.line
        && award.bonus == event.bonus
        && i32::from(award.level) == i32::from(event.level)
        && award.distributor.as_str() == event.distributor_id
}

/// The same as plain text, for the terminal and for support.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "commission event {}", self.event_id)?;
        writeln!(
            f,
            "  {} {} {} to distributor {}: {} level {}",
            self.kind, self.amount, self.currency, self.distributor_id, self.bonus, self.level
        )?;
        writeln!(
            f,
            "order {} of store {} ({}), ordered {}",
            self.external_id, self.store, self.platform, self.ordered_at
        )?;
        for delivery in &self.deliveries {
            writeln!(f, "  told by delivery {delivery}")?;
        }
        writeln!(
            f,
            "  attributed to {} because {} says {:?}",
            self.attributed.distributor, self.attributed.place, self.attributed.value
        )?;
        self.fmt_line(f)?;
        writeln!(f, "plan {} ({})", self.plan_name, self.plan_hash)?;
        self.fmt_walk(f)?;
        self.fmt_amount(f)?;
        writeln!(f, "posted in journal entry {} at {}", self.journal_entry, self.created_at)
    }
}

impl Explanation {
    fn fmt_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(line) = &self.line else { return writeln!(f, "line: no longer part of the order") };
        writeln!(f, "line {}: {}", line.line, line.title)?;
        writeln!(
            f,
            "  net {} = gross {} - discount {} - tax inside {} - refunded {}{}",
            line.net,
            line.gross,
            line.discount,
            line.included_tax,
            line.refunded,
            if line.estimated { " (refund spread over the order)" } else { "" }
        )?;
        if let (Some(class), Some(sku)) = (&line.commission_class, &line.sku_id) {
            let mapping = line.mapping_id.unwrap_or_default();
            writeln!(f, "  SKU {sku}, commission class {class} (mapping {mapping})")?;
        }
        Ok(())
    }

    fn fmt_walk(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(walk) = &self.walk else {
            return writeln!(f, "the order stands at zero: {}", self.order_status);
        };
        for visited in &walk.visited {
            writeln!(f, "  {}", told(visited))?;
        }
        Ok(())
    }

    fn fmt_amount(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(award) = &self.award {
            writeln!(f, "  {} x {} = {} after rounding", award.base, award.rate, award.amount)?;
        }
        if let Some(pool) = &self.pool {
            let PoolShare { pool, paid, breakage, rounding, .. } = pool;
            writeln!(
                f,
                "  the line's pool {pool} = paid {paid} + breakage {breakage} + rounding {rounding}"
            )?;
        }
        let before = self.posted_before.normalize();
        writeln!(f, "  should stand at {}, stood at {before}: difference {}", self.target(), self.amount)
    }
}

pub(super) fn told(visited: &Visited) -> String {
    let level = visited.level.map_or("no level".to_owned(), |level| format!("level {level}"));
    let why = match &visited.finding {
        Finding::Earns { rate: Some(rate) } => format!("earns at {rate}"),
        Finding::Earns { rate: None } => "earns".to_owned(),
        Finding::Leg { position, matched, carried, flushed, .. } => {
            format!("position {position}: matched {matched}, carried {carried}, flushed {flushed}")
        }
        Finding::BelowStart => "below the first paid level".to_owned(),
        Finding::NotEnrolled => "not enrolled yet".to_owned(),
        Finding::Inactive { status } => format!("not active: {status}"),
        Finding::BelowMinPv { pv, min_pv } => format!("not active: personal volume {pv} of {min_pv}"),
        Finding::NoRank => "has no rank".to_owned(),
        Finding::UnknownRank { rank } => format!("rank {rank} is not in the plan"),
        Finding::NoRate { rank } => {
            format!("rank {} is not paid on this level", rank.as_deref().unwrap_or("none"))
        }
        Finding::NotEligible => "does not meet what the bonus asks".to_owned(),
        Finding::BeyondStop => "above the rank that the levels stop at".to_owned(),
        Finding::OutsideWindow { days } => format!("the order is not within {days} days of the enrolment"),
        Finding::BelowTier { volume, least } => format!("below the first tier: volume {volume} of {least}"),
        Finding::PaidBelow { rate } => format!("{rate} was reached below, the own rate is not higher"),
        Finding::InGroup => "in the group that the volume is of".to_owned(),
        Finding::HeadsGroup => "heads the group that the volume is of".to_owned(),
        Finding::NothingDue => "no advancement is due".to_owned(),
    };
    format!("{} up, {level}: {} {why}", visited.distance, visited.distributor)
}
