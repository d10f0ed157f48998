//! `GET /metrics` for Prometheus. Answers also while the database is down: then it says so.

use actix_web::{HttpResponse, web};

use super::error::Refusal;
use super::state::AppState;
use crate::db::{DbError, Lane};
use crate::events::{self, Topic};
use crate::pulls;
use crate::reports;

pub async fn metrics(state: web::Data<AppState>) -> Result<HttpResponse, Refusal> {
    let waiting = look(&state).await;
    state.metrics.database_up.set(i64::from(waiting.is_ok()));
    let text = state.metrics.render().map_err(|error| {
        tracing::error!(%error, "metrics cannot be rendered");
        Refusal::internal()
    })?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// Brings the gauges that live in the database up to date.
async fn look(state: &web::Data<AppState>) -> Result<(), DbError> {
    let read = state.db.read_async(Lane::Admin, |conn| {
        Ok((events::backlog(conn)?, reports::api::held_orders(conn)?, pulls::ages(conn)?))
    });
    let (backlog, held, ages) = read.await?;
    let now = state.clock.now();
    for pulls::Age { store, kind, since } in ages {
        let seconds = (now - since).num_seconds().max(0);
        state.metrics.pull_age.with_label_values(&[store.as_str(), kind.name()]).set(seconds);
    }
    for topic in Topic::ALL {
        let of_topic = backlog.iter().find(|row| row.topic == topic.name());
        state.metrics.backlog.with_label_values(&[topic.name()]).set(of_topic.map_or(0, |row| row.waiting));
        state.metrics.parked.with_label_values(&[topic.name()]).set(of_topic.map_or(0, |row| row.parked));
    }
    state.metrics.held_orders.set(held);
    Ok(())
}
