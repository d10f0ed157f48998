//! The catalogue, customers, and what they may ask for by law.

use super::super::customers::{
    BindingRow, CustomerPage, CustomersPage, OrderRow, PrivacyPage, Request, Row as CustomerRow,
};
use super::super::format::{Pager, Pill, Tone};
use super::super::products::{Panel, ProductsPage, Row, Seen};
use super::{check, link, shell, usd, when};
use crate::reports::catalogue::{Filter, STATES, SharedSku};
use crate::reports::customers::Filter as CustomerFilter;

pub fn in_stores() -> Panel {
    let seen = |title: &str, suggestion: &str, why: &str, sure: bool, warning: &str| Seen {
        value: format!("[1,\"{title}\",\"\"]"),
        title: title.into(),
        sku: "VC-1000-90".into(),
        key: "11 / 18".into(),
        store: "shop-eu".into(),
        stock: "498".into(),
        suggestion: suggestion.into(),
        why: why.into(),
        sure,
        warning: warning.into(),
    };
    Panel {
        csrf: "c5f0".into(),
        may_map: true,
        rows: vec![
            seen("Vitamin C", "VITC, class food", "the same SKU is mapped on shopify", true, ""),
            seen(
                "Vitamin D",
                "VITD, class food",
                "only a hint: the name is 82 % like \"Vitamin C\"",
                false,
                "",
            ),
            seen("Shirt - M", "", "", false, "the same SKU is mapped to different things: A (kit), B (food)"),
        ],
        more: true,
        classes: vec!["food".into(), "kit".into()],
    }
}

#[test]
fn catalogue_pages() {
    let row = |stock: &str, gone: bool, mapping: &str| Row {
        title: "Shirt".into(),
        variant: "M".into(),
        key: "16 / 18".into(),
        sku: "TS-M".into(),
        store: "shop-eu".into(),
        stock: stock.into(),
        out: stock == "0",
        class: Pill::new(Tone::Info, "food"),
        mapping: mapping.into(),
        seen: when(0),
        gone: gone.then(|| when(9)),
    };
    let page = |rows, unmapped, filter| ProductsPage {
        shell: shell("products"),
        filter,
        stores: vec!["shop-eu".into()],
        states: STATES.to_vec(),
        shared: vec![SharedSku {
            store: "shop-eu".into(),
            sku: "TS-M".into(),
            products: "Shirt (16), Cap (30)".into(),
        }],
        unmapped,
        rows,
        pager: Pager { shown: 3, first: None, next: Some("/n".into()) },
    };
    let rows = vec![row("12", false, "/admin/skus/7"), row("0", false, ""), row("", true, "")];
    check("products", &page(rows, in_stores(), Filter::default()));
    check("products-viewer", &page(vec![], Panel { may_map: false, ..in_stores() }, Filter::default()));
    check(
        "products-filtered",
        &page(vec![], Panel::default(), Filter { q: "x".into(), ..Filter::default() }),
    );
}

#[test]
fn customer_pages() {
    let row = |state| CustomerRow {
        id: "5678".into(),
        href: "/admin/customers/shop-eu/5678".into(),
        store: "shop-eu".into(),
        orders: "4".into(),
        last: Some(when(3)),
        is: None,
        bound: Some(link("11043")),
        first_named: Some(link("10090")),
        state,
    };
    let list = |rows, filter| CustomersPage {
        shell: shell("customers"),
        filter,
        stores: vec!["shop-eu".into()],
        rows,
        pager: Pager { shown: 2, first: Some("/f".into()), next: None },
    };
    let forgotten = Some(Pill::new(Tone::Muted, "forgotten"));
    check("customers", &list(vec![row(None), row(forgotten)], CustomerFilter::default()));
    check("customers-none", &list(vec![], CustomerFilter::default()));
    let one = |orders, bindings, may| CustomerPage {
        shell: shell("customers"),
        id: "5678".into(),
        store: "shop-eu".into(),
        href: "/admin/customers/shop-eu/5678".into(),
        policy: "90 days".into(),
        is: Some(link("11043")),
        bound: None,
        first_named: Some(link("10090")),
        created_at: Some(when(0)),
        state: Some(Pill::new(Tone::Muted, "deleted in the store")),
        places: vec![("customer_meta:distributor_code".into(), "ANNA".into())],
        orders,
        bindings,
        may_bind: may,
        may_forget: may,
    };
    let order = OrderRow {
        href: "/admin/orders/1".into(),
        number: "1001".into(),
        at: Some(when(1)),
        state: Pill::new(Tone::Ok, "commissionable"),
        net: Some(usd("99")),
        distributor: Some(link("11043")),
        place: "customer".into(),
        own: true,
        binds: true,
    };
    let binding = |who: bool| BindingRow {
        what: "bound to",
        who: who.then(|| link("11043")),
        from: (!who).then(|| when(1)),
        source: "manual".into(),
        at: when(2),
        by: "ada@example.test".into(),
    };
    check("customer", &one(vec![order], vec![binding(true), binding(false)], true));
    check("customer-viewer", &one(vec![], vec![], false));
}

#[test]
fn privacy_page() {
    let request = |customer: &str, act: &'static str, handled_by: &str| Request {
        id: "018f".into(),
        store: "shop-eu".into(),
        what: "wants to be forgotten",
        customer: customer.into(),
        href: if customer.is_empty() { String::new() } else { "/admin/customers/shop-eu/5678".into() },
        orders: 2,
        received_at: when(0),
        due_at: when(9),
        state: Pill::new(Tone::Warn, "open"),
        handled_by: handled_by.into(),
        act,
    };
    let rows = vec![
        request("5678", "Forget", ""),
        request("", "Forget all", ""),
        request("9", "", "ada@example.test"),
    ];
    check("privacy", &PrivacyPage { shell: shell("customers"), rows, may_handle: true });
    check("privacy-none", &PrivacyPage { shell: shell("customers"), rows: vec![], may_handle: false });
}
