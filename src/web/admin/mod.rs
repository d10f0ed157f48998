//! The admin pages: server-rendered, readable and usable without JavaScript.
//!
//! Each page is one file: plain view structs, the template they fill, and the handlers that fill it from
//! `reports` and the rooms. No page computes money; it prints what the rooms computed.

pub mod assets;
pub mod chart;
pub mod code;
pub mod customers;
pub mod dashboard;
pub mod deliveries;
pub mod desk;
pub mod distributors;
pub mod explain;
mod explain_run;
pub mod field;
pub mod format;
pub mod held;
pub mod ledger;
pub mod login;
pub mod notice_list;
pub mod notices;
pub mod once;
pub mod order;
pub mod orders;
pub mod payouts;
pub mod periods;
pub mod plan_diff;
pub mod plan_publish;
pub mod plan_words;
pub mod plans;
pub mod products;
pub mod pulls;
pub mod reconciliation;
pub mod search;
pub mod settings;
pub mod shell;
pub mod simulate;
pub mod skus;
pub mod stores;
pub mod words;

#[cfg(test)]
mod samples;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

/// Every page under `/admin`. Whoever may do it is a type that the handler takes.
pub fn routes(config: &mut ServiceConfig) {
    let pages = web::scope("/admin")
        .wrap(from_fn(notices::as_page))
        .route("", get().to(dashboard::page))
        .route("/search", get().to(search::page))
        .route("/theme", post().to(notices::theme))
        .route("/notices", get().to(notice_list::page))
        .route("/deliveries", get().to(deliveries::list))
        .route("/deliveries/{id}", get().to(deliveries::one))
        .route("/deliveries/{id}/process", post().to(deliveries::process))
        .route("/orders", get().to(orders::list))
        .route("/orders/{id}", get().to(order::one))
        .route("/orders/{id}/attribute", post().to(order::assign))
        .route("/held", get().to(held::list))
        .route("/held/cause", get().to(held::cause::page))
        .route("/held/cause", post().to(held::cause::apply))
        .route("/skus", get().to(skus::list))
        .route("/skus/import", get().to(skus::import::page))
        .route("/skus/import", post().to(skus::import::stage))
        .route("/skus/map", post().to(skus::map))
        .route("/skus/class", post().to(skus::reclass))
        .route("/skus/{id}", get().to(skus::key::page))
        .route("/skus/{id}", post().to(skus::key::add_version))
        .route("/distributors", get().to(distributors::list))
        .route("/distributors/{id}", get().to(distributors::one))
        .route("/distributors/{id}/statement", get().to(distributors::statement::page))
        .route("/distributors/{id}/statement.pdf", get().to(distributors::statement::pdf))
        .route("/distributors/{id}/statement.csv", get().to(distributors::statement::csv))
        .route("/distributors/{id}/children", get().to(distributors::tree::children))
        .route("/distributors/{id}/places", get().to(distributors::tree::places))
        .route("/distributors/{id}/codes", post().to(distributors::codes::add))
        .route("/distributors/{id}/codes/retire", post().to(distributors::codes::retire))
        .configure(distributors::payee::configure)
        .route("/distributors/{id}/move", get().to(distributors::moving::page))
        .route("/distributors/{id}/move", post().to(distributors::moving::sponsor))
        .route("/distributors/{id}/place", post().to(distributors::moving::place))
        .route("/ledger", get().to(ledger::entries))
        .route("/ledger/accounts", get().to(ledger::accounts))
        .route("/ledger/entries/{source}/{number}", get().to(ledger::entry))
        .route("/events/{id}", get().to(explain::page))
        .configure(products::configure)
        .configure(customers::configure)
        .configure(periods::configure)
        .configure(payouts::configure)
        .configure(reconciliation::configure)
        .configure(plans::configure)
        .configure(stores::configure)
        .configure(pulls::configure)
        .configure(settings::configure)
        .default_service(web::to(notices::nothing_here));
    config.service(pages);
}
