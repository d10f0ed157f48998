//! A distributor's statement: full, empty, and of a time that is none.

use super::super::distributors::statement::{LineView, PurseView, StatementPage};
use super::{check, link, shell, usd, when};

#[test]
fn a_statement() {
    let page = |purses, problem: &str| StatementPage {
        shell: shell("distributors"),
        id: "11043".into(),
        name: "Anna Winter".into(),
        span: "2026-10".into(),
        periods: vec![("2026-11".into(), false), ("2026-10".into(), true)],
        from: "2026-10-01".into(),
        to: "2026-10-31".into(),
        problem: problem.into(),
        pdf: "/admin/distributors/11043/statement.pdf?period=2026-10".into(),
        csv: "/admin/distributors/11043/statement.csv?period=2026-10".into(),
        purses,
        head: problem.is_empty().then(|| ("1,204".into(), "ab".repeat(32))),
    };
    check("statement", &page(vec![purse("USD"), purse("EUR")], ""));
    check("statement-empty", &page(vec![], ""));
    check("statement-problem", &page(vec![], "there is no period \"2026-13\""));
}

fn purse(currency: &str) -> PurseView {
    PurseView {
        currency: currency.into(),
        columns: vec!["Payable", "Paid"],
        opening: vec![usd("12"), usd("0")],
        sums: vec![
            ("Commissions of orders: levels".into(), vec![usd("7.5"), usd("0")]),
            ("Payouts paid".into(), vec![usd("-19.5"), usd("19.5")]),
        ],
        closing: vec![usd("0"), usd("19.5")],
        lines: vec![LineView {
            at: when(3),
            about: link("Order 301 of main: levels (level 1)"),
            amounts: vec![usd("7.5"), usd("0")],
        }],
        more: "1 of 2 entries are shown; the CSV has all.".into(),
    }
}
