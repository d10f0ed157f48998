//! Reconciled days as programs read them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{money, plain};
use crate::core::reconcile::{Heap, Share, Side, Sums};
use crate::db::{Conn, DbError};
use crate::reports::reconciliation::{self as rows, Difference, Head};

/// A day of a store as its newest report has it, without what was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayView {
    /// Slug of the store.
    #[schema(example = "main")]
    pub store: String,
    /// The store's own day.
    #[schema(example = "2026-11-20")]
    pub day: NaiveDate,
    /// 1 for the first report of the day; the greatest counts.
    pub report_no: i32,
    /// `ok`: the store, what we were told and the ledger agree. `explained`: they agree, and what does not earn waits
    /// for a named reason. `not_ok`: a difference is left, or the day could not be read to its end.
    #[schema(example = "ok")]
    pub state: String,
    /// Why not everything of the day was read; then the state is never `ok`.
    pub incomplete: Option<String>,
    /// The store was; `false` for stores whose API we cannot call: then only what we hold is compared.
    pub store_asked: bool,
    /// Differences that are left, and those that were mended.
    pub differences: i32,
    pub healed: i32,
    pub orders_in_flight: i64,
    /// When the oldest order was made that is neither explained by the ledger nor earns nothing by rule.
    pub oldest_unexplained: Option<DateTime<Utc>>,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
}

/// One report of a day with everything that it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    #[serde(flatten)]
    pub head: DayView,
    /// IANA name: the day is one of this zone, from `starts_at` up to `ends_at`.
    #[schema(example = "America/New_York")]
    pub zone: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// What could be mended was.
    pub healing: bool,
    /// schedule, changed, again or manual.
    #[schema(example = "schedule")]
    pub cause: String,
    pub asked_by: String,
    pub deliveries: DeliveriesView,
    pub currencies: Vec<SumsView>,
    /// Orders that are still being worked on: the first thousand.
    pub in_flight: Vec<String>,
    /// What is left.
    pub found: Vec<DifferenceView>,
    /// What was found first and is mended.
    pub mended: Vec<DifferenceView>,
}

/// Deliveries that came in on the day. What was refused at the door is not stored and not counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveriesView {
    pub unique: i64,
    /// Read at the store by ourselves.
    pub pulled: i64,
    pub repeats: i64,
    pub unreadable: i64,
}

/// Orders of one side.
#[derive(Debug, Serialize, ToSchema)]
pub struct SideView {
    pub orders: u64,
    /// Everything that the customers were asked to pay.
    #[schema(example = "130.50")]
    pub total: String,
    /// Goods less discounts and tax, before refunds.
    pub sold: String,
    pub refunds: u64,
    /// All money given back, and the goods' part of it.
    pub given_back: String,
    pub refunded: String,
    pub net: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HeapView {
    pub orders: u64,
    #[schema(example = "96.92")]
    pub net: String,
}

/// Orders that wait for one cause, or earn nothing for one reason. An order with two is in both.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    #[schema(example = "unmapped_sku")]
    pub reason: String,
    #[schema(example = "sku:NEW-1")]
    pub cause: Option<String>,
    pub orders: u64,
    pub net: String,
    /// The store's own ids of the first few.
    pub examples: Vec<String>,
}

/// The sums of a day in one currency. `store.net` = exempt + held + commissionable; commissionable = nothing + in
/// flight + drift + ledger; ledger = in open + in closed periods.
#[derive(Debug, Serialize, ToSchema)]
pub struct SumsView {
    #[schema(example = "USD")]
    pub currency: String,
    /// As the store has it; as we were told, when it cannot be asked.
    pub store: SideView,
    pub ours: SideView,
    /// Earn nothing by rule: each order once, then by reason.
    pub exempt: HeapView,
    pub exempt_by: Vec<ReasonView>,
    /// Wait for a person: each order once, then by cause.
    pub held: HeapView,
    pub held_by: Vec<ReasonView>,
    /// Only a change of the order is known.
    pub awaiting: u64,
    /// By what the store says, and by what our orders stand at.
    pub commissionable: HeapView,
    pub commissionable_here: HeapView,
    /// Of it, lines that earn nothing by their class.
    pub nothing: String,
    pub in_flight: HeapView,
    /// What should earn less what does, explained by nothing; has to be 0.
    #[schema(example = "0.00")]
    pub drift: String,
    /// The same line by line without signs: nothing sets anything off.
    pub drift_without_signs: String,
    pub ledger: HeapView,
    pub in_open_periods: String,
    pub in_closed_periods: String,
    pub commission_expense: String,
    pub payable: String,
    pub breakage: String,
    pub rounding: String,
    /// The part of what should earn that the ledger explains, as a fraction; null when nothing should.
    #[schema(example = "1")]
    pub explained: Option<String>,
}

/// One thing that is not as it should be.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    #[schema(example = "missing_order")]
    pub kind: String,
    /// `evidence`: the store and what we were told. `head`: that and what the order stands at. `ledger`: that and
    /// what is posted.
    #[schema(example = "evidence")]
    pub seam: String,
    /// The store's own id of the order, and ours when we have it.
    pub external_id: String,
    pub number: Option<String>,
    pub order_id: Option<Uuid>,
    /// The store's id of the line or the refund that it is about.
    pub line: Option<String>,
    pub refund: Option<String>,
    #[schema(example = "USD")]
    pub currency: String,
    /// The store's amount; inside our books, the amount of the step before.
    pub should_be: Option<String>,
    pub is: Option<String>,
    pub what: String,
    pub what_to_do: String,
}

