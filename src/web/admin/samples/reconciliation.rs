//! Reconciled days with sample values.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::dec;

use super::super::format::{Link, Pill, Tone};
use super::super::reconciliation::calendar::{Bad, CalendarPage, Cell, Month};
use super::super::reconciliation::day::{DayPage, Found, Group, Past, Shown, Waiting};
use super::super::reconciliation::waterfall::waterfall;
use super::{check, link, shell, usd, when};
use crate::core::reconcile::{Heap, HeldHeap, Side, Sums};

fn month(name: &str, states: &[(Tone, &str)]) -> Month {
    let cell = |number: u32| {
        let state = usize::try_from(number).ok().and_then(|at| states.get(at % 7));
        Some(Cell {
            number,
            date: format!("Friday {number} {name}"),
            state: state.filter(|(_, text)| !text.is_empty()).map(|(tone, text)| Pill::new(*tone, *text)),
            href: if number < 22 {
                format!("/admin/reconciliation/main/2026-11-{number:02}")
            } else {
                String::new()
            },
        })
    };
    let mut days = (1..=28).map(cell);
    Month { name: name.into(), weeks: (0..4).map(|_| days.by_ref().take(7).collect()).collect() }
}

fn sums() -> Sums {
    let held =
        HeldHeap { orders: 3, net: dec!(240), examples: BTreeSet::from(["1004".into(), "1007".into()]) };
    Sums {
        store: Side {
            orders: 812,
            total: dec!(64210.55),
            sold: dec!(58100),
            refunds: 9,
            given_back: dec!(410.20),
            refunded: dec!(380),
            net: dec!(57720),
        },
        ours: Side { orders: 811, net: dec!(57680), ..Side::default() },
        exempt: Heap { orders: 40, net: dec!(2800) },
        exempt_by: BTreeMap::from([("unattributed".into(), Heap { orders: 40, net: dec!(2800) })]),
        held: Heap { orders: 3, net: dec!(240) },
        held_by: BTreeMap::from([("unmapped_sku".into(), BTreeMap::from([("sku:NEW-1".into(), held)]))]),
        due: Heap { orders: 769, net: dec!(54680) },
        nothing: dec!(120),
        in_flight: Heap { orders: 1, net: dec!(70) },
        drift: dec!(40),
        off: dec!(60),
        ledger: Heap { orders: 767, net: dec!(54450) },
        in_open_periods: dec!(54450),
        expense: dec!(16335),
        payable: dec!(14000),
        breakage: dec!(2335),
        worth: dec!(54920),
        explained: dec!(54450),
        ..Sums::default()
    }
}

fn found(order: Link, part: &str) -> Found {
    Found {
        order,
        part: part.into(),
        should: Some(usd("40")),
        is: None,
        what: "the store has order 1001 of 40.00 USD net, made at 2026-11-20 09:00:00 UTC; it is not here"
            .into(),
    }
}

fn shown() -> Shown {
    Shown {
        state: Pill::new(Tone::Bad, "not ok"),
        number: 2,
        newest: false,
        zone: "America/New_York".into(),
        starts: when(0),
        ends: when(9),
        finished: when(12),
        why: "the day was over, with healing, by schedule".into(),
        was_asked: true,
        incomplete: Some("the store's API cannot be reached: 502".into()),
        left: "1".into(),
        mended: "12".into(),
        oldest: Some(when(3)),
        ways: vec![waterfall("USD", &sums()), waterfall("JPY", &Sums::default())],
        groups: vec![Group {
            id: "kind-0".into(),
            title: "Missing orders",
            about: "The store has them; nobody told us.",
            fix: "Reconcile with healing.".into(),
            rows: vec![found(Link::new("", "1001"), ""), found(link("1002"), "refund 9001")],
        }],
        healed: vec![found(link("1003"), "line 1")],
        more: true,
        held: vec![Waiting {
            reason: "SKU is not mapped",
            cause: link("sku:NEW-1"),
            orders: "3".into(),
            net: usd("240"),
            examples: "1004, 1007".into(),
        }],
        exempt: vec![("nobody is named".into(), "40".into(), usd("2800"))],
        in_flight: vec!["1009".into()],
        in_flight_all: "1".into(),
        deliveries: vec![("Told, each once", "802".into()), ("Told again", "31".into())],
        sums_csv: "/admin/reconciliation/main/2026-11-20/sums.csv?report=2".into(),
        differences_csv: "/admin/reconciliation/main/2026-11-20/differences.csv?report=2".into(),
        json: "/admin/reconciliation/main/2026-11-20/report.json?report=2".into(),
    }
}

fn day(report: Option<Shown>, may_ask: bool) -> DayPage {
    let past = |number: u32, tone, state: &str| Past {
        link: link(&format!("Report {number}")),
        state: Pill::new(tone, state),
        found: "1 difference left, 12 mended".into(),
        cause: "the day was over, with healing, by schedule".into(),
        at: when(number),
        shown: number == 2,
    };
    DayPage {
        shell: shell("reconciliation"),
        store: "main".into(),
        day: "2026-11-20".parse().unwrap(),
        calendar: "/admin/reconciliation?store=main".into(),
        before: Some(link("2026-11-19")),
        after: None,
        address: "/admin/reconciliation/main/2026-11-20".into(),
        asked: report.is_some().then(|| ("ada@example.test".into(), when(14))),
        history: if report.is_some() {
            vec![past(3, Tone::Ok, "ok"), past(2, Tone::Bad, "not ok")]
        } else {
            vec![]
        },
        report,
        may_ask,
    }
}

#[test]
fn reconciliation_pages() {
    let states = [
        (Tone::Ok, "ok"),
        (Tone::Info, "explained"),
        (Tone::Ok, "ok"),
        (Tone::Bad, "not ok"),
        (Tone::Warn, "incomplete"),
        (Tone::Ok, ""),
    ];
    let bad = Bad {
        day: link("2026-11-20"),
        state: Pill::new(Tone::Bad, "not ok"),
        differences: "1".into(),
        why: String::new(),
        at: when(12),
    };
    let calendar = |reported, bad| CalendarPage {
        shell: shell("reconciliation"),
        stores: vec![(link("main"), true), (link("shop-eu"), false)],
        months: ["September 2026", "October 2026", "November 2026"].map(|name| month(name, &states)).into(),
        earlier: "/admin/reconciliation?store=main&month=2026-08".into(),
        later: None,
        bad,
        reported,
    };
    check("reconciliation", &calendar(70, vec![bad]));
    check("reconciliation-none", &calendar(0, vec![]));
    check("reconciliation-day", &day(Some(shown()), true));
    let alone = Shown { was_asked: false, incomplete: None, newest: true, ..shown() };
    check("reconciliation-day-alone", &day(Some(alone), false));
    check("reconciliation-day-none", &day(None, true));
}
