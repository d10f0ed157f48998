//! The edge: everything that speaks HTTP.

pub mod admin;
