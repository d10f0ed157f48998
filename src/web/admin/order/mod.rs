//! The page of one order: its whole way from the first delivery to the journal.

mod diff;
mod story;
pub mod upline;

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Desk, nothing};
use super::format::{self, Amount, Link, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::access::{Role, audit};
use crate::core::assess::AssessedLine;
use crate::core::attribution::PLACE_MANUAL;
use crate::core::ids::{DistributorId, OrderId};
use crate::core::order::{LineKind, OrderSnapshot, Report};
use crate::distributors::{self, Profile};
use crate::ledger::StoredEntry;
use crate::orders;
use crate::reports::order as report;
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/order.html")]
pub struct OrderPage {
    pub shell: Shell,
    pub id: String,
    pub number: String,
    pub external_id: String,
    pub store: Link,
    pub at: When,
    pub state: Pill,
    pub net: Option<Amount>,
    pub total: Option<Amount>,
    pub commissions: Option<Amount>,
    /// Commissions as a share of net.
    pub share: String,
    /// Why it earns nothing by rule.
    pub why: String,
    pub held: Vec<Reason>,
    pub timeline: Vec<Step>,
    pub lines: Vec<Line>,
    pub closings: Vec<Closing>,
    pub revisions: Vec<Revision>,
    pub diff: Option<Diff>,
    pub attribution: Option<Attribution>,
    /// Every place that was looked at, in the store's order, and what was found there.
    pub looked: Vec<Looked>,
    /// Somebody may say who earns.
    pub can_assign: bool,
    pub calculation: Option<Calculation>,
    pub events: Vec<Event>,
    pub entries: Vec<Entry>,
}

/// Why the order waits, and where that is mended.
pub struct Reason {
    pub text: String,
    pub detail: String,
    pub fix: Link,
}

pub struct Step {
    pub pill: Pill,
    pub icon: &'static str,
    pub at: When,
    pub text: String,
    pub detail: String,
    pub link: Option<Link>,
}

/// One line of the order and how its commissionable net was made.
pub struct Line {
    pub title: String,
    pub product: String,
    pub class: Option<Pill>,
    pub mapping: Option<Link>,
    pub quantity: String,
    pub gross: Amount,
    pub discount: Amount,
    pub tax: Amount,
    pub refunded: Amount,
    pub net: Amount,
    /// Why a line that is not goods, or not mapped, earns nothing.
    pub note: String,
}

pub struct Closing {
    pub field: String,
    pub stated: Amount,
    pub computed: Amount,
    pub closes: bool,
}

pub struct Revision {
    pub number: String,
    pub at: When,
    pub seen: When,
    pub delivery: Option<Link>,
    pub text: String,
    pub compare: String,
    pub current: bool,
}

/// Two revisions side by side; only what differs.
pub struct Diff {
    pub was: String,
    pub is: String,
    pub rows: Vec<DiffRow>,
}

pub struct DiffRow {
    pub field: String,
    pub was: String,
    pub is: String,
}

pub struct Attribution {
    pub distributor: Link,
    pub place: String,
    pub value: String,
}

pub struct Looked {
    pub place: String,
    pub value: String,
    pub verdict: Pill,
}

/// The order bonuses of the newest calculation, as the upline sees them.
pub struct Calculation {
    pub plan: Link,
    pub hash: String,
    pub at: When,
    pub bonuses: Vec<Bonus>,
    pub breakage: Option<Amount>,
}

pub struct Bonus {
    pub name: String,
    pub about: String,
    pub rungs: Vec<Rung>,
}

/// One ancestor: either paid at a level or skipped, and why.
pub struct Rung {
    pub level: String,
    pub distributor: Link,
    pub standing: Pill,
    pub skipped: String,
    pub rate: String,
    pub amount: Option<Amount>,
}

pub struct Event {
    pub id: String,
    pub at: When,
    pub kind: Pill,
    pub distributor: Link,
    pub bonus: String,
    pub level: String,
    pub line: String,
    pub amount: Amount,
}

pub struct Entry {
    pub link: Link,
    pub at: When,
    pub text: String,
    pub postings: Vec<Posting>,
}

#[derive(Clone, Debug)]
pub struct Posting {
    pub account: String,
    pub distributor: Option<Link>,
    pub debit: Option<Amount>,
    pub credit: Option<Amount>,
}

#[derive(Deserialize)]
pub struct Asked {
    /// Number of the revision that is compared with the one before it.
    compare: Option<i32>,
}

/// Names by distributor id; a distributor without a name is called by the id.
pub type Names = HashMap<String, String>;

pub async fn one(
    viewer: Viewer,
    desk: Desk,
    id: Path<Uuid>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let id = id.into_inner();
    let (shell, found) = desk
        .read(&viewer, "orders", move |conn| {
            let Some(order) = report::one(conn, id)? else { return Ok(None) };
            let profiles = distributors::profiles(conn, &upline::everybody(&order)?)?;
            let plan = match order.calculations.last() {
                Some((calculation, _)) => report::plan_name(conn, &calculation.plan_hash)?,
                None => None,
            };
            Ok(Some((order, names(profiles), plan)))
        })
        .await?;
    let (order, names, plan) = found.ok_or_else(|| nothing("order"))?;
    let mut page = build(shell, &order, asked.compare)?;
    page.calculation = upline::calculation(&order, &names, plan.unwrap_or_default());
    page.can_assign = viewer.role >= Role::Operator;
    desk.show(&page)
}

pub fn names(profiles: Vec<Profile>) -> Names {
    profiles.into_iter().filter_map(|profile| Some((profile.distributor_id, profile.name?))).collect()
}

fn build(shell: Shell, order: &report::Order, compare: Option<i32>) -> Result<OrderPage, Denied> {
    let head = &order.head;
    let currency = head.currency.clone().unwrap_or_default();
    let known = head.currency.is_some();
    let paid: Decimal = order.events.iter().map(|event| event.amount).sum();
    let share = paid.checked_div(head.net).filter(|_| !order.events.is_empty());
    Ok(OrderPage {
        shell,
        id: head.order_id.to_string(),
        number: head.number.clone().unwrap_or_else(|| head.external_id.clone()),
        external_id: head.external_id.clone(),
        store: words::store_link(&head.store),
        at: When(head.ordered_at.unwrap_or(head.received_at)),
        state: words::order_state(&head.status),
        net: known.then(|| words::amount(head.net, &currency)),
        total: known.then(|| words::amount(head.total, &currency)),
        commissions: (!order.events.is_empty()).then(|| words::amount(paid, &currency)),
        share: share.map_or_else(String::new, |share| format::percent(share.round_dp(4))),
        why: head.exemptions.iter().map(|name| words::exemption(name)).collect::<Vec<_>>().join(", "),
        held: order.holds.iter().map(reason).collect(),
        timeline: story::timeline(order),
        lines: order.lines.iter().map(|told| line(told, &currency)).collect(),
        closings: snapshot(order).map_or_else(Vec::new, |snapshot| closings(snapshot, &currency)),
        revisions: order.revisions.iter().map(|told| revision(order, told)).collect(),
        diff: compare.and_then(|number| diff::against_the_one_before(order, number)),
        attribution: attribution(head),
        looked: snapshot(order).map_or_else(Vec::new, |snapshot| looked(head, snapshot)),
        can_assign: false,
        calculation: None,
        events: order.events.iter().map(event).collect(),
        entries: order.entries.iter().map(entry).collect(),
    })
}

/// The newest snapshot, which is the one that counts.
fn snapshot(order: &report::Order) -> Option<&OrderSnapshot> {
    let newest = order.revisions.iter().find(|told| Some(told.number) == order.head.newest_revision)?;
    match &newest.report {
        Report::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    }
}

fn reason(hold: &report::Hold) -> Reason {
    let (text, _, action) = words::hold(&hold.reason);
    Reason {
        text: text.to_owned(),
        detail: if hold.detail.is_empty() {
            hold.cause.clone()
        } else {
            format!("{} ({})", hold.cause, hold.detail)
        },
        fix: Link::new(super::held::cause_address(&hold.reason, &hold.cause), action),
    }
}

fn line(told: &AssessedLine, currency: &str) -> Line {
    let amount = |number| words::amount(number, currency);
    let product = &told.product;
    let keys = [("sku", &product.sku), ("variant", &product.variant_id), ("product", &product.product_id)];
    let keys = keys.iter().filter_map(|(kind, key)| Some(format!("{kind}:{}", key.as_ref()?)));
    let note = match told.kind {
        LineKind::Goods if told.estimated => {
            "what was taken back is spread over the order, until the store tells the lines"
        }
        LineKind::Goods => "",
        LineKind::GiftCard => "a gift card sold is no revenue",
        LineKind::Tip => "a tip earns nothing",
        LineKind::Other => "earns nothing",
    };
    Line {
        title: told.title.clone(),
        product: keys.collect::<Vec<_>>().join(" "),
        class: told.commission_class.as_deref().map(words::class),
        mapping: told.mapping_id.map(|id| Link::new(format!("/admin/skus/{id}"), "mapping")),
        quantity: format::plain(told.quantity),
        gross: amount(told.gross),
        discount: amount(told.discount),
        tax: amount(told.included_tax),
        refunded: amount(told.refunded),
        net: amount(told.net),
        note: note.to_owned(),
    }
}

fn closings(snapshot: &OrderSnapshot, currency: &str) -> Vec<Closing> {
    let closing = |told: &crate::core::order::Closing| Closing {
        field: told.field.clone(),
        stated: words::amount(told.stated, currency),
        computed: words::amount(told.computed, currency),
        closes: told.difference().is_zero(),
    };
    snapshot.closings.iter().map(closing).collect()
}

fn revision(order: &report::Order, told: &report::Revision) -> Revision {
    let at = match &told.report {
        Report::Snapshot(snapshot) => snapshot.updated_at,
        _ => told.received_at,
    };
    Revision {
        number: told.number.to_string(),
        at: When(at),
        seen: When(told.received_at),
        delivery: Some(words::delivery_link(told.delivery_id, told.topic.as_str())),
        text: format!("{}, {}", told.kind, told.absorbed),
        compare: match told.number {
            1 => String::new(),
            number => format!("/admin/orders/{}?compare={number}#compare", order.head.order_id),
        },
        current: Some(told.number) == order.head.newest_revision,
    }
}

fn attribution(head: &report::Head) -> Option<Attribution> {
    Some(Attribution {
        distributor: words::distributor_link(head.distributor_id.as_deref()?),
        place: head.place.clone().unwrap_or_default(),
        value: head.place_value.clone().unwrap_or_default(),
    })
}

/// The store's places in their order, and what this order says at each.
fn looked(head: &report::Head, snapshot: &OrderSnapshot) -> Vec<Looked> {
    let mut decided = head.place.as_deref() == Some(PLACE_MANUAL);
    let of_lines = snapshot.lines.iter().flat_map(|line| &line.places);
    let told: Vec<_> = snapshot.places.iter().chain(of_lines).collect();
    let mut looked = vec![];
    for place in &head.places {
        let here = told.iter().filter(|told| told.place.eq_ignore_ascii_case(place));
        let values: Vec<&str> = here.map(|told| told.value.as_str()).collect();
        let chosen = head.place.as_deref() == Some(place);
        let verdict = match () {
            () if decided => Pill::new(Tone::Muted, "not asked"),
            () if chosen => Pill::new(Tone::Ok, "names who earns"),
            () if values.is_empty() => Pill::new(Tone::Muted, "nothing there"),
            () if head.distributor_id.is_none() => Pill::new(Tone::Warn, "names nobody we know"),
            () => Pill::new(Tone::Muted, "names nobody"),
        };
        decided = decided || chosen;
        looked.push(Looked { place: place.clone(), value: values.join(", "), verdict });
    }
    looked
}

fn event(posted: &crate::commissions::StoredEvent) -> Event {
    Event {
        id: posted.event_id.to_string(),
        at: When(posted.created_at),
        kind: words::kind(&posted.kind),
        distributor: words::distributor_link(&posted.distributor_id),
        bonus: posted.bonus.clone(),
        level: posted.level.to_string(),
        line: posted.line.clone(),
        amount: words::amount(posted.amount, &posted.currency),
    }
}

/// As the ledger's pages show it too.
pub fn entry(stored: &StoredEntry) -> Entry {
    let href = format!("/admin/ledger/entries/{}/{}", stored.source, stored.number);
    let posting = |told: &crate::core::journal::Posting| {
        let amount = words::amount(told.amount.abs(), &stored.currency);
        let (debit, credit) =
            if told.amount.is_sign_negative() { (None, Some(amount)) } else { (Some(amount), None) };
        Posting {
            account: words::account(told.account).to_owned(),
            distributor: told.distributor.as_ref().map(|id| words::distributor_link(id.as_str())),
            debit,
            credit,
        }
    };
    Entry {
        link: Link::new(href, format!("Entry {}", stored.number)),
        at: When(stored.posted_at),
        text: stored.kind.clone(),
        postings: stored.postings.iter().map(posting).collect(),
    }
}

#[derive(Deserialize)]
pub struct Assignment {
    distributor: String,
}

/// A person decides who earns, whatever the payload says.
pub async fn assign(
    operator: Operator,
    desk: Desk,
    id: Path<Uuid>,
    form: Form<Assignment>,
) -> Result<HttpResponse, Denied> {
    let (id, now, by) = (id.into_inner(), desk.now(), operator.email.clone());
    let to = DistributorId::new(form.0.distributor.trim());
    let (networks, wanted) = (desk.state.networks.clone(), to.clone());
    let known = desk
        .write(move |tx| {
            if networks.get(tx.conn)?.genealogy.node(&wanted).is_none() || report::one(tx.conn, id)?.is_none()
            {
                return Ok(false);
            }
            orders::attribute_manually(tx, OrderId(id), &wanted, &by, now)?;
            let detail = serde_json::json!({"distributor": wanted.as_str()});
            audit::record(tx, &by, "order.attribute", &id.to_string(), detail, now)?;
            Ok(true)
        })
        .await?;
    let back = format!("/admin/orders/{id}");
    Ok(match known {
        true => desk.done(&back, &format!("{to} earns on this order; it is computed again.")),
        false => desk.go(&back, Tone::Bad, &format!("There is no distributor {to}.")),
    })
}
