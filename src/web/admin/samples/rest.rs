//! What decides, money, set-up.

use super::super::code::Code;
use super::super::distributors::{
    self, Branch, DistributorPage, DistributorsPage, Node, Standing, StatementRow,
};
use super::super::explain::{ExplainPage, ExplainStep};
use super::super::format::{Pager, Pill, Tone};
use super::super::ledger::{AccountRow, AccountsPage, EntryPage, LedgerPage};
use super::super::notices::NoticePage;
use super::super::plans::{self, CheckPage, Checked, PlanPage, PlansPage, Problem, Publication, Section};
use super::super::search::SearchPage;
use super::super::settings::{AuditRow, SettingsPage, Token, User};
use super::super::shell::Shell;
use super::super::skus::import::{ImportPage, RowError, Staged, StagedRow};
use super::super::skus::key::{SkuPage, Version};
use super::super::skus::{self, SkusPage, Unmapped};
use super::super::stores::{self, NewStore, Secret, StorePage, StoresPage};
use super::{check, link, shell, usd, when};

const PLAN: &str = "# Sample\nname = \"Sample\"\ncurrency = \"USD\"\n\n[[bonus]]\nrate = 0.20\n";

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
        facts: vec![("Country".into(), "DE".into()), ("Tax id".into(), "••• 789".into())],
        codes: vec!["anna".into()],
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
    };
    check("distributor", &profile);
}

fn sections() -> Vec<Section> {
    vec![Section {
        title: "Unilevel".into(),
        text: vec!["Paid on net, up to 3 levels; inactive distributors are skipped.".into()],
        head: vec!["Rank".into(), "Level 1".into(), "Level 2".into()],
        rows: vec![vec!["silver".into(), "10 %".into(), "5 %".into()]],
    }]
}

#[test]
fn plan_pages() {
    let rows = vec![plans::Row {
        hash: "3f2a".repeat(16),
        name: "Sample plan".into(),
        state: Pill::new(Tone::Ok, "effective"),
        effective_from: Some(when(0)),
        published_by: "ada".into(),
        created_at: when(0),
    }];
    check("plans", &PlansPage { shell: shell("plans"), rows });
    let plan = PlanPage {
        shell: shell("plans"),
        hash: "3f2a".repeat(16),
        name: "Sample plan".into(),
        state: Pill::new(Tone::Ok, "effective"),
        facts: vec![("Currency".into(), "USD".into())],
        sections: sections(),
        source: Code::toml("Plan document", PLAN, &[]),
        publications: vec![Publication {
            effective_from: when(0),
            published_at: when(0),
            published_by: "ada".into(),
        }],
        problem: Some("Type the plan's name to publish it.".into()),
    };
    check("plan", &plan);
    let checked = |problems: Vec<Problem>| CheckPage {
        shell: shell("plans"),
        document: PLAN.into(),
        checked: Some(Checked {
            source: Code::toml("Document", PLAN, &[6]),
            problems,
            hash: "3f2a".repeat(16),
            known: false,
            sections: sections(),
        }),
    };
    check("plan-sound", &checked(vec![]));
    let problem = Problem { line: Some(6), text: "bonus 1 has no levels".into() };
    check("plan-problems", &checked(vec![problem]));
}

#[test]
fn ledger_pages() {
    let order = super::flow::order_page();
    let page = LedgerPage {
        shell: shell("ledger"),
        filter: crate::reports::journal::Filter::default(),
        accounts: vec![("rounding".into(), "Rounding differences".into())],
        entries: super::flow::order_page().entries,
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
        snapshot: Code::json("Snapshot", r#"{"net":"99.00"}"#),
    };
    check("explain", &explain);
}

#[test]
fn set_up_pages() {
    let rows = vec![stores::Row {
        slug: "shop-eu".into(),
        name: "Shop Europe".into(),
        platform: "shopify".into(),
        state: active(),
        last_delivery: Some(when(0)),
        secrets: 1,
    }];
    check("stores", &StoresPage { shell: shell("stores"), rows, form: NewStore::default(), problem: None });
    let secret =
        |number, retired: bool| Secret { number, created_at: when(0), retired_at: retired.then(|| when(9)) };
    let store = |secrets| StorePage {
        shell: shell("stores"),
        slug: "shop-eu".into(),
        name: "Shop Europe".into(),
        platform: "shopify".into(),
        state: active(),
        webhook_url: "https://upline.example.test/webhooks/shop-eu".into(),
        steps: vec!["Open Settings, Notifications, Webhooks.".into()],
        attribution: vec!["note_attribute:ref".into(), "discount_code".into()],
        secrets,
        last_delivery: None,
        fresh_secret: Some("s3cr3t".into()),
        problem: None,
    };
    check("store", &store(vec![secret(2, false), secret(1, true)]));
    check("store-rotating", &store(vec![secret(2, false), secret(1, false)]));
    let settings = SettingsPage {
        shell: shell("settings"),
        users: vec![User {
            id: 2,
            email: "ben@example.test".into(),
            role: Pill::new(Tone::Info, "viewer"),
            created_at: when(0),
            seen_at: None,
            disabled: false,
        }],
        tokens: vec![Token {
            id: 1,
            name: "warehouse".into(),
            scope: Pill::new(Tone::Info, "read"),
            store: String::new(),
            created_at: when(0),
            revoked_at: None,
        }],
        stores: vec!["shop-eu".into()],
        audit: vec![AuditRow {
            at: when(0),
            actor: "ada".into(),
            action: "store added".into(),
            object: "shop-eu".into(),
            detail: "{}".into(),
        }],
        pager: pager(),
        fresh: Some(("Token".into(), "upl_abc".into())),
        problem: None,
    };
    check("settings", &settings);
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
    let found = SearchPage {
        shell: Shell { search: "anna".into(), ..shell("") },
        groups: vec![("Distributors".into(), vec![link("11043 · Anna Winter")])],
    };
    check("search", &found);
}
