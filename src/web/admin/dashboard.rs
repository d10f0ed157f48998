//! The first page: how much flows, how fast, what is held, whether the books agree, what needs a person now.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::chart::speed::{self, Speed};
use super::chart::{Chart, Kind, Point, Series};
use super::desk::Desk;
use super::format::{self, Amount, Link, Pill, Tone, When};
use super::reconciliation::tile;
use super::shell::Shell;
use super::words;
use crate::db::DbError;
use crate::events::{self, Backlog};
use crate::ingest;
use crate::reports::Conn;
use crate::reports::dashboard::{self as report, Day, Drift, Posted};
use crate::reports::held::{self, ByReason};
use crate::reports::periods::{self, Period, Placed};
use crate::reports::reconciliation::{self, Standing};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/dashboard.html")]
pub struct DashboardPage {
    pub shell: Shell,
    /// `7`, `30` or `90`.
    pub days: u32,
    /// The currency the money charts are drawn in, and the others that have figures.
    pub currency: String,
    pub currencies: Vec<String>,
    pub figures: Vec<Figure>,
    pub charts: Vec<Chart>,
    pub needs: Vec<Need>,
    pub speeds: Vec<Speed>,
    pub held: Vec<HeldCause>,
    pub books: Vec<Check>,
    /// The oldest period that is not closed.
    pub period: Option<OpenPeriod>,
}

pub struct OpenPeriod {
    pub link: Link,
    pub status: Pill,
    pub starts: When,
    pub ends: When,
    pub orders: String,
    pub next: String,
}

pub struct Figure {
    pub label: String,
    pub value: String,
    pub currency: String,
    pub under: String,
    pub href: String,
}

/// One thing that only a person can do.
pub struct Need {
    pub pill: Pill,
    pub text: String,
    pub detail: String,
    pub href: String,
    pub action: String,
}

pub struct HeldCause {
    pub cause: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub href: String,
}

/// One proof that the books are right, with the time of the last one.
pub struct Check {
    pub name: String,
    pub verdict: Pill,
    pub detail: String,
    pub at: Option<When>,
}

#[derive(Deserialize)]
pub struct Asked {
    days: Option<u32>,
    #[serde(default)]
    currency: String,
}

/// Entries that speed and drift are measured over.
const LATEST: i64 = 2000;

struct Found {
    days: Vec<Day>,
    until: DateTime<Utc>,
    held: Vec<ByReason>,
    posted: Posted,
    drift: Drift,
    backlog: Vec<Backlog>,
    stores: usize,
    planned: bool,
    period: Option<(Period, Placed)>,
    standing: Standing,
}

pub async fn page(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let days = asked.days.filter(|days| [7, 30, 90].contains(days)).unwrap_or(30);
    let (now, plans) = (desk.now(), desk.state.plans.clone());
    let (shell, found) = desk
        .read(&viewer, "dashboard", move |conn| {
            // A company that sold nothing lately still wants to see what it sold.
            let newest = report::newest_order(conn)?.unwrap_or(now).min(now);
            let quiet = now - newest > TimeDelta::days(i64::from(days));
            let until = if quiet { newest + TimeDelta::days(1) } else { now };
            let from = until - TimeDelta::days(i64::from(days));
            Ok(Found {
                days: report::days(conn, from, until)?,
                until,
                held: held::by_reason(conn)?,
                posted: report::receipt_to_ledger(conn, LATEST)?,
                drift: report::drift(conn, LATEST)?,
                backlog: events::backlog(conn)?,
                stores: ingest::list_stores(conn)?.len(),
                planned: plans.get(conn)?.at(now).is_some(),
                period: open_period(conn)?,
                standing: reconciliation::standing(conn, now, tile::BACK)?,
            })
        })
        .await?;
    let currencies = currencies(&found.days);
    let wanted = Some(asked.currency.clone()).filter(|code| currencies.contains(code));
    let currency = wanted.or_else(|| currencies.first().cloned()).unwrap_or_default();
    let acks = speed::quantiles(&desk.state.metrics.ack);
    let page = DashboardPage {
        figures: figures(&found.days, &currency),
        charts: charts(&found, days, &currency),
        needs: needs(&found, &shell, now),
        period: found.period.as_ref().map(|(period, placed)| period_card(period, placed, now)),
        speeds: vec![
            speed::of("Webhook answered", "since the program started", acks, 120),
            speed::of("Receipt to ledger", "newest orders", speed::posted(&found.posted), 500),
        ],
        held: held_causes(&found.held),
        books: books(&found, now),
        shell,
        days,
        currency,
        currencies,
    };
    desk.show(&page)
}

