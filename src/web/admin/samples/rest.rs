//! SKUs, people, money, notices.

use super::super::code::Code;
use super::super::distributors::{
    self, Branch, DistributorPage, DistributorsPage, Node, Place, Places, Position, Standing, StatementRow,
    effect::{EarnerRow, PeriodEffect, PeriodRow, RankRow},
    moving::{Effect, MovePage, PlaceEffect, PlaceForm, Share, SponsorForm},
};
use super::super::explain::{ExplainPage, ExplainStep, Part, Way};
use super::super::field::Wrong;
use super::super::format::{Pager, Pill, Tone};
use super::super::ledger::{self, AccountRow, AccountsPage, EntryPage, LedgerPage};
use super::super::notice_list::{self, NoticesPage};
use super::super::notices::NoticePage;
use super::super::search::SearchPage;
use super::super::shell::Shell;
use super::super::skus::import::{ImportPage, RowError, Staged, StagedRow};
use super::super::skus::key::{SkuPage, Version};
use super::super::skus::{self, SkusPage, Unmapped};
use super::{check, link, shell, usd, when};

fn pager() -> Pager {
    Pager { shown: 2, first: None, next: Some("/n".into()) }
}

fn active() -> Pill {
    Pill::new(Tone::Ok, "active")
}

fn class() -> Pill {
    Pill::new(Tone::Violet, "supplement")
}

#[test]
fn sku_pages() {
    let row = |id| skus::Row {
        mapping_id: id,
        key: format!("SUPP00{id}"),
        kind: "sku".into(),
        place: "all shopify stores".into(),
        sku_id: format!("SUPP00{id}"),
        name: "Daily supplement".into(),
        category: "Health".into(),
        class: class(),
        from: (id > 1).then(|| when(0)),
        versions: "2".into(),
    };
    let page = SkusPage {
        shell: shell("skus"),
        filter: crate::reports::skus::Filter::default(),
        classes: vec!["supplement".into(), "none".into()],
        platforms: vec!["shopify", "woocommerce"],
        unmapped: vec![Unmapped {
            value: "shop-eu/sku:KIT-9".into(),
            cause: "sku:KIT-9".into(),
            title: "Travel kit".into(),
            store: "shop-eu".into(),
            orders: "38".into(),
            amounts: vec![usd("4120")],
            suggestion: "KIT-9 is mapped to “kit” on woocommerce".into(),
            href: "/admin/held/cause".into(),
        }],
        in_stores: super::catalogue::in_stores(),
        rows: vec![row(1), row(2)],
        pager: pager(),
    };
    check("skus", &page);
    let version = |id, holds: bool| Version {
        mapping_id: id,
        sku_id: "SUPP001".into(),
        name: "Daily supplement".into(),
        category: "Health".into(),
        class: class(),
        from: None,
        recorded_at: when(0),
        recorded_by: "ada@example.test".into(),
        imported: !holds,
        holds,
    };
    let sku = SkuPage {
        shell: shell("skus"),
        key: "SUPP001".into(),
        kind: "sku".into(),
        place: "all shopify stores".into(),
        mapping_id: 2,
        sku_id: "SUPP001".into(),
        name: "Daily supplement".into(),
        category: "Health".into(),
        class: "supplement".into(),
        classes: vec!["supplement".into()],
        versions: vec![version(2, true), version(1, false)],
    };
    check("sku", &sku);
    let staged = Staged {
        added: 12,
        changed: 1,
        unchanged: 4,
        releases: "38".into(),
        rows: vec![StagedRow {
            key: "shopify sku:KIT-9".into(),
            what: Pill::new(Tone::Ok, "added"),
            was: String::new(),
            is: "KIT-9, class kit".into(),
        }],
        more: 12,
        notes: vec!["Columns that are not used: x.".into()],
        errors: vec![RowError {
            column: "commission_class".into(),
            problem: "commission_class is empty".into(),
            lines: "4, 9".into(),
        }],
    };
    let import = ImportPage { shell: shell("skus"), csv: "sku_id\n".into(), staged: Some(staged) };
    check("sku-import", &import);
}

