//! Payouts: the list, and a batch at its steps.

use super::super::format::{Pager, Pill, Tone};
use super::super::payouts::one::{Done, Figure, ItemRow, LeftOut, Mover, Next, PayoutPage, Person};
use super::super::payouts::{PayoutsPage, RailRow, Row, UnknownRow, Waiting};
use super::{check, link, shell, usd, when};

#[test]
fn the_list() {
    let page = |rows, waits: bool, may_prepare| PayoutsPage {
        shell: shell("payouts"),
        rows,
        pager: Pager { shown: 1, first: None, next: Some("/n".into()) },
        answers: if waits { vec![answer()] } else { vec![] },
        unknown: if waits { vec![unknown()] } else { vec![] },
        rails: vec![RailRow { name: "nacha", text: "USD, 10.00 or more, fee 0".into() }],
        may_prepare,
    };
    let row = Row {
        link: link("Batch 7"),
        rail: "nacha".into(),
        status: Pill::new(Tone::Warn, "prepared"),
        purpose: "Commission 2026-10".into(),
        total: usd("41230.5"),
        items: vec![Pill::new(Tone::Warn, "412 prepared")],
        by: "ada@example.test".into(),
        at: when(4),
    };
    check("payouts", &page(vec![row], true, true));
    check("payouts-empty", &page(vec![], false, false));
}

fn answer() -> Waiting {
    Waiting {
        id: "0199".into(),
        why: "it names no payout of ours".into(),
        from: "camt.053 STMT-1".into(),
        item: Some(link("Payment 1204")),
        at: when(2),
    }
}

fn unknown() -> UnknownRow {
    UnknownRow { item: link("Payment 1204"), distributor: link("11043"), net: usd("12.4"), since: when(1) }
}

#[test]
fn one_batch() {
    let full = |next| PayoutPage {
        shell: shell("payouts"),
        address: "/admin/payouts/7".into(),
        number: 7,
        status: Pill::new(Tone::Warn, "prepared"),
        rail: "nacha".into(),
        purpose: "Commission 2026-10".into(),
        figures: vec![Figure {
            label: "Leaves",
            value: "41,230.50 USD".into(),
            under: "40,000.00 USD by batch 6".into(),
        }],
        total: "41230.50".into(),
        digest: "ab".repeat(32),
        over: vec!["the batch of 41230.50 is above its limit of 40000".into()],
        against: vec!["distributor 11043 has changed the bank details since (payout 1204)".into()],
        first: vec![person()],
        changed: vec![person()],
        movers: vec![Mover {
            distributor: link("11043"),
            was: usd("10"),
            now: usd("412.9"),
            change: usd("402.9"),
        }],
        left_out: vec![LeftOut { why: "below the minimum", distributors: "7".into(), amount: usd("31.2") }],
        items: vec![ItemRow {
            number: "1204".into(),
            distributor: link("11043"),
            masked: "US bank ****1234".into(),
            gross: usd("500"),
            fee: usd("0.25"),
            withheld: usd("86.85"),
            net: usd("412.9"),
            status: Pill::new(Tone::Bad, "returned"),
            said: "R03 No account".into(),
        }],
        more: 12,
        facts: vec![("Prepared by".into(), "ada@example.test".into())],
        history: vec![Done {
            text: "prepared: 412 payment(s)".into(),
            by: "ada@example.test".into(),
            at: when(4),
        }],
        next,
    };
    let approve = Next { approve: true, over_limits: true, cancel: true, ..Next::default() };
    check("payout", &full(approve));
    let left = Next { export: true, sent: true, mark: true, ..Next::default() };
    check("payout-exported", &full(left));
    let bare = PayoutPage {
        first: vec![],
        changed: vec![],
        movers: vec![],
        left_out: vec![],
        more: 0,
        next: Next {
            refused: "You prepared this batch; somebody else has to approve it.".into(),
            ..Next::default()
        },
        ..full(Next::default())
    };
    check("payout-own", &bare);
}

fn person() -> Person {
    Person { distributor: link("11043"), masked: "US bank ****1234".into(), net: usd("412.9") }
}
