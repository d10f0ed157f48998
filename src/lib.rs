//! `upline`: from cart to commission.

pub mod core;
pub mod web;
