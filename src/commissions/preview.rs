//! What a move in the sponsor tree does to order bonuses that are posted: seen before it is done, then done.
//!
//! Reached are the orders from the day of the move on, at or below the moved distributor, of periods that are
//! neither frozen nor closed. Their lines, plan and everybody's locked standing stay as they are; only the upline
//! is read anew. A move alone leaves posted orders alone. With a recalculation each reached order is given the
//! moved context and is calculated again: the difference is posted as for any other revision.
//!
//! What the move does to the bonuses of the period itself is not here: `periods::move_effect` tells it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::consumer::Totals;
use super::repo::{self, Before, moves};
use super::snapshot::{CalcSnapshot, Context};
use super::target::Standings;
use crate::core::engine::{
    Calculation, CommissionLine, CommissionOrder, UplineMember, calculate_order, difference, take_upline,
};
use crate::core::genealogy::{Genealogy, Node};
use crate::core::ids::DistributorId;
use crate::core::plan::Plan;
use crate::db::{Conn, DbError, Tx};
use crate::distributors::{self, MoveProblem, Networks, SponsorMove};
use crate::events::{self, Topic};
use crate::plans::{Plans, Published};

/// What moves are looked up in.
#[derive(Clone, Copy)]
pub struct Books<'a> {
    pub networks: &'a Networks,
    pub plans: &'a Plans,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct MovePreview {
    /// Orders of open periods that the move reaches.
    pub orders: usize,
    /// Of those: orders that would pay others, or other amounts.
    pub changed: usize,
    /// Orders of frozen and closed periods; they stay as they are posted.
    pub closed: usize,
    /// Who loses and who gains, by currency and distributor.
    pub shares: Vec<Share>,
    /// What nobody earns any more, or somebody does now, by currency.
    pub breakage: Vec<(String, Decimal)>,
    #[serde(skip)]
    moved: Vec<(Uuid, i32, Context)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    pub distributor: DistributorId,
    pub currency: String,
    /// On the orders that change.
    pub posted: Decimal,
    pub wanted: Decimal,
}

impl Share {
    pub fn difference(&self) -> Decimal {
        self.wanted - self.posted
    }
}

impl MovePreview {
    /// What goes from some distributors to others, by currency.
    pub fn from_losers(&self) -> BTreeMap<&str, Decimal> {
        let mut lost: BTreeMap<&str, Decimal> = BTreeMap::new();
        for share in self.shares.iter().filter(|share| share.difference() < Decimal::ZERO) {
            *lost.entry(&share.currency).or_default() -= share.difference();
        }
        lost
    }
}

/// Orders of which the database is asked at once.
const PAGE: usize = 500;

/// What the move would change, without doing it.
pub fn preview_move(
    conn: &mut Conn,
    books: Books<'_>,
    wanted: &SponsorMove,
) -> Result<MovePreview, MoveProblem> {
    let network = books.networks.get(conn)?;
    let moved = wanted.applied(&network.genealogy)?;
    let published = books.plans.get(conn)?;
    Ok(effect(conn, &moved, &published, wanted)?)
}

/// Records the move. With `recalculate` the orders that it reaches are sent through the calculation again, under
/// the moved tree; what comes of it is what is answered.
pub fn move_sponsor(
    tx: &mut Tx<'_>,
    plans: &Plans,
    wanted: &SponsorMove,
    recalculate: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<MovePreview, MoveProblem> {
    if recalculate {
        // An order that is being calculated with the tree of before would be missed.
        moves::hold_calculations(tx.conn)?;
    }
    let moved = distributors::move_sponsor(tx, wanted, by, now)?;
    let published = plans.get(tx.conn)?;
    let preview = effect(tx.conn, &moved, &published, wanted)?;
    if recalculate {
        let contexts: Vec<_> =
            preview.moved.iter().map(|(order, no, context)| (*order, *no, context)).collect();
        for page in contexts.chunks(PAGE) {
            moves::insert_contexts(tx.conn, page, by, now)?;
        }
        let orders: Vec<_> = preview.moved.iter().map(|(order, ..)| (*order, now)).collect();
        events::publish(tx, Topic::OrderRecorded, &orders)?;
    }
    Ok(preview)
}

fn effect(
    conn: &mut Conn,
    moved: &Genealogy,
    published: &Published,
    wanted: &SponsorMove,
) -> Result<MovePreview, DbError> {
    let Some(node) = moved.node(&wanted.distributor) else { return Ok(MovePreview::default()) };
    let ids: Vec<&str> = moved.ever_below(node).into_iter().map(|below| moved.id(below)).collect();
    let mut reached = moves::orders_since(conn, wanted.from, &ids)?;
    reached.retain(|order| is_below(moved, order, node));
    let found = reached.len();
    reached.retain(|order| !order.is_closed);
    let mut sums = Sums::default();
    for page in reached.chunks(PAGE) {
        let orders: Vec<Uuid> = page.iter().map(|order| order.order_id).collect();
        let mut before = repo::before(conn, &orders)?;
        let volumes = volumes(conn, moved, published, &before)?;
        for order in page {
            let Some(before) = before.remove(&order.order_id) else { continue };
            sums.add(order, before, (moved, published), volumes.get(&order.order_id))?;
        }
    }
    Ok(sums.told(reached.len(), found - reached.len()))
}

/// At the order's own time.
fn is_below(genealogy: &Genealogy, order: &moves::Reached, above: Node) -> bool {
    let node = genealogy.node(&DistributorId::new(order.distributor_id.as_str()));
    node.is_some_and(|node| genealogy.upline_at(node, order.ordered_at).any(|(member, _)| member == above))
}

/// Personal volumes of those who come into an upline, where the plan asks for them.
fn volumes(
    conn: &mut Conn,
    moved: &Genealogy,
    published: &Published,
    before: &HashMap<Uuid, Before>,
) -> Result<HashMap<Uuid, Standings>, DbError> {
    let mut asked = vec![];
    for (order, before) in before {
        let Some(context) = before.snapshot.as_ref().map(|snapshot| &snapshot.context) else { continue };
        let Some(plan) = published.by_hash(context.plan_hash).filter(|plan| plan.needs_pv()) else {
            continue;
        };
        let Some((since, _)) = plan.period().bounds(context.ordered_at) else { continue };
        let Some(node) = moved.node(&context.attributed.distributor) else { continue };
        let upline = moved.upline_at(node, context.ordered_at).map(|(member, _)| moved.id(member));
        let fresh = upline.filter(|id| locked(context, id).is_none());
        asked.extend(fresh.map(|id| (*order, id.to_owned(), since, context.ordered_at)));
    }
    repo::personal_volumes(conn, &asked)
}

fn locked<'c>(context: &'c Context, id: &str) -> Option<&'c UplineMember> {
    context.upline.iter().find(|member| member.distributor.as_str() == id)
}

