//! The dashboard with sample values.

use super::super::chart::speed::Speed;
use super::super::chart::{Chart, Kind, Point, Series};
use super::super::dashboard::*;
use super::super::format::{Pill, Tone};
use super::super::login::LoginPage;
use super::super::shell::Shell;
use super::{check, shell, usd, when};

fn series(name: &str, class: &'static str, kind: Kind, values: impl Iterator<Item = i64>) -> Series {
    let points = values.map(|v| Some(Point::new(v.into(), format!("{v}")))).collect();
    Series { name: name.into(), class, kind, points }
}

fn charts() -> Vec<Chart> {
    let labels: Vec<String> = (1..=30).map(|day| format!("Nov {day}")).collect();
    let wave = |base: i64, step: i64| (0..30).map(move |d| base + step * ((d * 7) % 11) + d * step / 3);
    let chart = |id, title: &str, about: &str, series| Chart {
        id,
        title: title.into(),
        about: about.into(),
        empty: "No orders yet.".into(),
        labels: labels.clone(),
        series,
        target: None,
    };
    let mut share = chart(
        "share",
        "Payout share",
        "percent of net",
        vec![series("share", "s3", Kind::Line, wave(28, 1))],
    );
    share.target = Some(Point::new(42.into(), "42 %"));
    vec![
        chart("orders", "Orders", "a day", vec![series("orders", "s1", Kind::Bar, wave(120, 13))]),
        chart(
            "money",
            "Net and commissions",
            "USD a day",
            vec![
                series("net", "s1", Kind::Line, wave(9_000, 900)),
                series("commissions", "s2", Kind::Line, wave(2_500, 300)),
            ],
        ),
        share,
    ]
}

pub fn page() -> DashboardPage {
    let figure = |label: &str, value: &str, currency: &str, under: &str| Figure {
        label: label.into(),
        value: value.into(),
        currency: currency.into(),
        under: under.into(),
        href: "/admin/orders".into(),
    };
    DashboardPage {
        shell: shell("dashboard"),
        period: Some(OpenPeriod {
            link: super::link("Period 2026-11"),
            status: Pill::new(Tone::Ok, "open"),
            starts: when(0),
            ends: when(9),
            orders: "1,204".into(),
            next: "runs until its end".into(),
        }),
        days: 30,
        currency: "USD".into(),
        currencies: vec!["USD".into(), "EUR".into()],
        figures: vec![
            figure("Orders", "5,214", "", "41 held, 97 earn nothing"),
            figure("Commissionable net", "412,904.15", "USD", "after discounts, tax and refunds"),
            figure("Commissions", "128,441.90", "USD", "in 19,872 commission events"),
            figure("Payout share", "31.1 %", "", "of commissionable net"),
        ],
        charts: charts(),
        needs: vec![
            Need {
                pill: Pill::new(Tone::Warn, "held"),
                text: "38 orders wait for a SKU mapping".into(),
                detail: "3 products of 2 stores, 4,120.00 USD net".into(),
                href: "/admin/held".into(),
                action: "Map the SKUs".into(),
            },
            Need {
                pill: Pill::new(Tone::Bad, "parked"),
                text: "1 delivery could not be processed after 8 attempts".into(),
                detail: "shop-eu · the payload is not JSON".into(),
                href: "/admin/deliveries?state=parked".into(),
                action: "Look at it".into(),
            },
        ],
        speeds: vec![
            Speed {
                name: "Webhook answered".into(),
                p50: "3.1 ms".into(),
                p99: "11.8 ms".into(),
                target: "120 ms".into(),
                verdict: Pill::new(Tone::Ok, "within target"),
                samples: "last 10,000 deliveries".into(),
            },
            Speed {
                name: "Receipt to ledger".into(),
                p50: "62 ms".into(),
                p99: "1,180 ms".into(),
                target: "500 ms".into(),
                verdict: Pill::new(Tone::Warn, "p99 above target"),
                samples: "last 10,000 orders".into(),
            },
        ],
        held: vec![
            HeldCause {
                cause: "SKU is not mapped".into(),
                orders: "38".into(),
                amounts: vec![usd("4120")],
                href: "/admin/held/unmapped_sku".into(),
            },
            HeldCause {
                cause: "Distributor is unknown".into(),
                orders: "3".into(),
                amounts: vec![usd("210.5"), usd("-12")],
                href: "/admin/held/unknown_distributor".into(),
            },
        ],
        books: vec![
            Check {
                name: "Drift".into(),
                verdict: Pill::new(Tone::Ok, "0.00"),
                detail: "commission events against postings".into(),
                at: Some(when(3)),
            },
            Check {
                name: "Verification".into(),
                verdict: Pill::new(Tone::Muted, "not run"),
                detail: "chain, balances and replay".into(),
                at: None,
            },
        ],
    }
}

#[test]
fn dashboard() {
    check("dashboard", &page());
    let quiet = DashboardPage { needs: vec![], held: vec![], charts: vec![], ..page() };
    check("dashboard-quiet", &quiet);
}

#[test]
fn login() {
    let page = LoginPage {
        shell: Shell { csrf: "c5f0".into(), ..Shell::default() },
        email: "ada@example.test".into(),
        problem: Some("That e-mail and password do not belong together.".into()),
        next: "/admin".into(),
    };
    check("login", &page);
}
