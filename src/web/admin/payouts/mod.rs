//! Payouts: batches of payments, what an approval is about, and what the desk does with them. The room decides whether
//! it may be; its reason is shown as it is.

pub mod acts;
pub mod one;

use actix_web::HttpResponse;
use actix_web::web::{self, Query, get, post};
use askama::Template;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::desk::Desk;
use super::format::{Amount, Link, Pager, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::access::Session;
use crate::core::payout::{ItemStatus, Rail};
use crate::payouts::{self, Batch, BatchStatus, Count, Item, OpenAnswer};
use crate::web::session::{Denied, Viewer};

const ON_A_PAGE: i64 = 25;
const WAITING: i64 = 50;

#[derive(Template)]
#[template(path = "admin/payouts.html")]
pub struct PayoutsPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub pager: Pager,
    pub answers: Vec<Waiting>,
    pub unknown: Vec<UnknownRow>,
    pub rails: Vec<RailRow>,
    pub may_prepare: bool,
}

pub struct Row {
    pub link: Link,
    pub rail: String,
    pub status: Pill,
    pub purpose: String,
    pub total: Amount,
    /// How many payments stand where.
    pub items: Vec<Pill>,
    pub by: String,
    pub at: When,
}

/// An answer of a bank that fits nothing.
pub struct Waiting {
    pub id: String,
    pub why: String,
    pub from: String,
    pub item: Option<Link>,
    pub at: When,
}

pub struct UnknownRow {
    pub item: Link,
    pub distributor: Link,
    pub net: Amount,
    pub since: When,
}

/// What holds on a rail, where a batch can be prepared.
pub struct RailRow {
    pub name: &'static str,
    pub text: String,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/payouts", get().to(list))
        .route("/payouts/prepare", post().to(acts::prepare))
        .route("/payouts/import", post().to(acts::import))
        .route("/payouts/answers/{id}", post().to(acts::settle))
        .route("/payouts/{no}", get().to(one::page))
        .route("/payouts/{no}/approve", post().to(acts::approve))
        .route("/payouts/{no}/export", post().to(acts::export))
        .route("/payouts/{no}/sent", post().to(acts::sent))
        .route("/payouts/{no}/cancel", post().to(acts::cancel))
        .route("/payouts/{no}/mark", post().to(acts::mark));
}

#[derive(Deserialize)]
pub struct Asked {
    before: Option<i32>,
}

async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let before = asked.before;
    let (shell, (batches, counts, answers, unknown)) = desk
        .read(&viewer, "payouts", move |conn| {
            let batches = payouts::batches(conn, before, ON_A_PAGE)?;
            let numbers: Vec<i32> = batches.iter().map(|batch| batch.batch_no).collect();
            let counts = payouts::counts(conn, &numbers)?;
            Ok((batches, counts, payouts::open_answers(conn, WAITING)?, payouts::unknown(conn, WAITING)?))
        })
        .await?;
    let last = batches.last().filter(|_| i64::try_from(batches.len()).is_ok_and(|shown| shown == ON_A_PAGE));
    let page = PayoutsPage {
        shell,
        pager: Pager {
            shown: batches.len(),
            first: before.map(|_| "/admin/payouts".to_owned()),
            next: last.map(|last| format!("/admin/payouts?before={}", last.batch_no)),
        },
        rows: batches.iter().map(|batch| row(batch, &counts)).collect(),
        answers: answers.into_iter().map(waiting).collect(),
        unknown: unknown.iter().map(unknown_row).collect(),
        rails: rails(&desk),
        may_prepare: may_prepare(&viewer),
    };
    desk.show(&page)
}

fn rails(desk: &Desk) -> Vec<RailRow> {
    let told = |rail: Rail| {
        let terms = desk.state.payouts.terms(rail);
        let text = format!("{}, {} or more, fee {}", terms.currency, terms.minimum, terms.fee);
        RailRow { name: rail.name(), text }
    };
    Rail::ALL.into_iter().map(told).collect()
}

pub fn may_prepare(session: &Session) -> bool {
    session.role.may_prepare_payouts()
}

fn row(batch: &Batch, counts: &[Count]) -> Row {
    let of: Vec<&Count> = counts.iter().filter(|count| count.batch_no == batch.batch_no).collect();
    let total: Decimal = of.iter().filter(|count| count.status != "cancelled").map(|count| count.net).sum();
    let pill = |count: &&Count| match ItemStatus::parse(&count.status) {
        Some(status) => Pill::new(item_tone(status), format!("{} {}", count.items, count.status)),
        None => Pill::new(Tone::Muted, count.items.to_string()),
    };
    Row {
        link: Link::new(address(batch.batch_no), format!("Batch {}", batch.batch_no)),
        rail: batch.rail.name().to_owned(),
        status: status(batch.status),
        purpose: batch.purpose.clone(),
        total: Amount::new(total, batch.currency),
        items: of.iter().map(pill).collect(),
        by: batch.created.by.clone(),
        at: When(batch.created.at),
    }
}

fn waiting(answer: OpenAnswer) -> Waiting {
    Waiting {
        id: answer.answer_id.to_string(),
        from: format!("{} {}", answer.format, answer.message_id),
        item: answer.batch_no.zip(answer.item_no).map(|(batch, item)| item_link(batch, item)),
        why: answer.why,
        at: When(answer.received_at),
    }
}

fn unknown_row(item: &Item) -> UnknownRow {
    UnknownRow {
        item: item_link(item.batch_no, item.item_no),
        distributor: words::distributor_link(item.distributor().as_str()),
        net: Amount::new(item.money.net, item.currency),
        since: When(item.changed_at),
    }
}

fn item_link(batch: i32, item: i64) -> Link {
    Link::new(address(batch), format!("Payment {item}"))
}

pub fn address(batch_no: i32) -> String {
    format!("/admin/payouts/{batch_no}")
}

pub fn status(status: BatchStatus) -> Pill {
    let tone = match status {
        BatchStatus::Prepared => Tone::Warn,
        BatchStatus::Approved => Tone::Violet,
        BatchStatus::Exported => Tone::Info,
        BatchStatus::Sent => Tone::Ok,
        BatchStatus::Cancelled => Tone::Muted,
    };
    Pill::new(tone, status.name())
}

pub fn item_tone(status: ItemStatus) -> Tone {
    match status {
        ItemStatus::Prepared => Tone::Warn,
        ItemStatus::Approved => Tone::Violet,
        ItemStatus::Exported | ItemStatus::Sent => Tone::Info,
        ItemStatus::Confirmed => Tone::Ok,
        ItemStatus::Returned | ItemStatus::Unknown => Tone::Bad,
        ItemStatus::Cancelled => Tone::Muted,
    }
}
