//! One batch: what an approval is about, what was done, and what may be done next.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use rust_decimal::Decimal;

use super::super::desk::{Desk, nothing};
use super::super::format::{self, Amount, Link, Pill, When};
use super::super::shell::Shell;
use super::super::words;
use super::{address, item_tone, status};
use crate::access::{Role, Session};
use crate::db::DbError;
use crate::payouts::{self, Batch, BatchStatus, Change, Deed, Item, PayeeNews, PayoutProblem, Review};
use crate::web::session::{Denied, Viewer};

/// A page with more payments is for nobody; `upline payout show --items` has all of them.
const ITEMS: usize = 500;

#[derive(Template)]
#[template(path = "admin/payout.html")]
pub struct PayoutPage {
    pub shell: Shell,
    pub address: String,
    pub number: i32,
    pub status: Pill,
    pub rail: String,
    pub purpose: String,
    pub figures: Vec<Figure>,
    /// The amount that an approval types.
    pub total: String,
    pub digest: String,
    /// Above the limits, in words.
    pub over: Vec<String>,
    /// Why payments, or all of it, cannot leave.
    pub against: Vec<String>,
    pub first: Vec<Person>,
    pub changed: Vec<Person>,
    pub movers: Vec<Mover>,
    pub left_out: Vec<LeftOut>,
    pub items: Vec<ItemRow>,
    /// How many more there are than are shown.
    pub more: usize,
    pub facts: Vec<(String, String)>,
    pub history: Vec<Done>,
    pub next: Next,
}

pub struct Figure {
    pub label: &'static str,
    pub value: String,
    pub under: String,
}

/// Somebody who was never paid before, or has another account.
pub struct Person {
    pub distributor: Link,
    pub masked: String,
    pub net: Amount,
}

pub struct Mover {
    pub distributor: Link,
    pub was: Amount,
    pub now: Amount,
    pub change: Amount,
}

pub struct LeftOut {
    pub why: &'static str,
    pub distributors: String,
    pub amount: Amount,
}

pub struct ItemRow {
    pub number: String,
    pub distributor: Link,
    pub masked: String,
    pub gross: Amount,
    pub fee: Amount,
    pub withheld: Amount,
    pub net: Amount,
    pub status: Pill,
    pub said: String,
}

pub struct Done {
    pub text: String,
    pub by: String,
    pub at: When,
}

/// What the reader may do with the batch, or why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    pub approve: bool,
    pub over_limits: bool,
    pub export: bool,
    pub sent: bool,
    pub cancel: bool,
    pub mark: bool,
    pub refused: String,
}

pub async fn page(viewer: Viewer, desk: Desk, no: Path<i32>) -> Result<HttpResponse, Denied> {
    let (no, now) = (*no, desk.now());
    let (shell, found) = desk
        .read(&viewer, "payouts", move |conn| {
            let review = match payouts::review(conn, no, now) {
                Ok(review) => review,
                Err(PayoutProblem::Db(error)) => return Err(error),
                Err(PayoutProblem::UnknownBatch(_)) => return Ok(None),
                Err(other) => return Err(DbError::Invariant(other.to_string())),
            };
            let changes = payouts::changes(conn, review.batch.batch_id)?;
            Ok(Some((review, changes)))
        })
        .await?;
    let (review, changes) = found.ok_or_else(|| nothing("payout"))?;
    desk.show(&filled(shell, &review, changes, &viewer))
}

pub fn filled(shell: Shell, review: &Review, changes: Vec<Change>, session: &Session) -> PayoutPage {
    let batch = &review.batch;
    let money = |amount: Decimal| Amount::new(amount, batch.currency);
    let person = |item: &Item| Person {
        distributor: words::distributor_link(item.distributor().as_str()),
        masked: item.masked.clone(),
        net: money(item.money.net),
    };
    PayoutPage {
        shell,
        address: address(batch.batch_no),
        number: batch.batch_no,
        status: status(batch.status),
        rail: batch.rail.name().to_owned(),
        purpose: batch.purpose.clone(),
        figures: figures(review),
        total: review.total.to_string(),
        digest: review.digest.clone(),
        over: review.over_limits.clone(),
        against: review.stopped.iter().chain(&review.blocked).cloned().collect(),
        first: review.with_news(PayeeNews::First).map(person).collect(),
        changed: review.with_news(PayeeNews::Changed).map(person).collect(),
        movers: review
            .movers
            .iter()
            .map(|mover| Mover {
                distributor: words::distributor_link(mover.distributor.as_str()),
                was: money(mover.was),
                now: money(mover.now),
                change: money(mover.now - mover.was),
            })
            .collect(),
        left_out: review
            .left_out
            .iter()
            .map(|sum| LeftOut {
                why: sum.why.told(),
                distributors: sum.distributors.to_string(),
                amount: money(sum.amount),
            })
            .collect(),
        items: review.items.iter().take(ITEMS).map(item_row).collect(),
        more: review.items.len().saturating_sub(ITEMS),
        facts: facts(review),
        history: changes.into_iter().map(done).collect(),
        next: next(batch, review, session),
    }
}

