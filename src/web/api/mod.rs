//! The API of programs: `POST /api/mlm/orders`, the read API under `/api/v1`, and its description at
//! `/api/openapi.json`. Everything but the description needs a bearer token.

pub mod auth;
mod openapi;
pub mod orders;
mod periods;
mod pulls;
mod read;
mod reconciliation;
mod statement;

use actix_web::error::QueryPayloadError;
use actix_web::{HttpRequest, web};

use super::error::Refusal;
use super::only;

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::QueryConfig::default().error_handler(unreadable_query))
        .service(only("/api/openapi.json", "GET", web::get().to(openapi::document)))
        .service(only("/api/mlm/orders", "POST", web::post().to(orders::receive)))
        .service(only("/api/v1/orders", "GET", web::get().to(read::orders)))
        .service(only("/api/v1/orders/{order_id}", "GET", web::get().to(read::order)))
        .service(only("/api/v1/deliveries", "GET", web::get().to(read::deliveries)))
        .service(only("/api/v1/pulls", "GET", web::get().to(pulls::pulls)))
        .service(only("/api/v1/ledger/entries", "GET", web::get().to(read::entries)))
        .service(only("/api/v1/distributors/{distributor_id}", "GET", web::get().to(read::distributor)))
        .service(only(
            "/api/v1/distributors/{distributor_id}/statement",
            "GET",
            web::get().to(statement::statement),
        ))
        .service(only("/api/v1/periods", "GET", web::get().to(periods::periods)))
        .service(only("/api/v1/periods/{name}", "GET", web::get().to(periods::period)))
        .service(only("/api/v1/runs/{run_id}", "GET", web::get().to(periods::run)))
        .service(only("/api/v1/runs/{run_id}/awards", "GET", web::get().to(periods::awards)))
        .service(only("/api/v1/reconciliation/{store}", "GET", web::get().to(reconciliation::days)))
        .service(only("/api/v1/reconciliation/{store}/{date}", "GET", web::get().to(reconciliation::report)))
        .service(only("/api/v1/events/{event_id}/explain", "GET", web::get().to(periods::explain)));
}

fn unreadable_query(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let message = match &error {
        QueryPayloadError::Deserialize(error) => error.to_string(),
        other => other.to_string(),
    };
    Refusal::bad_request("bad_query", message).into()
}
