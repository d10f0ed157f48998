//! A table that is about to leave, read again from its bytes: as many columns as it has to have, an amount and a
//! reference in each row, no reference twice, nothing that a spreadsheet calculates.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::core::money::Currency;
use crate::core::payout::{Rail, Reference};
use crate::core::sheet::harmless;

use super::{PAYPAL_COLUMNS, header};

/// Where amount, currency and reference stand.
fn places(rail: Rail) -> [usize; 3] {
    match rail {
        Rail::Wise => [5, 7, 2],
        Rail::Csv => [7, 8, 0],
        _ => [1, 2, 3],
    }
}

/// What speaks against the table; none if it can be taken. Never what stands in a field.
pub fn check(rail: Rail, bytes: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut problems = vec![];
    let mut records = reader.records().zip(1u64..);
    let columns = header(rail).map_or(PAYPAL_COLUMNS, <[&str]>::len);
    if let Some(wanted) = header(rail) {
        let found = records.next().and_then(|(record, _)| record.ok());
        if found.is_none_or(|found| found != wanted.to_vec()) {
            problems.push(format!("the header is not {}", wanted.join(",")));
        }
    }
    let (mut seen, mut currencies) = (BTreeSet::new(), BTreeSet::new());
    for (record, line) in records {
        let Ok(record) = record else {
            problems.push(format!("row {line}: is no CSV"));
            continue;
        };
        if record.len() != columns {
            problems.push(format!("row {line}: has {} columns instead of {columns}", record.len()));
        }
        let [amount, currency, reference] = places(rail).map(|at| record.get(at).unwrap_or_default());
        if !Decimal::from_str_exact(amount).is_ok_and(|amount| amount > Decimal::ZERO) {
            problems.push(format!("row {line}: the amount is none"));
        }
        if Currency::parse(currency).is_none() {
            problems.push(format!("row {line}: the currency is none"));
        }
        currencies.insert(currency.to_owned());
        let is_ours = !matches!(Reference::read(reference), Reference::Foreign(_));
        if !is_ours || !seen.insert(reference.to_owned()) {
            problems.push(format!("row {line}: the reference is none of ours, or there twice"));
        }
        if record.iter().any(|value| harmless(value) != value) {
            problems.push(format!("row {line}: a spreadsheet would calculate a field"));
        }
    }
    if currencies.len() > 1 {
        problems.push("the file has more than one currency".to_owned());
    }
    problems
}
