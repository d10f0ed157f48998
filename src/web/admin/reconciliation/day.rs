//! One day of a store: the way from the store's total to the ledger, what was found on it, and the reports before.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::super::desk::{Desk, nothing};
use super::super::format::{Amount, Link, Pill, When, count, grouped};
use super::super::periods::plural;
use super::super::shell::Shell;
use super::super::words;
use super::waterfall::{Waterfall, waterfall};
use super::{address, kind, state};
use crate::access::{Role, audit};
use crate::core::reconcile::Sums;
use crate::db::DbError;
use crate::ingest;
use crate::reconcile::{self, Heal, Told};
use crate::reports::Conn;
use crate::reports::reconciliation::{self as report, Difference, Head, Request};
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/reconciliation_day.html")]
pub struct DayPage {
    pub shell: Shell,
    pub store: String,
    pub day: NaiveDate,
    pub calendar: String,
    pub before: Option<Link>,
    pub after: Option<Link>,
    pub address: String,
    /// `None`: the day was never reconciled.
    pub report: Option<Shown>,
    pub asked: Option<(String, When)>,
    pub history: Vec<Past>,
    pub may_ask: bool,
}

pub struct Shown {
    pub state: Pill,
    pub number: i32,
    pub newest: bool,
    pub zone: String,
    pub starts: When,
    pub ends: When,
    pub finished: When,
    pub why: String,
    pub was_asked: bool,
    pub incomplete: Option<String>,
    pub left: String,
    pub mended: String,
    pub oldest: Option<When>,
    pub ways: Vec<Waterfall>,
    pub groups: Vec<Group>,
    pub healed: Vec<Found>,
    /// More than the page shows.
    pub more: bool,
    pub held: Vec<Waiting>,
    pub exempt: Vec<(String, String, Amount)>,
    pub in_flight: Vec<String>,
    pub in_flight_all: String,
    pub deliveries: Vec<(&'static str, String)>,
    pub sums_csv: String,
    pub differences_csv: String,
    pub json: String,
}

/// Differences of one kind.
pub struct Group {
    pub id: String,
    pub title: &'static str,
    pub about: &'static str,
    pub fix: String,
    pub rows: Vec<Found>,
}

pub struct Found {
    pub order: Link,
    pub part: String,
    pub should: Option<Amount>,
    pub is: Option<Amount>,
    pub what: String,
}

pub struct Waiting {
    pub reason: &'static str,
    pub cause: Link,
    pub orders: String,
    pub net: Amount,
    pub examples: String,
}

pub struct Past {
    pub link: Link,
    pub state: Pill,
    pub found: String,
    pub cause: String,
    pub at: When,
    pub shown: bool,
}

#[derive(Deserialize)]
pub struct Asked {
    report: Option<i32>,
}

/// Differences on one page; all of them are in the sheet.
const MOST: i64 = 500;

struct Read {
    head: Head,
    told: Told,
    sums: BTreeMap<String, Sums>,
    differences: Vec<Difference>,
}

pub async fn page(
    viewer: Viewer,
    desk: Desk,
    path: Path<(String, NaiveDate)>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let (store, day) = path.into_inner();
    let (slug, number) = (store.clone(), asked.report);
    let read = desk.read(&viewer, "reconciliation", move |conn| {
        let known = ingest::list_stores(conn)?.iter().any(|known| known.slug == slug);
        let history = report::history(conn, &slug, day)?;
        let shown = read(conn, &slug, day, number)?;
        Ok((known, history, shown, report::requested(conn, &slug, day)?))
    });
    let (shell, (known, history, shown, requested)) = read.await?;
    if !known || (number.is_some() && shown.is_none()) {
        return Err(nothing(if known { "report" } else { "store" }));
    }
    let newest = history.first().map(|head| head.report_no);
    let number = shown.as_ref().map(|read| read.head.report_no);
    let neighbour = |day: Option<NaiveDate>| day.map(|day| Link::new(address(&store, day), day.to_string()));
    let page = DayPage {
        shell,
        calendar: words::address("/admin/reconciliation", &[("store", &store)]),
        before: neighbour(day.pred_opt()),
        after: neighbour(day.succ_opt()).filter(|_| day < desk.now().date_naive()),
        address: address(&store, day),
        report: shown.map(|read| self::shown(&read, newest)),
        asked: requested.map(|Request { asked_by, asked_at }| (asked_by, When(asked_at))),
        history: history.iter().map(|head| past(head, number)).collect(),
        may_ask: viewer.role >= Role::Operator,
        store,
        day,
    };
    desk.show(&page)
}

fn read(conn: &mut Conn, store: &str, day: NaiveDate, number: Option<i32>) -> Result<Option<Read>, DbError> {
    let Some(head) = report::head(conn, store, day, number)? else { return Ok(None) };
    let (told, sums) = (head.told()?, report::sums(conn, &head)?);
    let differences = report::differences(conn, &head, 0, MOST + 1)?;
    Ok(Some(Read { head, told, sums, differences }))
}

fn shown(read: &Read, newest: Option<i32>) -> Shown {
    let Read { head, told, sums, differences } = read;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let (healed, left): (Vec<&Difference>, Vec<&Difference>) =
        differences.iter().take(most).partition(|found| found.healed);
    let number = head.report_no.to_string();
    let file = |name: &str| {
        let path = format!("{}/{name}", address(&head.store, head.day));
        words::address(&path, &[("report", &number)])
    };
    let came = &told.deliveries;
    Shown {
        state: state(&head.state, head.incomplete.is_none()),
        number: head.report_no,
        newest: newest == Some(head.report_no),
        zone: head.zone.clone(),
        starts: When(head.starts_at),
        ends: When(head.ends_at),
        finished: When(head.finished_at),
        why: why(head),
        was_asked: head.asked,
        incomplete: head.incomplete.clone(),
        left: count(head.differences.into()),
        mended: count(head.healed.into()),
        oldest: head.oldest_unexplained.map(When),
        ways: sums.iter().map(|(currency, sums)| waterfall(currency, sums)).collect(),
        groups: groups(&left),
        healed: healed.into_iter().map(found).collect(),
        more: differences.len() > most,
        held: held(sums),
        exempt: exempt(sums),
        in_flight: told.in_flight.first.iter().take(100).cloned().collect(),
        in_flight_all: if told.in_flight.all > 0 {
            grouped(&told.in_flight.all.to_string())
        } else {
            String::new()
        },
        deliveries: vec![
            ("Told, each once", count(came.unique)),
            ("Told again", count(came.repeats)),
            ("Read at the store", count(came.pulled)),
            ("Unreadable", count(came.unreadable)),
        ],
        sums_csv: file("sums.csv"),
        differences_csv: file("differences.csv"),
        json: file("report.json"),
    }
}

fn why(head: &Head) -> String {
    let cause = match head.cause.as_str() {
        "schedule" => "the day was over",
        "changed" => "orders of the day had changed",
        "again" => "it was time to look again",
        _ => "somebody asked for it",
    };
    let healing = if head.healing { "with healing" } else { "without healing" };
    format!("{cause}, {healing}, by {}", head.asked_by)
}

fn groups(differences: &[&Difference]) -> Vec<Group> {
    let mut by_kind: BTreeMap<(&str, &str), Vec<&Difference>> = BTreeMap::new();
    for found in differences {
        by_kind.entry((&found.kind, &found.fix)).or_default().push(found);
    }
    let mut groups: Vec<Group> = by_kind
        .into_iter()
        .enumerate()
        .map(|(i, ((name, fix), rows))| {
            let (title, about) = kind(name);
            let (id, fix) = (format!("kind-{i}"), fix.to_owned());
            Group { id, title, about, fix, rows: rows.into_iter().map(found).collect() }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows.len()));
    groups
}

fn found(found: &Difference) -> Found {
    let amount = |amount: Option<Decimal>| amount.map(|amount| words::amount(amount, &found.currency));
    let part = match (&found.line, &found.refund) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(refund)) => format!("refund {refund}"),
        (None, None) => String::new(),
    };
    let name = found.number.as_ref().unwrap_or(&found.external_id);
    Found {
        order: found
            .order_id
            .map_or_else(|| Link::new("", name.as_str()), |id| words::order_link(id, name.as_str())),
        part,
        should: amount(found.should),
        is: amount(found.is_now),
        what: found.what.clone(),
    }
}

