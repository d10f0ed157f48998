//! `upline`: from cart to commission.

pub mod clock;
pub mod core;
pub mod db;
pub mod events;
pub mod ingest;
pub mod vault;