/// Differences in one answer; more are in the CSV.
const MOST: i64 = 50_000;

pub fn reconciled_days(
    conn: &mut Conn,
    store: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DayView>, DbError> {
    Ok(rows::days(conn, store, from, to)?.iter().map(day_view).collect())
}

/// A report of a day; the newest when no number is given.
pub fn reconciliation(
    conn: &mut Conn,
    store: &str,
    day: NaiveDate,
    number: Option<i32>,
) -> Result<Option<ReportView>, DbError> {
    let Some(head) = rows::head(conn, store, day, number)? else { return Ok(None) };
    let told = head.told()?;
    let sums = rows::sums(conn, &head)?;
    let (mended, found): (Vec<_>, Vec<_>) =
        rows::differences(conn, &head, 0, MOST)?.into_iter().partition(|found| found.healed);
    Ok(Some(ReportView {
        zone: head.zone.clone(),
        starts_at: head.starts_at,
        ends_at: head.ends_at,
        healing: head.healing,
        cause: head.cause.clone(),
        asked_by: head.asked_by.clone(),
        deliveries: DeliveriesView {
            unique: told.deliveries.unique,
            pulled: told.deliveries.pulled,
            repeats: told.deliveries.repeats,
            unreadable: told.deliveries.unreadable,
        },
        currencies: sums.iter().map(|(currency, sums)| sums_view(currency, sums)).collect(),
        in_flight: told.in_flight.first.into_iter().collect(),
        found: found.into_iter().map(difference_view).collect(),
        mended: mended.into_iter().map(difference_view).collect(),
        head: day_view(&head),
    }))
}

fn day_view(head: &Head) -> DayView {
    DayView {
        store: head.store.clone(),
        day: head.day,
        report_no: head.report_no,
        state: head.state.clone(),
        incomplete: head.incomplete.clone(),
        store_asked: head.asked,
        differences: head.differences,
        healed: head.healed,
        orders_in_flight: head.in_flight,
        oldest_unexplained: head.oldest_unexplained,
        started_at: head.started_at,
        finished_at: head.finished_at,
    }
}

fn sums_view(currency: &str, sums: &Sums) -> SumsView {
    let amount = |amount: Decimal| money(amount, Some(currency));
    let heap = |heap: &Heap| HeapView { orders: heap.orders, net: amount(heap.net) };
    let side = |side: &Side| SideView {
        orders: side.orders,
        total: amount(side.total),
        sold: amount(side.sold),
        refunds: side.refunds,
        given_back: amount(side.given_back),
        refunded: amount(side.refunded),
        net: amount(side.net),
    };
    let exempt = |(reason, heap): (&String, &Heap)| ReasonView {
        reason: reason.clone(),
        cause: None,
        orders: heap.orders,
        net: amount(heap.net),
        examples: vec![],
    };
    let share = Share { worth: sums.worth, explained: sums.explained };
    SumsView {
        currency: currency.to_owned(),
        store: side(&sums.store),
        ours: side(&sums.ours),
        exempt: heap(&sums.exempt),
        exempt_by: sums.exempt_by.iter().map(exempt).collect(),
        held: heap(&sums.held),
        held_by: held(&sums.held_by, currency),
        awaiting: sums.awaiting,
        commissionable: heap(&sums.due),
        commissionable_here: heap(&sums.due_here),
        nothing: amount(sums.nothing),
        in_flight: heap(&sums.in_flight),
        drift: amount(sums.drift),
        drift_without_signs: amount(sums.off),
        ledger: heap(&sums.ledger),
        in_open_periods: amount(sums.in_open_periods),
        in_closed_periods: amount(sums.in_closed_periods),
        commission_expense: amount(sums.expense),
        payable: amount(sums.payable),
        breakage: amount(sums.breakage),
        rounding: amount(sums.rounding),
        explained: share.ratio().map(plain),
    }
}

type Causes = BTreeMap<String, BTreeMap<String, crate::core::reconcile::HeldHeap>>;

fn held(causes: &Causes, currency: &str) -> Vec<ReasonView> {
    let all = causes.iter().flat_map(|(reason, causes)| causes.iter().map(move |cause| (reason, cause)));
    all.map(|(reason, (cause, heap))| ReasonView {
        reason: reason.clone(),
        cause: Some(cause.clone()),
        orders: heap.orders,
        net: money(heap.net, Some(currency)),
        examples: heap.examples.iter().cloned().collect(),
    })
    .collect()
}

fn difference_view(found: Difference) -> DifferenceView {
    let amount = |amount: Option<Decimal>| amount.map(|amount| money(amount, Some(&found.currency)));
    DifferenceView {
        should_be: amount(found.should),
        is: amount(found.is_now),
        kind: found.kind,
        seam: found.seam,
        external_id: found.external_id,
        number: found.number,
        order_id: found.order_id,
        line: found.line,
        refund: found.refund,
        currency: found.currency,
        what: found.what,
        what_to_do: found.fix,
    }
}
