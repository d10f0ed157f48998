//! Reports: the list, a report, a figure that was given out.

use serde_json::json;

use super::super::figures::view::{Stat, View};
use super::super::figures::{FigurePage, ReportPage, ReportsPage, Row};
use super::super::format::Pager;
use super::{check, link, shell, when};
use crate::tax::{Figure, Sheet};

fn row() -> Row {
    Row {
        link: link("Figure 12"),
        of: "disclosure USD 2026".into(),
        rows: "2,118".into(),
        seal: "3f9a0c11d2e4".into(),
        follows: Some(link("Figure 9")),
        at: when(4),
        by: "ada@example.test".into(),
    }
}

#[test]
fn the_list() {
    let page = |rows, periods, series| ReportsPage {
        shell: shell("reports"),
        rows,
        pager: Pager { shown: 1, first: None, next: Some("/n".into()) },
        periods,
        year: 2026,
        series,
    };
    check("reports", &page(vec![row()], vec!["2026-10".into()], vec![("DE 2026".into(), "17".into())]));
    check("reports-empty", &page(vec![], vec![], vec![]));
}

#[test]
fn a_report() {
    let view = |rows: Vec<Vec<String>>| View {
        title: "Income disclosure 2026 USD".into(),
        lede: "All participants of the year.".into(),
        address: "/admin/reports/disclosure".into(),
        asked: vec![("year", "2026".into()), ("currency", "USD".into())],
        stats: vec![Stat {
            label: "Participants",
            value: "2,118".into(),
            under: "81.2 % earned nothing".into(),
        }],
        notes: vec!["3 participants earned in other currencies only.".into()],
        header: vec!["group".into(), "people".into()],
        rows,
        more: 7,
        file: "income".into(),
        figure: Figure {
            name: "disclosure",
            parameters: json!({}),
            query: "select 1",
            sheet: Sheet { header: vec![], rows: vec![] },
            summary: json!({}),
        },
    };
    let page = |view, may_publish| ReportPage { shell: shell("reports"), view, may_publish };
    check("report", &page(view(vec![vec!["everybody".into(), "2118".into()]]), true));
    check("report-empty", &page(view(vec![]), false));
}

#[test]
fn a_figure() {
    let page = FigurePage {
        shell: shell("reports"),
        row: row(),
        sha256: "3f9a0c11d2e4".into(),
        head: Some((4_711, "77aa".into())),
        summary: vec![("people".into(), "2118".into())],
        change: vec![("rows".into(), "{\"before\":2117,\"now\":2118}".into())],
        query: "select 1\nfrom distributors".into(),
    };
    check("figure", &page);
}
