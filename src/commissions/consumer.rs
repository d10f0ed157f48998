//! Recorded orders in, commission events and balanced journal entries out, a batch per database transaction.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::repo::{self, Before, StoredCalculation, StoredEvent};
use super::snapshot::{CalcSnapshot, evidence};
use super::target::{self, Standings, target};
use crate::clock::{Clock, new_id};
use crate::core::attribution::Attributed;
use crate::core::engine::{Calculation, EventDraft, difference};
use crate::core::ids::DistributorId;
use crate::core::journal::{EntryKind, JournalEntry};
use crate::core::money::{Currency, Money};
use crate::db::{DbError, Tx};
use crate::distributors::{Network, Networks};
use crate::events::{self, Consumer, Event, Topic};
use crate::ledger::{self, NewEntry};
use crate::orders::{self, CommissionableHead};
use crate::plans::{Plans, Published};

pub struct CommissionConsumer {
    pub networks: Arc<Networks>,
    pub plans: Arc<Plans>,
    pub clock: Clock,
    /// Told after each commit how long ago the cause of each posting came in.
    pub posted: Arc<dyn Fn(TimeDelta) + Send + Sync>,
}

impl Consumer for CommissionConsumer {
    fn topic(&self) -> Topic {
        Topic::OrderRecorded
    }

    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
        let causes: HashMap<Uuid, DateTime<Utc>> =
            events.iter().map(|event| (event.key, event.occurred_at)).collect();
        // lock
        let heads = orders::lock_for_commission(tx.conn, &causes.keys().copied().collect::<Vec<_>>())?;
        // read
        let calculated: Vec<Uuid> =
            heads.iter().filter(|h| h.calculation_no > 0).map(|h| h.order_id.0).collect();
        let mut before = repo::before(tx.conn, &calculated)?;
        let network = self.networks.get(tx.conn)?;
        let published = self.plans.get(tx.conn)?;
        let volumes = volumes(tx, &heads, &network, &published)?;
        // compute
        let now = self.clock.now();
        let mut batch = Batch::default();
        for head in &heads {
            let before = before.remove(&head.order_id.0).unwrap_or_default();
            let volumes = volumes.get(&head.order_id.0).unwrap_or(&NO_VOLUMES);
            let locked = before.snapshot.as_ref().map(|snapshot| &snapshot.context);
            if let Some(wanted) = target(&order(head), locked, &network, &published, volumes)? {
                batch.add(head, &before, wanted, now)?;
            }
        }
        // write
        let posted = batch.orders();
        batch.write(tx)?;
        self.measure(tx, posted.iter().filter_map(|order| causes.get(order).copied()).collect());
        Ok(())
    }
}

static NO_VOLUMES: std::sync::LazyLock<Standings> = std::sync::LazyLock::new(Standings::new);

impl CommissionConsumer {
    fn measure(&self, tx: &mut Tx<'_>, causes: Vec<DateTime<Utc>>) {
        let (posted, clock) = (self.posted.clone(), self.clock.clone());
        tx.after_commit(move || {
            let now = clock.now();
            causes.iter().for_each(|cause| posted(now - *cause));
        });
    }
}

fn order(head: &CommissionableHead) -> target::Order<'_> {
    let attributed = head.distributor_id.as_ref().map(|distributor| Attributed {
        distributor: DistributorId::new(distributor.as_str()),
        place: head.place.clone().unwrap_or_default(),
        value: head.place_value.clone().unwrap_or_default(),
        own: head.own,
    });
    target::Order {
        status: &head.status,
        store: &head.store,
        currency: head.currency.as_deref().and_then(Currency::parse),
        ordered_at: head.ordered_at,
        attributed,
        lines: &head.lines,
    }
}

/// Personal volumes up to each order whose plan asks for them, by order. One query for the batch.
fn volumes(
    tx: &mut Tx<'_>,
    heads: &[CommissionableHead],
    network: &Network,
    published: &Published,
) -> Result<HashMap<Uuid, Standings>, DbError> {
    let mut asked = vec![];
    for head in heads {
        let (Some(at), Some(distributor)) = (head.ordered_at, &head.distributor_id) else { continue };
        let Some(plan) = published.at(at).filter(|plan| plan.needs_pv()) else { continue };
        let Some(node) = network.genealogy.node(&DistributorId::new(distributor.as_str())) else { continue };
        let Some((since, _)) = plan.period().bounds(at) else { continue };
        for (member, _) in network.genealogy.upline_at(node, at) {
            asked.push((head.order_id.0, network.genealogy.id(member).to_owned(), since, at));
        }
    }
    repo::personal_volumes(tx.conn, &asked)
}

/// What a batch writes, collected so that each table is written once.
#[derive(Default)]
struct Batch {
    calculations: Vec<(StoredCalculation, serde_json::Value)>,
    events: Vec<StoredEvent>,
    entries: Vec<NewEntry>,
}

