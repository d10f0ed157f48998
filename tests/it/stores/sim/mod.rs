//! A simulated shop on a real port: what is true in it ([`shop`]), how its platform tells it ([`dialect`]).

pub mod dialect;
pub mod shop;
pub mod sums;
