//! Volumes and amounts of a period: whole ten-thousandths, so that a million distributors are plain arrays and
//! their sums are exact. A line's volume is brought to four digits once, when it is gathered; from then on
//! nothing is rounded until an award is.

use rust_decimal::Decimal;

use super::money::{Rounding, round};

/// Digits after the point of a [`Fixed`]; no currency has more.
pub const DIGITS: u32 = 4;
/// Digits after the point of a [`Rate`], as the plan document allows.
pub const RATE_DIGITS: u32 = 8;

/// A volume or an amount of money, in ten-thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed(pub i64);

/// A share, in hundred-millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

/// A volume times a rate, not yet rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(pub i128);

/// A sum that no decimal could hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a volume or an amount is too large to be calculated exactly")]
pub struct TooLarge;

// A sum is checked, so it is no operator: it answers whether it fits.
#[allow(clippy::should_implement_trait)]
impl Fixed {
    pub const ZERO: Self = Self(0);

    /// To four digits, half to even.
    pub fn of(value: Decimal) -> Result<Self, TooLarge> {
        whole(value, DIGITS).and_then(|units| i64::try_from(units).map_err(|_| TooLarge)).map(Self)
    }

    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, DIGITS).normalize()
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn add(self, other: Self) -> Result<Self, TooLarge> {
        self.0.checked_add(other.0).map(Self).ok_or(TooLarge)
    }

    pub fn sub(self, other: Self) -> Result<Self, TooLarge> {
        self.0.checked_sub(other.0).map(Self).ok_or(TooLarge)
    }

    pub fn sum(values: impl IntoIterator<Item = Self>) -> Result<Self, TooLarge> {
        values.into_iter().try_fold(Self::ZERO, Self::add)
    }

    /// Cannot overflow: sixty-four bits by sixty-four.
    pub fn times(self, rate: Rate) -> Exact {
        Exact(i128::from(self.0) * i128::from(rate.0))
    }
}

impl Rate {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(100_000_000);

    /// A rate of the plan document, which has at most eight digits.
    pub fn of(share: Decimal) -> Self {
        Self(whole(share, RATE_DIGITS).ok().and_then(|units| i64::try_from(units).ok()).unwrap_or(0))
    }

    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, RATE_DIGITS).normalize()
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[allow(clippy::should_implement_trait)]
impl Exact {
    pub const ZERO: Self = Self(0);

    pub fn add(self, other: Self) -> Result<Self, TooLarge> {
        self.0.checked_add(other.0).map(Self).ok_or(TooLarge)
    }

    pub fn sub(self, other: Self) -> Result<Self, TooLarge> {
        self.0.checked_sub(other.0).map(Self).ok_or(TooLarge)
    }

    /// An amount that is exact as it stands.
    pub fn from_fixed(amount: Fixed) -> Self {
        amount.times(Rate::ONE)
    }

    pub fn decimal(self) -> Result<Decimal, TooLarge> {
        Decimal::try_from_i128_with_scale(self.0, DIGITS + RATE_DIGITS).map_err(|_| TooLarge)
    }

    /// To the currency's digits, by the plan's mode. This is where a period's cents are decided.
    pub fn round(self, scale: u32, mode: Rounding) -> Result<Fixed, TooLarge> {
        Fixed::of(round(self.decimal()?, scale.min(DIGITS), mode))
    }
}

fn whole(value: Decimal, digits: u32) -> Result<i128, TooLarge> {
    let rounded = round(value, digits, Rounding::HalfEven);
    if rounded.scale() != digits {
        return Err(TooLarge);
    }
    Ok(rounded.mantissa())
}

impl std::fmt::Display for Fixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.decimal(), f)
    }
}

impl serde::Serialize for Fixed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&self.decimal(), serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Fixed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(<Decimal as serde::Deserialize>::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    #[test]
    fn a_volume_has_four_digits_and_an_award_is_rounded_once() {
        assert_eq!(Fixed::of(dec!(3.51315)).unwrap(), Fixed(35_132));
        assert_eq!(Fixed::of(dec!(-0.5)).unwrap().decimal(), dec!(-0.5));
        let exact = Fixed::of(dec!(100.10)).unwrap().times(Rate::of(dec!(0.05)));
        assert_eq!(exact.round(2, Rounding::HalfUp).unwrap().decimal(), dec!(5.01));
        assert_eq!(exact.round(2, Rounding::Down).unwrap().decimal(), dec!(5));
        assert_eq!(exact.decimal().unwrap().normalize(), dec!(5.005));
    }

    #[test]
    fn too_large_is_told_and_never_wrapped() {
        assert_eq!(Fixed(i64::MAX).add(Fixed(1)), Err(TooLarge));
        assert_eq!(Fixed::of(Decimal::MAX), Err(TooLarge));
    }
}
