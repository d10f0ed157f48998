//! What finance does with payouts on the pages.

use std::sync::mpsc;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, Nothing};
use super::super::format::Tone;
use super::super::notices::sentence;
use super::address;
use crate::access::{Role, Session};
use crate::core::payout::{ItemStatus, Rail};
use crate::db::{DbError, Lane, Tx};
use crate::payouts::{self, Approval, Order, PayoutProblem, Which};
use crate::rails;
use crate::settlements;
use crate::web::error::Refusal;
use crate::web::session::{Approver, Denied, Form, Preparer};

const LIST: &str = "/admin/payouts";

/// One deed in one database transaction; of one that is refused nothing is written.
async fn deed<T: Send + 'static>(
    session: &Session,
    desk: &Desk,
    work: impl Fn(&mut Tx<'_>, &str, DateTime<Utc>) -> Result<T, PayoutProblem> + Send + 'static,
) -> Result<Result<T, String>, Denied> {
    let (by, now) = (session.email.clone(), desk.now());
    let (refused, told) = mpsc::channel();
    let done = desk.state.db.transact_async(Lane::Admin, move |tx| {
        work(tx, &by, now).map_err(|problem| match problem.split() {
            Err(error) => error,
            Ok(problem) => {
                let source = std::error::Error::source(&problem).map(|source| format!(": {source}"));
                let text = format!("{problem}{}", source.unwrap_or_default());
                // Nobody listens any more once the request is gone.
                let _gone = refused.send(text.clone());
                DbError::Invariant(text)
            }
        })
    });
    match done.await {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match told.try_iter().last() {
            Some(text) => Ok(Err(text)),
            None => Err(Refusal::from(error).into()),
        },
    }
}

fn answer<T>(desk: &Desk, to: &str, done: Result<T, String>, text: &str) -> HttpResponse {
    match done {
        Ok(_) => desk.done(to, text),
        Err(refused) => desk.go(to, Tone::Bad, &sentence(&refused)),
    }
}

#[derive(Deserialize)]
pub struct NewBatch {
    rail: String,
    #[serde(default)]
    purpose: String,
}

pub async fn prepare(who: Preparer, desk: Desk, form: Form<NewBatch>) -> Result<HttpResponse, Denied> {
    let rail = Rail::parse(&form.0.rail).ok_or_else(|| Denied::Form("there is no such rail".to_owned()))?;
    let settings = &desk.state.payouts;
    let order = Order {
        rail,
        terms: settings.terms(rail).clone(),
        withholding: settings.withholding,
        purpose: form.0.purpose,
    };
    // What is held back until today is due today.
    let (db, clock) = (desk.state.db.clone(), desk.state.clock.clone());
    let settled = actix_web::web::block(move || settlements::settle(&db, &clock)).await;
    settled
        .map_err(|_| Denied::Form("settling was interrupted; try again".to_owned()))?
        .map_err(Refusal::from)?;
    let done = deed(&who, &desk, move |tx, by, now| payouts::prepare(tx, &order, by, now)).await?;
    Ok(match done {
        Ok(batch) => desk.done(&address(batch.batch_no), "Prepared. Somebody else approves it."),
        Err(refused) => desk.go(LIST, Tone::Bad, &sentence(&refused)),
    })
}

#[derive(Deserialize)]
pub struct Approved {
    digest: String,
    /// The amount, typed.
    #[serde(default)]
    total: String,
    /// Ticked by whoever has seen that it is above the limits.
    #[serde(default)]
    over: String,
}

pub async fn approve(
    who: Approver,
    desk: Desk,
    no: Path<i32>,
    form: Form<Approved>,
) -> Result<HttpResponse, Denied> {
    let (no, to, form) = (*no, address(*no), form.0);
    let over_limits = !form.over.is_empty() && who.role == Role::Admin;
    let approval = Approval { shown: form.digest, over_limits };
    let typed: Option<Decimal> = form.total.trim().replace(',', "").parse().ok();
    let work = move |tx: &mut Tx<'_>, by: &str, now: DateTime<Utc>| {
        let total = payouts::review(tx.conn, no, now)?.total;
        if typed != Some(total) {
            return Err(PayoutProblem::Refused(format!("type {total} to confirm; nothing was approved")));
        }
        payouts::approve(tx, no, &approval, by, now)
    };
    let done = deed(&who, &desk, work).await?;
    Ok(answer(&desk, &to, done, "Approved. The file can be exported."))
}

