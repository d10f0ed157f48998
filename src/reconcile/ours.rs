//! What we hold of orders, loaded as of one instant and compared with what their store says.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::repo::{self, orders::Row};
use crate::core::assess::{AssessedLine, Assessment, LockedClass};
use crate::core::ids::{DistributorId, OrderId, StoreId};
use crate::core::order::OrderState;
use crate::core::reconcile::{Compared, Head, Ledger, Ours, Says, Waits, compare};
use crate::db::{Conn, DbError};
use crate::ingest::{self, Store};
use crate::orders::{self, Assessor, Books, CustomerBooks, Grounds, Seen};

/// What the store says about an order, as it was read.
#[derive(Clone, Debug)]
pub enum Truth {
    Shown(Box<OrderState>),
    Unreadable(String),
    Gone,
    /// The store cannot be asked.
    Nothing,
}

/// An order by the store's own id.
pub type Told = (String, Truth);

struct Held {
    order_id: Uuid,
    state: OrderState,
    assessed: Assessment,
    head: Head,
    ledger: Option<Ledger>,
    manual: Option<DistributorId>,
    /// What it may know of its customer, once it is calculated.
    seen: Option<Seen>,
    calculated: bool,
    only_posted: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CompareProblem {
    /// Anything that differs may be among what waits: neither a difference nor its absence can be told.
    #[error("{0} or more deliveries of the store wait to be processed; it is reconciled when they are done")]
    Busy(usize),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Compares a batch of orders. Reads a lot of tables: inside a database transaction that is frozen.
pub fn compare_all(
    conn: &mut Conn,
    books: &Books,
    store: &Store,
    told: &[Told],
) -> Result<Vec<Compared>, CompareProblem> {
    let assessor = Assessor::open(conn, books)?;
    let (mut held, customers) = load(conn, &assessor, store.id, told)?;
    let asked = Asked { assessor: &assessor, customers: &customers, store: store.id };
    mark_posted(conn, &mut held, told)?;
    let mut compared = Vec::with_capacity(told.len());
    for (order, truth) in told {
        compared.push(one(&asked, order, truth, held.get(order), Waits::Settled)?);
    }
    if compared.iter().all(Compared::is_clean) {
        return Ok(compared);
    }
    // Only what does not agree has to be looked for among the work that waits.
    let waiting = Waiting::load(conn, store, &held)?;
    for ((order, truth), compared) in told.iter().zip(&mut compared) {
        let held = held.get(order);
        let waits = waiting.of(order, held.map(|held| held.order_id));
        if waits != Waits::Settled && !compared.is_clean() {
            *compared = one(&asked, order, truth, held, waits)?;
        }
    }
    Ok(compared)
}

/// What orders of the store are assessed with.
#[derive(Clone, Copy)]
struct Asked<'a> {
    assessor: &'a Assessor,
    customers: &'a CustomerBooks,
    store: StoreId,
}

impl Asked<'_> {
    fn assess(
        &self,
        state: &OrderState,
        manual: Option<&DistributorId>,
        locked: &[LockedClass],
        seen: Option<Seen>,
    ) -> Result<Assessment, DbError> {
        let grounds = Grounds { manual, locked, book: self.customers.of(self.store, state), seen };
        self.assessor.assess(self.store, state, &grounds)
    }
}

fn one(
    asked: &Asked<'_>,
    order: &str,
    truth: &Truth,
    held: Option<&Held>,
    waits: Waits,
) -> Result<Compared, DbError> {
    let ours = held.map(|held| Ours {
        order_id: OrderId(held.order_id),
        state: &held.state,
        assessed: &held.assessed,
        head: &held.head,
        ledger: held.ledger.as_ref(),
        only_posted: held.only_posted,
    });
    let ours = ours.as_ref();
    Ok(match truth {
        Truth::Shown(state) => {
            let manual = held.and_then(|held| held.manual.as_ref());
            let locked = held.filter(|held| held.calculated);
            let locked = locked.map_or(vec![], |held| orders::locked_classes(&held.head.lines));
            let seen = held.and_then(|held| held.seen);
            let assessed = asked.assess(state, manual, &locked, seen)?;
            compare(order, Says::Shown { state, assessed: &assessed }, ours, waits)
        }
        Truth::Unreadable(why) => compare(order, Says::Unreadable(why), ours, waits),
        Truth::Gone => compare(order, Says::Gone, ours, waits),
        Truth::Nothing => compare(order, Says::Nothing, ours, waits),
    })
}

