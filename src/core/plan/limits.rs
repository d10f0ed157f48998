//! Gates, caps and deductions: the last phase of a period.

use rust_decimal::Decimal;

use super::read::Table;
use super::{Canonical, Plan};
use crate::core::bonus::Names;
use crate::core::fixed::{Fixed, Rate};
use crate::core::money::Rounding;
use crate::core::period::{Condition, Measure};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub gates: Vec<Gate>,
    pub caps: Vec<Cap>,
    pub deductions: Vec<Deduction>,
}

/// What an earner has to meet so that some bonuses are paid at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    pub id: String,
    /// Places in the plan's bonuses.
    pub of: Vec<u16>,
    /// Least share of customers in the volume of the earner's own orders and of its group's.
    pub customer_share: Option<CustomerShare>,
    pub requires: Option<Condition>,
    /// What stays of an award behind a closed gate.
    pub else_pays: Rate,
}

/// The share has a rounding of its own, because it is compared and not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerShare {
    pub least: Rate,
    pub digits: u32,
    pub mode: Rounding,
    /// Of the earner's whole group and not only of its own orders.
    pub group: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub id: String,
    /// Places in the plan's bonuses.
    pub of: Vec<u16>,
    pub per: CapPer,
    pub most: Most,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapPer {
    /// Over all positions; what is above is taken from its awards in proportion.
    Earner,
    Position,
    /// Everybody together, in proportion; after all other caps.
    Company,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    Amount(Fixed),
    /// A share of the company's CV in the period.
    ShareOfCv(Rate),
}

/// Taken from what an earner is paid, such as a fee for the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduction {
    pub id: String,
    pub rate: Decimal,
    pub amount: Fixed,
}

impl Limits {
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty() && self.caps.is_empty() && self.deductions.is_empty()
    }

    /// The sums that gates and caps ask for.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        vec![]
    }
}

pub(super) fn read(root: &Table<'_>, names: &Names<'_>) -> Limits {
    let _ = (root, names);
    Limits::default()
}

pub(super) fn canonical(_plan: &Plan, _out: &mut Canonical) {}
