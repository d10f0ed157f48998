//! What happens to a commission between earning and payout: part of it is held back, a debt is recovered or given
//! up, an amount changes its currency. Plain arithmetic; every result is exact at its currency's scale.

use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::money::{Currency, Money, MoneyError, Rounding};

/// How one market holds back and gives up, from an instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarketPolicy {
    pub policy_no: i32,
    /// ISO 3166, or `*` for every country without a policy of its own.
    pub country: String,
    pub holdback_percent: Decimal,
    pub holdback_days: u32,
    /// The most that a distributor may owe.
    pub carry_floor: Option<Decimal>,
    pub write_off_days: Option<u32>,
    pub effective_from: DateTime<Utc>,
}

pub const EVERY_COUNTRY: &str = "*";

/// The policy of a country at an instant; of two of the same time the one recorded later.
pub fn policy_at<'a>(
    policies: &'a [MarketPolicy],
    country: Option<&str>,
    at: DateTime<Utc>,
) -> Option<&'a MarketPolicy> {
    let newest = |country: &str| {
        let of_country = policies.iter().filter(|policy| policy.country == country);
        let known = of_country.filter(|policy| policy.effective_from <= at);
        known.max_by_key(|policy| (policy.effective_from, policy.policy_no))
    };
    country.and_then(newest).or_else(|| newest(EVERY_COUNTRY))
}

impl MarketPolicy {
    /// What is to be held back of `earned`. Nothing of a debt.
    pub fn holdback(&self, earned: Decimal, currency: Currency) -> Result<Decimal, MoneyError> {
        if earned <= Decimal::ZERO {
            return Ok(Decimal::ZERO);
        }
        let share =
            earned.checked_mul(self.holdback_percent).ok_or(MoneyError::Overflow)? / Decimal::ONE_HUNDRED;
        // Never in favour of the house: what is left over by rounding is paid now.
        Ok(Money::rounded(share, currency, Rounding::Down)?.amount())
    }

    /// The first day on which it is not held back any more.
    pub fn release_on(&self, ordered_at: DateTime<Utc>) -> NaiveDate {
        let day = ordered_at.date_naive();
        day.checked_add_days(Days::new(u64::from(self.holdback_days))).unwrap_or(day)
    }

    /// What of a debt is given up, and why.
    pub fn write_off(&self, debt: Decimal, since: NaiveDate, today: NaiveDate) -> Option<(Decimal, GivenUp)> {
        let age = u32::try_from((today - since).num_days()).unwrap_or(0);
        if self.write_off_days.is_some_and(|days| age >= days) {
            return Some((debt, GivenUp::Age { days: age }));
        }
        let floor = self.carry_floor?;
        let beyond = debt - floor;
        (beyond > Decimal::ZERO).then_some((beyond, GivenUp::BeyondFloor { floor }))
    }
}

/// Why a debt, or a part of it, is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum GivenUp {
    Age { days: u32 },
    BeyondFloor { floor: Decimal },
}

/// Since when a debt is there without a break: the day on which the sum last rose above zero. `movements` by time,
/// positive when the debt grows.
pub fn owed_since(movements: &[(NaiveDate, Decimal)]) -> Option<NaiveDate> {
    let mut sum = Decimal::ZERO;
    let mut since = None;
    for (day, amount) in movements {
        sum += amount;
        since = if sum > Decimal::ZERO { since.or(Some(*day)) } else { None };
    }
    since
}

/// One unit of the first is so much of the second, as somebody has published it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    pub rate_no: i32,
    pub from: Currency,
    pub to: Currency,
    pub rate: Decimal,
    pub on_date: NaiveDate,
    pub source: String,
}

impl Rate {
    pub fn convert(&self, amount: Decimal, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = amount.checked_mul(self.rate).ok_or(MoneyError::Overflow)?;
        Money::rounded(exact, self.to, rounding)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn policy(country: &str, percent: Decimal, from: &str) -> MarketPolicy {
        MarketPolicy {
            policy_no: 1,
            country: country.to_owned(),
            holdback_percent: percent,
            holdback_days: 14,
            carry_floor: Some(dec!(100)),
            write_off_days: Some(90),
            effective_from: format!("{from}T00:00:00Z").parse().unwrap(),
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_policy_of_the_country_holds_and_else_that_of_every_country() {
        let mut later = policy("DE", dec!(30), "2026-06-01");
        later.policy_no = 2;
        let all = [policy("DE", dec!(20), "2026-01-01"), later, policy("*", dec!(5), "2020-01-01")];
        let percent = |country, at: &str| {
            policy_at(&all, country, format!("{at}T12:00:00Z").parse().unwrap())
                .map(|found| found.holdback_percent)
        };
        assert_eq!(percent(Some("DE"), "2026-05-31"), Some(dec!(20)));
        assert_eq!(percent(Some("DE"), "2026-06-01"), Some(dec!(30)));
        assert_eq!(percent(Some("DE"), "2025-12-31"), Some(dec!(5)));
        assert_eq!(percent(None, "2026-06-01"), Some(dec!(5)));
        assert_eq!(percent(Some("FR"), "2019-01-01"), None);
    }

    #[test]
    fn a_holdback_is_never_more_than_the_share_and_nothing_of_a_debt() {
        let usd = Currency::parse("USD").unwrap();
        let policy = policy("*", dec!(33.3333), "2026-01-01");
        assert_eq!(policy.holdback(dec!(10), usd), Ok(dec!(3.33)));
        assert_eq!(policy.holdback(dec!(0.01), usd), Ok(dec!(0.00)));
        assert_eq!(policy.holdback(dec!(-10), usd), Ok(dec!(0)));
        assert_eq!(policy.holdback(dec!(100), Currency::parse("JPY").unwrap()), Ok(dec!(33)));
        assert_eq!(policy.release_on("2026-11-21T23:59:59Z".parse().unwrap()), day("2026-12-05"));
    }

    #[test]
    fn a_debt_is_given_up_by_age_as_a_whole_and_beyond_the_floor_in_part() {
        let policy = policy("*", dec!(0), "2026-01-01");
        let (since, young, old) = (day("2026-01-01"), day("2026-03-31"), day("2026-04-01"));
        assert_eq!(policy.write_off(dec!(100), since, young), None);
        assert_eq!(policy.write_off(dec!(100.01), since, young).unwrap().0, dec!(0.01));
        assert_eq!(policy.write_off(dec!(20), since, old), Some((dec!(20), GivenUp::Age { days: 90 })));
        assert_eq!(MarketPolicy { carry_floor: None, ..policy }.write_off(dec!(9_999), since, young), None);
    }

    #[test]
    fn a_debt_is_as_old_as_its_last_beginning() {
        let moves = [
            ("2026-01-01", dec!(10)),
            ("2026-01-05", dec!(-10)),
            ("2026-02-01", dec!(5)),
            ("2026-02-03", dec!(7)),
        ];
        let moves: Vec<_> = moves.into_iter().map(|(on, amount)| (day(on), amount)).collect();
        assert_eq!(owed_since(&moves), Some(day("2026-02-01")));
        assert_eq!(owed_since(&moves[..2]), None);
    }

    #[test]
    fn amounts_are_converted_to_the_scale_of_the_other_currency() {
        let rate = Rate {
            rate_no: 1,
            from: Currency::parse("USD").unwrap(),
            to: Currency::parse("JPY").unwrap(),
            rate: dec!(150.125),
            on_date: day("2026-11-20"),
            source: "ECB".into(),
        };
        assert_eq!(rate.convert(dec!(10.01), Rounding::HalfEven).unwrap().amount(), dec!(1503));
    }
}
