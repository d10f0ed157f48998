//! Reading on after a field that cannot be read: the list of what was wrong, and typed getters that add to it.
//!
//! A parser gives an order with its problems, which hold it, instead of no order at all. Only what an order
//! cannot be named or counted without is an error.

use std::fmt::Display;

use rust_decimal::Decimal;

use super::body::{ParseError, Scalar, product, shortened};
use crate::core::money::Currency;
use crate::core::order::Problem;

/// Collects what could not be read while the rest of the payload still is.
#[derive(Debug, Default)]
pub struct Reader {
    pub problems: Vec<Problem>,
}

impl Reader {
    pub fn problem(&mut self, field: impl Display, message: impl Display) {
        self.problems.push(Problem { field: field.to_string(), message: message.to_string() });
    }

    /// The value, or `None` with a problem noted if it is there but unusable.
    pub fn optional<T>(&mut self, field: impl Display, value: Result<Option<T>, String>) -> Option<T> {
        value.unwrap_or_else(|message| {
            self.problem(field, message);
            None
        })
    }

    /// An amount that may be absent: absent is zero.
    pub fn amount(&mut self, field: impl Display, value: Scalar<'_>) -> Decimal {
        self.optional(field, value.decimal()).unwrap_or_default()
    }

    pub fn required_amount(&mut self, field: impl Display, value: Scalar<'_>) -> Decimal {
        if value.literal().is_none() {
            self.problem(field, "is missing");
            return Decimal::ZERO;
        }
        self.amount(field, value)
    }

    /// Required and not negative: prices, quantities, line totals.
    pub fn non_negative(&mut self, field: impl Display, value: Scalar<'_>) -> Decimal {
        let field = field.to_string();
        let amount = self.required_amount(&field, value);
        if amount >= Decimal::ZERO {
            return amount;
        }
        self.problem(&field, format_args!("is negative: {amount}"));
        Decimal::ZERO
    }

    pub fn product(&mut self, field: impl Display, a: Decimal, b: Decimal) -> Decimal {
        product(a, b).unwrap_or_else(|| {
            self.problem(field, format_args!("has too many digits: {a} x {b}"));
            Decimal::ZERO
        })
    }

    pub fn id(&mut self, field: impl Display, value: Scalar<'_>) -> Option<String> {
        self.optional(field, value.id())
    }

    /// For payloads that have nowhere to keep their problems.
    pub fn finish(self) -> Result<(), ParseError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ParseError::Fields(self.problems)) }
    }
}

/// What no order can do without.
pub fn required_id(field: &'static str, value: Scalar<'_>) -> Result<String, ParseError> {
    match value.id() {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(ParseError::Missing { field }),
        Err(message) => Err(ParseError::Fields(vec![Problem { field: field.to_owned(), message }])),
    }
}

pub fn required_currency(field: &'static str, value: Scalar<'_>) -> Result<Currency, ParseError> {
    let code = value.text().ok_or(ParseError::Missing { field })?;
    let problem = || Problem {
        field: field.to_owned(),
        message: format!("is not a currency code: {}", shortened(&code)),
    };
    Currency::parse(&code).ok_or_else(|| ParseError::Fields(vec![problem()]))
}
