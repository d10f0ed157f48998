//! Sums over what was written, so that whoever reads a file can tell that all of it has come.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::datasets::Dataset;
use super::manifest::Sum;
use super::problem::WarehouseProblem;
use super::values::{Column, Row};

/// The sum of one column by the values of others.
pub struct Sums {
    of: usize,
    by: Vec<usize>,
    amount: Column,
    names: Vec<String>,
    sums: BTreeMap<Vec<String>, Decimal>,
}

impl Sums {
    pub fn new(dataset: &Dataset, columns: &[Column]) -> Option<Self> {
        let (of, by) = dataset.sum?;
        let at = |name: &str| columns.iter().position(|column| column.name == name);
        let of = at(of)?;
        Some(Self {
            of,
            by: by.iter().map(|name| at(name)).collect::<Option<_>>()?,
            amount: columns.get(of)?.clone(),
            names: by.iter().map(|name| (*name).to_owned()).collect(),
            sums: BTreeMap::new(),
        })
    }

    pub fn add(&mut self, row: &Row) -> Result<(), WarehouseProblem> {
        let cell = |at: usize| row.get(at).and_then(Option::as_deref);
        let Some(value) = cell(self.of) else { return Ok(()) };
        let amount = self.amount.decimal(value)?;
        let key = self.by.iter().map(|at| cell(*at).unwrap_or_default().to_owned()).collect();
        let sum = self.sums.entry(key).or_default();
        let too_large = || WarehouseProblem::Refused(format!("the sum of {} is too large", self.amount.name));
        *sum = sum.checked_add(amount).ok_or_else(too_large)?;
        Ok(())
    }

    pub fn finish(self) -> Vec<Sum> {
        let Self { amount, names, sums, .. } = self;
        let named = |key: Vec<String>| names.iter().cloned().zip(key).collect();
        sums.into_iter().map(|(key, sum)| Sum { of: amount.name.clone(), by: named(key), sum }).collect()
    }
}
