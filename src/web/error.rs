//! Every answer that is not a success, in one shape: `{"error": {"code", "message", "field"?, "fields"?}}`.
//!
//! A 4xx says what to change. A 5xx says nothing about us; its cause is logged here, once.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::core::order::Problem;
use crate::db::DbError;

#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    /// Boxed, so that a result that is no refusal stays small.
    body: Box<ErrorBody>,
    retry_after: Option<u64>,
    allow: Option<&'static str>,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// For programs; never changes.
    #[schema(example = "unknown_store")]
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The parameter or field that has to change, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// All of them, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    #[schema(example = "items[0].qty")]
    pub field: String,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let error = ErrorDetail { code, message: message.into(), field: None, fields: vec![] };
        Self { status, body: Box::new(ErrorBody { error }), retry_after: None, allow: None }
    }

    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let message = format!("use {allowed} here");
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        Self { allow: Some(allowed), ..refusal }
    }

    /// Try again later; nothing was kept.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message).retry_after(2)
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }

    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.body.error.field = Some(field.into());
        self
    }

    pub fn fields(mut self, problems: Vec<Problem>) -> Self {
        self.body.error.fields =
            problems.into_iter().map(|p| FieldError { field: p.field, message: p.message }).collect();
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> &'static str {
        self.body.error.code
    }

    pub fn body(&self) -> &ErrorBody {
        &self.body
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.body.error.message)
    }
}

impl std::error::Error for Refusal {}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allowed) = self.allow {
            response.insert_header((ALLOW, allowed));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(&self.body)
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        let cause = causes(&error);
        if error.is_transient() {
            tracing::warn!(cause, "the database is not available");
            return Self::unavailable("database_unavailable", "the database is not available; try again");
        }
        tracing::error!(cause, "a request failed");
        Self::internal()
    }
}

impl Refusal {
    /// The cause has been logged where it was known.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side; it is in our log",
        )
    }
}

/// An error and everything below it, on one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |line, source| format!("{line}: {source}"))
}
