//! Reports: figures for tax offices and the public, and those that were given out, with their queries.

pub mod view;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Path, Query, get, post};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::desk::{Desk, nothing, split};
use super::format::{Link, Pager, Tone, When, count};
use super::notices::sentence;
use super::shell::Shell;
use crate::access::Session;
use crate::periods;
use crate::tax::{self, News, Stored, TaxProblem};
use crate::web::session::{Denied, Form, Preparer, Viewer};
use view::{Asked, View};

const ON_A_PAGE: i64 = 25;
const HOME: &str = "/admin/reports";

#[derive(Template)]
#[template(path = "admin/reports.html")]
pub struct ReportsPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub pager: Pager,
    /// Name of each period, the newest first.
    pub periods: Vec<String>,
    pub year: i32,
    /// Country and year, and the last number.
    pub series: Vec<(String, String)>,
}

/// A figure that was given out.
pub struct Row {
    pub link: Link,
    pub of: String,
    pub rows: String,
    pub seal: String,
    /// The figure before it, where this one differs.
    pub follows: Option<Link>,
    pub at: When,
    pub by: String,
}

#[derive(Template)]
#[template(path = "admin/figure.html")]
pub struct FigurePage {
    pub shell: Shell,
    pub row: Row,
    pub sha256: String,
    pub head: Option<(i64, String)>,
    pub summary: Vec<(String, String)>,
    pub change: Vec<(String, String)>,
    pub query: String,
}

#[derive(Template)]
#[template(path = "admin/report.html")]
pub struct ReportPage {
    pub shell: Shell,
    pub view: View,
    pub may_publish: bool,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/reports", get().to(list))
        .route("/reports/figures/{no}", get().to(one))
        .route("/reports/{name}", get().to(report))
        .route("/reports/{name}/publish", post().to(publish));
}

#[derive(Deserialize)]
pub struct From {
    before: Option<i64>,
}

async fn list(viewer: Viewer, desk: Desk, from: Query<From>) -> Result<HttpResponse, Denied> {
    let before = from.before;
    let (shell, (figures, mut periods, series)) = desk
        .read(&viewer, "reports", move |conn| {
            Ok((tax::figures(conn, before, "", ON_A_PAGE)?, periods::periods(conn)?, tax::series(conn)?))
        })
        .await?;
    periods.reverse();
    let last = figures.last().filter(|_| i64::try_from(figures.len()).is_ok_and(|shown| shown == ON_A_PAGE));
    let page = ReportsPage {
        shell,
        pager: Pager {
            shown: figures.len(),
            first: before.map(|_| HOME.to_owned()),
            next: last.map(|last| format!("{HOME}?before={}", last.figure_no)),
        },
        rows: figures.iter().map(row).collect(),
        periods: periods.into_iter().map(|period| period.name).collect(),
        year: chrono::Datelike::year(&desk.now()),
        series: series
            .into_iter()
            .map(|one| (format!("{} {}", one.country, one.year), count(i64::from(one.last_no))))
            .collect(),
    };
    desk.show(&page)
}

fn row(figure: &Stored) -> Row {
    Row {
        link: figure_link(figure.figure_no),
        of: format!("{} {}", figure.name.replace('_', " "), words(&figure.parameters)),
        rows: count(figure.data_rows),
        seal: figure.data_sha256.chars().take(12).collect(),
        follows: figure.follows.map(figure_link),
        at: When(figure.published_at),
        by: figure.published_by.clone(),
    }
}

fn figure_link(number: i64) -> Link {
    Link::new(format!("{HOME}/figures/{number}"), format!("Figure {number}"))
}

/// The values of an object, without their names.
fn words(parameters: &Value) -> String {
    let fields = parameters.as_object();
    let values = fields.into_iter().flatten().filter(|(_, value)| !value.is_null());
    values.map(|(_, value)| text(value)).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fields(object: &Value) -> Vec<(String, String)> {
    let fields = object.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.replace('_', " "), text(value))).collect()
}

async fn one(viewer: Viewer, desk: Desk, no: Path<i64>) -> Result<HttpResponse, Denied> {
    let no = *no;
    let (shell, found) = desk.read(&viewer, "reports", move |conn| tax::figure(conn, no)).await?;
    let figure = found.ok_or_else(|| nothing("figure"))?;
    let page = FigurePage {
        shell,
        row: row(&figure),
        head: figure.head_seq.zip(figure.head_hash.clone()),
        summary: fields(&figure.summary),
        change: figure.change.as_ref().map(fields).unwrap_or_default(),
        sha256: figure.data_sha256,
        query: figure.query,
    };
    desk.show(&page)
}

async fn report(
    viewer: Viewer,
    desk: Desk,
    name: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let (name, asked) = (name.into_inner(), asked.into_inner());
    if !view::NAMES.contains(&name.as_str()) {
        return Err(nothing("report"));
    }
    let as_csv = asked.format == "csv";
    let (shell, told) = desk
        .read(&viewer, "reports", move |conn| split(view::view(conn, &name, &asked), TaxProblem::split))
        .await?;
    match told {
        Err(refused) => Ok(desk.go(HOME, Tone::Bad, &sentence(&refused))),
        Ok(view) if as_csv => csv(&view),
        Ok(view) => {
            let may_publish = may_publish(&viewer);
            desk.show(&ReportPage { shell, view, may_publish })
        }
    }
}

fn csv(view: &View) -> Result<HttpResponse, Denied> {
    let bytes = view.figure.sheet.csv().map_err(crate::web::error::Refusal::from)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", view.file)))
        .insert_header(("Cache-Control", "no-store"))
        .body(bytes))
}

fn may_publish(session: &Session) -> bool {
    session.role.may_prepare_payouts()
}

async fn publish(
    who: Preparer,
    desk: Desk,
    name: Path<String>,
    form: Form<Asked>,
) -> Result<HttpResponse, Denied> {
    let (name, asked, by, now) = (name.into_inner(), form.0, who.email.clone(), desk.now());
    if !view::NAMES.contains(&name.as_str()) {
        return Err(nothing("report"));
    }
    let done = desk
        .write(move |tx| match view::view(tx.conn, &name, &asked) {
            Err(problem) => Ok(Err(problem.split()?.to_string())),
            Ok(view) => Ok(Ok(tax::publish(tx, &view.figure, &by, now)?)),
        })
        .await?;
    Ok(match done {
        Err(refused) => desk.go(HOME, Tone::Bad, &sentence(&refused)),
        Ok(published) => {
            let told = match published.news {
                News::First => "Recorded, with its query and the seal of its rows.",
                News::Same => "This was given out before, with the same rows.",
                News::Changed => "Recorded. It is not what was given out before; the page says in what.",
            };
            desk.done(&figure_link(published.figure.figure_no).href, told)
        }
    })
}
