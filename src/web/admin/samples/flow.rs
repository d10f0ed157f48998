//! Deliveries, orders, held.

use super::super::code::Code;
use super::super::deliveries::{self, Attempt, Change, DeliveriesPage, DeliveryPage};
use super::super::format::{Pager, Pill, Tone};
use super::super::held::cause::{self, BindForm, CausePage, Fix, MapForm, Preview};
use super::super::held::{Cause, Group, HeldPage};
use super::super::order::*;
use super::super::orders::{self, OrdersPage};
use super::{check, link, shell, usd, when};

const PAYLOAD: &str = r#"{"id":450789469,"name":"1001","currency":"USD","total_price":"409.94","test":false,"line_items":[{"id":466157049,"sku":"IPOD2008GREEN","quantity":1.0,"price":"199.00"}],"note_attributes":[]}"#;

#[test]
fn deliveries() {
    let row = |minute, verdict: Pill, why: &str| deliveries::Row {
        id: format!("0193-{minute}"),
        at: when(minute),
        store: link("shop-eu"),
        topic: "orders/updated".into(),
        verdict,
        why: why.into(),
        order: Some(link("#1001")),
        size: "6.2 KB".into(),
        repeats: "told 3 times".into(),
    };
    let page = DeliveriesPage {
        shell: shell("deliveries"),
        filter: crate::reports::deliveries::Filter { state: "applied".into(), ..Default::default() },
        stores: vec!["shop-eu".into(), "woo-us".into()],
        states: vec![("applied", "Applied"), ("parked", "Parked")],
        rows: vec![
            row(5, Pill::new(Tone::Ok, "applied"), ""),
            row(4, Pill::new(Tone::Muted, "superseded"), "an older snapshot than the one we have"),
            row(3, Pill::new(Tone::Bad, "unreadable"), "the payload is not JSON: expected value at line 1"),
        ],
        pager: Pager { shown: 3, first: Some("/a".into()), next: Some("/b".into()) },
    };
    check("deliveries", &page);
    check("deliveries-none", &DeliveriesPage { rows: vec![], ..page });
}

#[test]
fn delivery() {
    let page = DeliveryPage {
        shell: shell("deliveries"),
        id: "019399a0-1f6e-7cc1-8f6f-0f4d9d1f7a10".into(),
        at: when(1),
        store: link("shop-eu"),
        topic: "orders/paid".into(),
        verdict: Pill::new(Tone::Ok, "applied"),
        why: String::new(),
        facts: vec![("Platform's id".into(), "b54557e4-bdd9".into()), ("SHA-256".into(), "ab".repeat(32))],
        headers: vec![("x-shopify-topic".into(), "orders/paid".into())],
        payload: Code::json("Payload", PAYLOAD),
        size: "6.2 KB".into(),
        changes: vec![Change {
            pill: Pill::new(Tone::Ok, "applied"),
            text: "Revision 2: a snapshot of 21 Nov 08:01".into(),
            order: Some(link("#1001")),
        }],
        attempts: vec![Attempt {
            at: when(1),
            outcome: Pill::new(Tone::Ok, "applied"),
            detail: "1 order".into(),
        }],
        can_process: true,
        can_pull: true,
    };
    check("delivery", &page);
}

#[test]
fn orders() {
    let row = |number: &str, state: Pill, why: &str| orders::Row {
        id: "0193".into(),
        number: number.into(),
        store: "shop-eu".into(),
        at: when(9),
        state,
        why: why.into(),
        distributor: Some(link("11043")),
        net: Some(usd("96.92")),
        commissions: Some(usd("19.80")),
    };
    let page = OrdersPage {
        shell: shell("orders"),
        filter: crate::reports::orders::Filter::default(),
        stores: vec!["shop-eu".into()],
        states: vec![("held", "Held")],
        rows: vec![
            row("#1001", Pill::new(Tone::Ok, "commissionable"), ""),
            row("#1002", Pill::new(Tone::Warn, "held"), "SKU is not mapped"),
            row("#1003", Pill::new(Tone::Muted, "earns nothing"), "unpaid"),
        ],
        pager: Pager { shown: 3, first: None, next: Some("/b".into()) },
    };
    check("orders", &page);
}

fn rung(level: &str, name: &str, skipped: &str, amount: Option<&str>) -> Rung {
    Rung {
        level: level.into(),
        distributor: link(name),
        standing: Pill::new(if skipped.is_empty() { Tone::Ok } else { Tone::Muted }, "active"),
        skipped: skipped.into(),
        rate: "20 % of 99.00 USD, rank gold".into(),
        amount: amount.map(usd),
    }
}

fn posting(account: &str, debit: Option<&str>, credit: Option<&str>) -> Posting {
    Posting {
        account: account.into(),
        distributor: credit.map(|_| link("11043")),
        debit: debit.map(usd),
        credit: credit.map(usd),
    }
}

