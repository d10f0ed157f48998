//! `GET /api/v1/periods`, `/api/v1/runs` and `/api/v1/events`: what periods pay, and why an event is what it is.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Reader;
use super::read::{limit, page, uuid};
use crate::db::Lane;
use crate::periods::CalculationProblem;
use crate::proof;
use crate::reports::api::{self, AwardView, PeriodView, RunView};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeriodQuery {
    /// `next` of the page before.
    before: Option<String>,
}

/// A page of periods, newest first.
#[derive(Serialize, ToSchema)]
pub struct PeriodPage {
    periods: Vec<PeriodView>,
    /// `before` of the next page; null on the last.
    next: Option<DateTime<Utc>>,
}

/// Read periods
#[utoipa::path(
    get, path = "/api/v1/periods", tag = "read", params(PeriodQuery),
    responses(
        (status = 200, body = PeriodPage),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
    ),
    security(("token" = []))
)]
pub async fn periods(
    state: Data<AppState>,
    _reader: Reader,
    query: Query<PeriodQuery>,
) -> Result<HttpResponse, Refusal> {
    let message = "before has to be an instant such as 2026-01-01T00:00:00Z";
    let wrong = |_| Refusal::bad_request("bad_parameter", message).field("before");
    let before = query.before.as_deref().map(str::parse::<DateTime<Utc>>).transpose().map_err(wrong)?;
    let (periods, next) = state.db.read_async(Lane::Admin, move |conn| api::periods(conn, before)).await?;
    Ok(HttpResponse::Ok().json(PeriodPage { periods, next }))
}

/// Read one period with its runs
#[utoipa::path(
    get, path = "/api/v1/periods/{name}", tag = "read",
    params(("name" = String, Path, description = "As 2026-01, 2026-Q1, 2026-W05 or 2026-01-31")),
    responses(
        (status = 200, body = PeriodView),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such period"),
    ),
    security(("token" = []))
)]
pub async fn period(
    state: Data<AppState>,
    _reader: Reader,
    name: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let name = name.into_inner();
    let found = state.db.read_async(Lane::Admin, move |conn| api::period(conn, &name)).await?;
    let unknown = || Refusal::not_found("unknown_period", "there is no such period");
    found.map(|period| HttpResponse::Ok().json(period)).ok_or_else(unknown)
}

fn no_run() -> Refusal {
    Refusal::not_found("unknown_run", "there is no such run")
}

/// Read one run with its pools
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}", tag = "read",
    params(("run_id" = Uuid, Path, description = "As `runs` of a period names it")),
    responses(
        (status = 200, body = RunView),
        (status = 400, body = ErrorBody, description = "The id is no id"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such run"),
    ),
    security(("token" = []))
)]
pub async fn run(
    state: Data<AppState>,
    _reader: Reader,
    run_id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let Some(run_id) = uuid("run_id", Some(&run_id))? else { return Err(no_run()) };
    let plans = state.plans.clone();
    let read = state.db.read_async(Lane::Admin, move |conn| {
        let plans = plans.get(conn)?;
        api::run(conn, run_id, &plans)
    });
    read.await?.map(|run| HttpResponse::Ok().json(run)).ok_or_else(no_run)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AwardQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 if not given.
    limit: Option<String>,
}

/// A page of awards, in the run's own order.
#[derive(Serialize, ToSchema)]
pub struct AwardPage {
    awards: Vec<AwardView>,
    /// `after` of the next page; null on the last.
    next: Option<i32>,
}

/// Read what a run pays
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/awards", tag = "read",
    params(("run_id" = Uuid, Path, description = "As `runs` of a period names it"), AwardQuery),
    responses(
        (status = 200, body = AwardPage),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such run"),
    ),
    security(("token" = []))
)]
pub async fn awards(
    state: Data<AppState>,
    _reader: Reader,
    run_id: Path<String>,
    query: Query<AwardQuery>,
) -> Result<HttpResponse, Refusal> {
    let Some(run_id) = uuid("run_id", Some(&run_id))? else { return Err(no_run()) };
    let wrong =
        |_| Refusal::bad_request("bad_parameter", "after has to be `next` of a page before").field("after");
    let after = query.after.as_deref().map(str::parse::<i32>).transpose().map_err(wrong)?;
    let limit = limit(query.limit.as_deref())?;
    let plans = state.plans.clone();
    let read = state.db.read_async(Lane::Admin, move |conn| {
        let plans = plans.get(conn)?;
        api::awards(conn, run_id, after.unwrap_or(-1), limit + 1, &plans)
    });
    let (awards, next) = page(read.await?.ok_or_else(no_run)?, limit, |award| award.award_no);
    Ok(HttpResponse::Ok().json(AwardPage { awards, next }))
}

/// Explain a commission event
///
/// Everything that made it: of an order's event the delivery, the line, the upline and the rate; of a period's
/// event the run, the award with its parts, the people that volume passed, cuts and the pool.
#[utoipa::path(
    get, path = "/api/v1/events/{event_id}/explain", tag = "read",
    params(("event_id" = Uuid, Path, description = "As `commission_events` of an order, or a statement, names it")),
    responses(
        (status = 200, body = serde_json::Value, description = "The explanation"),
        (status = 400, body = ErrorBody, description = "The id is no id"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such event"),
        (status = 409, body = ErrorBody, description = "The run behind it cannot be calculated again"),
    ),
    security(("token" = []))
)]
pub async fn explain(
    state: Data<AppState>,
    _reader: Reader,
    event_id: Path<String>,
) -> Result<HttpResponse, Refusal> {
    let unknown = || Refusal::not_found("unknown_event", "there is no such commission event");
    let Some(event_id) = uuid("event_id", Some(&event_id))? else { return Err(unknown()) };
    let told = state.db.read_async(Lane::Admin, move |conn| proof::explain(conn, event_id)).await?;
    if let Some(told) = told {
        return Ok(HttpResponse::Ok().json(told));
    }
    let turn = state.turns.take()?;
    let read = state.db.read_async(Lane::Admin, move |conn| {
        let _turn = turn;
        match proof::explain_run(conn, event_id) {
            Ok(Some(told)) => Ok(Some(Ok(serde_json::to_value(told)?))),
            Ok(None) => Ok(None),
            Err(CalculationProblem::Db(error)) => Err(error),
            Err(problem) => Ok(Some(Err(problem.to_string()))),
        }
    });
    match read.await?.ok_or_else(unknown)? {
        Ok(told) => Ok(HttpResponse::Ok().json(told)),
        Err(problem) => {
            let unable = format!("the run cannot be calculated again: {problem}");
            Err(Refusal::new(StatusCode::CONFLICT, "not_explained", unable))
        }
    }
}
