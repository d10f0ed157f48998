//! What an admin does with periods and runs. The room decides whether it may be; its reason is shown as it is.

use actix_web::HttpResponse;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, Nothing};
use super::super::format::Tone;
use super::super::notices::sentence;
use super::{address, run_address};
use crate::db::Tx;
use crate::periods::{self, PeriodProblem, RunKind, StopLoss};
use crate::web::session::{Admin, Denied, Form};

/// One deed in one database transaction; a refusal is a value, and nothing is written.
async fn deed<T: Send + 'static>(
    admin: &Admin,
    desk: &Desk,
    work: impl Fn(&mut Tx<'_>, &str, DateTime<Utc>) -> Result<T, PeriodProblem> + Send + 'static,
) -> Result<Result<T, String>, Denied> {
    let (by, now) = (admin.email.clone(), desk.now());
    desk.write(move |tx| match work(tx, &by, now) {
        Ok(done) => Ok(Ok(done)),
        Err(PeriodProblem::Db(error)) => Err(error),
        Err(refused) => Ok(Err(refused.to_string())),
    })
    .await
}

fn answer<T>(desk: &Desk, to: &str, done: Result<T, String>, text: &str) -> HttpResponse {
    match done {
        Ok(_) => desk.done(to, text),
        Err(refused) => desk.go(to, Tone::Bad, &sentence(&refused)),
    }
}

#[derive(Deserialize)]
pub struct Waiting {
    /// Ticked by whoever does not wait for what is not processed yet.
    #[serde(default)]
    backlog: String,
}

pub async fn soft_close(
    admin: Admin,
    desk: Desk,
    name: Path<String>,
    form: Form<Waiting>,
) -> Result<HttpResponse, Denied> {
    let (name, to, with_backlog) = (name.to_string(), address(&name), !form.0.backlog.is_empty());
    let work = move |tx: &mut Tx<'_>, by: &str, now| periods::soft_close(tx, &name, with_backlog, by, now);
    let done = deed(&admin, &desk, work).await?;
    let text = "Softly closed: orders that are told from now on count in the next period.";
    Ok(answer(&desk, &to, done, text))
}

pub async fn freeze(
    admin: Admin,
    desk: Desk,
    name: Path<String>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (name, to, plans) = (name.to_string(), address(&name), desk.state.plans.clone());
    let work = move |tx: &mut Tx<'_>, by: &str, now| {
        let published = plans.get(tx.conn)?;
        periods::freeze(tx, &published, &name, by, now)
    };
    let done = deed(&admin, &desk, work).await?;
    Ok(answer(&desk, &to, done, "Frozen: every run of the period starts from the same facts now."))
}

#[derive(Deserialize)]
pub struct Why {
    #[serde(default)]
    reason: String,
}

pub async fn unfreeze(
    admin: Admin,
    desk: Desk,
    name: Path<String>,
    form: Form<Why>,
) -> Result<HttpResponse, Denied> {
    let (name, to, reason) = (name.to_string(), address(&name), form.0.reason);
    let work = move |tx: &mut Tx<'_>, by: &str, now| periods::unfreeze(tx, &name, &reason, by, now);
    let done = deed(&admin, &desk, work).await?;
    Ok(answer(&desk, &to, done, "Softly closed again; what was calculated for it is discarded."))
}

#[derive(Deserialize)]
pub struct Kind {
    kind: String,
}

pub async fn start(
    admin: Admin,
    desk: Desk,
    name: Path<String>,
    form: Form<Kind>,
) -> Result<HttpResponse, Denied> {
    let kind =
        RunKind::parse(&form.0.kind).ok_or_else(|| Denied::Form("there is no such kind".to_owned()))?;
    let (name, to, plans) = (name.to_string(), address(&name), desk.state.plans.clone());
    let work = move |tx: &mut Tx<'_>, by: &str, now| {
        let published = plans.get(tx.conn)?;
        periods::start_run(tx, &published, &name, kind, by, now)
    };
    Ok(match deed(&admin, &desk, work).await? {
        Ok(run) => desk.done(&run_address(run), "The run is queued."),
        Err(refused) => desk.go(&to, Tone::Bad, &sentence(&refused)),
    })
}

#[derive(Deserialize)]
pub struct Approval {
    /// Ticked by whoever has seen that the run is above the limit.
    #[serde(default)]
    over: String,
    /// Ticked by whoever has seen that orders are left out.
    #[serde(default)]
    left_out: String,
}

pub async fn approve(
    admin: Admin,
    desk: Desk,
    run: Path<Uuid>,
    form: Form<Approval>,
) -> Result<HttpResponse, Denied> {
    let (run, to) = (*run, run_address(*run));
    let stop_loss = StopLoss {
        most: desk.state.stop_loss,
        is_acknowledged: !form.0.over.is_empty(),
        leaves_out: !form.0.left_out.is_empty(),
    };
    let done = deed(&admin, &desk, move |tx, by, now| periods::approve(tx, run, stop_loss, by, now)).await?;
    Ok(answer(&desk, &to, done, "Approved. Posting it writes the ledger."))
}

#[derive(Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    confirm: String,
}

pub async fn post(
    admin: Admin,
    desk: Desk,
    run: Path<Uuid>,
    form: Form<Confirmed>,
) -> Result<HttpResponse, Denied> {
    let (run, to, plans) = (*run, run_address(*run), desk.state.plans.clone());
    let typed = form.0.confirm.trim().to_owned();
    let work = move |tx: &mut Tx<'_>, by: &str, now| {
        let wanted = crate::reports::periods::run(tx.conn, run)?.map(|run| run.period);
        if let Some(name) = wanted.filter(|name| *name != typed) {
            return Err(PeriodProblem::Refused(format!("type {name} to confirm; nothing was posted")));
        }
        let published = plans.get(tx.conn)?;
        periods::post(tx, &published, run, by, now)
    };
    let done = deed(&admin, &desk, work).await?;
    Ok(answer(&desk, &to, done, "Posted to the ledger."))
}

pub async fn discard(
    admin: Admin,
    desk: Desk,
    run: Path<Uuid>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (run, to) = (*run, run_address(*run));
    let done = deed(&admin, &desk, move |tx, by, now| periods::discard(tx, run, by, now)).await?;
    Ok(answer(&desk, &to, done, "Discarded."))
}