/// The one with the most orders first.
fn currencies(days: &[Day]) -> Vec<String> {
    let mut orders: BTreeMap<&str, i64> = BTreeMap::new();
    for day in days {
        *orders.entry(&day.currency).or_default() += day.orders;
    }
    let mut known: Vec<(&str, i64)> = orders.into_iter().collect();
    known.sort_by_key(|(_, orders)| std::cmp::Reverse(*orders));
    known.into_iter().map(|(code, _)| code.to_owned()).collect()
}

fn figures(days: &[Day], currency: &str) -> Vec<Figure> {
    let all = |count: fn(&Day) -> i64| format::count(days.iter().map(count).sum());
    let money = |sum: fn(&Day) -> Decimal| -> Decimal {
        days.iter().filter(|day| day.currency == currency).map(sum).sum()
    };
    let (net, paid) = (money(|day| day.net), money(|day| day.paid));
    let breakage = words::amount(money(|day| day.breakage), currency);
    let figure = |label: &str, value: String, currency: &str, under: String, href: &str| Figure {
        label: label.to_owned(),
        value,
        currency: currency.to_owned(),
        under,
        href: href.to_owned(),
    };
    let orders_under =
        format!("{} held, {} earn nothing by rule", all(|day| day.held), all(|day| day.exempt));
    vec![
        figure("Orders", all(|day| day.orders), "", orders_under, "/admin/orders"),
        figure(
            "Commissionable net",
            words::amount(net, currency).number,
            currency,
            "after discounts, tax and refunds".to_owned(),
            "/admin/orders?state=commissionable",
        ),
        figure(
            "Commissions",
            words::amount(paid, currency).number,
            currency,
            format!("and {} breakage", breakage.number),
            "/admin/ledger",
        ),
        figure(
            "Payout share",
            share(paid, net).map_or_else(|| "–".to_owned(), format::percent),
            "",
            "commissions of net".to_owned(),
            "/admin/plans",
        ),
    ]
}

fn share(paid: Decimal, net: Decimal) -> Option<Decimal> {
    paid.checked_div(net).map(|share| share.round_dp(4))
}

fn charts(found: &Found, days: u32, currency: &str) -> Vec<Chart> {
    let last = found.until.date_naive();
    let dates: Vec<NaiveDate> =
        (0..days).rev().filter_map(|back| last.checked_sub_days(Days::new(u64::from(back)))).collect();
    let labels: Vec<String> = dates.iter().map(|date| date.format("%b %-d").to_string()).collect();
    let on = |date: NaiveDate| found.days.iter().filter(move |day| day.day == date);
    let money = |sum: fn(&Day) -> Decimal| {
        let point = |date: &NaiveDate| {
            let amount: Decimal = on(*date).filter(|day| day.currency == currency).map(sum).sum();
            Some(Point::new(amount, words::amount(amount, currency).to_string()))
        };
        dates.iter().map(point).collect::<Vec<_>>()
    };
    let orders = dates.iter().map(|date| {
        let orders: i64 = on(*date).map(|day| day.orders).sum();
        Some(Point::new(orders.into(), format::count(orders)))
    });
    let shares = dates.iter().map(|date| {
        let day = on(*date).find(|day| day.currency == currency)?;
        let share = share(day.paid, day.net)?;
        Some(Point::new(share * Decimal::ONE_HUNDRED, format::percent(share)))
    });
    let chart = |id, title: &str, about: String, series| Chart {
        id,
        title: title.to_owned(),
        about,
        empty: "No orders in this time.".to_owned(),
        labels: labels.clone(),
        series,
        target: None,
    };
    let line = |name: &str, class, points| Series { name: name.to_owned(), class, kind: Kind::Line, points };
    if found.days.is_empty() {
        let nothing = |id, title| chart(id, title, String::new(), vec![]);
        return vec![
            nothing("orders", "Orders"),
            nothing("money", "Net and commissions"),
            nothing("share", "Payout share"),
        ];
    }
    let bars = Series { name: "orders".to_owned(), class: "s1", kind: Kind::Bar, points: orders.collect() };
    vec![
        chart("orders", "Orders", "by day".to_owned(), vec![bars]),
        chart(
            "money",
            "Net and commissions",
            format!("{currency} by day"),
            vec![line("net", "s1", money(|day| day.net)), line("commissions", "s2", money(|day| day.paid))],
        ),
        chart(
            "share",
            "Payout share",
            "percent of net by day".to_owned(),
            vec![line("percent of net", "s3", shares.collect())],
        ),
    ]
}

