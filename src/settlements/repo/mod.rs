//! SQL of settlements.

pub mod adjustments;
pub mod debts;
pub mod held;
pub mod policies;
pub mod rates;
