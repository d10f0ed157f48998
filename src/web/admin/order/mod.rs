//! The page of one order: its whole way from the first delivery to the journal.

mod build;
mod diff;
mod story;
pub mod upline;

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Desk, nothing};
use super::format::{Amount, Link, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::access::{Role, audit};
use crate::connections;
use crate::core::attribution::PLACE_MANUAL;
use crate::core::ids::{DistributorId, OrderId};
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
    /// Its store can be read, and the reader may ask for that.
    pub can_pull: bool,
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

impl Attribution {
    /// A person decided; no place of the payload did.
    fn is_by_hand(&self) -> bool {
        self.place == PLACE_MANUAL
    }
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
            let connected = connections::connection(conn, &order.head.store)?.is_some();
            Ok(Some((order, names(profiles), plan, connected)))
        })
        .await?;
    let (order, names, plan, connected) = found.ok_or_else(|| nothing("order"))?;
    let mut page = build::page(shell, &order, asked.compare)?;
    page.calculation = upline::calculation(&order, &names, plan.unwrap_or_default());
    page.can_assign = viewer.role >= Role::Operator;
    page.can_pull = connected && viewer.role >= Role::Operator;
    desk.show(&page)
}

pub fn names(profiles: Vec<Profile>) -> Names {
    profiles.into_iter().filter_map(|profile| Some((profile.distributor_id, profile.name?))).collect()
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