fn held(sums: &BTreeMap<String, Sums>) -> Vec<Waiting> {
    let mut all = vec![];
    for (currency, sums) in sums {
        for (reason, causes) in &sums.held_by {
            for (cause, heap) in causes {
                let href = words::address("/admin/held/cause", &[("reason", reason), ("cause", cause)]);
                let examples: Vec<&str> = heap.examples.iter().map(String::as_str).collect();
                all.push(Waiting {
                    reason: words::hold(reason).0,
                    cause: Link::new(href, cause.as_str()),
                    orders: grouped(&heap.orders.to_string()),
                    net: words::amount(heap.net, currency),
                    examples: examples.join(", "),
                });
            }
        }
    }
    all
}

fn exempt(sums: &BTreeMap<String, Sums>) -> Vec<(String, String, Amount)> {
    let of = |(currency, sums): (&String, &Sums)| {
        let row = |(reason, heap): (&String, &crate::core::reconcile::Heap)| {
            let reason = words::exemption(reason).to_owned();
            (reason, grouped(&heap.orders.to_string()), words::amount(heap.net, currency))
        };
        sums.exempt_by.iter().map(row).collect::<Vec<_>>()
    };
    sums.iter().flat_map(of).collect()
}

fn past(head: &Head, shown: Option<i32>) -> Past {
    let number = head.report_no.to_string();
    let href = words::address(&address(&head.store, head.day), &[("report", &number)]);
    Past {
        link: Link::new(href, format!("Report {number}")),
        state: state(&head.state, head.incomplete.is_none()),
        found: format!(
            "{} left, {} mended",
            plural(head.differences.into(), "difference"),
            count(head.healed.into())
        ),
        cause: why(head),
        at: When(head.finished_at),
        shown: shown == Some(head.report_no),
    }
}

