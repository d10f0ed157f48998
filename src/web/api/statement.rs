//! `GET /api/v1/distributors/{id}/statement`: what happened on a distributor's accounts.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::Reader;
use super::read::limit;
use crate::access::Scope;
use crate::db::Lane;
use crate::reports::api::{self, StatementView};
use crate::reports::statement::{self, Asked, Part, SpanProblem};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatementQuery {
    /// Name of a period, as 2026-10; the one of now if neither it nor days are given.
    period: Option<String>,
    /// First day, as 2026-10-01 (UTC).
    from: Option<String>,
    /// Last day, as 2026-10-31 (UTC).
    to: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200 lines; 50 if not given.
    limit: Option<String>,
}

/// Read a statement of a distributor
///
/// What stood before, every entry, and what stands after, for each currency; entries count by when they were posted.
/// Balances and sums are of the whole statement on every page. `name` is only there for tokens with the scope `admin`.
#[utoipa::path(
    get, path = "/api/v1/distributors/{distributor_id}/statement", tag = "read",
    params(("distributor_id" = String, Path, description = "As imported"), StatementQuery),
    responses(
        (status = 200, body = StatementView),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
        (status = 404, body = ErrorBody, description = "There is no such distributor, or no such period"),
    ),
    security(("token" = []))
)]
pub async fn statement(
    state: Data<AppState>,
    reader: Reader,
    id: Path<String>,
    query: Query<StatementQuery>,
) -> Result<HttpResponse, Refusal> {
    let StatementQuery { period, from, to, after, limit: most } = query.into_inner();
    let wrong =
        || Refusal::bad_request("bad_parameter", "after has to be `next` of a page before").field("after");
    let key = |text: &str| api::statement_key(text).ok_or_else(wrong);
    let part = Part { after: after.as_deref().map(key).transpose()?, limit: limit(most.as_deref())? };
    let (id, asked, now) = (id.into_inner(), Asked { period, from, to }, state.clock.now());
    let read = state.db.read_async(Lane::Admin, move |conn| {
        Ok(match statement::span(conn, &asked, now) {
            Ok(span) => Ok(statement::read(conn, &id, &span, &part)?),
            Err(SpanProblem::Db(error)) => return Err(error),
            Err(problem) => Err(problem),
        })
    });
    let found = read.await?.map_err(|problem| match problem {
        SpanProblem::UnknownPeriod(_) => Refusal::not_found("unknown_period", problem.to_string()),
        other => Refusal::bad_request("bad_parameter", other.to_string()),
    })?;
    let unknown = || Refusal::not_found("unknown_distributor", "there is no such distributor");
    let personal = reader.scope == Scope::Admin;
    found.map(|found| HttpResponse::Ok().json(api::statement_view(found, personal))).ok_or_else(unknown)
}
