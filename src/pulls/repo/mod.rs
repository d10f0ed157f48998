//! SQL of pulls.

pub mod events;