#[derive(Deserialize)]
pub struct Wanted {
    /// `yes`, unless only a look is wanted.
    #[serde(default)]
    heal: String,
}

pub async fn ask(
    operator: Operator,
    desk: Desk,
    path: Path<(String, NaiveDate)>,
    form: Form<Wanted>,
) -> Result<HttpResponse, Denied> {
    let (store, day) = path.into_inner();
    // Somewhere it may be tomorrow already.
    if desk.now().date_naive().succ_opt().is_some_and(|tomorrow| day > tomorrow) {
        return Err(nothing("day yet"));
    }
    let heal = if form.0.heal == "yes" { Heal::Yes } else { Heal::No };
    let (by, now, slug) = (operator.email.clone(), desk.now(), store.clone());
    let written = desk.write(move |tx| {
        let stores = ingest::list_stores(tx.conn)?;
        let Some(store) = stores.iter().find(|known| known.slug == slug) else { return Ok(false) };
        reconcile::request(tx, store.id, day, heal, &by, now)?;
        let detail = json!({"day": day, "healing": heal == Heal::Yes});
        audit::record(tx, &by, "store.reconcile", &slug, detail, now)?;
        Ok(true)
    });
    if !written.await? {
        return Err(nothing("store"));
    }
    let text =
        "Asked for. The report is here as soon as the store's day has been read; open this page again then.";
    Ok(desk.done(&address(&store, day), text))
}
