//! One span for each request: method, route pattern, status, a random id. No addresses, no query strings, no
//! user agents: log lines must not tell who somebody is.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::state::AppState;

pub struct Quiet;

impl RootSpanBuilder for Quiet {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
        let id = actix_web::HttpMessage::extensions(request).get::<RequestId>().map(ToString::to_string);
        tracing::info_span!("request", method = %request.method(), route, request_id = id, status = Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        if let Ok(response) = outcome {
            count(response, status.as_str());
        }
    }
}

fn count<B>(response: &ServiceResponse<B>, status: &str) {
    let Some(state) = response.request().app_data::<actix_web::web::Data<AppState>>() else { return };
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    state.metrics.requests.with_label_values(&[route.as_str(), status]).inc();
}
