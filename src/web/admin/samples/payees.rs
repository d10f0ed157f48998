//! Payout details of a distributor.

use super::super::distributors::payee::{self, Current, Draft, HistoryRow, PayeePage};
use super::super::field::Wrong;
use super::super::format::{Pill, Tone};
use super::{check, shell, when};

#[test]
fn distributor_payee() {
    let page = |current: Option<Current>, revealed| PayeePage {
        shell: shell("distributors"),
        id: "11043".into(),
        name: "Anna Winter".into(),
        state: Pill::new(Tone::Warn, "held until 2026-11-28 12:00"),
        current,
        tax: payee::tax(None),
        history: vec![HistoryRow {
            version_no: 1,
            paid_to: "nacha USD, US bank ****6789".into(),
            at: when(0),
            by: "ann@example.com".into(),
            hold: "released 2026-11-21 12:00 by bob@example.com".into(),
        }],
        hold_days: 7,
        form: Draft::default(),
        wrong: Wrong::default().with("iban", "has check digits that do not fit").with("reason", "say why"),
        revealed,
        rails: payee::rails(),
        may_change: true,
        may_reveal: true,
    };
    let current = |own| Current {
        version_no: 2,
        paid_to: "sepa EUR, IBAN DE ****3000".into(),
        since: when(1),
        by: "ann@example.com".into(),
        held_until: Some(when(2)),
        own,
    };
    check("payee", &page(Some(current(false)), vec![]));
    check("payee-revealed", &page(Some(current(true)), vec![("IBAN", "DE89370400440532013000".into())]));
    let read_only = PayeePage { may_change: false, may_reveal: false, ..page(None, vec![]) };
    let read_only = PayeePage { history: vec![], wrong: Wrong::default(), ..read_only };
    check("payee-nothing", &read_only);
}
