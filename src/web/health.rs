//! `/livez`: the process answers. `/readyz`: it can do its work, or says why not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::error::Refusal;
use super::state::AppState;
use crate::db;

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"live": true}))
}

const PATIENCE: Duration = Duration::from_secs(3);

pub async fn ready(state: web::Data<AppState>) -> Result<HttpResponse, Refusal> {
    let silent = || Refusal::unavailable("database_unreachable", "the database does not answer");
    let answered = tokio::time::timeout(PATIENCE, state.receivers.renewed()).await;
    answered.map_err(|_| silent())?.map_err(|_| silent())?;
    if !schema_is_current(&state).await? {
        return Err(Refusal::unavailable(
            "schema_outdated",
            "the schema is older than this program; run `upline migrate`",
        ));
    }
    Ok(HttpResponse::Ok().json(json!({"ready": true, "database": "ok", "schema": "current"})))
}

/// Whether the schema was seen to be current. Asked until it is so once: it never goes back under a running program.
#[derive(Debug, Default)]
pub struct Schema(AtomicBool);

async fn schema_is_current(state: &web::Data<AppState>) -> Result<bool, Refusal> {
    if state.schema.0.load(Ordering::Relaxed) {
        return Ok(true);
    }
    let url = state.db.url().to_owned();
    let pending =
        tokio::task::spawn_blocking(move || db::pending(&url)).await.map_err(|_| Refusal::internal())?;
    let current = pending?.is_empty();
    state.schema.0.store(current, Ordering::Relaxed);
    Ok(current)
}
