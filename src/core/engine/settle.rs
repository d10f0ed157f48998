//! From exact amounts to amounts that can be paid.

use rust_decimal::Decimal;

use crate::core::money::{allocate, round};
use crate::core::plan::{RoundingRule, Stage};

/// One earner on one line.
pub(super) struct Cell {
    pub rate: Decimal,
    pub exact: Decimal,
}

impl Cell {
    pub fn new(base: Decimal, rate: Decimal) -> Self {
        Self { rate, exact: base * rate }
    }
}

/// Amounts at the currency's scale. `exact` holds one amount per line, none below zero, in the order of the line ids: that order decides which
/// of two equal lines has the odd cent.
pub(super) fn settle(exact: &[Decimal], rule: RoundingRule, scale: u32) -> Vec<Decimal> {
    match rule.stage {
        Stage::Line => exact.iter().map(|amount| round(*amount, scale, rule.mode)).collect(),
        Stage::Order => {
            let total = round(exact.iter().sum(), scale, rule.mode);
            allocate(total, exact, scale)
        }
    }
}
