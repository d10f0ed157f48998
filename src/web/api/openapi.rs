//! `GET /api/openapi.json`: the API as a document for machines, made from the handlers themselves.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{orders, periods, pulls, read, reconciliation, statement};
use crate::web::error::Refusal;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "upline",
        description = "From cart to commission. Amounts are decimal text at their currency's scale (\"96.92\", \"327\" \
            for JPY), never floating point; instants are RFC 3339 in UTC; ids are opaque text. Every error has the shape \
            of `ErrorBody`: a `code` for programs that never changes, and a `message` for people."
    ),
    paths(
        orders::receive,
        read::orders,
        read::order,
        read::deliveries,
        read::entries,
        read::distributor,
        statement::statement,
        pulls::pulls,
        periods::periods,
        periods::period,
        periods::run,
        periods::awards,
        periods::explain,
        reconciliation::days,
        reconciliation::report
    ),
    tags(
        (name = "orders", description = "Posting orders; scope `orders` or `admin`"),
        (name = "read", description = "Reading what was recorded; scope `read` or `admin`")
    ),
    modifiers(&Token)
)]
struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of `upline token add`"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

pub async fn document() -> Result<HttpResponse, Refusal> {
    static JSON: LazyLock<Option<String>> = LazyLock::new(|| Description::openapi().to_pretty_json().ok());
    let json = JSON.as_deref().ok_or_else(Refusal::internal)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_every_schema_is_described() {
        let document: serde_json::Value =
            serde_json::from_str(&Description::openapi().to_json().unwrap()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths.len(), 15, "{paths:?}");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name: String =
                text[at + 21..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(schemas.contains_key(&name), "{name} is not described");
        }
        assert!(document["components"]["securitySchemes"]["token"].is_object());
    }
}
