//! `upline`: from cart to commission.

pub mod catalog;
pub mod clock;
pub mod commissions;
pub mod core;
pub mod db;
pub mod distributors;
pub mod events;
pub mod ingest;
pub mod ledger;
pub mod orders;
pub mod plans;
pub mod stores;
pub mod vault;
