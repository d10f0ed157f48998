//! The edge: everything that speaks HTTP. Turns requests into calls of the rooms and their answers into pages and
//! JSON; it computes no money and holds no SQL.

pub mod admin;
pub mod api;
pub mod error;
pub mod fresh;
pub mod headers;
pub mod health;
pub mod limits;
pub mod login;
pub mod metrics;
pub mod referral;
pub mod session;
pub mod state;
pub mod trace;
pub mod turn;
pub mod webhooks;

use actix_web::{HttpResponse, web};

use error::Refusal;

pub use state::AppState;

/// Every address of the program.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(only("/livez", "GET", web::get().to(health::live)))
        .service(only("/readyz", "GET", web::get().to(health::ready)))
        .service(only("/metrics", "GET", web::get().to(metrics::metrics)))
        .service(
            web::resource("/webhooks/{store}")
                .route(web::post().to(webhooks::receive))
                .route(web::get().to(webhooks::challenge))
                .default_service(web::to(|| refuse("POST"))),
        )
        .service(only("/r/{code}", "GET", web::get().to(referral::follow)))
        .service(only("/r/{code}/{store}", "GET", web::get().to(referral::follow_to)))
        .configure(admin::assets::configure)
        .configure(admin::routes)
        .configure(api::routes)
        .configure(login::routes)
        .default_service(web::to(nothing_here));
}

/// Forms that are not read by [`session::Form`]: only the sign-in page's.
pub fn form_limit() -> web::FormConfig {
    web::FormConfig::default().limit(16 * 1024)
}

/// A resource with one method; another one is told which.
pub fn only(path: &str, allowed: &'static str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(web::to(move || refuse(allowed)))
}

async fn refuse(allowed: &'static str) -> Result<HttpResponse, Refusal> {
    Err(Refusal::method_not_allowed(allowed))
}

async fn nothing_here() -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_found("not_found", "there is nothing at this address"))
}