#[test]
fn distributor_pages() {
    let page = DistributorsPage {
        shell: shell("distributors"),
        filter: crate::reports::distributors::Filter::default(),
        statuses: vec!["active", "terminated"],
        rows: vec![distributors::Row {
            id: "11043".into(),
            name: "Anna Winter".into(),
            status: active(),
            sponsor: Some(link("10090")),
            rank: "gold".into(),
            country: "DE".into(),
            joined: when(0),
        }],
        pager: pager(),
    };
    check("distributors", &page);
    let node = |id: &str, children| Node {
        id: id.into(),
        name: "Ben".into(),
        status: active(),
        rank: "silver".into(),
        children,
    };
    let profile = DistributorPage {
        shell: shell("distributors"),
        id: "11043".into(),
        name: "Anna Winter".into(),
        status: active(),
        facts: vec![("Country".into(), "DE".into()), ("Tax id".into(), "****6789".into())],
        payee: ("nacha USD, US bank ****6789".into(), Pill::new(Tone::Warn, "held until 2026-11-28")),
        codes: vec![distributors::Code { code: "anna".into(), link: "https://upline.example/r/anna".into() }],
        may_change: true,
        payable: vec![usd("412.90")],
        standing: vec![Standing {
            from: None,
            status: active(),
            sponsor: Some(link("10090")),
            rank: "gold".into(),
            recorded_at: when(0),
            recorded_by: "import".into(),
        }],
        statement: vec![StatementRow {
            event_id: "0193".into(),
            at: when(3),
            order: link("#301"),
            kind: Pill::new(Tone::Ok, "earn"),
            bonus: "unilevel".into(),
            level: "1".into(),
            amount: usd("19.80"),
        }],
        pager: pager(),
        as_of: String::new(),
        upline: vec![node("10001", 2), node("10090", 1)],
        downline: Branch {
            as_of: String::new(),
            nodes: vec![node("11200", 3), node("11201", 0)],
            more: 4,
            parent: "11043".into(),
        },
        has_placement: true,
        positions: vec![Position {
            id: "11043".into(),
            place: "left".into(),
            upline: vec![place("10001", 2), place("10090", 2)],
            below: Places {
                as_of: String::new(),
                places: vec![place("11200", 2), place("11201", 0)],
                more: 0,
            },
            count: "1204".into(),
        }],
        can_move: true,
    };
    check("distributor", &profile);
    check("distributor-unplaced", &DistributorPage { positions: vec![], can_move: false, ..profile });
}

fn place(position: &str, children: usize) -> Place {
    Place {
        position: position.into(),
        side: "right".into(),
        owner: "11043".into(),
        name: "Ben".into(),
        children,
    }
}

#[test]
fn distributor_move() {
    let share = |id: &str, posted: &str, wanted: &str, difference: &str| Share {
        distributor: link(id),
        posted: usd(posted),
        wanted: usd(wanted),
        difference: usd(difference),
    };
    let periods = |of| PeriodEffect {
        of,
        problem: String::new(),
        periods: vec![PeriodRow {
            period: link("2026-11"),
            before: usd("1840.00"),
            after: usd("1790.50"),
            difference: usd("-49.50"),
        }],
        earners: vec![EarnerRow {
            distributor: link("10001"),
            period: "2026-11".into(),
            before: usd("120.00"),
            after: usd("70.50"),
            difference: usd("-49.50"),
        }],
        more_earners: 2,
        ranks: vec![RankRow {
            distributor: link("10001"),
            period: "2026-11".into(),
            before: "gold".into(),
            after: "no rank".into(),
        }],
        more_ranks: 1,
    };
    let page = MovePage {
        shell: shell("distributors"),
        id: "11043".into(),
        name: "Anna Winter".into(),
        sponsor: SponsorForm {
            sponsor: "10090".into(),
            sponsor_from: "2026-11-01".into(),
            ..SponsorForm::default()
        },
        place: PlaceForm::default(),
        wrong: Wrong::default(),
        sponsor_effect: Some(Effect {
            text: "11043 goes to sponsor 10090 from 2026-11-01 on, with everybody below.".into(),
            orders: "212".into(),
            changed: 87,
            closed: "3".into(),
            moves: vec![usd("412.90")],
            shares: vec![share("10001", "412.90", "0", "-412.90"), share("10090", "0", "400", "400")],
            more: 4,
            breakage: vec![usd("12.90")],
            periods: periods("sponsor"),
        }),
        place_effect: Some(PlaceEffect {
            text: "Position 11043 goes under 10090, left from 2026-11-01 on.".into(),
            below: "14".into(),
            periods: periods("place"),
        }),
    };
    check("distributor-move", &page);
    let wrong = Wrong::default()
        .with("sponsor", "the sponsor tree would not hold")
        .with("sponsor_from", "Choose the day from which it holds.")
        .with("side", "Write left, right or a number from 0.");
    check("distributor-move-wrong", &MovePage { wrong, sponsor_effect: None, place_effect: None, ..page });
}