fn open_period(conn: &mut Conn) -> Result<Option<(Period, Placed)>, DbError> {
    let Some(period) = periods::current(conn)? else { return Ok(None) };
    let placed = periods::placed(conn, period.starts_at, period.ends_at)?;
    Ok(Some((period, placed)))
}

fn period_card(period: &Period, placed: &Placed, now: DateTime<Utc>) -> OpenPeriod {
    OpenPeriod {
        link: Link::new(super::periods::address(&period.name), format!("Period {}", period.name)),
        status: super::periods::status(&period.status),
        starts: When(period.starts_at),
        ends: When(period.ends_at),
        orders: format::count_up_to(placed.orders, periods::ENOUGH),
        next: super::periods::next_step(&period.status, period.ends_at, now).to_owned(),
    }
}

fn needs(found: &Found, shell: &Shell, now: DateTime<Utc>) -> Vec<Need> {
    let need = |tone, tag: &str, text: String, detail: &str, href: &str, action: &str| Need {
        pill: Pill::new(tone, tag),
        text,
        detail: detail.to_owned(),
        href: href.to_owned(),
        action: action.to_owned(),
    };
    let mut needs = vec![];
    if !shell.badges.parked.is_empty() {
        needs.push(need(
            Tone::Bad,
            "parked",
            format!("{} could not be processed, after several attempts", shell.badges.parked),
            "The payloads are safe; look at the cause and process them again.",
            "/admin/deliveries?state=parked",
            "Look at them",
        ));
    }
    for held in held_causes(&found.held) {
        let money: Vec<String> = held.amounts.iter().map(ToString::to_string).collect();
        needs.push(need(
            Tone::Warn,
            "held",
            format!("{} held: {}", held.orders, held.cause),
            &format!("{} net waits", money.join(", ")),
            &held.href,
            "Mend the cause",
        ));
    }
    needs.extend(tile::need(&found.standing));
    if let Some((period, _)) = found.period.as_ref().filter(|(period, _)| period.ends_at <= now) {
        needs.push(need(
            Tone::Info,
            "period",
            format!("Period {} has ended", period.name),
            &format!("next: {}", super::periods::next_step(&period.status, period.ends_at, now)),
            &super::periods::address(&period.name),
            "Bring it further",
        ));
    }
    // The store of the direct API is always there.
    if found.stores < 2 {
        let text = "No store is connected".to_owned();
        needs.push(need(
            Tone::Info,
            "set-up",
            text,
            "Webhooks come in per store.",
            "/admin/stores",
            "Add a store",
        ));
    }
    if !found.planned {
        let text = "No plan is effective now".to_owned();
        let detail = "Orders are held until one is.";
        needs.push(need(Tone::Info, "set-up", text, detail, "/admin/plans/check", "Publish a plan"));
    }
    needs
}

fn held_causes(held: &[ByReason]) -> Vec<HeldCause> {
    let mut causes: BTreeMap<&str, (i64, Vec<Amount>)> = BTreeMap::new();
    for row in held {
        let known = causes.entry(&row.reason).or_default();
        known.0 += row.orders;
        known.1.push(words::amount(row.net, row.currency.as_deref().unwrap_or("?")));
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, (orders, _))| std::cmp::Reverse(*orders));
    let cause = |(reason, (orders, amounts)): (&str, (i64, Vec<Amount>))| HeldCause {
        cause: words::hold(reason).0.to_owned(),
        orders: format!("{} order{}", format::count(orders), if orders == 1 { "" } else { "s" }),
        amounts,
        href: format!("/admin/held#{reason}"),
    };
    causes.into_iter().map(cause).collect()
}

fn books(found: &Found, now: DateTime<Utc>) -> Vec<Check> {
    let drift = &found.drift;
    let agreed = drift.drift.is_zero();
    let waiting: i64 = found.backlog.iter().map(|topic| topic.waiting).sum();
    let oldest = found.backlog.iter().filter_map(|topic| topic.oldest).min();
    let late = oldest.is_some_and(|oldest| now - oldest > TimeDelta::seconds(30));
    let mut books = vec![
        Check {
            name: "Drift".to_owned(),
            verdict: Pill::new(
                if agreed { Tone::Ok } else { Tone::Bad },
                drift.drift.normalize().to_string(),
            ),
            detail: format!("calculations against postings, newest {} orders", format::count(drift.orders)),
            at: Some(When(now)),
        },
        Check {
            name: "Work in the pipeline".to_owned(),
            verdict: Pill::new(if late { Tone::Warn } else { Tone::Ok }, format::count(waiting)),
            detail: "deliveries and orders that wait for their turn".to_owned(),
            at: Some(When(now)),
        },
    ];
    books.extend(tile::checks(&found.standing, now));
    books
}
