//! What the tax office of the United States wants to be told of a year: thresholds by year, and who gets a form.
//!
//! A year that is not in the table is an error and never the thresholds of another year.

use rust_decimal::Decimal;
use serde::Serialize;

/// What holds in one year, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TaxYear {
    pub year: i32,
    /// Form 1099-NEC is due from this compensation on.
    pub box_1: Decimal,
    /// Box 2 is ticked from these sales for resale on.
    pub box_2: Decimal,
}

/// Year, box 1, box 2. Before 2020 there was no Form 1099-NEC; from 2027 on the first threshold follows the price index
/// and has to be entered here once it is published.
const YEARS: [(i32, i64, i64); 7] = [
    (2020, 600, 5_000),
    (2021, 600, 5_000),
    (2022, 600, 5_000),
    (2023, 600, 5_000),
    (2024, 600, 5_000),
    (2025, 600, 5_000),
    (2026, 2_000, 5_000),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTaxYear {
    #[error("there was no Form 1099-NEC in {0}; the first year is 2020")]
    TooEarly(i32),
    #[error(
        "the thresholds of {0} are not known: from 2027 on the one of box 1 follows the price index; take it from the \
         tax office's instructions for Form 1099-NEC and add the year to YEARS in src/core/tax.rs"
    )]
    NotYet(i32),
}

impl TaxYear {
    pub fn known(year: i32) -> Result<Self, UnknownTaxYear> {
        let found = YEARS.into_iter().find(|(known, ..)| *known == year);
        let known = found.map(|(year, box_1, box_2)| Self {
            year,
            box_1: Decimal::from(box_1),
            box_2: Decimal::from(box_2),
        });
        let unknown = if year < 2020 { UnknownTaxYear::TooEarly } else { UnknownTaxYear::NotYet };
        known.ok_or_else(|| unknown(year))
    }

    pub fn form(&self, paid: &Paid, bought: Decimal) -> Form {
        let box_1 = paid.gross();
        let box_2 = bought >= self.box_2;
        // Tax that was withheld is told whatever the sum.
        let is_due = box_1 >= self.box_1 || box_2 || paid.withheld > Decimal::ZERO;
        Form { box_1, box_2, box_4: paid.withheld, is_due }
    }
}

/// What one person was paid in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// What left the bank.
    pub net: Decimal,
    /// Kept from the payments: part of what was paid all the same.
    pub fees: Decimal,
    pub withheld: Decimal,
}

impl Paid {
    pub fn gross(&self) -> Decimal {
        self.net + self.fees + self.withheld
    }
}

/// The boxes of Form 1099-NEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Compensation.
    pub box_1: Decimal,
    /// Sales for resale of the threshold or more; a tick, no amount.
    pub box_2: bool,
    /// Income tax withheld.
    pub box_4: Decimal,
    pub is_due: bool,
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn paid(net: Decimal) -> Paid {
        Paid { net, ..Paid::default() }
    }

    #[test]
    fn the_threshold_is_of_the_year() {
        let (before, after) = (TaxYear::known(2025).unwrap(), TaxYear::known(2026).unwrap());
        for (year, sum, due) in [
            (&before, dec!(599.99), false),
            (&before, dec!(600), true),
            (&after, dec!(600), false),
            (&after, dec!(1999.99), false),
            (&after, dec!(2000), true),
        ] {
            assert_eq!(year.form(&paid(sum), dec!(0)).is_due, due, "{} {sum}", year.year);
        }
    }

    #[test]
    fn fees_and_withheld_tax_were_paid_too() {
        let year = TaxYear::known(2026).unwrap();
        let sum = Paid { net: dec!(1519.50), fees: dec!(0.50), withheld: dec!(480) };
        let form = year.form(&sum, dec!(0));
        assert_eq!((form.box_1, form.box_4, form.is_due), (dec!(2000), dec!(480), true));
        let little = Paid { withheld: dec!(0.24), ..paid(dec!(0.76)) };
        assert!(year.form(&little, dec!(0)).is_due, "tax was withheld");
    }

    #[test]
    fn purchases_for_resale_are_a_reason_of_their_own() {
        let year = TaxYear::known(2026).unwrap();
        assert!(!year.form(&paid(dec!(0)), dec!(4999.99)).box_2);
        let form = year.form(&paid(dec!(0)), dec!(5000));
        assert!(form.box_2 && form.is_due);
    }

    #[test]
    fn a_year_that_is_not_known_is_never_guessed() {
        assert_eq!(TaxYear::known(2019), Err(UnknownTaxYear::TooEarly(2019)));
        let told = TaxYear::known(2027).unwrap_err().to_string();
        assert!(told.contains("2027") && told.contains("src/core/tax.rs"), "{told}");
        assert!(YEARS.iter().zip(2020..).all(|((year, ..), expected)| *year == expected), "in order, no gap");
    }
}