#[test]
fn ledger_pages() {
    let order = super::flow::order_page();
    let page = LedgerPage {
        shell: shell("ledger"),
        filter: crate::reports::journal::Filter::default(),
        accounts: vec![("rounding".into(), "Rounding differences".into())],
        rows: vec![ledger::Row {
            link: link("commission 1"),
            at: when(3),
            order: link("#301"),
            distributors: vec![link("11043"), link("10090")],
            more: 2,
            total: usd("19.80"),
        }],
        pager: pager(),
    };
    check("ledger", &page);
    let row = AccountRow {
        number: 2100,
        name: "commission_payable".into(),
        title: "Commissions payable".into(),
        debit: None,
        credit: Some(usd("412904.15")),
    };
    check(
        "accounts",
        &AccountsPage { shell: shell("ledger"), rows: vec![row], checks: vec![usd("0"), usd("0.01")] },
    );
    let entry = EntryPage {
        shell: shell("ledger"),
        reference: "0193/1".into(),
        kind: "commission".into(),
        at: when(3),
        order: link("Order #301"),
        digest: "ab".repeat(32),
        postings: order.entries.into_iter().flat_map(|entry| entry.postings).collect(),
        total: usd("19.80"),
        events: vec![link("19.80 USD to 11043")],
    };
    check("entry", &entry);
    let step = |title: &str, sum: &str| ExplainStep {
        title: title.into(),
        text: "as the store told it".into(),
        sum: sum.into(),
        link: Some(link("delivery")),
    };
    let explain = ExplainPage {
        shell: shell("ledger"),
        event_id: "0193".into(),
        amount: usd("19.80"),
        kind: Pill::new(Tone::Ok, "earn"),
        at: when(3),
        distributor: link("11043"),
        order: link("Order #301"),
        summary: "20 % of 99.00 USD on level 1.".into(),
        steps: vec![step("The line", "110.00 − 11.00 = 99.00"), step("The rate", "99.00 × 0.20 = 19.80")],
        path: super::flow::order_page().calculation.unwrap().bonuses.remove(0).rungs,
        parts: vec![Part {
            source: link("11043 · Anna Winter"),
            place: "position 11043-2".into(),
            level: "1".into(),
            period: "2025-12".into(),
            base: "1,200".into(),
            rate: "5 %".into(),
            exact: "60".into(),
            orders: Some("/admin/orders?distributor=11043".into()),
        }],
        more_parts: "And 12 smaller parts.".into(),
        ways: vec![Way {
            source: link("11043"),
            rungs: super::flow::order_page().calculation.unwrap().bonuses.remove(0).rungs,
        }],
        snapshot: Code::json("Snapshot", r#"{"net":"99.00"}"#),
    };
    check("explain", &explain);
}

#[test]
fn notices() {
    let page = NoticePage {
        shell: Shell::default(),
        status: 404,
        title: "There is no such page".into(),
        text: "The address is wrong, or what was there is gone.".into(),
        request_id: "7c0e".into(),
    };
    check("notice", &page);
    let row = |resolved| notice_list::Row {
        severity: Pill::new(Tone::Bad, "alarm"),
        subject: "The store main is silent".into(),
        body: "No delivery since 06:12, but its API shows 14 orders.".into(),
        key: "store-silent:main".into(),
        store: Some(("main".into(), "/admin/stores/main".into())),
        raised_at: when(0),
        last_raised_at: when(1),
        times: 4,
        resolved_at: resolved,
    };
    let shell = || shell("notices");
    check("notices", &NoticesPage { shell: shell(), open: vec![row(None)], over: vec![row(Some(when(2)))] });
    check("notices_none", &NoticesPage { shell: shell(), open: vec![], over: vec![] });
    let found = SearchPage {
        shell: Shell { search: "anna".into(), ..shell() },
        groups: vec![("Distributors".into(), vec![link("11043 · Anna Winter")])],
    };
    check("search", &found);
}
