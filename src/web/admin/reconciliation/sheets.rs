//! Reports to take away: CSV for spreadsheets, JSON for programs.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Path, Query};
use chrono::NaiveDate;
use serde::Deserialize;

use super::super::desk::{Desk, nothing};
use crate::db::{DbError, Lane};
use crate::reports::Conn;
use crate::reports::api;
use crate::reports::reconciliation::{self as report, Head, differences_sheet, sums_sheet};
use crate::web::error::Refusal;
use crate::web::session::{Denied, Viewer};

#[derive(Deserialize)]
pub struct Asked {
    report: Option<i32>,
}

type Day = Path<(String, NaiveDate)>;

pub async fn sums(
    _viewer: Viewer,
    desk: Desk,
    day: Day,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let found = read(&desk, &day, &asked, |conn, head| Ok((report::sums(conn, &head)?, head))).await?;
    let (sums, head) = found;
    let name = format!("reconciliation-{}-{}.csv", head.store, head.day);
    csv(&name, sums_sheet(&[(head, sums)]))
}

pub async fn differences(
    _viewer: Viewer,
    desk: Desk,
    day: Day,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let all = |conn: &mut Conn, head: Head| Ok((report::differences(conn, &head, 0, i64::MAX)?, head));
    let (found, head) = read(&desk, &day, &asked, all).await?;
    let name = format!("differences-{}-{}.csv", head.store, head.day);
    csv(&name, differences_sheet(&[(head, found)]))
}

pub async fn json(
    _viewer: Viewer,
    desk: Desk,
    day: Day,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let whole = |conn: &mut Conn, head: Head| {
        let found = api::reconciliation(conn, &head.store, head.day, Some(head.report_no))?;
        Ok((found, head))
    };
    let (found, head) = read(&desk, &day, &asked, whole).await?;
    let name = format!("attachment; filename=\"reconciliation-{}-{}.json\"", head.store, head.day);
    let found = found.ok_or_else(|| nothing("report"))?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_DISPOSITION, name)).json(found))
}

async fn read<T: Send + 'static>(
    desk: &Desk,
    day: &Day,
    asked: &Query<Asked>,
    work: impl FnOnce(&mut Conn, Head) -> Result<T, DbError> + Send + 'static,
) -> Result<T, Denied> {
    let ((store, day), number) = ((day.0.clone(), day.1), asked.report);
    let read = desk.state.db.read_async(Lane::Admin, move |conn| {
        report::head(conn, &store, day, number)?.map(|head| work(conn, head)).transpose()
    });
    read.await.map_err(Refusal::from)?.ok_or_else(|| nothing("report"))
}

fn csv(name: &str, sheet: Result<Vec<u8>, csv::Error>) -> Result<HttpResponse, Denied> {
    let sheet = sheet.map_err(|error| {
        tracing::error!(%error, "the sheet cannot be written");
        Refusal::internal()
    })?;
    let name = format!("attachment; filename=\"{name}\"");
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_DISPOSITION, name)).content_type("text/csv; charset=utf-8");
    Ok(answer.body(sheet))
}
