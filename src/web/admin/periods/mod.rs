//! Periods and their runs: the list, the life of one period, the review of a run, and what the desk does with
//! them. Money is computed by the rooms; a second person approves it and a typed word posts it.

pub mod acts;
pub mod compare;
pub mod earners;
pub mod life;
pub mod one;
pub mod ranks;
pub mod review;
pub mod run;
#[cfg(test)]
pub mod testing;
pub mod told;

use actix_web::HttpResponse;
use actix_web::web::{self, Query, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::desk::Desk;
use super::format::{self, Amount, Link, Pager, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::db::DbError;
use crate::plans::Published;
use crate::reports::Conn;
use crate::reports::periods::{self as report, Period, Placed, currency};
use crate::web::session::{Denied, Viewer};
pub use told::Told;

#[derive(Template)]
#[template(path = "admin/periods.html")]
pub struct PeriodsPage {
    pub shell: Shell,
    /// Begins the first period; nobody has to, when orders came already.
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub link: Link,
    pub starts: When,
    pub ends: When,
    pub status: Pill,
    pub orders: String,
    /// Without its currency: volume is no money.
    pub cv: String,
    pub paid: Option<Amount>,
    pub share: String,
    pub held: Option<Amount>,
    pub held_orders: String,
    /// What is next, in two words.
    pub next: String,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/periods", get().to(list))
        .route("/periods/{name}", get().to(one::page))
        .route("/periods/{name}/soft-close", post().to(acts::soft_close))
        .route("/periods/{name}/freeze", post().to(acts::freeze))
        .route("/periods/{name}/unfreeze", post().to(acts::unfreeze))
        .route("/periods/{name}/run", post().to(acts::start))
        .route("/runs/{id}", get().to(run::page))
        .route("/runs/{id}/progress", get().to(run::progress))
        .route("/runs/{id}/earners", get().to(earners::list))
        .route("/runs/{id}/earners/{distributor}", get().to(earners::one))
        .route("/runs/{id}/ranks", get().to(ranks::page))
        .route("/runs/{id}/compare", get().to(compare::page))
        .route("/runs/{id}/approve", post().to(acts::approve))
        .route("/runs/{id}/post", post().to(acts::post))
        .route("/runs/{id}/discard", post().to(acts::discard))
        .route("/simulate", get().to(super::simulate::page))
        .route("/simulate", post().to(super::simulate::calculate));
}

#[derive(Deserialize)]
pub struct Asked {
    before: Option<DateTime<Utc>>,
}

async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let (before, plans) = (asked.before, desk.state.plans.clone());
    let (shell, (found, plans)) = desk
        .read(&viewer, "periods", move |conn| {
            let page = report::list(conn, before)?;
            let rows: Result<Vec<_>, DbError> =
                page.rows.into_iter().map(|period| Ok((waiting(conn, &period)?, period))).collect();
            Ok(((rows?, page.next), plans.get(conn)?))
        })
        .await?;
    let (rows, next) = found;
    let page = PeriodsPage {
        shell,
        pager: Pager {
            shown: rows.len(),
            first: before.map(|_| "/admin/periods".to_owned()),
            next: next.map(|at| words::address("/admin/periods", &[("before", &When(at).micros())])),
        },
        rows: rows.iter().map(|(placed, period)| row(period, placed.as_ref(), &plans, desk.now())).collect(),
    };
    desk.show(&page)
}

/// What a period that is not closed holds so far; a closed one has its summary.
fn waiting(conn: &mut Conn, period: &Period) -> Result<Option<Placed>, DbError> {
    match period.status.as_str() {
        "closed" => Ok(None),
        _ => report::placed(conn, period.starts_at, period.ends_at).map(Some),
    }
}

fn row(period: &Period, placed: Option<&Placed>, plans: &Published, now: DateTime<Utc>) -> Row {
    let currency = currency(plans, period.summary_plan.as_deref(), period.ends_at);
    let told = Told::of(period.summary.as_ref());
    let so_far = placed.map_or_else(String::new, |placed| format::count_up_to(placed.orders, report::ENOUGH));
    let held = placed.filter(|placed| placed.held > 0);
    Row {
        link: Link::new(address(&period.name), period.name.as_str()),
        starts: When(period.starts_at),
        ends: When(period.ends_at),
        status: status(&period.status),
        orders: told.as_ref().map_or(so_far, |told| format::count(told.orders)),
        cv: told.as_ref().map_or_else(String::new, |told| format::grouped(&format::plain(told.cv))),
        paid: told.as_ref().map(|told| words::amount(told.paid, &currency)),
        share: told.as_ref().and_then(|told| told.share).map_or_else(String::new, format::percent),
        held: held.map(|placed| words::amount(placed.held_net, &currency)),
        held_orders: held.map_or_else(String::new, |placed| plural(placed.held, "order")),
        next: next_step(&period.status, period.ends_at, now).to_owned(),
    }
}

pub fn next_step(status: &str, ends: DateTime<Utc>, now: DateTime<Utc>) -> &'static str {
    match status {
        "open" if now < ends => "runs until its end",
        "open" => "soft close",
        "soft_closed" => "freeze",
        "frozen" => "run, review, post",
        _ => "",
    }
}

pub fn address(name: &str) -> String {
    format!("/admin/periods/{}", words::encoded(name))
}

pub fn run_address(run: uuid::Uuid) -> String {
    format!("/admin/runs/{run}")
}

pub fn status(status: &str) -> Pill {
    match status {
        "open" => Pill::new(Tone::Ok, "open"),
        "soft_closed" => Pill::new(Tone::Info, "soft closed"),
        "frozen" => Pill::new(Tone::Violet, "frozen"),
        other => Pill::new(Tone::Muted, other.replace('_', " ")),
    }
}

pub fn run_status(status: &str) -> Pill {
    let tone = match status {
        "queued" | "running" => Tone::Info,
        "review" => Tone::Warn,
        "approved" => Tone::Violet,
        "posted" => Tone::Ok,
        "failed" => Tone::Bad,
        _ => Tone::Muted,
    };
    Pill::new(tone, status)
}

pub fn kind(kind: &str) -> Pill {
    let tone = match kind {
        "official" => Tone::Ok,
        "adjustment" => Tone::Violet,
        _ => Tone::Muted,
    };
    Pill::new(tone, kind)
}

/// `1 order`, `12 orders`.
pub fn plural(number: i64, thing: &str) -> String {
    format!("{} {thing}{}", format::count(number), if number == 1 { "" } else { "s" })
}

pub fn share_of(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_div(whole).map(|share| share.round_dp(4))
}
