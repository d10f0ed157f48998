//! SQL of pulls.

pub mod events;
pub mod marks;
pub mod turn;
pub mod windows;