impl Batch {
    fn add(
        &mut self,
        head: &CommissionableHead,
        before: &Before,
        wanted: CalcSnapshot,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let awards = wanted.calculation.as_ref().map_or(&[][..], |calculation| &calculation.awards);
        let drafts = difference(&before.awards, awards);
        let totals = Totals::of(wanted.calculation.as_ref());
        let told_before = before.snapshot.as_ref().and_then(CalcSnapshot::earning);
        if drafts.is_empty() && totals == before.totals && wanted.earning() == told_before {
            return Ok(());
        }
        let number = head.calculation_no + 1;
        let currency = head.currency.as_deref().and_then(Currency::parse);
        let currency =
            currency.ok_or_else(|| DbError::Invariant(format!("order {} has no currency", head.order_id)))?;
        let events = events(head.order_id.0, number, currency, &drafts, now)?;
        let calculation = StoredCalculation {
            order_id: head.order_id.0,
            calculation_no: number,
            plan_hash: wanted.context.plan_hash.0.to_vec(),
            currency: currency.to_string(),
            distributor_id: Some(wanted.context.attributed.distributor.0.clone()),
            pool: totals.pool,
            paid: totals.paid,
            breakage: totals.breakage,
            rounding: totals.rounding,
            pv: totals.pv,
            cv: totals.cv,
            calculated_at: now,
        };
        let snapshot = serde_json::to_value(&wanted)?;
        let evidence = evidence(&calculation, &snapshot, &events);
        let change = [
            totals.pool - before.totals.pool,
            totals.breakage - before.totals.breakage,
            totals.rounding - before.totals.rounding,
        ];
        let postings = super::postings(&events, change);
        let entry =
            JournalEntry::new(head.order_id.0, number, EntryKind::Commission, currency, now, postings)
                .map_err(|unbalanced| DbError::Invariant(unbalanced.to_string()))?;
        self.calculations.push((calculation, snapshot));
        self.events.extend(events);
        self.entries.push(NewEntry::calculated(entry, evidence));
        Ok(())
    }

    fn orders(&self) -> Vec<Uuid> {
        self.calculations.iter().map(|(calculation, _)| calculation.order_id).collect()
    }

    fn write(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        if self.calculations.is_empty() {
            return Ok(());
        }
        repo::insert_calculations(tx.conn, &self.calculations)?;
        repo::insert_events(tx.conn, &self.events)?;
        ledger::post(tx, &self.entries)?;
        let numbers: Vec<(Uuid, i32)> =
            self.calculations.iter().map(|(c, _)| (c.order_id, c.calculation_no)).collect();
        orders::set_calculation_no(tx.conn, &numbers)?;
        let posted: Vec<(Uuid, DateTime<Utc>)> =
            self.calculations.iter().map(|(c, _)| (c.order_id, c.calculated_at)).collect();
        events::publish(tx, Topic::CalculationPosted, &posted)
    }
}

fn events(
    order_id: Uuid,
    calculation_no: i32,
    currency: Currency,
    drafts: &[EventDraft],
    now: DateTime<Utc>,
) -> Result<Vec<StoredEvent>, DbError> {
    let event = |draft: &EventDraft| {
        let amount =
            Money::exact(draft.amount, currency).map_err(|error| DbError::Invariant(error.to_string()))?;
        Ok(StoredEvent {
            order_id,
            event_id: new_id(),
            calculation_no,
            line: draft.line.clone(),
            bonus: draft.bonus.clone(),
            level: i16::try_from(draft.level).map_err(|_| DbError::Invariant("a level over 32767".into()))?,
            distributor_id: draft.distributor.0.clone(),
            amount: amount.amount(),
            currency: currency.to_string(),
            kind: draft.kind.name().to_owned(),
            created_at: now,
        })
    };
    drafts.iter().map(event).collect()
}

/// What all pools of an order come to, and its volumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub pool: Decimal,
    pub paid: Decimal,
    pub breakage: Decimal,
    pub rounding: Decimal,
    pub pv: Decimal,
    pub cv: Decimal,
}

impl Totals {
    pub fn of(calculation: Option<&Calculation>) -> Self {
        let Some(calculation) = calculation else { return Self::default() };
        let mut totals = Self::default();
        for share in &calculation.pools {
            totals.pool += share.pool;
            totals.paid += share.paid;
            totals.breakage += share.breakage;
            totals.rounding += share.rounding;
        }
        for line in &calculation.lines {
            totals.pv += line.volumes.pv;
            totals.cv += line.volumes.cv;
        }
        // As the table keeps them, so that what is read back compares equal.
        totals.pv = crate::core::money::round(totals.pv, 4, crate::core::money::Rounding::HalfEven);
        totals.cv = crate::core::money::round(totals.cv, 4, crate::core::money::Rounding::HalfEven);
        totals
    }
}
