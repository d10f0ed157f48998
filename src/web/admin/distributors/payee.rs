//! Where one distributor is paid: masked, with its history, the forms that change, release, reveal and forget it.

mod acts;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, ServiceConfig, get, post};
use askama::Template;
use chrono::{DateTime, Utc};

use super::super::desk::{Desk, nothing};
use super::super::field::Wrong;
use super::super::format::{Pill, Tone, When};
use super::super::shell::Shell;
use super::super::words;
use crate::access::{Role, Session};
use crate::core::ids::DistributorId;
use crate::core::payout::Rail;
use crate::db::{Conn, DbError};
use crate::distributors;
use crate::payees::{self, PayeeHead, TaxHead, TaxStatus, TinKind, Version};
use crate::web::session::{Denied, Viewer};

pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/distributors/{id}/payee", get().to(page))
        .route("/distributors/{id}/payee", post().to(acts::change))
        .route("/distributors/{id}/payee/release", post().to(acts::release))
        .route("/distributors/{id}/payee/tax", post().to(acts::tax))
        .route("/distributors/{id}/payee/reveal", post().to(acts::reveal))
        .route("/distributors/{id}/payee/erase", post().to(acts::erase));
}

#[derive(Template)]
#[template(path = "admin/distributor_payee.html")]
pub struct PayeePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub state: Pill,
    pub current: Option<Current>,
    pub tax: Tax,
    pub history: Vec<HistoryRow>,
    pub hold_days: u32,
    pub form: Draft,
    pub wrong: Wrong,
    /// What was asked for, shown this once.
    pub revealed: Vec<(&'static str, String)>,
    pub rails: Vec<(&'static str, &'static str)>,
    pub may_change: bool,
    pub may_reveal: bool,
}

pub struct Current {
    pub version_no: i32,
    pub paid_to: String,
    pub since: When,
    pub by: String,
    pub held_until: Option<When>,
    /// Who looks has changed it.
    pub own: bool,
}

pub struct Tax {
    pub number: String,
    pub kind: &'static str,
    pub status: &'static str,
    pub changed: Option<(When, String)>,
    pub withhold: bool,
    pub kinds: Vec<(&'static str, &'static str)>,
    pub statuses: Vec<(&'static str, &'static str)>,
}

pub struct HistoryRow {
    pub version_no: i32,
    pub paid_to: String,
    pub at: When,
    pub by: String,
    pub hold: String,
}

/// What was typed into the form and was no number of an account: those are typed again.
#[derive(Clone, Default)]
pub struct Draft {
    pub rail: String,
    pub currency: String,
    pub name: String,
    pub holder: String,
    pub country: String,
    pub account: String,
}

/// Where somebody is paid, in one line.
pub struct Summary {
    head: Option<PayeeHead>,
    tax: Option<TaxHead>,
}

impl Summary {
    pub fn of(conn: &mut Conn, id: &str) -> Result<Self, DbError> {
        let key = DistributorId::new(id);
        let head = payees::heads(conn, &[id])?.remove(&key);
        Ok(Self { head, tax: payees::tax_heads(conn, &[id])?.remove(&key) })
    }

    pub fn told(&self, now: DateTime<Utc>) -> (String, Pill) {
        let paid_to = self.head.as_ref().map_or_else(|| "Nothing recorded.".to_owned(), paid_to);
        (paid_to, self.state(now))
    }

    pub fn tax_id(&self) -> Option<String> {
        self.tax.as_ref().map(|tax| tax.masked.clone()).filter(|masked| !masked.is_empty())
    }

    fn state(&self, now: DateTime<Utc>) -> Pill {
        let held = self.head.as_ref().and_then(|head| head.held_until.filter(|_| head.is_held(now)));
        match (&self.head, held) {
            (None, _) => Pill::new(Tone::Warn, "cannot be paid"),
            (_, Some(until)) => Pill::new(Tone::Warn, format!("held until {}", When(until).minute())),
            _ => Pill::new(Tone::Ok, "can be paid"),
        }
    }
}

fn paid_to(head: &PayeeHead) -> String {
    format!("{} {}, {}", head.rail.name(), head.currency, head.masked)
}

pub async fn page(viewer: Viewer, desk: Desk, id: Path<String>) -> Result<HttpResponse, Denied> {
    show(&desk, &viewer, id.into_inner(), Told::default()).await
}