/// The file itself, once it is durable that it has left.
pub async fn export(
    who: Preparer,
    desk: Desk,
    no: Path<i32>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (no, vault) = (*no, desk.state.vault.clone());
    let done = deed(&who, &desk, move |tx, by, now| payouts::export(tx, &vault, no, by, now)).await?;
    Ok(match done {
        Err(refused) => desk.go(&address(no), Tone::Bad, &sentence(&refused)),
        Ok(exported) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, exported.file.media_type))
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", exported.file.name)))
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("X-Content-SHA256", exported.sha256))
            .body(exported.file.bytes),
    })
}

pub async fn sent(
    who: Preparer,
    desk: Desk,
    no: Path<i32>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (no, to) = (*no, address(*no));
    let done = deed(&who, &desk, move |tx, by, now| payouts::sent(tx, no, by, now)).await?;
    Ok(answer(&desk, &to, done, "The bank has the file."))
}

#[derive(Deserialize)]
pub struct Cancelled {
    #[serde(default)]
    reason: String,
    /// Numbers of payments; all of them when there are none.
    #[serde(default)]
    items: String,
}

pub async fn cancel(
    who: Preparer,
    desk: Desk,
    no: Path<i32>,
    form: Form<Cancelled>,
) -> Result<HttpResponse, Denied> {
    let (no, to, Cancelled { reason, items }) = (*no, address(*no), form.0);
    let only = numbers(&items)?;
    let work = move |tx: &mut Tx<'_>, by: &str, now| {
        let only = Some(only.as_slice()).filter(|only| !only.is_empty());
        payouts::cancel(tx, no, only, &reason, by, now)
    };
    let done = deed(&who, &desk, work).await?;
    Ok(answer(&desk, &to, done, "Taken back; the money is due again."))
}

#[derive(Deserialize)]
pub struct Marked {
    to: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    items: String,
}

pub async fn mark(
    who: Approver,
    desk: Desk,
    no: Path<i32>,
    form: Form<Marked>,
) -> Result<HttpResponse, Denied> {
    let (no, back, Marked { to, reason, items }) = (*no, address(*no), form.0);
    let to = ItemStatus::parse(&to).ok_or_else(|| Denied::Form("there is no such status".to_owned()))?;
    let which = match numbers(&items)? {
        none if none.is_empty() => Which::All,
        some => Which::Items(some),
    };
    let done =
        deed(&who, &desk, move |tx, by, now| payouts::mark(tx, (no, &which), to, &reason, by, now)).await?;
    Ok(answer(&desk, &back, done, "Noted, with the reason."))
}

/// `1204, 1207`
fn numbers(text: &str) -> Result<Vec<i64>, Denied> {
    let words = text.split([',', ' ', ';']).map(str::trim).filter(|word| !word.is_empty());
    let number =
        |word: &str| word.parse().map_err(|_| Denied::Form(format!("{word:?} is no number of a payment")));
    words.map(number).collect()
}

#[derive(Deserialize)]
pub struct Told {
    #[serde(default)]
    file: String,
}

pub async fn import(who: Preparer, desk: Desk, form: Form<Told>) -> Result<HttpResponse, Denied> {
    // A browser sends every end of a line as two signs.
    let bytes = form.0.file.replace("\r\n", "\n").into_bytes();
    let file = match rails::read(&bytes) {
        Ok(file) => file,
        Err(problem) => return Ok(desk.go(LIST, Tone::Bad, &sentence(&problem.to_string()))),
    };
    let hash = payouts::file_hash(&bytes);
    let done = deed(&who, &desk, move |tx, by, now| payouts::take_answers(tx, &file, &hash, by, now)).await?;
    Ok(match done {
        Err(refused) => desk.go(LIST, Tone::Bad, &sentence(&refused)),
        Ok(import) if import.again => {
            desk.go(LIST, Tone::Warn, "This file was taken before; nothing was done.")
        }
        Ok(import) => {
            let moved: Vec<String> =
                import.moved.iter().map(|(status, count)| format!("{count} {status}")).collect();
            let text = format!(
                "{}: {}; {} known before, {} for a person.",
                import.message_id,
                if moved.is_empty() { "no payment has gone on".to_owned() } else { moved.join(", ") },
                import.known,
                import.person.len()
            );
            desk.go(LIST, if import.person.is_empty() { Tone::Ok } else { Tone::Warn }, &text)
        }
    })
}

#[derive(Deserialize)]
pub struct Settled {
    #[serde(default)]
    note: String,
}

pub async fn settle(
    who: Preparer,
    desk: Desk,
    id: Path<Uuid>,
    form: Form<Settled>,
) -> Result<HttpResponse, Denied> {
    let (id, note) = (*id, form.0.note);
    let done = deed(&who, &desk, move |tx, by, now| payouts::settle(tx, id, &note, by, now)).await?;
    Ok(answer(&desk, LIST, done, "Settled, with the note."))
}
