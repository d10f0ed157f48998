//! `upline`: from cart to commission.

pub mod access;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod commissions;
pub mod core;
pub mod db;
pub mod demo;
pub mod distributors;
pub mod events;
pub mod ingest;
pub mod ledger;
pub mod orders;
pub mod plans;
pub mod proof;
pub mod reports;
pub mod scenario;
pub mod settings;
pub mod stores;
pub mod telemetry;
pub mod vault;
pub mod web;