/// What a form has left to say.
#[derive(Default)]
struct Told {
    form: Draft,
    wrong: Wrong,
    revealed: Vec<(&'static str, String)>,
}

async fn show(desk: &Desk, session: &Session, id: String, told: Told) -> Result<HttpResponse, Denied> {
    let (wanted, now) = (id.clone(), desk.now());
    let read = desk.read(session, "distributors", move |conn| {
        let Some(profile) = distributors::profiles(conn, std::slice::from_ref(&wanted))?.pop() else {
            return Ok(None);
        };
        Ok(Some((profile, Summary::of(conn, &wanted)?, payees::versions(conn, &wanted)?)))
    });
    let (shell, found) = read.await?;
    let (profile, summary, versions) = found.ok_or_else(|| nothing("distributor"))?;
    let status = if told.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = PayeePage {
        shell,
        name: profile.name.unwrap_or_default(),
        state: summary.state(now),
        current: summary.head.as_ref().map(|head| current(head, session, now)),
        tax: tax(summary.tax),
        history: versions.into_iter().map(history).collect(),
        hold_days: desk.state.payees.hold_days,
        form: told.form,
        wrong: told.wrong,
        revealed: told.revealed,
        rails: rails(),
        may_change: session.role >= Role::Operator,
        may_reveal: session.role >= Role::Admin,
        id,
    };
    desk.show_as(status, &page)
}

fn current(head: &PayeeHead, session: &Session, now: DateTime<Utc>) -> Current {
    Current {
        version_no: head.version_no,
        paid_to: paid_to(head),
        since: When(head.changed_at),
        by: head.changed_by.clone(),
        held_until: head.held_until.filter(|_| head.is_held(now)).map(When),
        own: head.changed_by == session.email,
    }
}

pub fn tax(head: Option<TaxHead>) -> Tax {
    let (kind, status) = head.as_ref().map(|head| (head.kind, head.status)).unwrap_or_default();
    Tax {
        number: head.as_ref().map(|head| head.masked.clone()).unwrap_or_default(),
        kind: kind.name(),
        status: status.name(),
        changed: head.as_ref().and_then(|head| Some((When(head.changed_at?), head.changed_by.clone()?))),
        withhold: head.is_some_and(|head| head.withhold),
        kinds: TinKind::ALL.map(|kind| (kind.name(), kind_words(kind))).to_vec(),
        statuses: TaxStatus::ALL.map(|status| (status.name(), status_words(status))).to_vec(),
    }
}

fn kind_words(kind: TinKind) -> &'static str {
    match kind {
        TinKind::Unknown => "not known",
        TinKind::Ssn => "SSN, United States",
        TinKind::Ein => "EIN, United States",
        TinKind::Itin => "ITIN, United States",
        TinKind::Vat => "VAT number",
        TinKind::Foreign => "of another country",
    }
}

fn status_words(status: TaxStatus) -> &'static str {
    match status {
        TaxStatus::None => "no form",
        TaxStatus::Requested => "form asked for",
        TaxStatus::W9 => "W-9 signed",
        TaxStatus::W8 => "W-8 signed",
        TaxStatus::Mismatch => "tax office: name and number do not match",
    }
}

pub fn rails() -> Vec<(&'static str, &'static str)> {
    let words = |rail| match rail {
        Rail::Nacha => "NACHA: a bank account in the United States",
        Rail::Sepa => "SEPA: an IBAN, in euro",
        Rail::Paypal => "PayPal",
        Rail::Wise => "Wise",
        Rail::Csv => "A list for any other way",
    };
    Rail::ALL.map(|rail| (rail.name(), words(rail))).to_vec()
}

fn history(version: Version) -> HistoryRow {
    let hold = match (version.held_until, version.released_at, version.released_by) {
        (None, ..) => String::new(),
        (Some(_), Some(at), Some(by)) => format!("released {} by {by}", When(at).minute()),
        (Some(until), ..) => format!("held until {}", When(until).minute()),
    };
    let masked = if version.masked.is_empty() { "forgotten" } else { &version.masked };
    HistoryRow {
        version_no: version.version_no,
        paid_to: format!("{} {}, {masked}", version.rail, version.currency),
        at: When(version.recorded_at),
        by: version.recorded_by,
        hold,
    }
}

fn here(id: &str) -> String {
    format!("/admin/distributors/{}/payee", words::encoded(id))
}
