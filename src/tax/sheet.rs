//! Rows that are given out, and their seal: the CSV that a person reads is the bytes that are sealed.

use std::borrow::Cow;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::core::money::Currency;
use crate::core::sheet::harmless;
use crate::db::DbError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// The same rows give the same bytes. No value is taken for a formula.
    pub fn csv(&self) -> Result<Vec<u8>, DbError> {
        let wrong =
            |error: &dyn std::fmt::Display| DbError::Invariant(format!("rows cannot be written: {error}"));
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record(&self.header).map_err(|error| wrong(&error))?;
        for row in &self.rows {
            let row = row.iter().map(|value| field(value).into_owned().into_bytes());
            writer.write_record(row).map_err(|error| wrong(&error))?;
        }
        writer.into_inner().map_err(|error| wrong(&error))
    }

    pub fn sha256(&self) -> Result<[u8; 32], DbError> {
        Ok(Sha256::digest(self.csv()?).into())
    }
}

/// A negative amount is a number to a spreadsheet, and nothing to be afraid of.
fn field(value: &str) -> Cow<'_, str> {
    if value.parse::<Decimal>().is_ok() { value.into() } else { harmless(value) }
}

/// With the digits of its currency, and those below it that it has.
pub fn digits(amount: Decimal, currency: Currency) -> String {
    pinned(amount, currency).to_string()
}

pub fn pinned(amount: Decimal, currency: Currency) -> Decimal {
    let mut pinned = amount.normalize();
    let scale = currency.exponent().unwrap_or(2);
    if pinned.scale() < scale {
        pinned.rescale(scale);
    }
    pinned
}

pub fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_is_of_the_rows_in_their_order() {
        let sheet = |rows: &[&str]| Sheet {
            header: vec!["id"],
            rows: rows.iter().map(|row| vec![(*row).to_owned()]).collect(),
        };
        assert_eq!(sheet(&["1", "2"]).sha256().unwrap(), sheet(&["1", "2"]).sha256().unwrap());
        assert_ne!(sheet(&["1", "2"]).sha256().unwrap(), sheet(&["2", "1"]).sha256().unwrap());
        assert_eq!(String::from_utf8(sheet(&["1"]).csv().unwrap()).unwrap(), "id\n1\n");
        assert_eq!(
            String::from_utf8(sheet(&["=1+1", "-5.00"]).csv().unwrap()).unwrap(),
            "id\n'=1+1\n-5.00\n"
        );
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(digits("15.0000".parse().unwrap(), usd), "15.00");
    }
}