fn figures(review: &Review) -> Vec<Figure> {
    let money = |amount: Decimal| Amount::new(amount, review.batch.currency).to_string();
    let last = review.last.as_ref();
    vec![
        Figure {
            label: "Leaves",
            value: money(review.total),
            under: last.map_or_else(
                || "the first batch of its rail".to_owned(),
                |last| format!("{} by batch {}", money(last.total), last.batch_no),
            ),
        },
        Figure {
            label: "Payments",
            value: review.payments.to_string(),
            under: last.map_or_else(String::new, |last| format!("{} last time", last.payments)),
        },
        Figure { label: "Fees kept", value: money(review.fees), under: String::new() },
        Figure { label: "Tax withheld", value: money(review.withheld), under: String::new() },
    ]
}

fn item_row(item: &Item) -> ItemRow {
    let money = |amount: Decimal| Amount::new(amount, item.currency);
    ItemRow {
        number: item.item_no.to_string(),
        distributor: words::distributor_link(item.distributor().as_str()),
        masked: item.masked.clone(),
        gross: money(item.money.gross),
        fee: money(item.money.fee),
        withheld: money(item.money.withheld),
        net: money(item.money.net),
        status: Pill::new(item_tone(item.status), item.status.name()),
        said: [&item.code, &item.reason].into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
    }
}

fn facts(review: &Review) -> Vec<(String, String)> {
    let batch = &review.batch;
    let head = review.chain_head.as_ref();
    let by = |deed: &Option<Deed>| deed.as_ref().map(|deed| format!("{}, {}", deed.by, When(deed.at).utc()));
    let told = [
        ("Prepared by", by(&Some(batch.created.clone()))),
        ("Approved by", by(&batch.approved)),
        ("Arrives on", batch.value_date.map(|date| date.to_string())),
        ("Exported by", by(&batch.exported)),
        ("Sent by", by(&batch.sent)),
        ("File", batch.file.as_ref().map(|file| file.name.clone())),
        ("SHA-256 of the file", batch.file.as_ref().map(|file| file.sha256.clone())),
        ("Head of the chain", head.map(|head| format!("{} {}", head.seq, head.hash))),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn done(change: Change) -> Done {
    let reason = change.detail.get("reason").and_then(serde_json::Value::as_str);
    let items = change.detail.get("items");
    let count =
        items.and_then(|items| items.as_u64().or_else(|| u64::try_from(items.as_array()?.len()).ok()));
    let count = count.and_then(|count| i64::try_from(count).ok()).map(format::count);
    let told = [count.map(|count| format!("{count} payment(s)")), reason.map(str::to_owned)];
    let told: Vec<String> = told.into_iter().flatten().collect();
    let text =
        if told.is_empty() { change.change } else { format!("{}: {}", change.change, told.join(", ")) };
    Done { text, by: change.changed_by, at: When(change.changed_at) }
}

/// The room refuses the same; here it is said before anybody presses.
fn next(batch: &Batch, review: &Review, session: &Session) -> Next {
    let (prepares, approves) = (session.role.may_prepare_payouts(), session.role.may_approve_payouts());
    let own = batch.created.by.eq_ignore_ascii_case(&session.email);
    let over = !review.over_limits.is_empty();
    match batch.status {
        BatchStatus::Cancelled => Next::default(),
        _ if !prepares => {
            Next { refused: "Only finance and admins do anything to payouts.".to_owned(), ..Next::default() }
        }
        BatchStatus::Prepared if own || !approves => Next {
            cancel: true,
            refused: if own {
                "You prepared this batch; somebody else has to approve it.".to_owned()
            } else {
                "Your role prepares payouts; somebody who approves them goes on.".to_owned()
            },
            ..Next::default()
        },
        BatchStatus::Prepared if over && session.role != Role::Admin => Next {
            cancel: true,
            refused: "It is above the limits; only an admin approves that.".to_owned(),
            ..Next::default()
        },
        BatchStatus::Prepared => Next { approve: true, over_limits: over, cancel: true, ..Next::default() },
        BatchStatus::Approved => Next { export: true, cancel: true, ..Next::default() },
        BatchStatus::Exported => Next { export: true, sent: true, mark: approves && !own, ..Next::default() },
        BatchStatus::Sent => Next { export: true, mark: approves && !own, ..Next::default() },
    }
}
