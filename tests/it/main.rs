//! One integration binary: it is linked once, and its tests share one PostgreSQL cluster.

// Whole payloads are written with json!.
#![recursion_limit = "256"]
// A test that cannot go on has failed, in its helpers too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod admin_catalogue;
mod admin_settings;
mod any_order;
mod api;
mod backups;
mod browser;
mod catalogue;
mod chain;
mod chaos;
mod cli;
mod commands;
mod customers;
mod demo;
mod embedded;
mod import;
mod login;
mod notices;
mod payees;
mod payees_at_work;
mod payouts;
mod periods;
mod periods_browser;
mod pipeline;
mod placement;
mod privacy;
mod proof;
mod pulls;
mod reconcile;
mod referrals;
mod scenarios;
mod settlements;
mod statements;
mod stores;
mod support;
mod tidy;
mod warehouse;
mod webhooks;
