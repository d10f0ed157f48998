//! The admin pages: server-rendered, readable and usable without JavaScript.
//!
//! Each page is one file: plain view structs, the template they fill, and the handlers that fill it from
//! `reports` and the rooms. No page computes money; it prints what the rooms computed.

pub mod assets;
pub mod chart;
pub mod code;
pub mod connect;
pub mod dashboard;
pub mod deliveries;
pub mod desk;
pub mod distributors;
pub mod explain;
pub mod field;
pub mod format;
pub mod held;
pub mod ledger;
pub mod login;
pub mod notices;
pub mod once;
pub mod orders;
pub mod plan_publish;
pub mod plan_words;
pub mod plans;
pub mod settings;
pub mod shell;
pub mod skus;
pub mod stores;
pub mod words;

use actix_web::web;

/// Every page.
pub fn routes(config: &mut web::ServiceConfig) {
    config.configure(plans::configure).configure(stores::configure).configure(settings::configure);
}

#[cfg(test)]
mod samples;