/// The context with the upline of the moved tree. Whoever was in the upline keeps the standing that was locked.
fn moved_context(
    context: &Context,
    plan: &Plan,
    genealogy: &Genealogy,
    volumes: Option<&Standings>,
) -> Option<Context> {
    let node = genealogy.node(&context.attributed.distributor)?;
    let seller = Some(node).filter(|_| plan.needs_enrolment());
    let members = genealogy.upline_at(node, context.ordered_at).map(|(member, standing)| {
        let id = genealogy.id(member);
        locked(context, id).cloned().unwrap_or_else(|| {
            let distributor = DistributorId::new(id);
            UplineMember {
                pv: volumes.and_then(|volumes| volumes.get(&distributor)).copied().unwrap_or_default(),
                distributor,
                status: standing.status,
                rank: standing.rank.map(str::to_owned),
                enrolled: standing.enrolled,
                enrolled_at: seller.filter(|seller| *seller == member).and_then(|m| genealogy.enrolled_at(m)),
            }
        })
    });
    let upline = take_upline(plan, context.ordered_at, members);
    (upline != context.upline).then(|| Context { upline, ..context.clone() })
}

/// The order's locked lines under another context. `None`: it stands at zero.
fn calculate(
    store: &str,
    snapshot: &CalcSnapshot,
    plan: &Plan,
    context: &Context,
) -> Result<Option<Calculation>, DbError> {
    let Some(stood) = &snapshot.calculation else { return Ok(None) };
    let lines: Vec<CommissionLine> = snapshot.lines.iter().filter_map(CommissionLine::of_line).collect();
    let order =
        CommissionOrder { currency: stood.currency, ordered_at: context.ordered_at, store, lines: &lines };
    let calculation = calculate_order(plan, &order, &context.upline)
        .map_err(|refusal| DbError::Invariant(format!("the engine refuses: {refusal}")))?;
    Ok(Some(calculation))
}

/// What all orders come to.
#[derive(Default)]
struct Sums {
    changed: usize,
    /// By currency and distributor: posted and wanted.
    shares: BTreeMap<(String, DistributorId), (Decimal, Decimal)>,
    breakage: BTreeMap<String, Decimal>,
    moved: Vec<(Uuid, i32, Context)>,
}

impl Sums {
    fn add(
        &mut self,
        order: &moves::Reached,
        before: Before,
        (genealogy, published): (&Genealogy, &Published),
        volumes: Option<&Standings>,
    ) -> Result<(), DbError> {
        let Some(snapshot) = before.snapshot else { return Ok(()) };
        // Somebody else earns on it by now: it is calculated anew, with another context, already.
        if snapshot.context.attributed.distributor.as_str() != order.distributor_id {
            return Ok(());
        }
        let hash = snapshot.context.plan_hash;
        let plan =
            published.by_hash(hash).ok_or_else(|| DbError::Damaged(format!("plan {hash} is not stored")))?;
        let Some(context) = moved_context(&snapshot.context, plan, genealogy, volumes) else { return Ok(()) };
        if let Some(calculation) = calculate(&order.store, &snapshot, plan, &context)? {
            self.compare(&calculation, &before.awards, before.totals);
        }
        self.moved.push((order.order_id, order.calculation_no, context));
        Ok(())
    }

    fn compare(&mut self, wanted: &Calculation, posted: &[crate::core::engine::PostedAward], totals: Totals) {
        if difference(posted, &wanted.awards).is_empty() {
            return;
        }
        self.changed += 1;
        let currency = wanted.currency.to_string();
        for award in posted {
            self.shares.entry((currency.clone(), award.distributor.clone())).or_default().0 += award.amount;
        }
        for award in &wanted.awards {
            self.shares.entry((currency.clone(), award.distributor.clone())).or_default().1 += award.amount;
        }
        *self.breakage.entry(currency).or_default() += Totals::of(Some(wanted)).breakage - totals.breakage;
    }

    fn told(self, orders: usize, closed: usize) -> MovePreview {
        let share =
            |((currency, distributor), (posted, wanted))| Share { distributor, currency, posted, wanted };
        let shares = self.shares.into_iter().map(share).filter(|share| !share.difference().is_zero());
        MovePreview {
            orders,
            changed: self.changed,
            closed,
            shares: shares.collect(),
            breakage: self.breakage.into_iter().filter(|(_, amount)| !amount.is_zero()).collect(),
            moved: self.moved,
        }
    }
}
