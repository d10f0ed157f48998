//! Pages that say why there is no page, and the reader's choice of light or dark.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tracing_actix_web::RequestId;

use super::desk::{Desk, nothing};
use super::shell::{Shell, Theme};
use crate::web::session::{Denied, Form, Viewer};

/// 403, 404, 500 and their kin.
#[derive(Template)]
#[template(path = "admin/notice.html")]
pub struct NoticePage {
    pub shell: Shell,
    pub status: u16,
    pub title: String,
    pub text: String,
    /// What support needs to find the log line.
    pub request_id: String,
}

/// Errors of pages are told as a page; what programs get as JSON helps no reader.
pub async fn as_page(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    let desk = request.extract::<Desk>().await.ok();
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let response = next.call(request).await?;
    let status = response.status();
    let told = response.response().error().map(ToString::to_string);
    let failed = status.is_client_error() || status.is_server_error();
    let (Some(desk), Some(told)) = (desk.filter(|_| failed), told) else {
        return Ok(response.map_into_left_body());
    };
    let page = NoticePage {
        shell: Shell { theme: desk.theme, ..Shell::default() },
        status: status.as_u16(),
        title: title(status).to_owned(),
        text: sentence(&told),
        request_id: if status.is_server_error() { id } else { String::new() },
    };
    let shown = desk.show_as(status, &page)?;
    Ok(response.into_response(shown).map_into_right_body())
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "You may not do this",
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        status if status.is_server_error() => "Something went wrong on our side",
        _ => "This cannot be done",
    }
}

pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

pub async fn nothing_here(_viewer: Viewer) -> Result<HttpResponse, Denied> {
    Err(nothing("page"))
}

#[derive(Deserialize)]
pub struct Choice {
    theme: String,
    #[serde(default)]
    back: String,
}

/// Kept in a cookie: it belongs to the screen in front of the reader, not to the account.
pub async fn theme(_viewer: Viewer, desk: Desk, form: Form<Choice>) -> HttpResponse {
    desk.remember_theme(Theme::parse(&form.0.theme), &form.0.back)
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn problems_become_sentences() {
        assert_eq!(sentence("there is no such order"), "There is no such order.");
        assert_eq!(sentence("Done."), "Done.");
    }
}
