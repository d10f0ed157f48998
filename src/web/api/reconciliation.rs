//! `GET /api/v1/reconciliation`: the days of a store as they were reconciled.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Reader;
use crate::db::Lane;
use crate::ingest;
use crate::reports::api::{self, DayView, ReportView};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};

/// Days of one list.
const MOST: u64 = 366;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// The first day, as 2026-11-01; 35 days before `to` if not given.
    from: Option<String>,
    /// The last day; today if not given.
    to: Option<String>,
}

/// The days of a store that have a report, oldest first.
#[derive(Serialize, ToSchema)]
pub struct DayList {
    days: Vec<DayView>,
}

/// List the reconciled days of a store
///
/// Each day with its newest report; days without one are not there. At most 366 days at once.
#[utoipa::path(
    get, path = "/api/v1/reconciliation/{store}", tag = "read",
    params(("store" = String, Path, description = "Slug of the store"), DaysQuery),
    responses(
        (status = 200, body = DayList),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such store"),
    ),
    security(("token" = []))
)]
pub async fn days(
    state: Data<AppState>,
    _reader: Reader,
    store: Path<String>,
    query: Query<DaysQuery>,
) -> Result<HttpResponse, Refusal> {
    let today = state.clock.now().date_naive();
    let to = query.to.as_deref().map(|text| date("to", text)).transpose()?.unwrap_or(today);
    let usual = to.checked_sub_days(Days::new(35)).unwrap_or(to);
    let from = query.from.as_deref().map(|text| date("from", text)).transpose()?.unwrap_or(usual);
    if from > to || from.checked_add_days(Days::new(MOST)).is_some_and(|most| most < to) {
        let message = format!("from has to be at most {MOST} days before to");
        return Err(Refusal::bad_request("bad_parameter", message).field("from"));
    }
    let store = store.into_inner();
    let days = state.db.read_async(Lane::Admin, move |conn| {
        let known = ingest::list_stores(conn)?.iter().any(|known| known.slug == store);
        known.then(|| api::reconciled_days(conn, &store, from, to)).transpose()
    });
    let days = days.await?.ok_or_else(|| Refusal::not_found("unknown_store", "there is no such store"))?;
    Ok(HttpResponse::Ok().json(DayList { days }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Number of a report of the day; the newest if not given.
    report: Option<String>,
}

/// Read the report of a day
#[utoipa::path(
    get, path = "/api/v1/reconciliation/{store}/{date}", tag = "read",
    params(
        ("store" = String, Path, description = "Slug of the store"),
        ("date" = String, Path, description = "The store's own day, as 2026-11-20"),
        ReportQuery
    ),
    responses(
        (status = 200, body = ReportView),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "The day has no such report"),
    ),
    security(("token" = []))
)]
pub async fn report(
    state: Data<AppState>,
    _reader: Reader,
    path: Path<(String, String)>,
    query: Query<ReportQuery>,
) -> Result<HttpResponse, Refusal> {
    let (store, day) = path.into_inner();
    let day = date("date", &day)?;
    let wrong = |_| Refusal::bad_request("bad_parameter", "report has to be a number").field("report");
    let number = query.report.as_deref().map(str::parse::<i32>).transpose().map_err(wrong)?;
    let found =
        state.db.read_async(Lane::Admin, move |conn| api::reconciliation(conn, &store, day, number)).await?;
    let unknown = || Refusal::not_found("unknown_report", "this day of the store has no such report");
    found.map(|report| HttpResponse::Ok().json(report)).ok_or_else(unknown)
}

fn date(field: &'static str, text: &str) -> Result<NaiveDate, Refusal> {
    let message = format!("{field} has to be a day such as 2026-11-20");
    text.parse().map_err(|_| Refusal::bad_request("bad_parameter", message).field(field))
}