pub fn order_page() -> OrderPage {
    let step = |minute, icon, text: &str, tone| Step {
        pill: Pill::new(tone, ""),
        icon,
        at: when(minute),
        text: text.into(),
        detail: "in 3 ms".into(),
        link: Some(link("look")),
    };
    let line = |title: &str, net: &str| Line {
        title: title.into(),
        product: "sku:SUPP001".into(),
        class: Some(Pill::new(Tone::Violet, "supplement")),
        mapping: Some(link("supplement")),
        quantity: "2".into(),
        gross: usd("110"),
        discount: usd("11"),
        tax: usd("0"),
        refunded: usd("0"),
        net: usd(net),
        note: String::new(),
    };
    let closing = |closes| Closing {
        field: if closes { "subtotal_price" } else { "total_price" }.into(),
        stated: usd("99"),
        computed: usd("98.99"),
        closes,
    };
    OrderPage {
        shell: shell("orders"),
        id: "0193".into(),
        number: "#301".into(),
        external_id: "450789469".into(),
        store: link("shop-eu"),
        at: when(0),
        state: Pill::new(Tone::Ok, "commissionable"),
        net: Some(usd("99")),
        total: Some(usd("109.94")),
        commissions: Some(usd("24.75")),
        share: "25 %".into(),
        held: vec![],
        timeline: vec![
            step(0, "webhook", "Delivery received", Tone::Info),
            step(1, "shopping-cart", "Order recorded", Tone::Ok),
            step(2, "calculator", "Commissions calculated", Tone::Ok),
            step(3, "book-2", "Posted to the ledger", Tone::Ok),
        ],
        lines: vec![line("Daily supplement, 60 capsules", "99")],
        closings: vec![closing(true), closing(false)],
        revisions: vec![Revision {
            number: "2".into(),
            at: when(1),
            seen: when(1),
            delivery: Some(link("orders/paid")),
            text: "snapshot, applied".into(),
            compare: "/c".into(),
            current: true,
        }],
        diff: Some(Diff {
            was: "1".into(),
            is: "2".into(),
            rows: vec![DiffRow { field: "payment".into(), was: "unpaid".into(), is: "paid".into() }],
        }),
        attribution: Some(Attribution {
            distributor: link("11043"),
            place: "note_attribute:ref".into(),
            value: "ANNA".into(),
        }),
        looked: vec![Looked {
            place: "note_attribute:ref".into(),
            value: "ANNA".into(),
            verdict: Pill::new(Tone::Ok, "names who earns"),
        }],
        can_pull: true,
        can_assign: true,
        why: String::new(),
        calculation: Some(Calculation {
            plan: link("Sample plan"),
            hash: "3f2a9c81".into(),
            at: when(2),
            bonuses: vec![Bonus {
                name: "unilevel".into(),
                about: "of net, inactive distributors are skipped".into(),
                rungs: vec![
                    rung("1", "11043 · Anna", "", Some("19.80")),
                    rung("–", "10090 · Ben", "inactive", None),
                    rung("2", "10001 · Cleo", "", Some("4.95")),
                ],
            }],
            breakage: Some(usd("4.95")),
        }),
        events: vec![Event {
            id: "0193".into(),
            at: when(3),
            kind: Pill::new(Tone::Ok, "earn"),
            distributor: link("11043"),
            bonus: "unilevel".into(),
            level: "1".into(),
            line: "466157049".into(),
            amount: usd("19.80"),
        }],
        entries: vec![Entry {
            link: link("0193/1"),
            at: when(3),
            text: "commission".into(),
            postings: vec![
                posting("Commission expense", Some("19.80"), None),
                posting("Payable", None, Some("19.80")),
            ],
        }],
    }
}

#[test]
fn order() {
    check("order", &order_page());
    let reason = |text: &str| Reason { text: text.into(), detail: "sku:KIT-9".into(), fix: link("Map it") };
    let held = OrderPage {
        held: vec![reason("SKU is not mapped"), reason("Distributor is unknown")],
        state: Pill::new(Tone::Warn, "held"),
        commissions: None,
        share: String::new(),
        attribution: None,
        calculation: None,
        events: vec![],
        entries: vec![],
        ..order_page()
    };
    check("order-held", &held);
}

#[test]
fn held() {
    let waiting = |product: &str| Cause {
        cause: product.into(),
        detail: "Travel kit".into(),
        orders: "38".into(),
        amounts: vec![usd("4120")],
        oldest: when(0),
        href: "/admin/held/cause".into(),
        action: "Map it".into(),
    };
    let page = HeldPage {
        shell: shell("held"),
        orders: "41".into(),
        amounts: vec![usd("4330.50")],
        groups: vec![Group {
            reason: "unmapped_sku".into(),
            title: "SKU is not mapped".into(),
            about: "No mapping says what this product is.".into(),
            causes: vec![waiting("sku:KIT-9"), waiting("variant:43729076")],
        }],
    };
    check("held", &page);
    check("held-none", &HeldPage { groups: vec![], ..page });
}

#[test]
fn causes() {
    let page = |fix, preview| CausePage {
        shell: shell("held"),
        title: "SKU is not mapped".into(),
        about: "No mapping says what this product is.".into(),
        reason: "unmapped_sku".into(),
        cause: "sku:KIT-9".into(),
        orders: "38".into(),
        amounts: vec![usd("4120")],
        fix,
        preview,
        problem: Some("There is no distributor 99.".into()),
        rows: vec![cause::Row {
            order: link("#1002"),
            store: "shop-eu".into(),
            at: Some(when(0)),
            detail: "Travel kit".into(),
            others: "Distributor is unknown".into(),
            net: Some(usd("108.42")),
        }],
        pager: Pager { shown: 1, first: None, next: None },
    };
    let map = MapForm {
        classes: vec!["supplement".into(), "none".into()],
        places: vec![(String::new(), "everywhere".into())],
        ..MapForm::default()
    };
    let preview = Preview {
        text: "sku:KIT-9 becomes KIT-9 of class supplement in all shopify stores, always.".into(),
        orders: "38".into(),
        amounts: vec![usd("4011.58")],
        still_held: "1".into(),
        fields: vec![("sku_id", "KIT-9".into()), ("class", "supplement".into())],
    };
    check("cause-map", &page(Fix::Map(map), Some(preview)));
    check(
        "cause-bind",
        &page(Fix::Bind(BindForm { about: "Say who ANNA is.".into(), distributor: "".into() }), None),
    );
    let text = "The store's own figures do not add up; a corrected delivery releases the order.".into();
    check("cause-elsewhere", &page(Fix::Elsewhere { text, link: Some(link("Deliveries")) }, None));
}
