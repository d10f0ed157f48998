//! A distributor's statement of a period or of days: on a page, as PDF, as CSV.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Path, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::access::{Session, audit};
use crate::db::{DbError, Lane};
use crate::periods;
use crate::reports::statement::{
    self as report, Amounts, Asked, Column, Part, Purse, Span, SpanProblem, Statement,
};
use crate::web::admin::desk::{Desk, nothing};
use crate::web::admin::format::{Amount, Link, When, count};
use crate::web::admin::shell::Shell;
use crate::web::admin::words;
use crate::web::error::Refusal;
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/statement.html")]
pub struct StatementPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    /// `2026-10`, or two days.
    pub span: String,
    /// Periods to choose from, newest first, and whether it is this one.
    pub periods: Vec<(String, bool)>,
    /// Days as a form has them.
    pub from: String,
    pub to: String,
    /// What keeps it from being shown.
    pub problem: String,
    pub pdf: String,
    pub csv: String,
    pub purses: Vec<PurseView>,
    pub head: Option<(String, String)>,
}

pub struct PurseView {
    pub currency: String,
    pub columns: Vec<&'static str>,
    pub opening: Vec<Amount>,
    pub sums: Vec<(String, Vec<Amount>)>,
    pub closing: Vec<Amount>,
    pub lines: Vec<LineView>,
    /// When not all lines are shown.
    pub more: String,
}

pub struct LineView {
    pub at: When,
    pub about: Link,
    pub amounts: Vec<Amount>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    period: String,
    from: String,
    to: String,
}

impl Chosen {
    fn asked(self) -> Asked {
        let days = (Some(self.from), Some(self.to));
        // A form sends both; the period that was chosen goes before days that were left standing.
        let (from, to) = if self.period.is_empty() { days } else { (None, None) };
        Asked { period: Some(self.period), from, to }
    }
}

/// What was asked for cannot be shown, and why.
type Wrong = String;

fn find(
    conn: &mut crate::db::Conn,
    id: &str,
    asked: &Asked,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Result<Option<Statement>, Wrong>, DbError> {
    match report::span(conn, asked, now) {
        Ok(span) => Ok(Ok(report::read(conn, id, &span, &Part::default())?)),
        Err(SpanProblem::Db(error)) => Err(error),
        Err(problem) => Ok(Err(problem.to_string())),
    }
}

pub async fn page(
    viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    asked: Query<Chosen>,
) -> Result<HttpResponse, Denied> {
    let (id, now, asked) = (id.into_inner(), desk.now(), asked.into_inner().asked());
    let (wanted, days) = (id.clone(), asked.clone());
    let (shell, (known, found)) = desk
        .read(&viewer, "distributors", move |conn| {
            let known: Vec<String> = periods::periods(conn)?.into_iter().map(|period| period.name).collect();
            Ok((known, find(conn, &wanted, &asked, now)?))
        })
        .await?;
    let mut page = StatementPage {
        shell,
        name: String::new(),
        span: String::new(),
        periods: vec![],
        from: days.from.unwrap_or_default(),
        to: days.to.unwrap_or_default(),
        problem: String::new(),
        pdf: String::new(),
        csv: String::new(),
        purses: vec![],
        head: None,
        id,
    };
    match found {
        Ok(found) => fill(&mut page, found.ok_or_else(|| nothing("distributor"))?),
        Err(problem) => page.problem = problem,
    }
    page.periods = choices(known, &page.span);
    desk.show(&page)
}

/// Newest first.
fn choices(mut known: Vec<String>, shown: &str) -> Vec<(String, bool)> {
    known.sort_unstable();
    known.reverse();
    known.into_iter().map(|name| (name.clone(), name == shown)).collect()
}

fn fill(page: &mut StatementPage, found: Statement) {
    let (pdf, csv) = (address(&found, "pdf"), address(&found, "csv"));
    page.purses = found.purses.iter().map(|purse| purse_view(&found, purse)).collect();
    page.span = found.span.name();
    page.from = found.span.first_day().to_string();
    page.to = found.span.last_day().to_string();
    page.name = found.name.unwrap_or_default();
    page.head = found.head.map(|head| (count(head.seq), head.hash));
    (page.pdf, page.csv) = (pdf, csv);
}

fn address(found: &Statement, kind: &str) -> String {
    let path = format!("/admin/distributors/{}/statement.{kind}", words::encoded(&found.distributor));
    let days = (found.span.first_day().to_string(), found.span.last_day().to_string());
    match &found.span.period {
        Some(period) => words::address(&path, &[("period", period)]),
        None => words::address(&path, &[("from", &days.0), ("to", &days.1)]),
    }
}

fn purse_view(found: &Statement, purse: &Purse) -> PurseView {
    let columns: Vec<&'static Column> = purse.columns().collect();
    let amounts = |amounts: &Amounts| -> Vec<Amount> {
        columns.iter().map(|column| words::amount(amounts.of(column.account), &purse.currency)).collect()
    };
    let of_it = found.lines.iter().filter(|line| line.currency == purse.currency);
    let lines: Vec<LineView> = of_it
        .map(|line| LineView {
            at: When(line.at),
            about: Link::new(format!("/admin/ledger/entries/{}/{}", line.source, line.number), &*line.about),
            amounts: amounts(&line.amounts),
        })
        .collect();
    let title = |sum: &report::Sum| match sum.bonus.as_str() {
        "" => report::kind_title(&sum.kind).to_owned(),
        bonus => format!("{}: {bonus}", report::kind_title(&sum.kind)),
    };
    let shown = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let more = format!("{} of {} entries are shown; the CSV has all.", count(shown), count(purse.lines));
    PurseView {
        currency: purse.currency.clone(),
        columns: columns.iter().map(|column| column.title).collect(),
        opening: amounts(&purse.opening),
        sums: purse.sums.iter().map(|sum| (title(sum), amounts(&sum.amounts))).collect(),
        closing: amounts(&purse.closing),
        more: if shown < purse.lines { more } else { String::new() },
        lines,
    }
}

pub async fn pdf(
    viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    asked: Query<Chosen>,
) -> Result<HttpResponse, Denied> {
    let found = taken(&viewer, &desk, id.into_inner(), asked.into_inner().asked(), "pdf").await?;
    let name = attachment(&found.distributor, &found.span, "pdf");
    let bytes = report::paper(&found);
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_DISPOSITION, name)).content_type("application/pdf");
    Ok(answer.body(bytes))
}

