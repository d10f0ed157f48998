//! `GET /api/v1/pulls`: what was read at the stores, and how that went.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::auth::Reader;
use super::read::{limit, page, uuid};
use crate::db::Lane;
use crate::reports::api::{self, PullFilter, PullView};
use crate::web::AppState;
use crate::web::error::{ErrorBody, Refusal};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PullQuery {
    /// Slug of a store.
    store: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 if not given.
    limit: Option<String>,
}

/// A page of pulls, in the order in which they began.
#[derive(Serialize, ToSchema)]
pub struct PullPage {
    pulls: Vec<PullView>,
    /// `after` of the next page; null on the last.
    next: Option<Uuid>,
}

/// Read what was read at the stores
#[utoipa::path(
    get, path = "/api/v1/pulls", tag = "read", params(PullQuery),
    responses(
        (status = 200, body = PullPage),
        (status = 400, body = ErrorBody, description = "A parameter is wrong or unknown"),
        (status = 401, body = ErrorBody, description = "No token, or an unknown one"),
        (status = 403, body = ErrorBody, description = "The token's scope is not read or admin"),
    ),
    security(("token" = []))
)]
pub async fn pulls(
    state: Data<AppState>,
    _reader: Reader,
    query: Query<PullQuery>,
) -> Result<HttpResponse, Refusal> {
    let query = query.into_inner();
    let limit = limit(query.limit.as_deref())?;
    let after = uuid("after", query.after.as_deref())?;
    let filter = PullFilter { store: query.store, after, limit: limit + 1 };
    let rows = state.db.read_async(Lane::Admin, move |conn| api::pulls(conn, &filter)).await?;
    let (pulls, next) = page(rows, limit, |pull| pull.pull_id);
    Ok(HttpResponse::Ok().json(PullPage { pulls, next }))
}
