//! Exact money: a decimal pinned to its currency's scale, one rounding function, one allocation.
//!
//! There is no `+` on [`Money`]: sums are checked, because a currency mix-up or an overflow is a bug that
//! must stop the batch and not become a number.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Three letters of ISO 4217. Holds any three capital letters so that an unknown currency can be shown and
/// held; [`Currency::exponent`] says whether it can be paid in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// ISO 4217 for "no currency".
    pub const NONE: Self = Self(*b"XXX");

    /// `None` unless `code` is three ASCII letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.trim().to_ascii_uppercase().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Minor digits by the ISO table: 2 for USD, 0 for JPY, 3 for KWD. `None` for a code that is not in it.
    pub fn exponent(&self) -> Option<u32> {
        iso_currency::Currency::from_code(self.code()).and_then(|known| known.exponent()).map(u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a currency code")))
    }
}

/// How a fraction of the smallest unit is decided. Plan data, never a default buried in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    HalfUp,
    HalfEven,
    HalfDown,
    Down,
    Up,
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::HalfDown => RoundingStrategy::MidpointTowardZero,
            Self::Down => RoundingStrategy::ToZero,
            Self::Up => RoundingStrategy::AwayFromZero,
        }
    }
}

/// The one rounding function: `amount` to `scale` digits after the point.
pub fn round(amount: Decimal, scale: u32, mode: Rounding) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(scale, mode.strategy());
    rounded.rescale(scale);
    rounded
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0} is not a currency of ISO 4217")]
    UnknownCurrency(Currency),
    #[error("{amount} has more digits than {currency} has minor units")]
    TooFine { amount: Decimal, currency: Currency },
    #[error("{left} and {right} cannot be added")]
    Mixed { left: Currency, right: Currency },
    #[error("the sum is too large for a decimal")]
    Overflow,
}

/// An amount of one currency at exactly that currency's scale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    pub fn zero(currency: Currency) -> Result<Self, MoneyError> {
        Self::exact(Decimal::ZERO, currency)
    }

    /// Refuses digits below the currency's smallest unit: rounding is a decision and is made by [`Money::rounded`].
    pub fn exact(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let scale = currency.exponent().ok_or(MoneyError::UnknownCurrency(currency))?;
        let mut pinned = amount.normalize();
        if pinned.scale() > scale {
            return Err(MoneyError::TooFine { amount, currency });
        }
        pinned.rescale(scale);
        Ok(Self { amount: pinned, currency })
    }

    pub fn rounded(amount: Decimal, currency: Currency, mode: Rounding) -> Result<Self, MoneyError> {
        let scale = currency.exponent().ok_or(MoneyError::UnknownCurrency(currency))?;
        Ok(Self { amount: round(amount, scale, mode), currency })
    }

    pub fn amount(&self) -> Decimal {
        self.amount
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, currency: self.currency })
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, currency: self.currency })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::Mixed { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// Splits `total` over `weights` so that the parts, at `scale` digits, sum to `total` exactly.
///
/// Largest remainder; ties go to the earlier weight, so callers pass weights in a fixed order. Weights must
/// not be negative; if all are zero the first takes everything. An empty slice gives no parts.
pub fn allocate(total: Decimal, weights: &[Decimal], scale: u32) -> Vec<Decimal> {
    let sum: Decimal = weights.iter().sum();
    if sum.is_zero() {
        let mut parts = vec![Decimal::ZERO; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let exact: Vec<Decimal> = weights.iter().map(|weight| total * weight / sum).collect();
    let mut parts: Vec<Decimal> = exact.iter().map(|share| round(*share, scale, Rounding::Down)).collect();
    let unit = Decimal::new(1, scale);
    let unit = if total.is_sign_negative() { -unit } else { unit };
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|&i| {
        let remainder = exact.get(i).copied().unwrap_or_default() - parts.get(i).copied().unwrap_or_default();
        (std::cmp::Reverse(remainder.abs()), i)
    });
    let mut missing = total - parts.iter().sum::<Decimal>();
    for i in by_remainder.into_iter().cycle() {
        if missing.abs() < unit.abs() {
            break;
        }
        if let Some(part) = parts.get_mut(i) {
            *part += unit;
            missing -= unit;
        }
    }
    // Digits of `total` below the scale stay with the first part.
    if let Some(first) = parts.first_mut() {
        *first += missing;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn scale_follows_the_iso_table() {
        for (code, amount, shown) in
            [("USD", "1.5", "1.50 USD"), ("JPY", "327", "327 JPY"), ("KWD", "0.1", "0.100 KWD")]
        {
            assert_eq!(Money::exact(dec(amount), currency(code)).unwrap().to_string(), shown);
        }
        assert_eq!(
            Money::exact(dec("0.5"), currency("JPY")),
            Err(MoneyError::TooFine { amount: dec("0.5"), currency: currency("JPY") })
        );
        assert_eq!(Money::zero(currency("ZZZ")), Err(MoneyError::UnknownCurrency(currency("ZZZ"))));
    }

    #[test]
    fn currencies_do_not_mix() {
        let usd = Money::exact(dec("1"), currency("USD")).unwrap();
        let eur = Money::exact(dec("1"), currency("EUR")).unwrap();
        assert!(usd.checked_add(eur).is_err());
        assert_eq!(usd.checked_sub(usd).unwrap(), Money::zero(currency("USD")).unwrap());
    }

    #[test]
    fn rounding_modes() {
        for (mode, up, down) in [
            (Rounding::HalfUp, "0.13", "-0.13"),
            (Rounding::HalfEven, "0.12", "-0.12"),
            (Rounding::HalfDown, "0.12", "-0.12"),
            (Rounding::Down, "0.12", "-0.12"),
            (Rounding::Up, "0.13", "-0.13"),
        ] {
            assert_eq!(round(dec("0.125"), 2, mode), dec(up));
            assert_eq!(round(dec("-0.125"), 2, mode), dec(down));
        }
    }

    #[test]
    fn allocation_gives_the_odd_cent_to_the_largest_remainder() {
        let parts = allocate(dec("10.00"), &[dec("1"), dec("1"), dec("1")], 2);
        assert_eq!(parts, [dec("3.34"), dec("3.33"), dec("3.33")]);
        let parts = allocate(dec("0.05"), &[dec("3"), dec("7")], 2);
        assert_eq!(parts, [dec("0.02"), dec("0.03")]);
        assert_eq!(allocate(dec("5"), &[dec("0"), dec("0")], 2), [dec("5"), dec("0")]);
        assert!(allocate(dec("5"), &[], 2).is_empty());
    }

    proptest! {
        #[test]
        fn allocation_sums_exactly(
            cents in -100_000_000i64..100_000_000,
            weights in prop::collection::vec(0u32..100_000, 1..40),
        ) {
            let total = Decimal::new(cents, 2);
            let weights: Vec<Decimal> = weights.into_iter().map(Decimal::from).collect();
            let parts = allocate(total, &weights, 2);
            prop_assert_eq!(parts.iter().sum::<Decimal>(), total);
            let sum: Decimal = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part.scale() <= 2);
                if !sum.is_zero() {
                    let exact = total * weight / sum;
                    prop_assert!((part - exact).abs() < Decimal::new(1, 2));
                }
            }
        }

        #[test]
        fn rounding_stays_within_one_unit(mantissa in any::<i64>(), scale in 0u32..10) {
            let amount = Decimal::new(mantissa, scale);
            for mode in [Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfDown, Rounding::Down, Rounding::Up] {
                prop_assert!((round(amount, 2, mode) - amount).abs() < Decimal::new(1, 2));
            }
        }
    }
}