pub async fn csv(
    viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    asked: Query<Chosen>,
) -> Result<HttpResponse, Denied> {
    let found = taken(&viewer, &desk, id.into_inner(), asked.into_inner().asked(), "csv").await?;
    let name = attachment(&found.distributor, &found.span, "csv");
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_DISPOSITION, name)).content_type("text/csv; charset=utf-8");
    Ok(answer.body(stream(&desk, found.distributor, found.span)))
}

/// What leaves as a file is on record, with who took it.
async fn taken(
    session: &Session,
    desk: &Desk,
    id: String,
    asked: Asked,
    format: &'static str,
) -> Result<Statement, Denied> {
    let now = desk.now();
    let read = desk.state.db.read_async(Lane::Admin, move |conn| find(conn, &id, &asked, now));
    let found = read.await.map_err(Refusal::from)?;
    let found = found.map_err(|problem| Refusal::bad_request("bad_parameter", problem))?;
    let found = found.ok_or_else(|| nothing("distributor"))?;
    let (by, who) = (session.email.clone(), found.distributor.clone());
    let detail = json!({"span": found.span.name(), "format": format});
    desk.write(move |tx| audit::record(tx, &by, "statement.export", &who, detail.clone(), now)).await?;
    Ok(found)
}

/// Ids may have any letter; a file's name has only those that every system takes.
fn attachment(id: &str, span: &Span, kind: &str) -> String {
    let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-");
    format!("attachment; filename=\"statement-{}-{}.{kind}\"", plain(id), plain(&span.name()))
}

/// Somebody who does not take the next piece for so long gives the connection to the database back.
const PATIENCE: Duration = Duration::from_secs(30);
const PIECE: usize = 64 * 1024;

/// As fast as the reader takes it, a few pieces in memory. What fails on the way breaks the answer off, so that half a
/// file is never taken for a whole one.
fn stream(desk: &Desk, id: String, span: Span) -> Pieces {
    let (send, pieces) = mpsc::channel(4);
    let (db, broken) = (desk.state.db.clone(), send.clone());
    let runtime = Handle::current();
    actix_web::rt::spawn(async move {
        let write = move |conn: &mut crate::db::Conn| {
            let to = io::BufWriter::with_capacity(PIECE, Channel { send, runtime });
            Ok(report::write_sheet(conn, &id, &span, to))
        };
        let problem = match db.read_async(Lane::Admin, write).await {
            Ok(Ok(_)) => return,
            Ok(Err(problem)) => problem.to_string(),
            Err(problem) => problem.to_string(),
        };
        tracing::error!(%problem, "a statement was broken off");
        // Whoever has gone does not hear it.
        let _gone = broken.send(Err(io::Error::other(problem))).await;
    });
    Pieces(pieces)
}

struct Channel {
    send: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        let sent = self.runtime.block_on(async { self.send.send_timeout(piece, PATIENCE).await });
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl MessageBody for Pieces {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.0.poll_recv(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_takes_any_id() {
        let span = Span {
            from: "2026-10-01T00:00:00Z".parse().unwrap(),
            until: "2026-11-01T00:00:00Z".parse().unwrap(),
            period: Some("2026-10".to_owned()),
        };
        let name = attachment("a\"\r\n/é", &span, "pdf");
        assert_eq!(name, "attachment; filename=\"statement-a------2026-10.pdf\"");
    }

    #[test]
    fn the_period_that_is_chosen_goes_before_days() {
        let query = |period: &str| Chosen {
            period: period.to_owned(),
            from: "2026-10-01".to_owned(),
            to: "2026-10-02".to_owned(),
        };
        assert_eq!(query("2026-10").asked().from, None);
        assert_eq!(query("").asked().to.as_deref(), Some("2026-10-02"));
    }
}