fn load(
    conn: &mut Conn,
    assessor: &Assessor,
    store: StoreId,
    told: &[Told],
) -> Result<(HashMap<String, Held>, CustomerBooks), DbError> {
    let ids: Vec<&str> = told.iter().map(|(order, _)| order.as_str()).collect();
    let rows = repo::orders::rows(conn, store, &ids)?;
    let mut states = orders::states_of(conn, store, &ids)?;
    let shown = told.iter().filter_map(|(_, truth)| match truth {
        Truth::Shown(state) => Some(&**state),
        _ => None,
    });
    let all: Vec<&OrderState> = states.values().chain(shown).collect();
    let customers = CustomerBooks::load(conn, assessor, store, &all)?;
    let asked = Asked { assessor, customers: &customers, store };
    let mut held = HashMap::with_capacity(rows.len());
    for row in rows {
        let state = states.remove(&row.external_id).unwrap_or_default();
        let (order, row) = (row.external_id.clone(), hold(&asked, row, state)?);
        held.insert(order, row);
    }
    Ok((held, customers))
}

fn hold(asked: &Asked<'_>, row: Row, state: OrderState) -> Result<Held, DbError> {
    let calculated = row.calculation_no > 0;
    let ledger = if calculated { Some(ledger(&row)?) } else { None };
    let lines: Vec<AssessedLine> = serde_json::from_value(row.lines)?;
    let manual = row.manual.map(DistributorId::new);
    let locked = if calculated { orders::locked_classes(&lines) } else { vec![] };
    let seen = calculated.then_some(Seen { policy_no: row.policy_no, binding_no: row.binding_no });
    let assessed = asked.assess(&state, manual.as_ref(), &locked, seen)?;
    let head = Head { status: row.status, distributor: row.distributor_id, net: row.net, lines };
    Ok(Held {
        order_id: row.order_id,
        state,
        assessed,
        head,
        ledger,
        manual,
        seen,
        calculated,
        only_posted: false,
    })
}

fn ledger(row: &Row) -> Result<Ledger, DbError> {
    let lines = row.calculated_lines.clone().map(serde_json::from_value).transpose()?;
    Ok(Ledger {
        calculations: row.calculation_no,
        entries: row.entries,
        earns: row.earns,
        distributor: row.calculated_for.clone(),
        lines: lines.unwrap_or_default(),
        pool: row.pool.unwrap_or_default(),
        paid: row.paid.unwrap_or_default(),
        breakage: row.breakage.unwrap_or_default(),
        rounding: row.rounding.unwrap_or_default(),
        events: row.events,
        payable: -row.payable,
        expense: row.expense,
        posted_breakage: -row.posted_breakage,
        posted_rounding: -row.posted_rounding,
        in_closed_period: row.in_closed_period,
    })
}

/// Who told an order is only asked of those that the store does not know.
fn mark_posted(conn: &mut Conn, held: &mut HashMap<String, Held>, told: &[Told]) -> Result<(), DbError> {
    let gone = told.iter().filter(|(_, truth)| matches!(truth, Truth::Gone));
    let gone: Vec<Uuid> = gone.filter_map(|(order, _)| Some(held.get(order)?.order_id)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let posted = repo::orders::only_posted(conn, &gone)?;
    for held in held.values_mut() {
        held.only_posted = posted.contains(&held.order_id);
    }
    Ok(())
}

/// Deliveries that are read to see which orders they are about: those that will be processed first, then parked ones.
const READ: i64 = 2000;

/// The work that is not done yet.
struct Waiting {
    orders: HashMap<Uuid, bool>,
    in_flight: HashSet<String>,
    parked: HashSet<String>,
}

impl Waiting {
    fn load(conn: &mut Conn, store: &Store, held: &HashMap<String, Held>) -> Result<Self, CompareProblem> {
        let ids: Vec<Uuid> = held.values().map(|held| held.order_id).collect();
        let orders = repo::orders::waiting(conn, &ids)?;
        let deliveries = repo::orders::waiting_deliveries(conn, store.id, READ)?;
        let flying = deliveries.values().filter(|parked| !**parked).count();
        if i64::try_from(flying).unwrap_or(READ) >= READ {
            return Err(CompareProblem::Busy(flying));
        }
        let mut waiting = Self { orders, in_flight: HashSet::new(), parked: HashSet::new() };
        let ids: Vec<Uuid> = deliveries.keys().copied().collect();
        for delivery in ingest::load(conn, &ids)? {
            let parked = deliveries.get(&delivery.id.0).copied().unwrap_or_default();
            let Ok(reports) = orders::parse_delivery(&store.platform, &delivery) else { continue };
            let about = reports.iter().filter_map(orders::order_of).map(str::to_owned);
            match parked {
                true => waiting.parked.extend(about),
                false => waiting.in_flight.extend(about),
            }
        }
        Ok(waiting)
    }

    fn of(&self, order: &str, id: Option<Uuid>) -> Waits {
        let by_id = id.and_then(|id| self.orders.get(&id));
        if by_id == Some(&false) || self.in_flight.contains(order) {
            return Waits::InFlight;
        }
        if by_id == Some(&true) || self.parked.contains(order) { Waits::Parked } else { Waits::Settled }
    }
}
